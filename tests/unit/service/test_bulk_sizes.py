"""How many keys a batch of chunks has, and of what comes beside requests."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from processor.core.chunk import Cause
from processor.core.pace import KEYS_AT_ONCE
from processor.core.request import Mode
from processor.core.snapshot import SameRead
from processor.service.bulk import MOST_KEYS_BESIDE, QUIET_S
from processor.service.ports import NONE_WANTED, BothSides, SnapshotUnavailable, Wanted
from processor.service.process import Processor
from processor.service.records import Lane
from tests.unit.core.builders import READ_AT, VERSION
from tests.unit.service.chunks import answers, keys_of, with_chunks
from tests.unit.service.databases import Databases, Target
from tests.unit.service.processing import CODEC, NORTH, Parts, chunk_records, parts, requests
from tests.unit.service.received import received


def sizes(world: Parts, processor: Processor) -> list[int]:
    """Keys of each batch of chunks until none is left."""
    made = list[int]()
    while processor.step():
        world.threads.work()
        made += [len(keys) for asked in world.databases.asked for keys in asked.values()]
        world.databases.asked.clear()
        assert processor.step()
    return made


@pytest.mark.parametrize(("since_s", "begun"), [(QUIET_S, 4 * 200), (QUIET_S - 0.01, MOST_KEYS_BESIDE // 200 * 200)])
def test_batches_of_chunks_are_small_only_while_requests_come(since_s: float, begun: int) -> None:
    world = with_chunks(keys_of(9, 500))
    processor = world.processor()
    assert sizes(world, processor) == [500]
    world.inbox.log += requests(1)
    assert processor.step()
    world.databases.asked.clear()
    world.inbox.bulk += chunk_records(*(keys_of(number, 200) for number in range(4)))
    world.now_s += since_s
    assert sizes(world, processor)[0] == begun


@pytest.mark.parametrize(
    ("key_takes_s", "expected"),
    [
        (0.0, [500, 2_000, 4_000]),
        (0.0001, [500, 2_000, 4_000]),
        (0.0004, [500, 1_000, 1_000, 1_000, 1_000, 1_000, 1_000]),
        (0.002, [500] * 13),
    ],
)
def test_a_batch_has_about_as_many_keys_as_take_half_a_second(key_takes_s: float, expected: list[int]) -> None:
    world = with_chunks(*(keys_of(number, 500) for number in range(13)))
    world.key_takes_s = key_takes_s
    assert sizes(world, world.processor(max_keys=4_000)) == expected


class SameOnBothSides(Databases):
    """Where rows are not asked for, digests tell that both sides hold the same."""

    def read(
        self, wanted: Wanted, by_rows: Wanted = NONE_WANTED
    ) -> Mapping[Target, Sequence[BothSides | SameRead] | SnapshotUnavailable]:
        rows = super().read(wanted, by_rows)
        return {
            target: rows[target] if target in by_rows else [SameRead(keys, VERSION, READ_AT, READ_AT)]
            for target, keys in wanted.items()
        }


def test_where_most_keys_are_the_same_a_batch_has_as_many_as_one_of_small_requests() -> None:
    chunks = [keys_of(number, 500) for number in range(60)]
    differing, alike = with_chunks(*chunks), with_chunks(*chunks)
    alike.databases = SameOnBothSides()
    most = {"max_keys": 20_000, "max_bytes": 8_000_000}
    assert sizes(differing, differing.processor(**most)) == [500, 2_000, *5 * [KEYS_AT_ONCE], 2_500]
    assert sizes(alike, alike.processor(**most)) == [500, 2_000, 8_000, 19_500]


@pytest.mark.parametrize("known", [{"cause": Cause.CONFIRM}, {"mode": Mode.FORCE}])
def test_of_keys_that_are_known_to_differ_a_batch_has_no_more_whatever_came_before(known: dict[str, Any]) -> None:
    world = with_chunks(*(keys_of(number, 500) for number in range(30)))
    world.databases = SameOnBothSides()
    processor = world.processor(max_keys=20_000, max_bytes=8_000_000)
    assert max(sizes(world, processor)) > KEYS_AT_ONCE
    world.inbox.bulk += chunk_records(*(replace(keys_of(30 + number, 500), **known) for number in range(11)))
    assert sizes(world, processor) == [KEYS_AT_ONCE, 500]


@pytest.mark.parametrize(("keys", "is_quiet"), [(MOST_KEYS_BESIDE, False), (MOST_KEYS_BESIDE + 1, True)])
def test_only_requests_of_few_keys_make_batches_small(keys: int, is_quiet: bool) -> None:  # noqa: FBT001
    processor = parts(*requests(keys)).processor()
    assert processor.step()
    assert processor.bulk.is_quiet() is is_quiet


def grown() -> tuple[Parts, Processor]:
    """A processor that may take 2,000 keys at once."""
    world = with_chunks(keys_of(9, 500))
    processor = world.processor(max_keys=4_000)
    assert sizes(world, processor) == [500]
    return world, processor


@pytest.mark.parametrize(("key_takes_s", "then"), [(0.01, 2_000), (0.2, 500)])
def test_a_small_batch_makes_the_next_smaller_only_where_it_was_slow(key_takes_s: float, then: int) -> None:
    world, processor = grown()
    world.key_takes_s = key_takes_s
    world.inbox.bulk += chunk_records(keys_of(8, 3))
    assert sizes(world, processor) == [3]
    world.inbox.bulk += chunk_records(*(keys_of(number, 500) for number in range(4)))
    assert sizes(world, processor)[0] == then


def test_the_next_batch_is_small_after_one_that_could_not_be_read() -> None:
    world, processor = grown()
    world.databases.away.add(("NORTH", "PersonIdentity"))
    world.inbox.bulk += chunk_records(keys_of(8, 3))
    assert sizes(world, processor) == [3]
    world.databases.away.clear()
    world.inbox.bulk += chunk_records(*(keys_of(number, 500) for number in range(4)))
    assert sizes(world, processor) == [500, 1_500]


def test_answers_leave_room_for_what_goes_round_while_requests_come() -> None:
    """Or neither a cancellation nor a second look would have its turn while answers stream in."""
    again = received(Lane.RETRY, CODEC.encode("any", keys_of(1)), partition=NORTH)
    log = [*requests(1), *answers(MOST_KEYS_BESIDE, 1), again]
    world = parts(*log)
    assert world.processor().step()
    assert world.inbox.taken == len(log)


def test_answers_come_in_small_batches_only_while_requests_come() -> None:
    def batches(*, with_a_request: bool) -> list[int]:
        world = parts(*(requests(1) if with_a_request else ()))
        world.inbox.log += answers(1_200, first=len(world.inbox.log))
        processor = world.processor(max_keys=5_000, max_records=5_000)
        while processor.step():
            pass
        return [offsets[0] for offsets in world.broker.offsets]

    assert batches(with_a_request=False) == [1_000 + 200]
    assert batches(with_a_request=True) == [501, 1_001, 1_201]
