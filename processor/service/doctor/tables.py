"""Judges a side's tables against the catalog: tables, columns, rights and indexes."""

from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from processor.service.doctor.facts import Database, Index, TableFacts
from processor.service.doctor.findings import Check, Finding, error, warning
from processor.service.doctor.sql_names import quoted
from processor.service.doctor.types import judge_column
from processor.service.doctor.wanted import WantedIndex, WantedTable

_RIGHTS = ("SELECT", "INSERT", "UPDATE", "DELETE")


def judge_tables(where: str, facts: Database, wanted: Sequence[WantedTable]) -> Iterator[Finding]:
    for table in wanted:
        found = facts.tables.get(table.name)
        if found is None:
            place = f"objects.{table.object}"
            what = f"there is no table {table.name}, which the catalog names for {table.object}"
            yield error(Check.COLUMNS, where, what, f"correct {place} in the catalog, or make the table")
        elif not found.is_in_path:
            yield error(
                Check.COLUMNS,
                where,
                f"{found.name} is not found under the name {table.name}: its schema is not in the role's search path"
                if found.may_use_schema
                else f"{found.name} is not found under the name {table.name}: the role may not use its schema",
                f"name it {found.schema}.{table.name} in the catalog, or let the role find it",
                f"ALTER ROLE {quoted(facts.role)} SET search_path = {quoted(found.schema)}, public;"
                if found.may_use_schema
                else f"GRANT USAGE ON SCHEMA {quoted(found.schema)} TO {quoted(facts.role)};",
            )
        else:
            yield from _rights(where, facts, found, table)
            yield from _columns(where, facts, found, table)
            yield from _indexes(where, found, table)


def _rights(where: str, facts: Database, found: TableFacts, table: WantedTable) -> Iterator[Finding]:
    role, here = quoted(facts.role), found.name
    if not found.may_use_schema:
        yield error(
            Check.RIGHTS,
            where,
            f"{facts.role} may not use the schema {found.schema}",
            "let it",
            f"GRANT USAGE ON SCHEMA {quoted(found.schema)} TO {role};",
        )
    lacking = table.rights - found.rights
    for column in table.columns:
        known = found.columns.get(column.name)
        if known is not None:
            lacking |= column.rights - known.rights
    if lacking:
        listed = ", ".join(right for right in _RIGHTS if right in lacking)
        yield error(
            Check.RIGHTS,
            where,
            f"{facts.role} lacks {listed} on {here}",
            "grant it",
            f"GRANT {listed} ON {here} TO {role};",
        )
    if table.is_filled:
        for sequence in found.locked_sequences:
            yield error(
                Check.RIGHTS,
                where,
                f"{facts.role} may not use the sequence {sequence}, from which new rows of {here} take a default",
                "let it",
                f"GRANT USAGE ON SEQUENCE {sequence} TO {role};",
            )
    if found.row_security:
        yield warning(
            Check.RIGHTS,
            where,
            f"row security hides rows of {here} from {facts.role}: what is hidden counts as missing",
            "have the role see all rows, if that is not meant (run it as a superuser)",
            f"ALTER ROLE {role} BYPASSRLS;",
        )


def _columns(where: str, facts: Database, found: TableFacts, table: WantedTable) -> Iterator[Finding]:
    for column in table.columns:
        known = found.columns.get(column.name)
        if known is None:
            near = get_close_matches(column.name, found.columns, n=1)
            hint = f" (is it {near[0]}?)" if near else ""
            yield error(
                Check.COLUMNS,
                where,
                f"{found.name} has no column {column.name}{hint}",
                f"correct {column.place} in the catalog, or add the column to the table",
            )
        else:
            yield from judge_column(where, facts, found.name, column, known)
    if table.is_filled:
        supplied = {column.name for column in table.columns if "INSERT" in column.rights}
        for name, known in found.columns.items():
            if known.not_null and not known.has_default and not known.is_written_by_database and name not in supplied:
                yield error(
                    Check.TYPES,
                    where,
                    f"{found.name}.{name} must not be null, has no default, and no correction fills it: no row can be"
                    " created",
                    "give it a default, or allow nulls",
                    f"ALTER TABLE {found.name} ALTER COLUMN {quoted(name)} DROP NOT NULL;",
                )


def _indexes(where: str, found: TableFacts, table: WantedTable) -> Iterator[Finding]:
    if not found.has_indexes:
        return
    for index in table.indexes:
        if not all(column in found.columns for column in index.columns):
            continue
        listed = ", ".join(map(quoted, index.columns))
        if not any(_serves(one, index) for one in found.indexes):
            unready = any(set(one.columns[: len(index.columns)]) == set(index.columns) for one in found.indexes)
            found_as = error if index.is_needed else warning
            yield found_as(
                Check.INDEXES,
                where,
                f"{found.name} has no{' whole and valid' if unready else ''} index that begins with ({listed}), for"
                f" {index.serves}: every read looks at the whole table",
                "make one; it does not lock the table",
                f"CREATE INDEX CONCURRENTLY ON {found.name} ({listed});",
            )
        elif index.is_unique and not any(_makes_unique(one, index) for one in found.indexes):
            yield warning(
                Check.INDEXES,
                where,
                f"nothing makes ({listed}) unique in {found.name}: a record that two writers create at once stands"
                " twice, and its key then fails with DUPLICATE_KEY",
                "remove the rows that are too many, then make it unique; leave it where rows come twice on purpose",
                f"CREATE UNIQUE INDEX CONCURRENTLY ON {found.name} ({listed});",
            )


def _serves(index: Index, wanted: WantedIndex) -> bool:
    """Whether the wanted columns stand before all others, in any order."""
    return index.is_whole and set(index.columns[: len(wanted.columns)]) == set(wanted.columns)


def _makes_unique(index: Index, wanted: WantedIndex) -> bool:
    return index.is_whole and index.is_unique and set(index.columns) <= set(wanted.columns)
