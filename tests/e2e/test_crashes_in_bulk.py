"""A role that dies in the middle of large work: as in test_crashes, what it had begun is done or done again.

Between the chunks of a request and the parts of a scan, which are read beside the loop (ADR 0220); between the steps of
a run, between what is held, released and taken up again (ADR 0144, 0156).
"""

import signal
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import groupby
from time import monotonic
from typing import Any

import pytest

from processor.core.history import ChunkState, Order, OrderAction, RequestState
from processor.core.request import All, Mode, Report
from processor.core.run import Step, step_id
from tests.e2e.conftest import READ_SETTINGS, Deployments
from tests.e2e.deployment import Deployment
from tests.e2e.editor import Editor
from tests.e2e.people import assert_same, persons, rename
from tests.e2e.promises import prove
from tests.e2e.recovery import Recoveries
from tests.e2e.servers import locked
from tests.e2e.watcher import Story, said

KEYS, CHUNKS = 1_000, 11
RENAMED, MISSING, NOWHERE = slice(0, None, 20), slice(1, None, 25), slice(2, None, 50)
"""Of a request in chunks: at the state by another name, not at the state, on neither side."""
ROWS = 2_000
DRIFTED, GONE = range(0, ROWS, 40), range(20, ROWS, 80)
"""Of a scanned district: at the state by another name, and not at the state. The first part has half of its rows."""
SMALL = {"max_keys": 100, "chunk_target_s": 0.0001, "hold_changes": KEYS + 1, "hold_share": 1}
"""Chunks of a hundred keys, which are not planned first, and parts of as few rows as there are."""
PATIENT = {**READ_SETTINGS, "batch_max_keys": SMALL["max_keys"], "statement_timeout_s": 60}
"""A chunk a transaction; what waits for a lock waits."""
LISTED, HELD, PASSING = 300, 40, 30
"""Of a run: all records, those that it would change, and how many of them would pass by themselves."""

AMONG_PARTS, AMONG_CHUNKS = 7, 3
"""Which time a processor dies: at first both requests are to be passed on, and one to be cut."""
PROCESS = (
    "process-bulk.after_read",
    "process-bulk.after_compare",
    "process.after_produce",
    "process.after_send_offsets",
    "process.before_commit",
    "process.after_commit",
)
STORE = (
    "store.after_merge:3",
    "store.before_sql_commit:3",
    "store.after_sql_commit:3",
    "store.before_decision",
    "store.after_decision",
    "store.after_released",
)
APPLY = (
    "apply.before_sql_commit:2",
    "apply.after_sql_commit:2",
    "apply.after_produce:2",
    "apply.after_send_offsets:2",
    "apply.before_commit:2",
    "apply.after_commit:2",
)
CRASHES = list(zip(PROCESS, STORE, APPLY, strict=True))
CORRECTIONS = 20
"""Of an applier's batch, so that there are several."""


@pytest.fixture(scope="module")
def recovered() -> Iterator[Recoveries]:
    """Of all crashes, which are judged together."""
    recoveries = Recoveries()
    yield recoveries
    recoveries.assert_quick()


@pytest.fixture
def large(of_file: Deployments) -> Deployment:
    """All of RIVER's persons are at the state. No role runs."""
    made = one_with(of_file, PATIENT, SMALL)
    if not made.rows("RIVER", "select from identity limit 1"):
        persons(made, "RIVER", range(ROWS))
        made.rows("RIVER", "analyze identity")
        made.rows("state", "analyze state_person")
    return made


@pytest.fixture
def guarded(of_file: Deployments) -> Deployment:
    """All of LAKE's persons are at the state, `HELD` of them by another name. No role runs."""
    limits = SMALL | {"max_keys": PASSING, "hold_changes": PASSING}
    made = one_with(of_file, {**READ_SETTINGS, "retry_delay_s": 0.1, "retry_gather_s": 0}, limits)
    if not made.rows("LAKE", "select from identity limit 1"):
        persons(made, "LAKE", range(LISTED))
    rename(made, "LAKE", range(HELD), f"Drifted {uuid.uuid4()}")
    return made


