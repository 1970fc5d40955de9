"""Partitions that move between processes of a role while requests come, one of them frozen for a while."""

import signal
from collections.abc import Callable
from random import Random

import pytest

from tests.awaiting import await_
from tests.e2e.deployment import Deployment
from tests.e2e.people import assert_same, persons, rename
from tests.e2e.promises import prove
from tests.e2e.role import Role
from tests.e2e.servers import locked
from tests.e2e.stream import Stream
from tests.e2e.test_beside import READERS

SESSION_S = TRANSACTION_S = 6
"""A frozen process may have a transaction open, which nobody reads past before it times out."""
QUARREL_S = 90
"""How long two processes of one identity may take until each has shut out the other."""


@pytest.mark.timeout(300)
@pytest.mark.parametrize("role", ["process", "apply"])
def test_partitions_move_to_a_second_process_and_back(
    deploy: Callable[..., Deployment], role: str, record_property: Callable[[str, object], None]
) -> None:
    """The second joins; the first is frozen past its session and wakes as one that owns nothing; the second dies."""
    deployment = deploy(
        settings={"session_timeout_s": SESSION_S, "transaction_timeout_s": TRANSACTION_S, "retry_delay_s": 1}
    )
    deployment.start_all()
    stream = Stream(deployment, Random(7))
    stream.run(1)
    stream.during(lambda: deployment.start(role, 1))
    stream.run(1)
    first, second = deployment.role(f"{role}-0"), deployment.role(f"{role}-1")
    first.signal(signal.SIGSTOP)
    record_property("taken_over_s", round(stream.probe(), 1))
    first.signal(signal.SIGCONT)
    stream.run(2)
    second.kill()
    deployment.start_missing()
    record_property("taken_back_s", round(stream.probe(), 1))
    stream.finish()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("role", ["process", "apply"])
def test_two_processes_of_one_ordinal_shut_each_other_out_and_lose_nothing(
    deploy: Callable[..., Deployment], role: str, record_property: Callable[[str, object], None]
) -> None:
    """By mistake: either begins anew in turn, and says why."""
    deployment = deploy(
        settings={"session_timeout_s": SESSION_S, "transaction_timeout_s": TRANSACTION_S, "retry_delay_s": 1}
    )
    deployment.start_all()
    stream = Stream(deployment, Random(13))
    stream.run(1)
    first = deployment.role(role)
    second = deployment.start(role, ready=False)
    try:
        quarrel_s = stream.during(
            lambda: await_(lambda: begun_anew(first) >= 2, "that each begins anew at least once", QUARREL_S)
        )
        record_property("quarrel_s", round(quarrel_s, 1))
        assert first.is_running()
        assert second.is_running()
    finally:
        first.kill()
    record_property("served_again_s", round(stream.probe(), 1))
    stream.finish()


def begun_anew(role: Role) -> int:
    """How often, by the log that both of its ordinal write."""
    return role.log.read_text(encoding="utf-8").count("beginning anew")


@pytest.mark.parametrize("is_frozen", [False, True], ids=["a second one joins", "the first one is frozen"])
def test_batches_in_hand_come_to_nothing_once_their_partition_has_another_owner(
    deploy: Callable[..., Deployment], *, is_frozen: bool
) -> None:
    """Several are, under a backlog, while the next owner reads the same: each key ends once."""
    made = deploy(
        settings={
            "session_timeout_s": SESSION_S,
            "transaction_timeout_s": TRANSACTION_S,
            "statement_timeout_s": 60,
            "retry_delay_s": 1,
            "batch_max_keys": 20,
        }
    )
    keys = made.take_keys(400)
    persons(made, "NORTH", keys)
    rename(made, "NORTH", keys[::7])
    made.start_all()
    first = made.role("process-0")
    with locked(made.dsns["NORTH"], "identity"):
        asked = [made.submit("NORTH", "PersonIdentity", keys[start : start + 10]) for start in range(0, 400, 10)]
        made.watcher.until(lambda: is_waiting(made, 0), "the first batch to be read")
        if is_frozen:
            first.signal(signal.SIGSTOP)
        made.start("process", 1, ready=False)
        made.watcher.until(lambda: is_waiting(made, 1), "the same at its next owner", 60)
        first.signal(signal.SIGCONT)
    made.watcher.until_ended(asked, 60)
    prove(made, asked)
    assert_same(made, "NORTH", keys)


def is_waiting(made: Deployment, ordinal: int) -> bool:
    return (f"resync/process/{ordinal}", "Lock") in made.rows("NORTH", READERS)
