"""Breaks a loaded population in every way that the design names, and writes down what must come of it.

Run as `python -m demo.plant`.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from demo.databases import STACK, Databases, find_databases
from demo.planted import Ledger, Request
from demo.plants import asking, faults, rows, strict, values
from demo.pool import Pool

Plant: TypeAlias = Callable[[Pool, Ledger], None]
PLANTED = STACK.dir / "demo" / "planted.json"

# Asked for before the others are planted.
STRICT_PLANTS: tuple[Plant, ...] = (
    strict.unanswered,
    strict.held,
    strict.not_allowed,
    strict.closed_year,
    strict.deletion_not_allowed,
    strict.database_gone,
)
# Whoever takes records by a key that two districts share comes first, before the keys part.
PLANTS: tuple[Plant, ...] = (
    faults.same_key_elsewhere,
    faults.wrong_reference,
    values.equal,
    values.expected_differences,
    values.equal_by_rule,
    values.one_field_differs,
    values.never_arrived,
    values.awkward_text,
    values.clock_changes,
    values.nulls,
    values.untransportable,
    values.untransportable_at_state,
    rows.on_neither_side,
    rows.missing_at_state,
    rows.persons_and_enrollments,
    rows.parent_missing,
    rows.parent_nowhere,
    rows.grandparent_nowhere,
    rows.parent_sent,
    rows.grandparent_sent,
    rows.children_sent,
    rows.only_at_state,
    rows.deleted,
    rows.deleted_with_children,
    rows.has_children,
    rows.too_many_deletes,
    rows.twice,
    asking.spelled,
    asking.not_keys,
    asking.forced,
    asking.repeated,
    asking.verified,
    asking.impossible,
    faults.refused,
    faults.number_taken,
    faults.edited_in_between,
    faults.database_away,
)


def ignore(_requests: list[Request]) -> None:
    pass


def plant(databases: Databases, begin: Callable[[list[Request]], None] = ignore, planted: Path = PLANTED) -> Ledger:
    """Plants every kind, keeps a copy of the state's tables as `demo_before`, writes the list.

    `begin` is given the requests that come first, as soon as their records are planted.
    """
    pool, ledger = Pool(databases), Ledger()
    try:
        with pool.state.transaction():
            for sow in STRICT_PLANTS:
                sow(pool, ledger)
        begin(ledger.requests)
        with pool.state.transaction():
            for sow in PLANTS:
                sow(pool, ledger)
            _keep_copy(pool)
    finally:
        pool.close()
    ledger.write(planted)
    return ledger


def _keep_copy(pool: Pool) -> None:
    """Every table of the state as it is now, with the transaction that wrote each row: a later write shows."""
    pool.state.execute("drop schema if exists demo_before cascade; create schema demo_before")
    tables = pool.state.execute("select tablename from pg_tables where schemaname = 'public'").fetchall()
    for (table,) in tables:
        pool.state.execute(
            f"create table demo_before.{table} as select xmin::text as written_by, t.* from public.{table} t".encode()
        )


def main() -> None:
    started = time.monotonic()
    ledger = plant(find_databases())
    keys = sum(len(r.expected) for r in ledger.requests)
    print(f"planted {keys} keys in {len(ledger.requests)} requests in {time.monotonic() - started:.1f} s: {PLANTED}")


if __name__ == "__main__":
    main()
