"""An applier for PersonIdentity that shares nothing with this project: docs/applier-contract.md in sixty lines."""

import os
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import yaml
from confluent_kafka import Consumer, Producer
from confluent_kafka.schema_registry import SchemaRegistryClient, topic_record_subject_name_strategy
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from psycopg.sql import SQL, Identifier

CORRECTIONS = os.environ.get("RESYNC_TOPIC_CORRECTIONS", "state.corrections")
ANSWERS = os.environ.get("RESYNC_TOPIC_ANSWERS", "state.answers")
NAMES = yaml.safe_load(Path(os.environ["RESYNC_CATALOG"]).read_text())["objects"]["PersonIdentity"]["fields"]
COLUMN = {field: Identifier(names if isinstance(names, str) else names["state"]) for field, names in NAMES.items()}
ROW = SQL(" where district_id = %s and district_person_id = %s")
TABLES = """create table if not exists public.answered (sending text primary key, result text, detail text);
create table if not exists public.newest (record text primary key, version bigint[])"""
KEEP = """insert into newest values (%s, %s) on conflict (record) do update set version = excluded.version
where newest.version <= excluded.version"""


class Conflict(Exception):
    pass


def settle(db, source, **correction):
    """Result and detail: as answered before, else of the change made now, under the district's lock."""
    sending = f"{source['correction_id']} {source['sent_at']}"
    with db.transaction():
        db.execute("select pg_advisory_xact_lock(hashtextextended(%s, 7))", [source["district_id"]])
        answer = db.execute("select result, detail from answered where sending = %s", [sending]).fetchone()
        if answer is None:
            try:
                with db.transaction():
                    answer = change(db, source, **correction), None
            except Conflict as conflict:
                answer = "CONFLICT", str(conflict)
            except psycopg.IntegrityError as refused:
                answer = "REJECTED_BY_STATE", refused.diag.constraint_name
            db.execute("insert into answered values (%s, %s, %s)", [sending, *answer])
        return answer


def change(db, source, op, before, after, **_):
    record, version = [source["district_id"], source["key"]], source["district_version"]
    number = [version["epoch"], version["xmax"], -version["in_progress"]]
    newest = db.execute(KEEP, ["/".join(record), number]).rowcount
    fields = list(after or before)
    columns = SQL(", ").join(COLUMN[field] for field in fields)
    row = db.execute(SQL("select {} from state_person").format(columns) + ROW + SQL(" for update"), record).fetchone()
    held = row and {f: v.rstrip() if isinstance(v, str) else v for f, v in zip(fields, row, strict=True)}
    changed = source["changed_fields"] if op == "u" and source["mode"] != "FORCE" else fields
    if held != before:
        if held == after or (held and after and all(held[field] == after[field] for field in changed)):
            return "ALREADY_EQUAL"
        raise Conflict("the row is not as before")
    if not newest:
        raise Conflict("version")
    names, values = [COLUMN[field] for field in changed], [after and after[field] for field in changed]
    if op == "d":
        db.execute(SQL("delete from state_person") + ROW, record)
    elif op == "u":
        sets = SQL(", ").join(SQL("{} = %s").format(name) for name in names)
        db.execute(SQL("update state_person set ") + sets + ROW, values + record)
    else:
        insert = SQL("insert into state_person (district_id, district_person_id, {}) values (%s, %s{})")
        db.execute(insert.format(SQL(", ").join(names), SQL(", %s" * len(names))), record + values)
    return "APPLIED"


def main():
    kafka = {"bootstrap.servers": os.environ["RESYNC_BOOTSTRAP_SERVERS"]}
    registry = SchemaRegistryClient({"url": os.environ["RESYNC_REGISTRY_URL"]})
    options = {"auto.register.schemas": False, "subject.name.strategy": topic_record_subject_name_strategy}
    schema = registry.get_latest_version(f"{ANSWERS}-selectivesync.v1.Answer").schema.schema_str
    decode, encode = AvroDeserializer(registry), AvroSerializer(registry, schema, conf=options)
    own = {"group.id": f"foreign-{CORRECTIONS}", "isolation.level": "read_committed", "enable.auto.commit": False}
    consumer, producer = Consumer(kafka | own | {"auto.offset.reset": "earliest"}), Producer(kafka)
    consumer.subscribe([CORRECTIONS])
    with psycopg.connect(os.environ["RESYNC_STATE_DSN"], autocommit=True) as db:
        db.execute(TABLES)
        while True:
            message = consumer.poll(1)
            if message is None or message.error():
                continue
            correction = decode(message.value(), SerializationContext(CORRECTIONS, MessageField.VALUE))
            result, detail = settle(db, **correction)
            answer = {"source": correction["source"], "result": result, "detail": detail}
            answer["answered_at"] = datetime.now(UTC)
            value = encode(answer, SerializationContext(ANSWERS, MessageField.VALUE))
            producer.produce(ANSWERS, value, message.key(), partition=message.partition())
            if producer.flush(30) == 0:
                consumer.commit(message, asynchronous=False)


if __name__ == "__main__":
    main()
