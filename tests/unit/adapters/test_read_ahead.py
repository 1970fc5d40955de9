"""When partitions are paused, and when they are read again."""

from itertools import repeat

import pytest

from processor.adapters.kafka.read_ahead import (
    ENOUGH_BYTES,
    ENOUGH_RECORDS,
    FULL,
    HELD_RECORDS,
    Partition,
    change_pauses,
    has_enough,
)
from processor.service.records import Lane
from tests.unit.service.received import received

A, B = ("a", 0), ("b", 0)


def hold(partition: Partition, records: int, size: int = 0) -> None:
    partition.waiting.clear()
    partition.waiting.extend(repeat(received(Lane.REQUESTS), records))
    partition.waiting_bytes = size


@pytest.mark.parametrize(
    ("lane", "most"), [(Lane.REQUESTS, FULL * ENOUGH_RECORDS), (Lane.RETRY, HELD_RECORDS), (Lane.CHUNKS, HELD_RECORDS)]
)
def test_a_partition_is_paused_where_it_is_full_and_read_again_at_half(lane: Lane, most: int) -> None:
    partitions = {A: Partition(lane)}
    for records, changed in [
        (most - 1, ([], [])),
        (most, ([A], [])),
        (most // 2, ([], [])),
        (most // 2 - 1, ([], [A])),
    ]:
        hold(partitions[A], records)
        assert change_pauses(partitions) == changed


@pytest.mark.parametrize(("lane", "most"), [(Lane.ANSWERS, FULL * ENOUGH_BYTES), (Lane.CHUNKS, ENOUGH_BYTES)])
def test_bytes_pause_as_records_do(lane: Lane, most: int) -> None:
    partitions = {A: Partition(lane)}
    for size, changed in [(most - 1, ([], [])), (most, ([A], [])), (most // 2, ([], [])), (most // 2 - 1, ([], [A]))]:
        hold(partitions[A], 1, size)
        assert change_pauses(partitions) == changed


def test_lanes_served_at_once_fill_together_and_only_what_holds_records_is_paused() -> None:
    partitions = {A: Partition(Lane.REQUESTS), B: Partition(Lane.ANSWERS)}
    hold(partitions[A], FULL * ENOUGH_RECORDS)
    assert change_pauses(partitions) == ([A], [])
    hold(partitions[B], 1)
    assert change_pauses(partitions) == ([B], [])


def test_lanes_that_wait_are_not_at_hand() -> None:
    partitions = {A: Partition(Lane.REQUESTS), B: Partition(Lane.CHUNKS)}
    hold(partitions[A], ENOUGH_RECORDS - 1)
    hold(partitions[B], HELD_RECORDS)
    assert not has_enough(partitions.values())
    hold(partitions[A], ENOUGH_RECORDS)
    assert has_enough(partitions.values())
