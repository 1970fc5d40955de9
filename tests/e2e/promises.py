"""DESIGN's promises as checks of what is committed on the topics and stands in the databases.

To be called when nothing is being submitted any more.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterable

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from processor.bootstrap.replay import run_verify_replay
from processor.core.correction import Result
from processor.core.history import OPEN_STATUSES, RequestState
from processor.core.request import Keys
from tests.awaiting import await_
from tests.e2e.deployment import Deployment
from tests.e2e.watcher import Story, said

GONE = "DELETE"
"""Stands for a person who is not there."""


def prove(deployment: Deployment, request_ids: Iterable[str]) -> None:
    """P1 for these requests and for every correction of the deployment, P2 for every person of it, and P5."""
    settle(deployment)
    for request_id in request_ids:
        assert_ended_once(deployment.watcher.stories[request_id])
    assert_corrected_once(deployment)
    assert_never_backwards(deployment)
    assert_replay_equals_live(deployment)


def settle(deployment: Deployment, timeout_s: float = 30.0) -> None:
    """Waits until every group has read all that there is, then reads it too."""
    for _ in range(2):  # the store's own records come after what it has read
        await_(lambda: not lags(deployment), f"the end of {lags(deployment)}", timeout_s)
        deployment.read_all()


def assert_ended_once(story: Story) -> None:
    """Exactly one terminal outcome a key, itemised or counted; the end announced says the same."""
    assert story.status is not None
    assert story.status.state is RequestState.ACCEPTED
    for key, told in story.outcomes.items():
        terminal = [outcome for outcome in told if outcome.status not in OPEN_STATUSES]
        assert len(terminal) == 1, f"{story.request_id} {key}: {[said(o) for o in told]}"
        assert told[-1] is terminal[0], f"{story.request_id} {key}: {[said(o) for o in told]}"
    asked = sum(told[-1].asked_as is not None for told in story.outcomes.values())
    counted = sum(chunk.in_sync for chunk in story.chunks.values())
    known, unread = story.status.keys, 0
    if not isinstance(story.status.request.selection, Keys):
        known = sum(chunk.keys for chunk in story.chunks.values())
        # Chunks count the keys that they read; one outcome stands for a range that none did.
        unread = sum(said(told[-1]) == "FAILED SNAPSHOT_UNAVAILABLE" for told in story.outcomes.values())
    assert known <= asked + counted <= known + unread
    ends = set(story.ends)
    assert len(ends) == 1, f"{story.request_id}: {len(ends)} different ends: {sorted(map(str, ends))}"
    [end] = ends
    assert sum(count.keys for count in end.counts) == len(story.outcomes) + counted
    failed = any(told[-1].status == "FAILED" for told in story.outcomes.values())
    assert end.state is (RequestState.COMPLETE_WITH_FAILURES if failed else RequestState.COMPLETE)


def assert_corrected_once(deployment: Deployment) -> None:
    """Each correction once on the topic, answered once, and as many writes of a key as were answered APPLIED."""
    watcher = deployment.watcher
    sent = Counter(correction.source.correction_id for correction in watcher.corrections)
    answered = Counter(answer.source.correction_id for answer in watcher.answers)
    assert not [each for each, count in sent.items() if count > 1], "a correction was sent twice"
    assert sent == answered, f"{len(sent - answered)} without an answer, {len(answered - sent)} answered twice"
    applied = Counter(
        (answer.source.object, answer.source.district_id, answer.source.key)
        for answer in watcher.answers
        if answer.result is Result.APPLIED
    )
    query = "select object, district_id, key, count(*) from audit group by 1, 2, 3"
    written = Counter({(o, d, k): count for o, d, k, count in deployment.rows("state", query)})
    assert written == applied, f"writes without an answer {written - applied}, answers without one {applied - written}"


def assert_never_backwards(deployment: Deployment) -> None:
    """P2, seen from outside and by what the applier goes by.

    The names that the state wrote of a person are among those that its district gave, in the district's order; none
    came back after a newer one. The readings of the district that were applied to a key never grow older.
    """
    query = "select district_id, key, op, mark from audit where object = 'PersonIdentity' order by seq"
    written: dict[str, list[tuple[str, str]]] = {}
    for district, key, op, mark in deployment.rows("state", query):
        written.setdefault(district, []).append((key, _said_of(op, mark)))
    for district, writes in written.items():
        given = _names_given(deployment, district, {key for key, _ in writes})
        reached = dict.fromkeys(given, 0)
        for key, name in writes:
            names = given[key]
            place = next((n for n in range(reached[key], len(names)) if names[n] == name), None)
            assert place is not None, (
                f"{district} {key}: the state was made older: after the name of edit {reached[key]} it was given one"
                f" that the district had before, or never had (of edit {names.index(name) if name in names else None})"
            )
            reached[key] = place
    applied: dict[tuple[str, str, str], tuple[int, ...]] = {}
    for answer in deployment.watcher.answers:
        source = answer.source
        if answer.result is Result.APPLIED:
            key_of = source.object, source.district_id, source.key
            assert applied.get(key_of, ()) <= source.district_version.order, f"{key_of}: an older reading was applied"
            applied[key_of] = source.district_version.order


def _names_given(deployment: Deployment, district: str, keys: Iterable[str]) -> dict[str, list[str]]:
    """Each person's names in the district's order, beginning with not being there."""
    given: dict[str, list[str]] = {key: [GONE] for key in keys}
    query = "select key, op, mark from edits where key = any(%s) order by seq"
    for key, op, mark in deployment.rows(district, query, [list(given)]):
        given[key].append(_said_of(op, mark))
    return given


def _said_of(op: str, mark: str | None) -> str:
    """A name as the catalog compares it."""
    return GONE if op == "DELETE" else repr(mark and unicodedata.normalize("NFC", mark).strip())


def assert_replay_equals_live(deployment: Deployment) -> None:
    verified = run_verify_replay(deployment.settings, lambda _done, _total: None)
    assert verified.divergences == 0, str(verified.first)
    assert verified.unjudged == 0


def lags(deployment: Deployment) -> dict[str, int]:
    """How far each group is behind the end of each partition, as an autoscaler sees it; only where it is."""
    topics = deployment.topics
    read_by = {
        "process": (topics.requests, topics.answers, topics.retry, topics.chunks),
        "apply": (topics.corrections,),
        "store": (topics.history,),
    }
    behind: dict[str, int] = {}
    try:
        ends = deployment.ends([name for names in read_by.values() for name in names])
        for role, names in read_by.items():
            committed = deployment.committed(f"{deployment.name}-{role}")
            for place in (place for place in ends if place[0] in names):
                if lag := ends[place] - max(0, committed.get(place, 0)):
                    behind[f"{role} {place[0]}[{place[1]}]"] = lag
    except KafkaException as fault:  # of a client whose metadata is older than the broker's restart
        behind[str(fault)] = 1
        deployment.admin = AdminClient(deployment.client)
    return behind
