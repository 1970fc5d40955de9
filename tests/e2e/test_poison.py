"""Records that are no records, between good ones (P7: one bad thing stops only itself)."""

import struct
import uuid
from collections.abc import Callable

from processor.core.errors import Reason
from processor.core.history import RequestState
from processor.core.partition import partition_of
from tests.awaiting import await_
from tests.e2e.deployment import PARTITIONS, Deployment
from tests.e2e.people import persons, rename
from tests.e2e.promises import prove
from tests.e2e.watcher import DeadLetter

HOME = partition_of("NORTH", PARTITIONS)


def poisons(deployment: Deployment) -> dict[str, tuple[bytes | None, str]]:
    """What stands in a topic of requests, and the reason why it is set aside."""
    good = deployment.encoded(deployment.request("NORTH", "PersonIdentity", [1]))
    foreign = struct.pack(">bI", 0, 2**31 - 1)
    return {
        "random": (uuid.uuid4().bytes * 20, "UNDECODABLE"),
        "empty": (b"", "UNDECODABLE"),
        "null": (None, "UNDECODABLE"),
        "truncated": (good[:-20], "UNDECODABLE"),
        "unknown schema": (foreign + good[5:], "UNDECODABLE"),
        "text": (b'{"request_id": "7"}', "UNDECODABLE"),
        "another record": (another_record(deployment), "UNEXPECTED_RECORD"),
    }


def another_record(deployment: Deployment) -> bytes:
    """A correction, which is readable and does not belong among requests."""
    deployment.watcher.until(lambda: deployment.watcher.corrections, "a correction")
    return deployment.codec.encode(deployment.topics.corrections, deployment.watcher.corrections[0])


def test_poison_between_good_requests_is_set_aside_with_its_origin(running: Deployment) -> None:
    keys = list(running.take_keys(20))
    persons(running, "NORTH", keys)
    rename(running, "NORTH", keys)
    asked = [running.submit("NORTH", "PersonIdentity", [keys[0]])]
    topic, seen = running.topics.requests, len(running.watcher.dead_letters)
    planted = poisons(running)
    good = [running.request("NORTH", "PersonIdentity", [key]) for key in keys[1:]]
    for (name, (value, _)), request in zip(planted.items(), good, strict=False):
        running.put(topic, value, name.encode(), HOME, headers=[("mark", b"kept")])
        asked += running.publish(request)
    running.watcher.until_ended(asked)
    running.watcher.until(lambda: len(running.watcher.dead_letters) - seen == len(planted), "the dead letters")
    prove(running, asked)
    assert {running.watcher.story(r).counts()["APPLIED"] for r in asked} == {1}
    letters = {letter.key: letter for letter in running.watcher.dead_letters[seen:]}
    for name, (value, reason) in planted.items():
        assert_set_aside(letters[name.encode()], topic, value, reason)


def assert_set_aside(letter: DeadLetter, topic: str, value: bytes | None, reason: str) -> None:
    assert letter.value == value
    headers = letter.headers
    assert headers["resync-error-code"] == reason.encode()
    assert headers["mark"] == b"kept"
    assert headers["__dlq.errors.topic"] == topic.encode()
    assert headers["__dlq.errors.partition"] == str(HOME).encode()
    assert int(headers["__dlq.errors.offset"]) >= 0
    assert headers["__dlq.errors.message"]


def test_poison_on_every_topic_that_a_role_reads(deploy: Callable[..., Deployment]) -> None:
    """Published before the roles start, as what they find first."""
    deployment = deploy()
    topics = deployment.topics
    read = (topics.requests, topics.chunks, topics.retry, topics.answers, topics.corrections, topics.history)
    for topic in read:
        deployment.put(topic, b"\x00poison", topic.encode(), HOME)
        deployment.put(topic, None, topic.encode(), HOME)
    deployment.flush()
    [key] = deployment.take_keys(1)
    persons(deployment, "NORTH", [key], there=False)
    asked = [deployment.submit("NORTH", "PersonIdentity", [key])]
    deployment.start_all()
    watcher = deployment.watcher
    watcher.until(lambda: len(watcher.dead_letters) == 2 * (len(read) - 1), "the dead letters")
    watcher.until_ended(asked)
    prove(deployment, asked)
    assert {letter.headers["__dlq.errors.topic"].decode() for letter in watcher.dead_letters} == {*read} - {
        topics.history
    }


def test_a_request_of_a_later_release_is_rejected_and_told_of(running: Deployment) -> None:
    seen = len(running.watcher.dead_letters)
    asked = running.publish(running.request("NORTH", "PersonIdentity", [1], not_understood=("mode",)))
    story = running.watcher.story(asked[0])
    running.watcher.until(lambda: bool(story.ends), "the end that the store announces")
    [end] = story.ends
    assert (end.state, end.reason) == (RequestState.REJECTED, Reason.NOT_SUPPORTED)
    assert (end.detail or "").startswith("mode: ")
    assert len(running.watcher.dead_letters) == seen


def test_texts_that_no_store_takes_are_refused_by_the_field_s_name(running: Deployment) -> None:
    """A foreign publisher writes what it likes; whoever asks at the same time is served."""
    [key] = running.take_keys(1)
    persons(running, "NORTH", [key], there=False)
    texts = {
        "holds the character NUL: requested_by": {"requested_by": "a\0b"},
        "holds the character NUL: school_year, reason": {"school_year": "\0", "reason": "\0"},
        "too long: requested_by": {"requested_by": "x" * 10_000},
        "too long: run_id, reason": {"run_id": "\U0001f600" * 10_000, "reason": "\0" * 10_000},
    }
    asked = [running.publish(running.request("NORTH", "PersonIdentity", [1], **odd))[0] for odd in texts.values()]
    good = running.submit("NORTH", "PersonIdentity", [key])
    running.watcher.until_ended([*asked, good])
    prove(running, [good])
    ends = [running.watcher.story(r).ends[-1] for r in asked]
    assert [(end.state, end.reason, end.detail) for end in ends] == [
        (RequestState.REJECTED, Reason.INVALID_REQUEST, detail) for detail in texts
    ]
    query = "select count(*) from history.requests where request_id = any(%s) and state = 'REJECTED'"
    await_(lambda: running.rows("history", query, [asked]) == [(len(asked),)], "the rows")
