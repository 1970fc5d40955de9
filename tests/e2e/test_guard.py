"""Requests that would change too much are held, released or rejected; any is cancelled; runs go from step to step."""

import json
import signal
import subprocess
import uuid
from dataclasses import replace
from typing import Any

import pytest
import yaml

from processor.core.history import RequestState, Status
from processor.core.request import All, Mode, Report
from processor.core.run import Step, step_id
from stack.layout import REPO, Stack
from tests.e2e.commands import run, submit
from tests.e2e.conftest import READ_SETTINGS, Deploy
from tests.e2e.deployment import Deployment
from tests.e2e.people import assert_same, at_state, persons, rename
from tests.e2e.promises import prove
from tests.e2e.servers import locked, stopped
from tests.e2e.test_beside import READERS, WAITING
from tests.e2e.watcher import Story
from tests.unit.cli.json_schema import problems

TIGHT = {"hold_changes": 5, "hold_share": 1, "max_keys": 20, "allow_delete": True}
ACCEPTED, HELD, CANCELLED = RequestState.ACCEPTED, RequestState.HELD, RequestState.CANCELLED


@pytest.fixture
def guarded(deploy: Deploy) -> Deployment:
    """Sixty persons of NORTH, of which forty differ; no more than five may change without a release."""
    made = deploy(settings=READ_SETTINGS, limits=TIGHT)
    persons(made, "NORTH", range(60))
    rename(made, "NORTH", range(40))
    made.start_all()
    return made


def begin(deployment: Deployment, **changes: Any) -> Story:
    wanted: dict[str, Any] = {"selection": All(), "report": Report.CHANGES, **changes}
    return deployment.watcher.story(deployment.submit("NORTH", "PersonIdentity", (), **wanted))


def until_held(deployment: Deployment, story: Story) -> None:
    def is_held() -> bool:
        query = "select state from history.requests where request_id = %s"
        return deployment.rows("history", query, [story.request_id]) == [("HELD",)]

    deployment.watcher.until(is_held, "the request to be held", 60)


def order(deployment: Deployment, *arguments: object) -> subprocess.CompletedProcess[str]:
    return run(deployment, *arguments, "--yes")


@pytest.mark.parametrize("keys", [(), tuple(range(20)), tuple(range(60))])
def test_what_is_held_is_sent_only_once_it_is_released(guarded: Deployment, keys: tuple[int, ...]) -> None:
    """All records, keys of one chunk, and keys of several."""
    changed = min(40, len(keys) or 40)
    story = guarded.watcher.story(guarded.submit("NORTH", "PersonIdentity", keys)) if keys else begin(guarded)
    until_held(guarded, story)
    for role in ("process", "store"):
        guarded.role(role).kill()
        guarded.start(role)
    shown = run(guarded, "show", story.request_id)
    detail = f"it would change {changed} records of PersonIdentity; without a release at most 5 pass"
    assert detail in shown.stdout
    assert f"resync release {story.request_id}" in shown.stdout
    document = json.loads(run(guarded, "show", story.request_id, "--output", "json").stdout)
    assert problems(document, "show.json") == []
    assert {(c["operation"], c["field"]): c["keys"] for c in document["planned"]["counts"]} == {
        ("UPDATE", None): changed,
        ("UPDATE", "lastName"): changed,
    }
    assert (guarded.watcher.corrections, story.ends) == ([], [])
    watched = run(guarded, "watch", story.request_id, "--timeout", "1")
    assert watched.returncode == 1
    assert f"{story.request_id} is held: {detail}" in watched.stderr
    released = order(guarded, "release", story.request_id, "--output", "json")
    assert released.returncode == 0, released.stderr
    document = json.loads(released.stdout)
    assert problems(document, "order.json") == []
    assert (document["is_carried_out"], document["decision"]) == (True, "ACCEPTED")
    assert "what it would change" in released.stderr
    guarded.watcher.until_ended([story.request_id], 60)
    guarded.watcher.until(lambda: story.ends, "the announced end")
    assert [status.state for status in story.statuses] == [ACCEPTED, HELD, ACCEPTED]
    assert story.counts()["APPLIED"] == changed
    assert_same(guarded, "NORTH", keys or range(60))
    prove(guarded, [story.request_id])
    assert run(guarded, "replay", "--verify").returncode == 0


