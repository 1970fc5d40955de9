"""Runs in an environment of its own: the job by Quix Streams, exactly once, as a file of orders says.

A request at a time, full rows of both sides asked at the same time. Quix chooses partitions by the records' keys, so
outcomes of one request are not in one partition.
"""

import json
import sys
import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from fastavro import parse_schema, schemaless_reader, schemaless_writer
from psycopg import sql
from quixstreams import Application
from quixstreams.models.serializers import SerializationContext, Serializer

COMMIT_EVERY_S = 0.1
"""Nothing can be read before it is committed; Quix's own 5 s are for those who do not wait."""
CORRECTIONS = uuid.UUID("5f2b6c1e-7d0a-5c52-9a53-0d1f4ab0c0de")
"""Names a correction by what it corrects."""


class Row(NamedTuple):
    """Of the statement's snapshot what orders it among others, and the columns."""

    xmax: int
    in_progress: int
    values: list[Any]


class Out(NamedTuple):
    topic: str
    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


class ValueOnly(Serializer):  # type: ignore[misc]  # not in the project's environment
    def __call__(self, value: Out, ctx: SerializationContext) -> bytes:  # noqa: ARG002
        return value.value


class TellsWhenReady(Application):  # type: ignore[misc]  # the same
    def _on_assign(self, consumer: Any, partitions: Any) -> None:  # noqa: ANN401
        super()._on_assign(consumer, partitions)
        print("ready", flush=True)


class Avro:
    """Records of one schema, framed as Confluent does."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._schema = parse_schema(json.loads(schema["text"]))
        self._prefix = b"\x00" + schema["id"].to_bytes(4, "big")

    def read(self, value: bytes) -> dict[str, Any]:
        if not value.startswith(self._prefix):
            raise ValueError("a record of another schema than the orders name")
        found = schemaless_reader(BytesIO(value[len(self._prefix) :]), self._schema, None, return_record_name=True)
        return dict(found)  # type: ignore[arg-type]

    def write(self, record: Mapping[str, Any]) -> bytes:
        out = BytesIO()
        out.write(self._prefix)
        schemaless_writer(out, self._schema, record)
        return out.getvalue()


class Side:
    """A connection to one side's table."""

    def __init__(self, table: Mapping[str, Any], columns: list[str]) -> None:
        self._connection = psycopg.connect(table["dsn"], autocommit=True, prepare_threshold=0)
        self._rows = sql.SQL(
            "select {key}, pg_snapshot_xmax(pg_current_snapshot())::text::bigint,"
            " (select count(*) from pg_snapshot_xip(pg_current_snapshot())), {columns}"
            " from {table} where {key} = any(%(keys)s)"
        ).format(
            key=sql.Identifier(table["key"]),
            columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
            table=sql.Identifier(table["name"]),
        )
        if table["district_column"]:
            self._rows += sql.SQL(" and {} = %(district)s").format(sql.Identifier(table["district_column"]))

    def rows(self, district_id: str, keys: list[int]) -> dict[int, Row]:
        """By key."""
        found = self._connection.execute(self._rows, {"keys": keys, "district": district_id})
        return {key: Row(xmax, in_progress, values) for key, xmax, in_progress, *values in found}


class About:
    """What all records of a request have in common."""

    def __init__(self, request: Mapping[str, Any], now: datetime) -> None:
        self.request, self.now = request, now
        self.names = {name: request[name] for name in ("request_id", "district_id", "object")}

    def headers(self, **more: str) -> list[tuple[str, bytes]]:
        return [(name, text.encode()) for name, text in {**self.names, **more}.items()]

    def history(self, value: bytes, *key: str, **more: str) -> Out:
        return Out("history", "/".join([self.request["request_id"], *key]).encode(), value, self.headers(**more))

    def correction(self, value: bytes, key: str) -> Out:
        return Out("corrections", self.request["district_id"].encode(), value, self.headers(key=key))


