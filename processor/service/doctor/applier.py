"""Judges what the applier keeps at the state, and whether districts' databases are those that it knows."""

from collections.abc import Iterator, Mapping

from processor.core.catalog import District
from processor.service.doctor.facts import Bookkeeping, Database, Version
from processor.service.doctor.findings import Check, Finding, error, warning
from processor.service.doctor.sql_names import quoted

NEEDED = ("SELECT", "INSERT", "UPDATE", "DELETE")
SCHEMA = "resync_applier"


def judge_bookkeeping(state: Database, kept: Bookkeeping) -> Iterator[Finding]:
    role = quoted(state.role)
    missing = [name for name, rights in kept.tables.items() if rights is None]
    if missing and not state.may_create:
        yield error(
            Check.TABLES,
            "state",
            f"there is no {SCHEMA}.{missing[0]}, and {state.role} may not make it: the applier cannot start",
            "let the role make its schema, or run processor/adapters/postgres/sql/applier_schema.sql by hand",
            f"GRANT CREATE ON DATABASE {quoted(state.database)} TO {role};",
        )
    if not missing and not kept.may_use_schema:
        yield error(
            Check.RIGHTS,
            "state",
            f"{state.role} may not use the schema {SCHEMA}, in which the applier keeps its answers",
            "let it",
            f"GRANT USAGE ON SCHEMA {SCHEMA} TO {role};",
        )
    for name, rights in kept.tables.items():
        lacking = [] if rights is None else [right for right in NEEDED if right not in rights]
        if lacking:
            listed = ", ".join(lacking)
            yield error(
                Check.RIGHTS,
                "state",
                f"{state.role} lacks {listed} on {SCHEMA}.{name}",
                "grant it",
                f"GRANT {listed} ON {SCHEMA}.{name} TO {role};",
            )


def judge_epochs(
    districts: Mapping[str, District], seen: Mapping[str, Database], versions: Mapping[str, Version]
) -> Iterator[Finding]:
    """A database that was replaced counts its transactions anew, and all corrections from it would be too old."""
    for district_id, version in versions.items():
        district, database = districts.get(district_id), seen.get(district_id)
        if district is None:
            continue
        place = f"districts.{district_id}.epoch"
        if district.epoch < version.epoch:
            yield error(
                Check.EPOCHS,
                district_id,
                f"the catalog's epoch is {district.epoch}, corrections of epoch {version.epoch} were applied: all that"
                " follow are too old",
                f"set {place} to {version.epoch} in the catalog; to {version.epoch + 1} if the database was replaced",
            )
        elif district.epoch == version.epoch and database is not None and database.xmax < version.xmax:
            yield error(
                Check.EPOCHS,
                district_id,
                f"the database stands at transaction {database.xmax}, a reading of it at {version.xmax} was applied:"
                " it was replaced or restored, and all corrections from it are too old",
                f"set {place} to {version.epoch + 1} in the catalog, and restart the processors",
            )


def not_read() -> Finding:
    return warning(
        Check.EPOCHS,
        "state",
        f"{SCHEMA}.versions could not be read in time, so it is not known whether a district's database was replaced",
        "ask again when the database is less busy",
    )