def one_with(deployments: Deployments, settings: dict[str, Any], limits: dict[str, Any]) -> Deployment:
    """The one with these limits, made by the first test that asks for it."""
    found = [each for each in deployments.live if each.catalog.limits.hold_changes == limits["hold_changes"]]
    made = found[0] if found else deployments.make(settings=settings, limits=limits)
    for role in made.roles.values():
        if role.is_running():
            role.kill()
    return made


@pytest.mark.parametrize("points", CRASHES, ids="-".join)
def test_crashes_between_chunks_and_between_parts(
    large: Deployment,
    points: tuple[str, str, str],
    recovered: Recoveries,
    record_property: Callable[[str, object], None],
) -> None:
    """The processor dies twice, the others once. A batch of the other district waits in its hand for a lock."""
    *keys, edited = large.take_keys(KEYS + 1)
    plant(large, keys, edited)
    chunked = large.watcher.story(large.submit("NORTH", "PersonIdentity", [*keys, edited]))
    scan = large.watcher.story(large.submit("RIVER", "PersonIdentity", (), selection=All(), report=Report.CHANGES))
    asked = [chunked.request_id, scan.request_id]
    process, store, apply = points
    large.start("store", ready=False, crash_at=store)
    with locked(large.dsns["NORTH"], "identity"):
        die(large, "process", f"{process}:{AMONG_PARTS}")
    large.read_all()
    assert any(chunk.state is ChunkState.DONE for chunk in scan.chunks.values())
    assert not scan.has_ended()
    assert (chunked.outcomes, len(chunked.chunks)) == ({}, CHUNKS)
    with locked(large.dsns["RIVER"], "identity"):
        die(large, "process", f"{process}:{AMONG_CHUNKS}")
    large.read_all()
    assert 0 < len(chunked.outcomes) < KEYS
    assert not scan.has_ended()
    with Editor(large.dsns["NORTH"], edited):
        # Not before: with answers in between it would be chance at which batch the processor dies.
        large.start("apply", ready=False, crash_at=apply, batch_max_records=CORRECTIONS)
        recovered.add(recovery_s(large, asked))
        record_property("recovered_s", round(recovered.seconds[-1], 1))
        for role in ("store", "apply"):
            await_crash(large, role)
            large.start(role, ready=False)
    asked.append(large.submit("NORTH", "PersonIdentity", [edited]))
    large.watcher.until_ended(asked, 60)

    changed, nowhere = [*keys[RENAMED], *keys[MISSING]], len(keys[NOWHERE])
    told = chunked.counts() - Counter([said(chunked.last(edited))])
    assert told == {"APPLIED": len(changed), "NOT_FOUND": nowhere, "IN_SYNC": KEYS - len(changed) - nowhere}
    assert scan.counts() == {"APPLIED": len(DRIFTED) + len(GONE)}
    assert sum(chunk.in_sync for chunk in scan.chunks.values()) == ROWS - len(DRIFTED) - len(GONE)
    assert sent_of(large, chunked) - Counter({edited: KEYS}) == Counter(changed)
    assert sent_of(large, scan) == Counter([*DRIFTED, *GONE])
    assert_same(large, "NORTH", [*keys, edited])
    assert_same(large, "RIVER", range(ROWS))
    prove(large, asked)


def plant(deployment: Deployment, keys: Sequence[int], edited: int) -> None:
    """In NORTH what is asked for by keys, in RIVER what a scan is to find."""
    missing, nowhere = keys[MISSING], keys[NOWHERE]
    persons(deployment, "NORTH", {*keys, edited} - {*missing, *nowhere})
    persons(deployment, "NORTH", missing, there=False)
    rename(deployment, "NORTH", keys[RENAMED])
    rename(deployment, "RIVER", DRIFTED, f"Drifted {uuid.uuid4()}")
    with deployment.connection("state").transaction():
        deployment.rows("state", "set local session_replication_role = replica")
        query = "delete from state_person where district_id = 'RIVER' and district_person_id = any(%s)"
        deployment.rows("state", query, [list(GONE)])


