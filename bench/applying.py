"""Corrections at the state: `python -m bench.applying`, one JSON line.

The applier finds a topic of corrections, half of them updates of one field, half creates. It is done when its group's
offsets, which are committed with the answers, have reached the end of the topic, and is measured from its first commit
on. Beside it stand bare batched writes of the same rows, by `update … from unnest` and `insert … select … from unnest`
of arrays, as many rows a transaction as the applier takes, without a look at what is there, and without answers; and
the same once more with what has to be kept of each correction: its answer, and its key's version.
"""

import argparse
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import partial

import psycopg
from confluent_kafka import Consumer, Producer, TopicPartition
from psycopg import sql

from bench import command
from bench.awaiting import until
from bench.checksum import check_equal
from bench.figures import Figure
from bench.measured import OURS, Contender, Measured, Scenario, Unit
from bench.meter import Meter, peak_rss_mb
from bench.options import number
from bench.traffic import OBJECT, Tail, compare, put
from bench.world import DISTRICT, PARTITIONS, Run, World
from processor.adapters.postgres.state_writer import PostgresStateWriter
from processor.bootstrap.apply import MOST_CORRECTIONS
from processor.bootstrap.parts import open_catalog
from processor.core.catalog import Kind, ObjectType
from processor.core.chunk import Cause
from processor.core.correction import Correction, Op, Source
from processor.core.ids import correction_id
from processor.core.partition import partition_of
from processor.core.request import Dependencies, Mode, OnStateOnly
from processor.core.snapshot import DistrictVersion
from processor.core.values import Values, canonical

HALF_CREATED = """
update bench_state_person set phone = '555-DIFF'
where district_id = 'NORTH' and district_person_id % 2 = 0 and district_person_id <= {0};
delete from bench_state_person where district_id = 'NORTH' and district_person_id % 2 = 1 and district_person_id <= {0}
"""
"""Every other row up to a key differs, the others are missing."""
UPDATED = """
update bench_state_person t set phone = i.phone from unnest(%s::bigint[], %s::text[]) as i (key, phone)
where t.district_id = 'NORTH' and t.district_person_id = i.key
"""
NOTED = """
with each as (
    select * from unnest(%s::uuid[], %s::timestamptz[], %s::text[]) as i (correction_id, sent_at, key)
), versions as (
    insert into resync_applier.versions select 'NORTH', 'PersonIdentity', key, 1, 1000, 0, correction_id from each
)
insert into resync_applier.applied
select correction_id, sent_at, 'NORTH', 'PersonIdentity', key, 'APPLIED', null, now() from each
"""
TYPES: dict[Kind, str] = {
    Kind.DATE: "date",
    Kind.TIMESTAMP: "timestamptz",
    Kind.BOOLEAN: "boolean",
    Kind.DECIMAL: "numeric",
}


def main() -> int:
    parser = command.options("bench.applying", __doc__, rows=100_000)
    parser.add_argument("--repeats", type=number(1, 100), default=3, help="(%(default)s)")
    return command.figures(parser, _figures)


def _figures(here: World, options: argparse.Namespace) -> Iterator[Figure]:
    yield command.contest(here, scenario(options.rows), options.repeats)


def scenario(corrections: int) -> Scenario:
    """Of the rows with the first keys."""
    contenders = [
        Contender(OURS, partial(applied, last_key=corrections)),
        Contender("bare batched writes", partial(written, last_key=corrections), {"speed": 0.6}),
        Contender("the same, versions and answers kept", partial(written, last_key=corrections, kept=True)),
    ]
    return Scenario("applying", f"{corrections:,} corrections, half of them creates", Unit.ROWS_PER_S, contenders)


def applied(world: World, *, last_key: int) -> Measured:
    """Each correction is applied, and answered once."""
    with world.run() as run:
        corrections = _corrections(run, last_key)
        _plant(run, last_key)
        _publish(run, corrections)
        run.start("apply")
        measured = _watched(run)
        run.stop("apply")
        ops = Counter(f"correction {correction.op.name}" for correction in corrections)
        compare(Tail(run).count(), ops + Counter({"answer APPLIED": len(corrections)}), "on the topics")
        check_equal(run, last_key=last_key)
    return measured


def written(world: World, *, last_key: int, kept: bool = False) -> Measured:
    """`kept`: with what the applier has to keep of each correction, in the same transaction."""
    with world.run() as run:
        corrections = _corrections(run, last_key)
        _plant(run, last_key)
        inserted, columns = _insert(open_catalog(run.settings).objects[OBJECT])
        batches = [corrections[n : n + MOST_CORRECTIONS] for n in range(0, len(corrections), MOST_CORRECTIONS)]
        prepared = [_arrays(batch, columns) for batch in batches]
        noted = [_noted(batch) if kept else None for batch in batches]
        if kept:
            _empty_applier(run)
        with psycopg.connect(run.settings.state_dsn) as connection:
            meter = Meter(world.stack, {})
            began = time.monotonic()
            for (updates, creates), note in zip(prepared, noted, strict=True):
                with connection.transaction():
                    connection.execute(UPDATED, updates)
                    connection.execute(inserted, creates)
                    if note is not None:
                        connection.execute(NOTED, note)
            seconds = time.monotonic() - began
            cpu_s = meter.cpu_s()
        check_equal(run, last_key=last_key)
    return Measured({"speed": len(corrections) / seconds}, len(corrections), seconds, cpu_s)