class Job:
    """What a request leads to: a status, an outcome for each key, a correction for each that differs."""

    def __init__(self, task: Mapping[str, Any]) -> None:
        columns = [field["column"] for field in task["fields"]]
        self._names = [field["name"] for field in task["fields"]]
        self._districts = {each["id"]: Side(each["table"], columns) for each in task["districts"]}
        self._state = Side(task["state"], columns)
        self._beside = ThreadPoolExecutor(1)
        self._avro = {name: Avro(schema) for name, schema in task["schemas"].items()}

    def records(self, value: bytes) -> Iterator[Out]:
        request = self._avro["request"].read(value)
        kind, selection = request["selection"]
        district_id, asked = request["district_id"], {int(text): text for text in selection["keys"]}
        at_the_state = self._beside.submit(self._state.rows, district_id, list(asked))
        ours, theirs = self._districts[district_id].rows(district_id, list(asked)), at_the_state.result()
        about = About({**request, "selection": (kind, {"keys": []})}, datetime.now(UTC))
        yield about.history(self._status(about, len(asked)), status="ACCEPTED")
        for key, text in asked.items():
            yield from self._decided(about, str(key), text, ours.get(key), theirs.get(key))

    def _decided(self, about: About, key: str, text: str, ours: Row | None, theirs: Row | None) -> Iterator[Out]:
        if ours is None:
            status, changed = "NOT_FOUND" if theirs is None else "STATE_ONLY", []
        elif theirs is None:
            status, changed = "SENT", self._names
        else:
            changed = [
                name for name, one, other in zip(self._names, ours.values, theirs.values, strict=True) if one != other
            ]
            status = "SENT" if changed else "IN_SYNC"
        outcome = {
            **about.names,
            "key": key,
            "asked_as": text,
            "status": status,
            "changed_fields": changed,
            "first_decided_at": about.now,
            "decided_at": about.now,
        }
        if status == "SENT" and ours is not None:
            sent = {"correction_id": correction_id(about, key), "sent_at": about.now}
            source = {**outcome, **sent, "chunk": "0", "district_read_at": about.now, "state_read_at": about.now}
            yield about.correction(self._correction(source, ours, theirs), key)
            outcome |= sent
        yield about.history(self._avro["outcome"].write(outcome), about.names["object"], key, key=key, status=status)

    def _status(self, about: About, keys: int) -> bytes:
        status = {"request": about.request, "state": "ACCEPTED", "keys": keys, "decided_at": about.now}
        return self._avro["status"].write(status)

    def _correction(self, source: Mapping[str, Any], ours: Row, theirs: Row | None) -> bytes:
        version = {"epoch": 0, "xmax": ours.xmax, "in_progress": ours.in_progress}
        return self._avro["correction"].write(
            {
                "op": "c" if theirs is None else "u",
                "before": theirs and dict(zip(self._names, theirs.values, strict=True)),
                "after": dict(zip(self._names, ours.values, strict=True)),
                "source": {**source, "district_version": version},
            }
        )


def correction_id(about: About, key: str) -> str:
    return str(uuid.uuid5(CORRECTIONS, "\x1f".join([*about.names.values(), key, "1"])))


def main() -> None:
    task = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    app = TellsWhenReady(
        task["bootstrap"],
        consumer_group=task["group"],
        processing_guarantee="exactly-once",
        auto_offset_reset="earliest",
        commit_interval=COMMIT_EVERY_S,
        auto_create_topics=False,
        # Of its own accord it draws an id, and what a killed one left open would be waited for.
        producer_extra_config={"compression.type": "lz4", "transactional.id": task["transactional_id"]},
        consumer_extra_config={"group.instance.id": task["transactional_id"]},
        state_dir=f"{sys.argv[1]}.state",
        loglevel="WARNING",
    )
    topics = {
        name: app.topic(topic, key_serializer="bytes", value_deserializer="bytes", value_serializer=ValueOnly())
        for name, topic in task["topics"].items()
    }
    job = Job(task)
    records = app.dataframe(topics["requests"]).apply(job.records, expand=True)
    records = records.set_headers(lambda out, _key, _timestamp, _headers: out.headers)
    records.to_topic(lambda out, _key, _timestamp, _headers: topics[out.topic], key=lambda out: out.key)
    app.run()


if __name__ == "__main__":
    main()
