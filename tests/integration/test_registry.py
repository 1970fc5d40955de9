"""The codec against a real schema registry: ids, rules, refusals, and what an absent registry means."""

import json
import subprocess
import sys
import threading
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from processor.codec import Codec, DecodeError, IncompatibleSchema, NotRegistered, Record, RegistryUnavailable
from processor.codec.framing import registry_header
from processor.codec.registry import Compatibility, Registry
from processor.codec.registry_client import ConfluentClient, PlainClient, client
from processor.codec.subjects import register_all, subjects
from processor.core.chunk import Chunk
from processor.core.correction import Correction
from processor.core.errors import Reason
from processor.core.history import KeyOutcome
from processor.core.request import Request
from tests.unit.codec.records import CATALOG, OUTCOME, REQUEST, SAMPLES


@dataclass(frozen=True)
class Topics:
    """Topics of one test, so that its subjects are new."""

    requests: str
    chunks: str
    retry: str
    corrections: str
    answers: str
    history: str
    control: str


@pytest.fixture(scope="session")
def registry_url(stack_settings: dict[str, str]) -> str:
    return stack_settings["RESYNC_REGISTRY_URL"]


@pytest.fixture
def topics() -> Topics:
    test = uuid.uuid4().hex[:10]
    names = ("requests", "chunks", "retry", "corrections", "answers", "history", "control")
    return Topics(*(f"{test}.{name}" for name in names))