def test_what_is_rejected_ends_without_a_correction(guarded: Deployment) -> None:
    before = at_state(guarded, "NORTH", range(60))
    story = begin(guarded)
    until_held(guarded, story)
    rejected = order(guarded, "release", story.request_id, "--reject")
    assert (rejected.returncode, rejected.stdout) == (0, ""), rejected.stderr
    assert "rejected, by " in rejected.stderr
    watched = run(guarded, "watch", story.request_id)
    assert watched.returncode == 1
    assert "NOT_RELEASED" in watched.stdout
    guarded.watcher.until(lambda: story.ends, "the announced end")
    assert (story.ends[-1].state, story.counts()) == (CANCELLED, {"CANCELLED": 40})
    assert guarded.watcher.corrections == []
    assert at_state(guarded, "NORTH", range(60)) == before
    again = order(guarded, "release", story.request_id)
    assert again.returncode == 1
    assert "is rejected already, by " in again.stderr


def test_a_request_is_cancelled_in_the_middle(deploy: Deploy) -> None:
    made = deploy(settings=READ_SETTINGS, limits={"chunk_target_s": 0.001, "hold_share": 1})
    persons(made, "NORTH", range(12_000))
    made.start_all()
    story = begin(made, mode=Mode.VERIFY, report=Report.ALL)
    made.watcher.until(lambda: len(story.chunks) > 3, "some parts", 60, poll_s=0.01)
    made.role("process").signal(signal.SIGSTOP)
    ordered = order(made, "cancel", story.request_id, "--no-wait")
    assert ordered.returncode == 0, ordered.stderr
    store_log = made.role("store").log
    made.watcher.until(lambda: "order taken" in store_log.read_text(encoding="utf-8"), "the order to be taken")
    made.role("process").signal(signal.SIGCONT)
    made.watcher.until(lambda: story.ends, "the announced end", 60)
    assert story.ends[-1].state is CANCELLED
    assert story.counts()[Status.CANCELLED] == 1
    assert 0 < story.counts()[Status.IN_SYNC] < 12_000
    assert run(made, "watch", story.request_id).returncode == 1
    ended = order(made, "cancel", story.request_id)
    assert (ended.returncode, ended.stdout) == (1, "")


def test_what_was_sent_of_a_cancelled_request_is_answered(guarded: Deployment) -> None:
    guarded.role("apply").signal(signal.SIGSTOP)
    story = guarded.watcher.story(guarded.submit("NORTH", "PersonIdentity", range(3)))
    guarded.watcher.until(lambda: story.counts()["SENT"] == 3, "corrections")
    cancelled = order(guarded, "cancel", story.request_id)
    assert cancelled.returncode == 0, cancelled.stderr
    shown = json.loads(run(guarded, "show", story.request_id, "--output", "json").stdout)
    assert (shown["state"], shown["decision"], story.ends) == ("ACCEPTED", "CANCELLED", [])
    guarded.role("apply").signal(signal.SIGCONT)
    guarded.watcher.until(lambda: story.ends, "the announced end", 60)
    assert (story.ends[-1].state, story.counts()) == (CANCELLED, {"APPLIED": 3})
    assert_nothing_is_sent_though_the_cancellation_is_forgotten(guarded)


def assert_nothing_is_sent_though_the_cancellation_is_forgotten(guarded: Deployment) -> None:
    """By a processor that was away for longer than it remembers what it took on."""
    sent = len(guarded.watcher.corrections)
    assert guarded.role("process").stop() == 0
    guarded.start("process", statement_timeout_s=60)
    story = guarded.watcher.story(guarded.submit("NORTH", "PersonIdentity", range(20)))
    until_held(guarded, story)
    with locked(guarded.dsns["NORTH"], "identity"):
        released = order(guarded, "release", story.request_id)
        assert released.returncode == 0, released.stderr
        guarded.watcher.until(lambda: WAITING in guarded.rows("NORTH", READERS), "what was released to be in hand")
        cancelled = order(guarded, "cancel", story.request_id)
        assert cancelled.returncode == 0, cancelled.stderr
        guarded.role("process").kill()
    guarded.start("process", accepted_window_s=0.01)
    guarded.watcher.until(lambda: story.ends, "the announced end", 60)
    assert (story.ends[-1].state, story.counts()) == (CANCELLED, {"CANCELLED": 17, "IN_SYNC": 3})
    assert len(guarded.watcher.corrections) == sent


