"""Looks at all parts at the same time. None waits for another, and none is waited for longer than it is given."""

from collections.abc import Callable, Iterator, Mapping
from queue import Empty, Queue
from threading import Thread
from time import monotonic
from typing import TypeVar

from processor.service.doctor.findings import Away

T = TypeVar("T")

AT_ONCE = 32


def examine(
    looks: Mapping[str, Callable[[], T]], explain: Callable[[Exception], str], timeout_s: float
) -> Iterator[tuple[str, T | Away]]:
    """Each part's facts as they come. `explain` says in words why there are none, without values.

    A part that hangs is left behind in its thread, which does not keep the process.
    """
    results: Queue[tuple[str, T | Away]] = Queue()
    waiting, until = list(looks.items()), dict[str, float]()

    def run(name: str, look: Callable[[], T]) -> None:
        try:
            results.put((name, look()))
        except Exception as fault:  # noqa: BLE001 (whatever a part does, the others are looked at)
            results.put((name, Away(explain(fault))))

    while waiting or until:
        while waiting and len(until) < AT_ONCE:
            name, look = waiting.pop(0)
            until[name] = monotonic() + timeout_s
            Thread(target=run, args=(name, look), name=f"doctor-{name}", daemon=True).start()
        try:
            done, facts = results.get(timeout=max(0.0, min(until.values()) - monotonic()))
        except Empty:
            late = min(until, key=lambda name: until[name])
            del until[late]
            yield late, Away(f"no answer within {timeout_s:g} s")
        else:
            if until.pop(done, None) is not None:
                yield done, facts