@pytest.fixture(params=[{}, {"timeout": 4}], ids=["plain", "confluent"])
def options(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Any option at all makes it Confluent's client."""
    return dict(request.param)


@pytest.fixture
def codec(registry_url: str, options: dict[str, Any]) -> Codec:
    return Codec.open(None, CATALOG, registry_url, options)


def topic_of(topics: Topics, record: Record) -> str:
    return next(topic for topic, kind, _ in subjects(topics) if kind is type(record))


def ask(url: str, method: str = "GET", body: object = None) -> tuple[int, Any]:
    """(HTTP status, JSON) straight from the registry, without our client."""
    request = urllib.request.Request(  # noqa: S310
        url,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/vnd.schemaregistry.v1+json"},
    )
    try:
        with urllib.request.urlopen(request) as answer:  # noqa: S310
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, json.load(refusal)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_record_comes_back_equal_by_its_registered_id(
    codec: Codec, registry_url: str, options: dict[str, Any], topics: Topics, name: str
) -> None:
    record = SAMPLES[name]
    topic = topic_of(topics, record)
    codec.register(topic, type(record), Compatibility.FULL)
    data = codec.encode(topic, record)
    assert data[0] == 0
    assert data[5:] == Codec.open(None, CATALOG).encode(topic, record)[10:]
    assert Codec.open(None, CATALOG, registry_url, options).decode(data, {type(record)}) == record


def test_every_schema_stands_under_its_subject_with_its_rule(codec: Codec, registry_url: str, topics: Topics) -> None:
    registered = register_all(codec, topics)
    levels = {subject: ask(f"{registry_url}/config/{subject}")[1]["compatibilityLevel"] for subject in registered}
    assert levels == {
        f"{topic}-{schema.record.name}": rule.value
        for topic, kind, rule in subjects(topics)
        for schema in codec.schemas_of(kind)
    }
    assert levels[f"{topics.history}-selectivesync.v1.KeyOutcome"] == "FULL_TRANSITIVE"
    assert levels[f"{topics.requests}-selectivesync.v1.ResyncRequest"] == "BACKWARD_TRANSITIVE"
    assert f"{topics.corrections}-selectivesync.v1.EnrollmentCorrection" in levels


def test_registering_again_changes_nothing(
    codec: Codec, registry_url: str, options: dict[str, Any], topics: Topics
) -> None:
    first = register_all(codec, topics)
    assert register_all(Codec.open(None, CATALOG, registry_url, options), topics) == first
    assert {len(ask(f"{registry_url}/subjects/{subject}/versions")[1]) for subject in first} == {1}


def test_a_schema_that_nobody_registered_is_named(codec: Codec, topics: Topics) -> None:
    with pytest.raises(NotRegistered) as caught:
        codec.prepare(topics.requests, Request)
    assert f"{topics.requests}-selectivesync.v1.ResyncRequest; run `resync topics create`" in str(caught.value)


def changed(codec: Codec, kind: type[Record], *, without: str = "", more: dict[str, Any] | None = None) -> str:
    schema = json.loads(codec.schemas_of(kind)[0].text)
    schema["fields"] = [field for field in schema["fields"] if field["name"] != without] + ([more] if more else [])
    return json.dumps(schema)


def test_the_registry_refuses_a_request_that_older_records_lack_a_field_of(
    codec: Codec, registry_url: str, options: dict[str, Any], topics: Topics
) -> None:
    register_all(codec, topics)
    subject = f"{topics.requests}-selectivesync.v1.ResyncRequest"
    text = changed(codec, Request, more={"name": "ticket", "type": "string", "doc": "Needed, without a default."})
    assert ask(f"{registry_url}/subjects/{subject}/versions", "POST", {"schema": text})[0] == 409
    with pytest.raises(IncompatibleSchema, match="whose rule is BACKWARD_TRANSITIVE"):
        Registry(registry_url, options).register(subject, text, Compatibility.BACKWARD)


def test_the_registry_refuses_an_outcome_that_older_readers_cannot_read(
    codec: Codec, registry_url: str, options: dict[str, Any], topics: Topics
) -> None:
    register_all(codec, topics)
    subject = f"{topics.history}-selectivesync.v1.KeyOutcome"
    text = changed(codec, KeyOutcome, without="decided_at")
    assert ask(f"{registry_url}/subjects/{subject}/versions", "POST", {"schema": text})[0] == 409
    with pytest.raises(IncompatibleSchema, match="whose rule is FULL_TRANSITIVE"):
        Registry(registry_url, options).register(subject, text, Compatibility.FULL)


def test_the_registry_takes_a_new_optional_field_and_a_new_symbol(
    codec: Codec, registry_url: str, options: dict[str, Any], topics: Topics
) -> None:
    register_all(codec, topics)
    subject = f"{topics.history}-selectivesync.v1.KeyOutcome"
    text = changed(codec, KeyOutcome, more={"name": "cost", "type": ["null", "double"], "default": None})
    text = text.replace('"DUPLICATE_KEY"', '"DUPLICATE_KEY", "POSTPONED"', 1)
    assert Registry(registry_url, options).register(subject, text, Compatibility.FULL) > 0


def test_both_framings_are_read_by_one_codec(codec: Codec) -> None:
    single = Codec.open(None, CATALOG).encode("any", OUTCOME)
    assert single.startswith(b"\xc3\x01")
    assert codec.decode(single, {KeyOutcome}) == OUTCOME


def test_an_unknown_id_is_undecodable(codec: Codec) -> None:
    with pytest.raises(DecodeError) as caught:
        codec.decode(registry_header(2_000_000_000) + b"\x00", {Request})
    assert caught.value.reason is Reason.UNDECODABLE
    assert caught.value.detail == "unknown registry id 2000000000: the registry has no Avro schema of this id"


def test_a_registered_record_of_another_kind_is_unexpected(codec: Codec, topics: Topics) -> None:
    codec.register(topics.requests, Request, Compatibility.BACKWARD)
    with pytest.raises(DecodeError) as caught:
        codec.decode(codec.encode(topics.requests, REQUEST), {Chunk, Correction})
    assert caught.value.reason is Reason.UNEXPECTED_RECORD


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"schema": '"string"'}, "a schema without a name, where one of these belongs"),
        ({"schema": '{"type":"record","name":"Bus","fields":[]}'}, "a Bus, where one of these belongs"),
        (
            {"schema": '{"$schema":"http://json-schema.org/draft-07/schema#"}', "schemaType": "JSON"},
            "the registry has no Avro schema of this id",
        ),
    ],
)
def test_foreign_schemas_are_no_records_of_ours(
    codec: Codec, registry_url: str, topics: Topics, schema: dict[str, str], said: str
) -> None:
    _, answer = ask(f"{registry_url}/subjects/{topics.requests}-foreign/versions", "POST", schema)
    with pytest.raises(DecodeError) as caught:
        codec.decode(registry_header(answer["id"]) + b"\x02a", {Request})
    assert said in caught.value.detail


