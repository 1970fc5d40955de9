"""Runs a store, or waits for one in a process of its own, until a condition holds."""

from collections.abc import Callable
from time import monotonic, sleep

from processor.service.materialize import Store


def run(store: Store, until: Callable[[], bool], timeout_s: float = 20.0) -> None:
    """Run in this thread until the condition holds, which is looked at between steps."""
    deadline = monotonic() + timeout_s
    next_look = 0.0
    reached = False

    def stop() -> bool:
        nonlocal next_look, reached
        if monotonic() > deadline:
            raise AssertionError(f"not reached within {timeout_s} s: {store.counts}")
        if not reached and monotonic() >= next_look:
            next_look = monotonic() + 0.1
            reached = until()
        return reached

    store.run(stop)


def run_for(store: Store, steps: int) -> None:
    for _ in range(steps):
        store.step()


def await_(condition: Callable[[], bool], what: str, timeout_s: float = 30.0) -> None:
    """Polls: for conditions of other processes, which nothing here can be told of."""
    deadline = monotonic() + timeout_s
    while not condition():
        if monotonic() > deadline:
            raise AssertionError(f"{what} did not come within {timeout_s} s")
        sleep(0.05)
