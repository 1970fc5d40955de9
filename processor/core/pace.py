"""How many keys are taken at once: by how long the last ones took, how many of them differed, how wide a row is.

See ADR 0221, 0232, 0253.
"""

from processor.core.accept import PART_KEYS
from processor.core.digest import LEAST_KEYS as LEAST_BY_DIGEST

LEAST_KEYS = PART_KEYS
"""One chunk of a request that was cut; fewer come only of a chunk that took longer than the databases allow."""
GROWTH = 4
"""A batch has at most so many times as many keys as the one before."""
KEYS_AT_ONCE = 5_000
"""Keys of a batch of small requests, whatever they cost; more only where they are quick, and the same on both sides."""
MOST_BY_COLUMNS = 2_500
"""About how many keys of a larger batch have their columns read, and told: of each some 10 kB are held at a time."""
MOST_VALUES = 400_000
"""Columns of all keys of a larger batch, on one side: they are not read as long as both sides are the same, and all of
them the first time that they are not."""


def most_keys(columns: int) -> int:
    """How many keys a batch may have of rows with so many compared columns, however alike both sides were."""
    return max(KEYS_AT_ONCE, MOST_VALUES // columns)


def next_keys(
    allowed: int, taken: int, by_columns: int, took_s: float, target_s: float, *, least: int = LEAST_KEYS
) -> int:
    """Keys of the next batch, where one might have `allowed` and had `taken`, which took so long.

    So many of these were read by their columns; where that is most of them, the next has `KEYS_AT_ONCE` at most.
    A quick batch takes nothing away from the next: it may have been small for want of keys. Few keys are all read by
    their columns, which tells nothing.
    """
    fitting = int(taken * target_s / max(took_s, 0.001))
    by_time = max(allowed, min(fitting, GROWTH * taken)) if took_s <= target_s else min(fitting, allowed)
    told = taken >= LEAST_BY_DIGEST
    room = max(KEYS_AT_ONCE, taken * MOST_BY_COLUMNS // max(1, by_columns) if told else allowed)
    return min(room, max(least, by_time))