class _Proxy(BaseHTTPRequestHandler):
    """What stands in front of a registry and answers in its stead."""

    def do_GET(self) -> None:
        assert isinstance(self.server, _Server)
        self.server.asked += 1
        status = int(self.path.split("/")[1])
        self.send_response(status)
        self.end_headers()
        self.wfile.write(b"<html>sorry</html>")

    def log_message(self, *_: object) -> None:
        """Says nothing."""


class _Server(HTTPServer):
    asked = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@pytest.fixture
def proxy() -> Iterator[_Server]:
    server = _Server(("127.0.0.1", 0), _Proxy)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("status", [200, 401, 403, 404, 429, 500, 503])
def test_an_answer_that_is_not_the_registrys_sets_no_record_aside(
    proxy: _Server, options: dict[str, Any], status: int
) -> None:
    with pytest.raises(RegistryUnavailable):
        Codec.open(None, CATALOG, f"{proxy.url}/{status}", options).decode(registry_header(1) + b"\x00", {Request})


@pytest.mark.parametrize(("status", "times"), [(401, 1), (404, 1), (500, 2), (503, 2)])
def test_a_fault_of_the_server_is_asked_about_once_more(
    proxy: _Server, options: dict[str, Any], status: int, times: int
) -> None:
    with pytest.raises(RegistryUnavailable, match=f"answered HTTP {status} "):
        Registry(f"{proxy.url}/{status}", options).schema_text(1)
    assert proxy.asked == times


def test_a_registry_out_of_reach_sets_no_record_aside(options: dict[str, Any]) -> None:
    away = Codec.open(None, CATALOG, "http://127.0.0.1:9", options)
    with pytest.raises(RegistryUnavailable, match=r"http://127\.0\.0\.1:9 .*check its address"):
        away.decode(registry_header(1) + b"\x00", {Request})
    with pytest.raises(RegistryUnavailable):
        away.encode("any", REQUEST)


@pytest.mark.parametrize(
    ("url", "options", "expected"),
    [
        ("http://registry:8081", {}, PlainClient),
        ("http://registry:8081/behind", {}, PlainClient),
        ("http://registry:8081", {"basic.auth.user.info": "a:b"}, ConfluentClient),
        ("http://a:b@registry:8081", {}, ConfluentClient),
        ("http://one:8081,http://other:8081", {}, ConfluentClient),
        ("https://registry", {}, ConfluentClient),
    ],
)
def test_whoever_has_to_sign_in_has_the_client_that_can(url: str, options: dict[str, Any], expected: type) -> None:
    assert type(client(url, options)) is expected


def test_once_known_ids_need_no_registry(codec: Codec, topics: Topics) -> None:
    codec.register(topics.requests, Request, Compatibility.BACKWARD)
    data = codec.encode(topics.requests, REQUEST)
    assert codec.decode(data, {Request}) == REQUEST
    codec._registry = Registry("http://127.0.0.1:9")  # noqa: SLF001
    assert codec.decode(codec.encode(topics.requests, REQUEST), {Request}) == REQUEST


def test_the_registrys_client_keeps_stderr_clean_and_the_slow_one_is_imported_where_it_is_needed(
    registry_url: str, options: dict[str, Any]
) -> None:
    program = (
        "import sys; from processor.codec.registry import Registry;"
        "assert 'confluent_kafka.schema_registry' not in sys.modules;"
        f"print(Registry({registry_url!r}, {options!r}).schema_text(2_000_000_000));"
        f"assert ('confluent_kafka.schema_registry' in sys.modules) is {bool(options)}"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "None\n", "")


def test_what_the_registry_holds_is_told(codec: Codec, topics: Topics, registry_url: str) -> None:
    """Nothing, then ours under its rule; and this registry answers NONE for a subject without a rule."""
    (before,) = codec.registered(topics.requests, Request)
    assert (before.holds_ours, before.rule) == (False, None)
    register_all(codec, topics)
    (after,) = codec.registered(topics.requests, Request)
    assert (after.holds_ours, after.rule, after.later) == (True, "BACKWARD_TRANSITIVE", ())
    ask(f"{registry_url}/config/{after.subject}", "DELETE")
    (without,) = codec.registered(topics.requests, Request)
    assert without.rule == "NONE"


def test_without_a_registry_nothing_is_held(topics: Topics) -> None:
    assert list(Codec.open(None, CATALOG).registered(topics.requests, Request)) == []