def die(deployment: Deployment, role: str, point: str) -> None:
    """Starts a process that ends at the point."""
    deployment.start(role, ready=False, crash_at=point)
    await_crash(deployment, role)


def await_crash(deployment: Deployment, role: str) -> None:
    assert deployment.role(role).await_end() == -signal.SIGKILL


def recovery_s(deployment: Deployment, asked: list[str]) -> float:
    """P11: from the start of the next processor to the first outcome of a request that was published before."""
    [late] = deployment.take_keys(1)
    persons(deployment, "NORTH", [late], there=False)
    asked.append(deployment.submit("NORTH", "PersonIdentity", [late]))
    story = deployment.watcher.story(asked[-1])
    begun = deployment.start("process", ready=False, interpreter=True).started_at
    deployment.watcher.until(lambda: story.outcomes, "an outcome")
    return monotonic() - begun


def sent_of(deployment: Deployment, story: Story) -> Counter[int]:
    """How many corrections were sent of each key."""
    return Counter(
        int(correction.source.key)
        for correction in deployment.watcher.corrections
        if correction.source.request_id == story.request_id
    )


@pytest.mark.parametrize(
    ("step", "decision", "order", "taken_up"),
    [
        ("store.before_step", "store.before_decision", "store.before_order", "process-bulk.after_read"),
        ("store.after_step", "store.after_decision", "store.after_order", "process.before_commit:2"),
    ],
)
def test_crashes_between_the_steps_of_a_run_that_is_held(
    guarded: Deployment, step: str, decision: str, order: str, taken_up: str
) -> None:
    """The store dies before or after each thing that it does for the run, the processor with what was released."""
    run_id = str(uuid.uuid4())
    verify, resync, again = (guarded.watcher.story(step_id(run_id, step)) for step in Step)
    first = guarded.request("LAKE", "PersonIdentity", (), selection=All(), mode=Mode.VERIFY, report=Report.CHANGES)
    guarded.publish(replace(first, request_id=verify.request_id, run_id=run_id, linked=True))
    guarded.start_all(("process", "apply"))
    for point in (step, decision):
        die(guarded, "store", point)
    guarded.start("store", ready=False, crash_at=order)
    guarded.watcher.until(lambda: resync.status and resync.status.state is RequestState.HELD, "HELD")
    assert sent_of(guarded, resync) == {}
    guarded.role("process").kill()
    guarded.start("process", ready=False, crash_at=taken_up)
    release(guarded, resync)
    await_crash(guarded, "store")
    die(guarded, "store", "store.after_released")
    await_crash(guarded, "process")
    guarded.start_all(("process", "store"))
    guarded.watcher.until(lambda: again.ends, "the end of the run", 60)

    assert [story.counts() for story in (verify, resync, again)] == [{"DIFFERS": HELD}, {"APPLIED": HELD}, {}]
    told = [state for state, _ in groupby(status.state for status in resync.statuses)]  # an order is told at least once
    assert told == [RequestState.ACCEPTED, RequestState.HELD, RequestState.ACCEPTED]
    assert sent_of(guarded, resync) == Counter(range(HELD))
    assert_same(guarded, "LAKE", range(LISTED))
    prove(guarded, [verify.request_id, resync.request_id, again.request_id])


def release(deployment: Deployment, story: Story) -> None:
    """By somebody else than who asked."""
    order = Order(story.request_id, OrderAction.RELEASE, "state@office", datetime.now(UTC))
    control = deployment.topics.control
    deployment.put(control, deployment.codec.encode(control, order), story.request_id.encode(), 0)
    deployment.flush()
