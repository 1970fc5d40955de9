"""How a district's rows stand at the state: what is planted there, and what a request for all of them must find."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import psycopg

from bench.world import DISTRICT, OTHER, Run

HALF_OFF = b"""
update bench_state_person set phone = '555-DIFF'
where district_id = 'NORTH' and district_person_id % 2 = 0 and phone <> '555-DIFF'
"""
NOTHING_DIFFERS = b"""
update bench_state_person set phone = '555-' || lpad((district_person_id % 10000)::text, 4, '0')
where phone = '555-DIFF'
"""
NOTHING_IS_MISSING = b"delete from bench_person where person_id % 100 = 1"


@dataclass(frozen=True, slots=True)
class Planted:
    """So many rows of the district differ at the state, so many are missing there, the others are equal."""

    rows: int
    differing: int = 0
    missing: int = 0

    @property
    def equal(self) -> int:
        return self.rows - self.differing - self.missing

    @property
    def off(self) -> int:
        return self.differing + self.missing


Plant: TypeAlias = Callable[[Run], Planted]


def three_percent(run: Run, district_id: str = DISTRICT) -> Planted:
    """What a run begins with: every 50th row differs, every 100th plus one is missing."""
    rows = run.world.rows // 20 if district_id == OTHER else run.world.rows
    return Planted(rows, rows // 50, (rows + 99) // 100)


def plant_half(run: Run) -> Planted:
    """Every other row differs too."""
    _execute(run.env["RESYNC_STATE_DSN"], HALF_OFF, b"vacuum analyze bench_state_person")
    return Planted(run.world.rows, run.world.rows // 2, (run.world.rows + 99) // 100)


def plant_nothing(run: Run) -> Planted:
    """For good: the district loses the rows that the state lacks."""
    _execute(run.env["RESYNC_STATE_DSN"], NOTHING_DIFFERS, b"vacuum analyze bench_state_person")
    _execute(run.env[f"RESYNC_DISTRICT_DSN_{DISTRICT}"], NOTHING_IS_MISSING, b"vacuum analyze bench_person")
    return Planted(run.world.rows - (run.world.rows + 99) // 100)


def _execute(dsn: str, *statements: bytes) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)
