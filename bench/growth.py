"""How our time and memory grow: with rows, keys of a request, and fields."""

import json
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import psycopg
import yaml

from bench import backlog
from bench.backlog import Amount
from bench.measured import Contender, Measured, Scenario, Unit
from bench.options import Options
from bench.planted import NOTHING
from bench.verification import CHECKSUMS, summed, verified
from bench.workers import OURS
from bench.world import CATALOG, DISTRICT, World
from processor.codec.schema_files import shipped_schemas

ROWS = (10_000, 100_000, 1_000_000, 10_000_000)
KEYS_PER_REQUEST = (10, 10_000, 100_000, 1_000_000)
FIELDS = (5, 20, 50, 100)
KEYS = 50_000
"""Of a backlog, where a request has no more by itself."""
TABLES = ((f"RESYNC_DISTRICT_DSN_{DISTRICT}", "bench_person"), ("RESYNC_STATE_DSN", "bench_state_person"))


def scenarios(options: Options) -> Iterator[Scenario]:
    """Tables are widened for fields, so before those comes all that needs them as they were loaded."""
    for keys in KEYS_PER_REQUEST:
        if keys <= options.most_rows // 10:
            yield by_keys(max(keys, min(options.keys, KEYS)), keys)
    followed = [rows for rows in ROWS if rows <= options.most_rows]
    yield from (by_rows(rows) for rows in followed if rows == options.rows)
    for fields in (FIELDS[0], FIELDS[-1]) if options.quick else FIELDS:
        yield by_fields(min(options.keys, KEYS), fields)
    yield from (by_rows(rows) for rows in followed if rows != options.rows)


def by_rows(rows: int) -> Scenario:
    contenders = [Contender("ours", verified), Contender(CHECKSUMS, summed)]
    name = f"{rows:,} rows verified, {NOTHING}"
    return Scenario("growth", name, Unit.SECONDS, contenders, NOTHING, rows, size=("rows a side", rows))


def by_keys(keys: int, per_request: int) -> Scenario:
    name = f"{keys:,} keys in requests of {per_request:,}"
    contender = backlog.by(OURS, Amount(keys, per_request))
    return Scenario("growth", name, Unit.KEYS_PER_S, [contender], size=("keys a request", per_request))


def by_fields(keys: int, fields: int) -> Scenario:
    name = f"{keys:,} keys in requests of 100, of objects with {fields} fields"
    contender = Contender("ours", partial(wide, keys=keys, fields=fields))
    return Scenario("growth", name, Unit.KEYS_PER_S, [contender], size=("fields", fields))


def wide(world: World, *, keys: int, fields: int) -> Measured:
    """A backlog of objects with so many fields."""
    return backlog.by(OURS, Amount(keys, 100, settings=widened(world, fields))).measure(world)


def widened(world: World, fields: int) -> Mapping[str, str]:
    """Gives the object so many fields: the one that differs, the other usual ones, then texts. The roles' settings."""
    catalog = yaml.safe_load(CATALOG.read_text(encoding="utf-8"))
    kind = catalog["objects"]["PersonIdentity"]
    usual = sorted(kind["fields"].items(), key=lambda each: each[0] != "phone")
    more = {f"text{number}": f"text_{number}" for number in range(len(usual) + 1, fields + 1)}
    kind["fields"] = {**dict(usual[:fields]), **more}
    folder = world.stack.dir / f"fields-{fields}"
    _write_schema(folder, kind["fields"])
    (folder / "catalog.yaml").write_text(yaml.safe_dump(catalog), encoding="utf-8")
    for dsn, table in TABLES:
        widen(world.env[dsn], table, [*more.values()])
    return {"RESYNC_CATALOG": str(folder / "catalog.yaml"), "RESYNC_SCHEMAS": str(folder)}


def widen(dsn: str, table: str, columns: list[str]) -> None:
    """Postgres writes no row for a column with a constant default."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        for column in columns:
            text = f"a text of {column}"
            connection.execute(f"alter table {table} add column if not exists {column} text default '{text}'".encode())


def _write_schema(folder: Path, fields: dict[str, str]) -> None:
    schema = json.loads((shipped_schemas() / "objects" / "PersonIdentity.avsc").read_text(encoding="utf-8"))
    known = {field["name"]: field for field in schema["fields"]}
    text = {"type": ["null", "string"], "default": None}
    schema["fields"] = [known.get(name, {"name": name, **text}) for name in fields]
    (folder / "objects").mkdir(parents=True, exist_ok=True)
    (folder / "objects" / "PersonIdentity.avsc").write_text(json.dumps(schema), encoding="utf-8")
