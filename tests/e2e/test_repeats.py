"""The same thing asked more than once, or taken for undone although it was done (P1, P2, P3)."""

import uuid
from collections.abc import Callable
from dataclasses import replace
from random import Random
from time import sleep

import pytest
from confluent_kafka import Producer

from processor.core.correction import Correction, Result
from processor.core.partition import partition_of
from processor.core.request import OnStateOnly
from stack.layout import Stack
from tests.e2e.deployment import PARTITIONS, Deployment
from tests.e2e.people import assert_same, at_state, persons, rename
from tests.e2e.promises import assert_corrected_once, assert_never_backwards, prove, settle
from tests.e2e.servers import frozen
from tests.e2e.stream import Stream

BROKER_SILENT_S = 12
"""Longer than a transaction's call and than the group's session."""


def test_a_request_repeated_by_publishers_of_all_kinds_is_one_request(running: Deployment) -> None:
    """By the partitioners of Java (murmur2) and of librdkafka (crc32), with and without a key, before and after."""
    keys = list(running.take_keys(20))
    persons(running, "NORTH", keys[:10])
    rename(running, "NORTH", keys[:10])
    persons(running, "NORTH", keys[10:], there=False)
    request = running.request("NORTH", "PersonIdentity", keys)
    value = running.encoded(request)
    elsewhere = (partition_of("NORTH", PARTITIONS) + 1) % PARTITIONS

    def publish_in_all_ways() -> None:
        for partitioner in ("murmur2_random", "consistent_random"):
            producer = Producer({**running.client, "partitioner": partitioner})
            for key in (b"NORTH", None):
                producer.produce(running.topics.requests, value, key)
            assert producer.flush(30) == 0
        running.put(running.topics.requests, value, b"NORTH", elsewhere)
        running.flush()

    publish_in_all_ways()
    running.watcher.until_ended([request.request_id])
    publish_in_all_ways()
    settle(running)
    running.role("process").kill()
    running.start("process")
    publish_in_all_ways()
    settle(running)

    prove(running, [request.request_id])
    sent = [c for c in running.watcher.corrections if c.source.request_id == request.request_id]
    assert len(sent) == len(keys)
    assert running.watcher.story(request.request_id).counts() == {"APPLIED": 20}
    assert_same(running, "NORTH", keys)


@pytest.mark.timeout(300)
def test_a_broker_that_falls_silent_during_commits_leaves_nothing_in_doubt(
    running: Deployment, stack: Stack, record_property: Callable[[str, object], None]
) -> None:
    """Whether a commit happened is then unknown to the one who asked for it."""
    stream = Stream(running, Random(5))
    stream.run(1)
    doubts = doubts_of(running)
    stream.burst(60)
    with frozen(stack, "kafka"):
        sleep(BROKER_SILENT_S)
    record_property("served_again_s", round(stream.probe(), 1))
    stream.finish()
    record_property("commits_in_doubt", doubts_of(running) - doubts)
    record_property("ended_by_themselves", stream.restarted)


def doubts_of(deployment: Deployment) -> int:
    return sum(role.log.read_text().count("no answer about a transaction") for role in deployment.roles.values())


def late(deployment: Deployment, correction: Correction) -> Correction:
    """As a sender that was out of touch would still send it: not known by its id."""
    source = replace(correction.source, correction_id=str(uuid.uuid4()))
    made = replace(correction, source=source)
    topic, home = deployment.topics.corrections, partition_of(source.district_id, PARTITIONS)
    deployment.put(topic, deployment.codec.encode(topic, made), source.district_id.encode(), home)
    deployment.flush()
    return made


def answer_to(deployment: Deployment, correction: Correction) -> Result:
    watcher = deployment.watcher
    wanted = correction.source.correction_id

    def found() -> list[Result]:
        return [answer.result for answer in watcher.answers if answer.source.correction_id == wanted]

    watcher.until(found, "the answer")
    return found()[0]


def ask(deployment: Deployment, key: int, **changes: object) -> Correction | None:
    """Asks, waits for the end, and returns what was sent for it."""
    request_id = deployment.submit("NORTH", "PersonIdentity", [key], **changes)
    deployment.watcher.until_ended([request_id])
    sent = [c for c in deployment.watcher.corrections if c.source.request_id == request_id]
    return sent[0] if sent else None


def test_a_late_correction_whose_before_is_true_again_is_refused(running: Deployment) -> None:
    """ABA: the state's row is as the correction was made from, but two changes have passed meanwhile."""
    [key] = running.take_keys(1)
    persons(running, "NORTH", [key])
    rename(running, "NORTH", [key], "Second")
    first = ask(running, key)
    rename(running, "NORTH", [key], f"Last{key}")
    assert ask(running, key) is not None
    assert first is not None
    assert first.before is not None
    assert first.before["lastName"] == f"Last{key}"

    assert answer_to(running, late(running, first)) is Result.CONFLICT
    settle(running)
    assert_same(running, "NORTH", [key])
    marks = running.rows("state", "select mark from audit where key = %s order by seq", [str(key)])
    assert marks == [("Second",), (f"Last{key}",)]
    assert_corrected_once(running)
    assert_never_backwards(running)


def test_a_late_create_does_not_bring_back_what_was_deleted(running: Deployment) -> None:
    """The ghost: row created, deleted at the district and at the state, and the create arrives once more."""
    [key] = running.take_keys(1)
    persons(running, "NORTH", [key], there=False)
    create = ask(running, key)
    running.rows("NORTH", "delete from identity where person_id = %s", [key])
    assert ask(running, key, on_state_only=OnStateOnly.DELETE) is not None
    assert not at_state(running, "NORTH", [key])

    assert create is not None
    assert answer_to(running, late(running, create)) is Result.CONFLICT
    settle(running)
    assert not at_state(running, "NORTH", [key])
    assert_corrected_once(running)
    assert_never_backwards(running)
