"""An applier for PersonIdentity that shares nothing with this project: docs/applier-contract.md in sixty lines."""

import os
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import yaml
from confluent_kafka import Consumer, SerializingProducer
from confluent_kafka.schema_registry import SchemaRegistryClient, topic_record_subject_name_strategy
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from psycopg.rows import dict_row
from psycopg.sql import SQL, Identifier

CORRECTIONS = os.environ.get("RESYNC_TOPIC_CORRECTIONS", "state.corrections")
ANSWERS = os.environ.get("RESYNC_TOPIC_ANSWERS", "state.answers")
NAMES = yaml.safe_load(Path(os.environ["RESYNC_CATALOG"]).read_text())["objects"]["PersonIdentity"]["fields"]
COLUMN = {field: names if isinstance(names, str) else names["state"] for field, names in NAMES.items()}
WRITE = {
    "c": SQL("insert into state_person ({}, district_id, district_person_id) values ({}, %s, %s)"),
    "u": SQL("update state_person set ({}) = row({}) where district_id = %s and district_person_id = %s"),
    "d": SQL("delete from state_person where district_id = %s and district_person_id = %s"),
}
TABLES = """create table if not exists public.answered (sending text primary key, result text, detail text);
create table if not exists public.newest (record text primary key, version bigint[])"""
KEEP = """insert into newest values (%s, %s) on conflict (record) do update set version = excluded.version
where newest.version <= excluded.version"""


def settle(db, source, **correction):
    """Result and detail: as answered before, else of the change made now, under the district's lock."""
    sending = f"{source['correction_id']} {source['sent_at']}"
    with db.transaction():
        db.execute("select pg_advisory_xact_lock(hashtextextended(%s, 7))", [source["district_id"]])
        answer = db.execute("select result, detail from answered where sending = %s", [sending]).fetchone()
        if answer is None:
            try:
                with db.transaction():
                    answer = change(db, source, **correction)
            except (psycopg.IntegrityError, psycopg.DataError, psycopg.errors.RaiseException) as refused:
                answer = {"result": "REJECTED_BY_STATE", "detail": refused.diag.constraint_name or refused.sqlstate}
            db.execute("insert into answered values (%s, %s, %s)", [sending, answer["result"], answer["detail"]])
        return answer


def change(db, source, op, before, after, **_):
    record, version, fields = [source["district_id"], source["key"]], source["district_version"], list(after or before)
    find = "select * from state_person where district_id = %s and district_person_id = %s for update"
    row = db.execute(find, record).fetchone()
    held = row and {f: v.rstrip() if isinstance(v := row[COLUMN[f]], str) else v for f in fields}
    changed = source["changed_fields"] if op == "u" and source["mode"] != "FORCE" else fields
    if held not in (before, after) and not (held and after and all(held[f] == after[f] for f in changed)):
        return {"result": "CONFLICT", "detail": "the row is not as before"}
    newest = db.execute(KEEP, ["/".join(record), [version["epoch"], version["xmax"], -version["in_progress"]]]).rowcount
    if held != before:
        return {"result": "ALREADY_EQUAL", "detail": None}
    if not newest:
        return {"result": "CONFLICT", "detail": "version"}
    names, marks = SQL(", ").join(Identifier(COLUMN[f]) for f in changed), SQL(", ".join(["%s"] * len(changed)))
    db.execute(WRITE[op].format(names, marks), [after[f] for f in changed if after] + record)
    return {"result": "APPLIED", "detail": None}


kafka, group = {"bootstrap.servers": os.environ["RESYNC_BOOTSTRAP_SERVERS"]}, f"foreign-{CORRECTIONS}"
registry = SchemaRegistryClient({"url": os.environ["RESYNC_REGISTRY_URL"]})
schema = registry.get_latest_version(f"{ANSWERS}-selectivesync.v1.Answer").schema
options = {"auto.register.schemas": False, "subject.name.strategy": topic_record_subject_name_strategy}
decode, encode = AvroDeserializer(registry), AvroSerializer(registry, schema, conf=options)
consumer = Consumer({**kafka, "group.id": group, "enable.auto.commit": False, "auto.offset.reset": "earliest"})
producer = SerializingProducer({**kafka, "value.serializer": encode})
consumer.subscribe([CORRECTIONS])
with psycopg.connect(os.environ["RESYNC_STATE_DSN"], autocommit=True, row_factory=dict_row) as db:
    db.execute(TABLES)
    while True:
        if (message := consumer.poll(1)) is None or message.error():
            continue
        correction = decode(message.value())
        answer = {"source": correction["source"], **settle(db, **correction), "answered_at": datetime.now(UTC)}
        producer.produce(ANSWERS, message.key(), answer, message.partition())
        if producer.flush(30) == 0:
            consumer.commit(message, asynchronous=False)
