"""Judges what a write at the state sets off: rows that nobody asked to change."""

import re
from collections.abc import Iterator, Mapping

from processor.service.doctor.facts import Database, TableFacts, Trigger
from processor.service.doctor.findings import Check, Finding, error, warning

_ON_DELETE = re.compile(r" ON DELETE (?:CASCADE|SET NULL|SET DEFAULT)(?: \([^)]*\))?")
_WRITES = r"\b(?:insert\s+into|update|delete\s+from)\s+(?:only\s+)?(?:\"?\w+\"?\.)?\"?{table}\"?\b"


def judge_cascades(state: Database, *, allow_delete: bool) -> Iterator[Finding]:
    """Without deletes a foreign key that cascades is only waiting."""
    found_as = error if allow_delete else warning
    for found in _distinct(state.tables).values():
        for key in found.cascades:
            kept = _ON_DELETE.sub("", key.definition)
            what = _ON_DELETE.search(key.definition)
            yield found_as(
                Check.CASCADES,
                "state",
                f"{key.table}.{key.name} refers to {found.name}{what[0] if what else ''}: a record deleted takes along"
                " or changes rows that nobody asked for, and no history tells of them",
                "have the database refuse instead; such a key then fails with HAS_CHILDREN",
                f"ALTER TABLE {key.table} DROP CONSTRAINT {key.name}, ADD CONSTRAINT {key.name} {kept};",
            )
        for trigger in found.triggers:
            yield from _trigger(found, trigger, state.tables)
        for rule in found.rules:
            yield warning(
                Check.CASCADES,
                "state",
                f"the rule {rule} rewrites what is written to {found.name}",
                "look whether one correction still changes one row; a trigger is plainer",
                f"DROP RULE {rule} ON {found.name};",
            )


def _trigger(found: TableFacts, trigger: Trigger, tables: Mapping[str, TableFacts | None]) -> Iterator[Finding]:
    """By the function's text: one that writes to other tables, such as an audit, changes none of the records."""
    for name in tables:
        bare = name.rpartition(".")[2]
        if re.search(_WRITES.format(table=re.escape(bare)), trigger.source, re.IGNORECASE):
            yield warning(
                Check.CASCADES,
                "state",
                f"the trigger {trigger.name} on {found.name} ({trigger.function}) seems to write to {name}: a"
                " correction may change rows that nobody asked for",
                "look whether it does, and have it leave other rows alone; or switch it off",
                f"ALTER TABLE {found.name} DISABLE TRIGGER {trigger.name};",
            )


def _distinct(tables: Mapping[str, TableFacts | None]) -> dict[str, TableFacts]:
    """The catalog may name a table both with its schema and without."""
    return {found.name: found for found in tables.values() if found is not None}
