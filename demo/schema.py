"""Makes the demo's empty tables where they are missing, so that roles can start before anything is loaded.

Run as `python -m demo.schema`; harmless when repeated, and does nothing in a stack with another catalog.
"""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from demo.databases import STACK, Databases, connect, find_databases
from stack import environment

SQL = Path(__file__).parent / "sql"
CATALOG = Path(__file__).resolve().parent / "catalog.yaml"
STATE, DISTRICT = SQL / "state.sql", SQL / "district.sql"


def make_missing_tables(databases: Databases) -> None:
    with ThreadPoolExecutor() as pool:
        made = [pool.submit(_make, databases.state, "state_person", STATE)]
        made += [pool.submit(_make, dsn, "identity", DISTRICT) for dsn in databases.districts.values()]
        for job in made:
            job.result()


def _make(dsn: str, first_table: str, file: Path) -> None:
    with connect(dsn) as connection, connection.transaction():
        found = connection.execute("select to_regclass(%s)", (f"public.{first_table}",)).fetchone()
        if found is None or found[0] is None:
            connection.execute(file.read_bytes())


if __name__ == "__main__" and Path(environment.read(STACK)["RESYNC_CATALOG"]).resolve() == CATALOG:
    make_missing_tables(find_databases())
