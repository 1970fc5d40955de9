"""That the state's rows are as they were, but for what history says was applied: against the copy `demo_before`."""

from collections.abc import Iterable, Iterator
from typing import Any

import psycopg
from psycopg.rows import dict_row

from demo.proof.claims import Claim, Record
from demo.tables import STATE_COLUMNS, TABLES

# What the state's own columns hold in a row that a correction created: the defaults of sql/state.sql.
_DEFAULTS: dict[str, dict[str, object]] = {
    "PersonIdentity": {"match_status": "NEW", "funding_code": "GEN", "certified": False, "reviewer_note": None},
    "Enrollment": {"certification_status": "OPEN", "funded_share": 1},
    "Employment": {"review_status": "PENDING"},
    "EmploymentAssignment": {},
    "Behavior": {"reviewed_by": None},
    "EnglishLearner": {},
    "Graduation": {"cohort_year": None},
    "TestScore": {"vendor_batch": "DISTRICT"},
}
_BOOKKEEPING = frozenset({"written_by"})


def check_untouched(
    state: psycopg.Connection, claims: Iterable[Claim], edited: Iterable[dict[str, Any]]
) -> Iterator[str]:
    """Every change of a state's row since the copy is one that history claims, in the fields that it names.

    `edited`: rows that others have edited meanwhile; what they left there stays unless a correction was applied.
    """
    applied: dict[Record, set[str]] = {}
    for claim in claims:
        if claim.status == "APPLIED":
            columns = STATE_COLUMNS[claim.object]
            named = {columns[f] for f in claim.changed_fields} if claim.changed_fields else set(columns.values())
            applied.setdefault(claim.record, set()).update(named)
    by_others = {(e["object"], e["district_id"], e["key"]): e["columns"] for e in edited}
    for object_name in TABLES:
        for before, now in _changes(state, object_name):
            yield from _check_change(object_name, before, now, applied, by_others)
    yield from _check_other_tables(state)


def _check_change(
    object_name: str,
    before: dict[str, Any] | None,
    now: dict[str, Any] | None,
    applied: dict[Record, set[str]],
    by_others: dict[Record, dict[str, str]],
) -> Iterator[str]:
    row = now or before or {}
    record = (object_name, row["district_id"], str(row[TABLES[object_name].state_key]))
    name = f"the state's row of {record[1]} {object_name} {record[2]}"
    if record not in applied and record not in by_others:
        yield f"{name} was {_deed(before, now)}, and history has no applied correction of it"
    elif before and now:
        changed = {c for c in now if c not in _BOOKKEEPING and before[c] != now[c]}
        edited = by_others.get(record, {})
        beyond = changed - applied.get(record, set()) - edited.keys()
        if beyond:
            yield f"{name} changed in {', '.join(sorted(beyond))}, which history does not name"
        for column in sorted(c for c, left in edited.items() if record not in applied and now[c] != left):
            yield f"{name} has lost what others wrote in its {column} meanwhile"
    elif now:
        for column, default in _DEFAULTS[object_name].items():
            if now[column] != default:
                yield f"{name} was created, but its {column} is not the state's default"


def _deed(before: dict[str, Any] | None, now: dict[str, Any] | None) -> str:
    if before and now:
        return "written"
    return "created" if now else "deleted"


def _changes(
    state: psycopg.Connection, object_name: str
) -> Iterator[tuple[dict[str, Any] | None, dict[str, Any] | None]]:
    """Pairs of the row then and the row now, where a transaction has written it since."""
    table = TABLES[object_name].state
    with state.cursor(row_factory=dict_row) as cursor:
        cursor.execute(
            f"select to_jsonb(b) as before, to_jsonb(n) as now from demo_before.{table} b"
            f" full join (select xmin::text as written_by, t.* from {table} t) n using (state_id)"
            " where b is distinct from n".encode()
        )
        for row in cursor:
            yield row["before"], row["now"]


def _check_other_tables(state: psycopg.Connection) -> Iterator[str]:
    """Tables that no object lives in are as they were."""
    tables = {t.state for t in TABLES.values()}
    rows = state.execute("select tablename from pg_tables where schemaname = 'demo_before'").fetchall()
    for table in sorted({row[0] for row in rows} - tables):
        different = state.execute(
            f"(select * from demo_before.{table} except select xmin::text, t.* from public.{table} t) union all"
            f" (select xmin::text, t.* from public.{table} t except select * from demo_before.{table})".encode()
        ).fetchone()
        if different:
            yield f"the state's table {table} was written"
