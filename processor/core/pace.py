"""How many keys of large requests are taken at once, by how long the last ones took (ADR 0221)."""

from processor.core.accept import PART_KEYS

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
