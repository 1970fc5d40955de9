"""An applier that shares no code with ours does what docs/applier-contract.md asks, seen from the topics."""

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from psycopg import sql
from psycopg.conninfo import make_conninfo

from processor.catalog_file import Secrets, load_catalog
from processor.codec.codec import Codec
from processor.codec.registry import Compatibility
from processor.codec.schema_files import SchemaFiles
from processor.core.correction import Answer, Correction, Op, Result
from processor.core.request import Mode
from processor.core.values import Values
from tests.integration.applier.world import source, version

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "docs" / "examples" / "foreign_applier.py"
CATALOG = load_catalog(ROOT / "demo" / "catalog.yaml", SchemaFiles(ROOT / "schemas").object, Secrets.LEFT_OUT)
PERSON = CATALOG.objects["PersonIdentity"]
BLANK: Values = {field.name: None for field in PERSON.owned}
ANN: Values = {
    **BLANK,
    "lastName": "O'Brien 🎓",
    "firstName": "Ann",
    "birthDate": "2010-02-28",
    "postalCode": "55001",
    "familyIncomeRatio": "1.50",
    "isStudent": "true",
    "modifiedAt": "2026-07-01T13:00:00.123456Z",
}
BEA: Values = {**ANN, "firstName": "Bea"}


def person(op: Op, before: Values | None, after: Values | None, xmax: int, mode: Mode = Mode.SYNC) -> Correction:
    changed = tuple(name for name in (after or {}) if before is None or (after or {})[name] != before[name])
    fields = changed if op is Op.UPDATE else ()
    made = source("PersonIdentity", "7", district_version=version(xmax), changed_fields=fields, mode=mode)
    return Correction(op, before, after, None, made)


class Wire:
    """Topics, a state and an applier process of a test's own."""

    def __init__(self, settings: dict[str, str], state_dsn: str) -> None:
        name = f"f{uuid.uuid4().hex[:8]}"
        self.corrections, self.answers = f"{name}.corrections", f"{name}.answers"
        self._kafka: dict[str, str | int | float | bool] = {"bootstrap.servers": settings["RESYNC_BOOTSTRAP_SERVERS"]}
        self._admin = AdminClient(self._kafka)
        for made in self._admin.create_topics([NewTopic(t, 3, 1) for t in (self.corrections, self.answers)]).values():
            made.result(10)
        self._codec = Codec.open(ROOT / "schemas", CATALOG, settings["RESYNC_REGISTRY_URL"])
        self._codec.register(self.corrections, Correction, Compatibility.BACKWARD)
        self._codec.register(self.answers, Answer, Compatibility.BACKWARD)
        self._consumer = Consumer({**self._kafka, "group.id": name, "auto.offset.reset": "earliest"})
        self._consumer.subscribe([self.answers])
        self.producer = Producer({**self._kafka, "enable.idempotence": True})
        self.partition = 1
        topics = {"RESYNC_TOPIC_CORRECTIONS": self.corrections, "RESYNC_TOPIC_ANSWERS": self.answers}
        catalog = {"RESYNC_CATALOG": str(ROOT / "demo" / "catalog.yaml"), "RESYNC_STATE_DSN": state_dsn}
        self.process = subprocess.Popen([sys.executable, EXAMPLE], env={**os.environ, **settings, **topics, **catalog})

    def send(self, *corrections: Correction) -> None:
        for correction in corrections:
            value = self._codec.encode(self.corrections, correction)
            self.producer.produce(self.corrections, value, b"NORTH", self.partition)
        self.producer.flush(10)

    def receive(self, count: int) -> list[Answer]:
        answers: list[Answer] = []
        deadline = time.monotonic() + 30
        while len(answers) < count:
            assert time.monotonic() < deadline, f"{len(answers)} of {count} answers"
            message = self._consumer.poll(0.2)
            if message is None or message.error():
                continue
            assert (message.partition(), message.key()) == (self.partition, b"NORTH")
            answer = self._codec.decode(message.value() or b"", (Answer,))
            assert isinstance(answer, Answer)
            answers.append(answer)
        return answers

    def close(self) -> None:
        self.process.kill()
        self.process.wait(10)
        self._consumer.close()
        self._admin.delete_topics([self.corrections, self.answers])


@pytest.fixture
def state_dsn(template: tuple[str, str]) -> Iterator[str]:
    server, _ = template
    name = sql.Identifier(f"foreign_{uuid.uuid4().hex[:8]}")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("create database {} template template0 encoding utf8").format(name))
    dsn = make_conninfo(server, dbname=name.as_string().strip('"'))
    with psycopg.connect(dsn) as connection:
        connection.execute((ROOT / "demo" / "sql" / "state.sql").read_bytes())
    yield dsn
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("drop database {} with (force)").format(name))


@pytest.fixture
def wire(stack_settings: dict[str, str], state_dsn: str) -> Iterator[Wire]:
    made = Wire(stack_settings, state_dsn)
    yield made
    made.close()


def test_a_foreign_applier_answers_as_the_contract_asks(wire: Wire, state_dsn: str) -> None:
    create = person(Op.CREATE, None, ANN, 100)
    update = person(Op.UPDATE, ANN, BEA, 110)
    steps = [
        (create, Result.APPLIED),
        (create, Result.APPLIED),
        (person(Op.CREATE, None, ANN, 105), Result.ALREADY_EQUAL),
        (update, Result.APPLIED),
        (person(Op.UPDATE, ANN, {**ANN, "city": "X"}, 120), Result.CONFLICT),
        (person(Op.UPDATE, BEA, {**BEA, "city": "X"}, 90), Result.CONFLICT),
        (person(Op.UPDATE, BEA, {**BEA, "birthDate": "1800-01-01"}, 130), Result.REJECTED_BY_STATE),
        (person(Op.UPDATE, BEA, {**BEA, "postalCode": "55001-12345"}, 135), Result.REJECTED_BY_STATE),
        (person(Op.UPDATE, BEA, BEA, 140, Mode.FORCE), Result.APPLIED),
        (person(Op.DELETE, BEA, None, 150), Result.APPLIED),
        (person(Op.CREATE, None, ANN, 145), Result.CONFLICT),
        (person(Op.CREATE, None, BEA, 160), Result.APPLIED),
    ]
    wire.send(*(correction for correction, _ in steps))

    answers = wire.receive(len(steps))

    assert [answer.result for answer in answers] == [result for _, result in steps]
    assert [answer.source for answer in answers] == [correction.source for correction, _ in steps]
    assert [answer.detail for answer in answers[6:8]] == ["state_person_birth_date", "22001"]
    with psycopg.connect(state_dsn) as connection:
        rows = connection.execute("select legal_last_name, legal_first_name, funding_code from state_person").fetchall()
    assert rows == [("O'Brien 🎓", "Bea", "GEN")]
