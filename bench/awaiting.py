"""Waits for what others count, and looks often enough to time it."""

import time
from collections.abc import Callable

LOOK_EVERY_S = 0.02
LONGEST_S = 900.0


def until(look: Callable[[], int], least: int, what: str) -> int:
    """Returns once there are so many, and how many there are then. Raises TimeoutError after a quarter of an hour."""
    deadline = time.monotonic() + LONGEST_S
    while time.monotonic() < deadline:
        if (found := look()) >= least:
            return found
        time.sleep(LOOK_EVERY_S)
    raise TimeoutError(f"{what}: fewer than {least:,} after {LONGEST_S:.0f} s")