def test_what_could_not_be_read_is_not_sent_though_its_cancellation_is_forgotten(
    guarded: Deployment, stack: Stack
) -> None:
    """One key is compared as it comes round, several are passed on before; what nobody cancelled is sent."""
    with stopped(stack, "postgres-NORTH"):
        one, several, others = (ask(guarded, keys) for keys in ([0], [1, 2, 3], [4, 5]))
        for story, keys in ((one, 1), (several, 3), (others, 2)):
            until_told(guarded, story, {"DEFERRED SNAPSHOT_UNAVAILABLE": keys})
        for story in (one, several):
            cancelled = order(guarded, "cancel", story.request_id)
            assert cancelled.returncode == 0, cancelled.stderr
        guarded.role("process").kill()
    guarded.disconnect()
    guarded.start("process", accepted_window_s=0.01)
    guarded.watcher.until(lambda: all(story.ends for story in (one, several, others)), "the announced ends", 90)
    ended = [(story.counts(), [end.state for end in story.ends]) for story in (one, several, others)]
    assert ended == [
        ({"CANCELLED": 1}, [CANCELLED]),
        ({"CANCELLED": 3}, [CANCELLED]),
        ({"APPLIED": 2}, [RequestState.COMPLETE]),
    ]
    assert {correction.source.key for correction in guarded.watcher.corrections} == {"4", "5"}


def ask(deployment: Deployment, keys: list[int]) -> Story:
    return deployment.watcher.story(deployment.submit("NORTH", "PersonIdentity", keys))


def until_told(deployment: Deployment, story: Story, counts: dict[str, int]) -> None:
    deployment.watcher.until(lambda: story.counts() == counts, f"{counts}")


def test_who_asked_for_it_is_told_that_somebody_else_has_to_release_it(guarded: Deployment) -> None:
    request_id = submit(guarded, *range(20)).stdout.strip()
    story = guarded.watcher.story(request_id)
    until_held(guarded, story)
    refused = order(guarded, "release", request_id)
    assert refused.returncode == 1
    assert "somebody else has to release or reject it" in refused.stderr
    nobody = run(guarded, "cancel", request_id)
    assert nobody.returncode == 2
    assert "--yes" in nobody.stderr
    cancelled = order(guarded, "cancel", request_id)
    assert cancelled.returncode == 0, cancelled.stderr
    made = run(guarded, "release", str(uuid.uuid4()), "--yes")
    assert made.returncode == 1
    assert "there is no history" in made.stderr


def test_a_person_needs_the_right_to_release(guarded: Deployment) -> None:
    policy = yaml.safe_load((REPO / "demo" / "policy.yaml").read_text(encoding="utf-8"))
    policy["topics"] = {guarded.topics.requests: policy["topics"]["resync.requests"]}
    policy["control"] = {guarded.topics.control: policy["control"]["resync.control"]}
    file = guarded.directory / "policy.yaml"
    file.write_text(yaml.safe_dump(policy), encoding="utf-8")
    story = begin(guarded)
    until_held(guarded, story)

    def release(token: str) -> subprocess.CompletedProcess[str]:
        settings = {"RESYNC_POLICY": str(file), "RESYNC_TOKEN": token}
        return run(guarded, "release", story.request_id, "--yes", settings=settings)

    refused = release("demo-token-of-the-north-clerk")
    assert refused.returncode == 1
    assert "NOT_AUTHORIZED: north-clerk may not release this: it needs release for PersonIdentity" in refused.stderr
    released = release("demo-token-of-the-state-admin")
    assert released.returncode == 0, released.stderr
    guarded.watcher.until_ended([story.request_id], 60)
    assert story.status is not None
    assert story.status.decided_by == "state-admin"


def test_a_linked_run_goes_on_over_a_restart_of_the_store(deploy: Deploy) -> None:
    made = deploy(settings=READ_SETTINGS, limits={"hold_share": 1})
    persons(made, "NORTH", range(300))
    rename(made, "NORTH", range(30))
    made.start_all()
    run_id = str(uuid.uuid4())
    verify, resync, again = (made.watcher.story(step_id(run_id, step)) for step in Step)
    first = made.request("NORTH", "PersonIdentity", (), selection=All(), mode=Mode.VERIFY, report=Report.CHANGES)
    made.role("store").kill()
    made.publish(replace(first, request_id=verify.request_id, run_id=run_id, linked=True))
    made.watcher.until_ended([verify.request_id], 60)
    made.start("store")
    made.watcher.until(lambda: resync.status is not None, "the second step", 60)
    made.role("store").kill()
    made.start("store")
    made.watcher.until(lambda: again.ends, "the end of the run", 90)
    assert [story.ends[-1].state for story in (verify, resync, again)] == [RequestState.COMPLETE] * 3
    assert verify.counts() == {"DIFFERS": 30}
    assert resync.counts() == {"APPLIED": 30}
    assert again.counts() == {}
    assert_same(made, "NORTH", range(300))
    prove(made, [resync.request_id])