def _arrays(batch: Sequence[Correction], columns: Sequence[str]) -> tuple[list[list[object]], list[list[object]]]:
    updates = [c for c in batch if c.op is Op.UPDATE]
    creates = [c for c in batch if c.op is Op.CREATE]
    changed: list[list[object]] = [
        [int(c.source.key) for c in updates],
        [(c.after or {})["phone"] for c in updates],
    ]
    rows: list[list[object]] = [[c.source.key for c in creates]]
    rows += [[(c.after or {})[name] for c in creates] for name in columns]
    return changed, rows


def _noted(batch: Sequence[Correction]) -> list[list[object]]:
    sources = [correction.source for correction in batch]
    return [[s.correction_id for s in sources], [s.sent_at for s in sources], [s.key for s in sources]]


def _empty_applier(run: Run) -> None:
    state = PostgresStateWriter(run.settings.state_dsn, open_catalog(run.settings))
    state.ensure_schema()
    state.close()
    with psycopg.connect(run.settings.state_dsn, autocommit=True) as connection:
        connection.execute("truncate resync_applier.versions, resync_applier.applied")


def _insert(kind: ObjectType) -> tuple[sql.Composed, list[str]]:
    """The statement, and the fields whose arrays it takes after the keys'."""
    fields = kind.owned
    columns = [kind.state.key_column, *(field.state_column or "" for field in fields)]
    types = ["bigint", *(TYPES.get(field.kind, "text") for field in fields)]
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    arrays = sql.SQL(", ").join(sql.SQL("%s::{}[]").format(sql.SQL(each)) for each in types)
    statement = sql.SQL("insert into bench_state_person (district_id, {}) select 'NORTH', i.* from unnest({}) i")
    return statement.format(names, arrays), [field.name for field in fields]


def _plant(run: Run, last_key: int) -> None:
    with psycopg.connect(run.settings.state_dsn, autocommit=True) as connection:
        connection.execute(sql.SQL(HALF_CREATED).format(last_key))
        connection.execute("vacuum analyze bench_state_person")


def _corrections(run: Run, last_key: int) -> list[Correction]:
    """Of the district's rows up to a key, as the processor would have made them."""
    kind = open_catalog(run.settings).objects[OBJECT]
    texts = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(f.district_column or "")) for f in kind.owned)
    key = sql.Identifier(kind.district.key_column)
    asked = sql.SQL("select {0}::text, {1} from {2} where {0} <= {3} order by {0}").format(
        key, texts, sql.Identifier(kind.district.name), last_key
    )
    request_id, at = str(uuid.uuid4()), datetime(2026, 9, 1, tzinfo=UTC)
    with psycopg.connect(run.env[f"RESYNC_DISTRICT_DSN_{DISTRICT}"], options="-c TimeZone=UTC") as connection:
        return [_correction(kind, key, row, request_id, at) for key, *row in connection.execute(asked)]


def _correction(kind: ObjectType, key: str, row: Sequence[str | None], request_id: str, at: datetime) -> Correction:
    zone = kind.district.timezone
    after: Values = {f.name: canonical(f, text, zone) for f, text in zip(kind.owned, row, strict=True)}
    is_update = int(key) % 2 == 0
    source = Source(
        request_id=request_id,
        chunk="0",
        correction_id=correction_id(request_id, DISTRICT, OBJECT, key, 1),
        district_id=DISTRICT,
        object=OBJECT,
        key=key,
        asked_as=key,
        attempt=1,
        cause=Cause.REQUEST,
        mode=Mode.SYNC,
        dependencies=Dependencies.NONE,
        on_state_only=OnStateOnly.REPORT,
        changed_fields=("phone",) if is_update else tuple(after),
        parent=None,
        district_version=DistrictVersion(1, 1_000, 0),
        district_read_at=at,
        state_read_at=at,
        first_decided_at=at,
        sent_at=at,
    )
    before = {**after, "phone": "555-DIFF"} if is_update else None
    return Correction(Op.UPDATE if is_update else Op.CREATE, before, after, None, source)


def _publish(run: Run, corrections: Sequence[Correction]) -> None:
    topic, partition = run.topics.corrections, partition_of(DISTRICT, PARTITIONS)
    producer = Producer({"bootstrap.servers": run.settings.bootstrap_servers, "linger.ms": 20})
    for correction in corrections:
        put(producer, topic, run.codec.encode(topic, correction), DISTRICT, partition)
    if producer.flush(60):
        raise TimeoutError("corrections could not be published")


def _watched(run: Run) -> Measured:
    """From the group's first commit that is seen to its last. Nothing is decoded meanwhile."""
    place = TopicPartition(run.topics.corrections, partition_of(DISTRICT, PARTITIONS))
    pid = run.pid("apply")
    watcher = Consumer({"bootstrap.servers": run.settings.bootstrap_servers, "group.id": run.settings.group("apply")})

    def committed() -> int:
        (found,) = watcher.committed([place], 10)
        return int(found.offset)

    try:
        _, end = watcher.get_watermark_offsets(place, 10)
        first = until(committed, 1, "corrections answered")
        began, meter = time.monotonic(), Meter(run.world.stack, {"apply": [pid]})
        amount = until(committed, end, "corrections answered") - first
        seconds = time.monotonic() - began
        return Measured({"speed": amount / seconds}, amount, seconds, meter.cpu_s(), {"apply": peak_rss_mb(pid)})
    finally:
        watcher.close()


if __name__ == "__main__":
    sys.exit(main())
