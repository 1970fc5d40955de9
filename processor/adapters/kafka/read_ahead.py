"""How much is read ahead of the work: a queue a partition, and when reading waits or a partition is paused."""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from processor.service.records import Lane, Received

ENOUGH_RECORDS = 10_000
"""With this many that may be taken at once, reading waits: pausing partitions would throw prefetched records away."""
ENOUGH_BYTES = 6_000_000
HELD_RECORDS = 2_000
"""A partition of a lane that has to wait is paused here, and resumed at half; so are all at `FULL` times `ENOUGH`."""
FULL = 4
RANKS = (
    frozenset({Lane.REQUESTS, Lane.ANSWERS, Lane.CORRECTIONS}),
    frozenset({Lane.RETRY}),
)
"""Lanes of one rank are served alike; a lower rank waits for the higher ones. Chunks come by themselves."""


@dataclass(slots=True)
class Partition:
    lane: Lane
    waiting: deque[Received] = field(default_factory=deque)
    waiting_bytes: int = 0
    taken: int | None = None
    """The offset after the last record taken; None where none was taken since the assignment or the last rewind."""
    committed: int = -1
    paused: bool = False
    turn: int = 0
    """When its chunks were last given."""


def has_enough(partitions: Iterable[Partition], enough: int = ENOUGH_RECORDS) -> bool:
    records, size = _at_hand(partitions)
    return records >= enough or size >= ENOUGH_BYTES


def change_pauses(
    partitions: Mapping[tuple[str, int], Partition],
) -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
    """Marks partitions as paused or not, by what waits in them; returns (newly paused, to be read again)."""
    records, size = _at_hand(partitions.values())
    full = records >= FULL * ENOUGH_RECORDS or size >= FULL * ENOUGH_BYTES
    half = records < FULL * ENOUGH_RECORDS // 2 and size < FULL * ENOUGH_BYTES // 2
    pause, resume = [], []
    for place, partition in partitions.items():
        if partition.lane in RANKS[0]:
            too_many, few = full and bool(partition.waiting), half
        else:
            held = len(partition.waiting), partition.waiting_bytes
            too_many = held[0] >= HELD_RECORDS or held[1] >= ENOUGH_BYTES
            few = held[0] < HELD_RECORDS // 2 and held[1] < ENOUGH_BYTES // 2
        if too_many and not partition.paused:
            partition.paused = True
            pause.append(place)
        elif few and partition.paused:
            partition.paused = False
            resume.append(place)
    return pause, resume


def _at_hand(partitions: Iterable[Partition]) -> tuple[int, int]:
    """(records, bytes) waiting in lanes that are served at once."""
    served = [p for p in partitions if p.lane in RANKS[0]]
    return sum(len(p.waiting) for p in served), sum(p.waiting_bytes for p in served)
