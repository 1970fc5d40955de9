"""How many keys are taken at once, by how long the last ones took and how many of them differed (ADR 0221, 0232)."""

from processor.core.accept import PART_KEYS
from processor.core.digest import LEAST_KEYS as LEAST_BY_DIGEST

LEAST_KEYS = PART_KEYS
"""One chunk of a request that was cut; fewer come only of a chunk that took longer than the databases allow."""
GROWTH = 4
"""A batch has at most so many times as many keys as the one before."""


def next_keys(allowed: int, taken: int, took_s: float, target_s: float) -> int:
    """Keys of the next batch, where one might have `allowed` and had `taken`, which took so long.

    A quick batch takes nothing away from the next: it may have been small for want of keys.
    """
    fitting = int(taken * target_s / max(took_s, 0.001))
    if took_s <= target_s:
        return max(allowed, min(fitting, GROWTH * taken))
    return max(LEAST_KEYS, min(fitting, allowed))


KEYS_AT_ONCE = 5_000
"""Keys of a batch of small requests, whatever they cost; more only where they are quick, and the same on both sides."""
MOST_BY_COLUMNS = 2_500
"""About how many keys of a larger batch have their columns read, and told: of each some 10 kB are held at a time."""


def next_keys_at_once(allowed: int, taken: int, by_columns: int, took_s: float, target_s: float) -> int:
    """Keys of the next batch of small requests, where one might have `allowed` and the last had `taken`.

    So many of these were read by their columns. Of few keys all are, so they tell nothing.
    """
    if taken < LEAST_BY_DIGEST:
        return allowed
    room = taken * MOST_BY_COLUMNS // max(1, by_columns)
    return max(KEYS_AT_ONCE, min(room, next_keys(allowed, taken, took_s, target_s)))
