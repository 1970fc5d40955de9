"""Count and checksum of both sides' rows, by their servers: a mark of what can be done, and proof of what was."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
from psycopg import sql

from bench.traffic import OBJECT, WrongCount
from bench.world import CATALOG, DISTRICT, Run, World
from processor.catalog_file import Secrets, load_catalog
from processor.codec.schema_files import SchemaFiles
from processor.core.catalog import Catalog

Checksum = tuple[int, str | None]
ROWS = sql.SQL("select count(*), sum(hash_record_extended(row({}), 0))::text from {} where {}")


def catalog() -> Catalog:
    return load_catalog(CATALOG, SchemaFiles(None).object, Secrets.LEFT_OUT)


def checksums(world: World, district_id: str = DISTRICT, last_key: int | None = None) -> tuple[Checksum, Checksum]:
    """Of the key and the compared columns, of both sides at the same time; of rows up to a key, or of all."""
    kind = catalog().objects[OBJECT]
    ours = [kind.district.key_column, *(field.district_column or "" for field in kind.compared)]
    theirs = [kind.state.key_column, *(field.state_column or "" for field in kind.compared)]
    of_district = sql.SQL("{} = {} and {}").format(
        sql.Identifier(kind.state.district_column or ""), district_id, _up_to(theirs[0], last_key)
    )
    asked = (
        (world.env[f"RESYNC_DISTRICT_DSN_{district_id}"], _asked(kind.district.name, ours, _up_to(ours[0], last_key))),
        (world.env["RESYNC_STATE_DSN"], _asked(kind.state.name, theirs, of_district)),
    )
    with ThreadPoolExecutor(len(asked)) as threads:
        district, state = threads.map(lambda each: _answer(*each), asked)
    return district, state


def check_equal(run: Run, district_id: str = DISTRICT, last_key: int | None = None) -> None:
    """Raises WrongCount unless both sides hold the same rows, up to a key or in all."""
    district, state = checksums(run.world, district_id, last_key)
    if district != state:
        raise WrongCount(f"rows and their checksum: {district} at the district, {state} at the state")


def _up_to(key: str, last_key: int | None) -> sql.Composable:
    return sql.SQL("true") if last_key is None else sql.SQL("{} <= {}").format(sql.Identifier(key), last_key)


def _asked(table: str, columns: list[str], where: sql.Composable) -> sql.Composed:
    named = sql.SQL(", ").join(map(sql.Identifier, columns))
    return ROWS.format(named, sql.Identifier(table), where)


def _answer(dsn: str, asked: sql.Composed) -> Checksum:
    with psycopg.connect(dsn) as connection:
        rows, checksum = connection.execute(asked).fetchone() or (0, None)
        return int(rows), checksum
