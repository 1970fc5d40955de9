"""Loads a generated population: the districts' databases and the state's, equal to start with.

Run as `python -m demo.load [--persons N] [--seed N]`.
"""

import argparse
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import psycopg

from demo import samples
from demo.columns import COLUMNS
from demo.databases import Databases, connect, find_databases
from demo.generate import District, Row, Size, copy_text, generate
from demo.schema import DISTRICT, STATE

SEED = 20261


def load(databases: Databases, size: Size, seed: int = SEED) -> None:
    """Drops what the demo's databases hold and loads a fresh population."""
    districts = list(generate(size, seed))
    with ThreadPoolExecutor() as pool:
        loads = [pool.submit(_load_state, databases.state, districts)]
        loads += [pool.submit(_load_district, databases.districts[d.district_id], d) for d in districts]
        for job in loads:
            job.result()


def _load_district(dsn: str, district: District) -> None:
    with connect(dsn) as connection, connection.transaction():
        connection.execute(DISTRICT.read_bytes())
        for table, rows in district.here.items():
            _copy(connection, table, rows)
    _analyze(dsn)


def _load_state(dsn: str, districts: Iterable[District]) -> None:
    with connect(dsn) as connection, connection.transaction():
        connection.execute(STATE.read_bytes())
        schools = [(number, d, f"School {number}") for d, numbers in samples.SCHOOLS.items() for number in numbers]
        with connection.cursor().copy("copy state_school from stdin") as copy:
            copy.write(copy_text(schools))
        for district in districts:
            for table, rows in district.state.items():
                _copy(connection, table, rows)
    _analyze(dsn)


def _copy(connection: psycopg.Connection, table: str, rows: list[Row]) -> None:
    columns = ", ".join(COLUMNS[table].split())
    with connection.cursor().copy(f"copy {table} ({columns}) from stdin".encode()) as copy:
        copy.write(copy_text(rows))


def _analyze(dsn: str) -> None:
    with connect(dsn) as connection:
        connection.execute("analyze")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--persons", type=int, default=Size().persons)
    parser.add_argument("--seed", type=int, default=SEED)
    arguments = parser.parse_args()
    started = time.monotonic()
    load(find_databases(), Size(persons=arguments.persons), arguments.seed)
    print(f"loaded {arguments.persons} persons in {time.monotonic() - started:.1f} s")


if __name__ == "__main__":
    main()
