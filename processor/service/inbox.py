"""What a role needs of the topics that it reads, and the loop that every role of this kind runs."""

import logging
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, Protocol

from processor.codec.errors import RegistryUnavailable
from processor.service.apply_state import StateUnavailable
from processor.service.records import Lane, Received

log = logging.getLogger(__name__)

MAX_WAIT_S = 0.5
"""How long a loop waits for a record before it looks whether it is to stop."""
WAIT_IN_HAND_S = 0.005
"""Nothing wakes a loop that waits for records."""
MAX_BACKOFF_S = 5.0


class Inbox(Protocol):
    """Records read ahead; see `adapters.kafka.inbox`."""

    @property
    def generation(self) -> int: ...

    def fill(self, timeout_s: float) -> int: ...

    def ready(self, now_s: float) -> Iterator[Received]: ...

    def chunks(self, resting: Collection[int] = ()) -> Iterator[Received]: ...

    def take(self, record: Received) -> None: ...

    def waits(self, lane: Lane, partition: int) -> bool: ...

    def next_due_s(self) -> float | None: ...

    def offsets(self, chunks_of: int | None = None) -> Sequence[Any]: ...

    def at_rest(self, moved: Sequence[Any]) -> Sequence[Any]: ...

    def committed(self, offsets: Sequence[Any]) -> None: ...

    def rewind(self) -> None: ...


def never() -> bool:
    return False


def run(inbox: Inbox, step: Callable[[], bool], stop: Callable[[], bool], in_hand: Callable[[], bool] = never) -> None:
    """Fills the inbox and takes steps until told to stop; a step says whether it found work.

    What is away for everybody (the registry, the state's database) is waited for with growing pauses, and the input
    is then read again. A step is never interrupted, so stopping leaves no transaction open. `in_hand`: whether
    something is done beside the loop, at the end of which there is a step to take.
    """
    backoff_s = 0.0
    worked = False
    while not stop():
        inbox.fill(0.0 if worked else _wait_s(inbox, in_hand()))
        try:
            worked = step()
            backoff_s = 0.0
        except (RegistryUnavailable, StateUnavailable) as fault:
            backoff_s = min(MAX_BACKOFF_S, 2 * backoff_s or 0.1)
            log.warning("%s; trying again in %.1f s", fault, backoff_s)
            inbox.rewind()
            worked = False
            _pause(inbox, backoff_s, stop)


def _wait_s(inbox: Inbox, in_hand: bool) -> float:  # noqa: FBT001
    due_s, most_s = inbox.next_due_s(), WAIT_IN_HAND_S if in_hand else MAX_WAIT_S
    return most_s if due_s is None else min(most_s, max(0.0, due_s - time.time()))


def _pause(inbox: Inbox, pause_s: float, stop: Callable[[], bool]) -> None:
    """Waits without leaving the group: only polling keeps the membership alive."""
    until = time.monotonic() + pause_s
    while not stop() and (left := until - time.monotonic()) > 0:
        inbox.fill(min(MAX_WAIT_S, left))
