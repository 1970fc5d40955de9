"""Waiting for what other processes do, which nothing in a test can be told of."""

from collections.abc import Callable
from time import monotonic, sleep

POLL_S = 0.05


def await_(condition: Callable[[], object], what: str, timeout_s: float = 30.0) -> float:
    """Looks until the condition holds; returns how long that took in seconds."""
    started = monotonic()
    while not condition():
        if monotonic() - started > timeout_s:
            raise AssertionError(f"{what} did not come within {timeout_s:g} s")
        sleep(POLL_S)
    return monotonic() - started
