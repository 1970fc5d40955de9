"""Judges the store's tables."""

from collections.abc import Iterator

from processor.service.doctor.applier import NEEDED
from processor.service.doctor.facts import Database, HistoryTables
from processor.service.doctor.findings import Check, Finding, error, warning
from processor.service.doctor.sql_names import quoted

SCHEMA = "resync_store"


def judge_history(facts: Database, tables: HistoryTables) -> Iterator[Finding]:
    role, database = quoted(facts.role), quoted(facts.database)
    if not facts.may_create:
        found_as = error if tables.version is None else warning
        yield found_as(
            Check.RIGHTS,
            "history",
            f"{facts.role} may not make schemas in {facts.database}: the store can neither make its tables nor rebuild"
            " them",
            "let it",
            f"GRANT CREATE ON DATABASE {database} TO {role};",
        )
    elif tables.version is None:
        yield warning(
            Check.TABLES,
            "history",
            "there are no tables yet",
            "the store makes them at its start",
            "resync topics create",
        )
    if not facts.may_make_temporary:
        yield error(
            Check.RIGHTS,
            "history",
            f"{facts.role} may not make temporary tables in {facts.database}, through which the store writes",
            "let it",
            f"GRANT TEMPORARY ON DATABASE {database} TO {role};",
        )
    if tables.version is None:
        return
    if tables.version > tables.newest:
        yield error(
            Check.TABLES,
            "history",
            f"the tables are of version {tables.version}, this release knows {tables.newest}: the store does not start",
            "run the release that made them, or a newer one",
        )
    elif tables.version < tables.newest:
        yield warning(
            Check.TABLES,
            "history",
            f"the tables are of version {tables.version}, this release has {tables.newest}",
            "the store changes them at its start; or do it now",
            "resync topics create",
        )
    lacking = sorted({right for rights in tables.rights.values() for right in NEEDED if right not in rights})
    if lacking:
        listed = ", ".join(right for right in NEEDED if right in lacking)
        yield error(
            Check.RIGHTS,
            "history",
            f"{facts.role} lacks {listed} on tables of {SCHEMA}",
            "grant it",
            f"GRANT USAGE ON SCHEMA {SCHEMA} TO {role}; GRANT {listed} ON ALL TABLES IN SCHEMA {SCHEMA} TO {role};",
        )
    if not tables.owns:
        yield warning(
            Check.RIGHTS,
            "history",
            f"{facts.role} does not own the schema {SCHEMA}: neither an upgrade nor `resync replay` can replace it",
            "have the store's role own it (run it as the owner)",
            f"ALTER SCHEMA {SCHEMA} OWNER TO {role};",
        )
