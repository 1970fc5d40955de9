"""A processor's batch: what it takes, when it is known, and what an abort leaves behind."""

from typing import Any

import pytest

from processor.codec.errors import RegistryUnavailable
from processor.core.history import Status
from processor.core.ids import accepted_id
from processor.service.inbox import MAX_WAIT_S, WAIT_IN_HAND_S, run
from processor.service.records import Lane
from tests.unit.service.processing import IDS, NEEDS_THE_REGISTRY, NORTH, Broker, Waiting, parts, requests
from tests.unit.service.received import received


def test_a_batch_is_committed_with_its_own_offsets_and_then_known() -> None:
    world = parts(*requests(2, 1))
    assert world.processor().step()
    assert [(o.key, o.status) for o in world.broker.outcomes()] == [(key, Status.NOT_FOUND) for key in ("1", "2", "1")]
    assert world.broker.offsets == [[2]]
    assert world.inbox.done == 2
    assert world.known == {accepted_id(each, "NORTH", "0", 1) for each in IDS[:2]}
    assert world.steps == ["after_read", "after_compare"]
    assert not world.processor().step(), "nothing is left"


def test_an_aborted_batch_is_not_known_and_is_read_again() -> None:
    world = parts(*requests(1), broker=Broker(aborts=2))
    processor = world.processor()
    assert processor.step()
    assert (world.known, world.inbox.rewound, world.inbox.taken, world.broker.written) == (set(), 1, 0, [])
    assert processor.step()
    assert processor.step()
    assert len(world.broker.outcomes()) == 1
    assert world.broker.offsets == [[1]]


@pytest.mark.parametrize(
    ("sizes", "limits", "batches"),
    [
        ([1, 1, 1], {}, [3]),
        ([1, 1, 1], {"max_records": 2}, [2, 3]),
        ([2, 2, 2], {"max_keys": 4}, [2, 3]),
        ([2, 2, 2], {"max_keys": 5}, [2, 3]),
        ([9, 1], {"max_keys": 4}, [1, 2]),
        ([1, 9, 1], {"max_keys": 4}, [1, 2, 3]),
        ([1, 1, 1], {"max_bytes": 1}, [1, 2, 3]),
        ([1, 1, 1], {"max_s": 0.0}, [1, 2, 3]),
    ],
)
def test_batches_are_bounded_by_keys_records_bytes_and_time(
    sizes: list[int], limits: dict[str, Any], batches: list[int]
) -> None:
    world = parts(*requests(*sizes))
    processor = world.processor(**limits)
    while processor.step():
        pass
    assert world.broker.offsets == [[offset] for offset in batches]
    assert len(world.broker.outcomes()) == sum(sizes)


def test_poison_between_good_records_is_set_aside_in_the_same_transaction() -> None:
    first, second = requests(1, 1)
    world = parts(first, received(Lane.REQUESTS, b"?", partition=NORTH, offset=7), second)
    world.processor().step()
    assert [r.value for r in world.broker.written if r.topic == "resync.dead-letters"] == [b"?"]
    assert len(world.broker.outcomes()) == 2


def test_a_registry_that_is_away_ends_a_batch_before_the_record_that_needs_it() -> None:
    world = parts(*requests(1, 1), NEEDS_THE_REGISTRY)
    processor = world.processor()
    assert processor.step()
    assert world.broker.offsets == [[2]]
    with pytest.raises(RegistryUnavailable):
        processor.step()
    assert world.inbox.taken == 2, "its offset does not move"


def test_the_loop_waits_for_what_is_away_and_reads_again() -> None:
    inbox = Waiting([])
    asked = 0

    def step() -> bool:
        nonlocal asked
        asked += 1
        if asked in {2, 3}:
            raise RegistryUnavailable("registry: away")
        return asked == 1

    run(inbox, step, stop=lambda: asked == 4)
    assert inbox.rewound == 2


def test_the_loop_looks_often_while_something_is_in_hand() -> None:
    """Nothing wakes it when that is done."""
    waits: list[float] = []

    class Listening(Waiting):
        def fill(self, timeout_s: float) -> int:
            waits.append(timeout_s)
            return 0

    left = [True, True, False]
    run(Listening([]), lambda: False, stop=lambda: len(waits) == 3, in_hand=lambda: left.pop(0))
    assert waits == [WAIT_IN_HAND_S, WAIT_IN_HAND_S, MAX_WAIT_S]
