"""What the monitor knows of the system from outside: requests without an end, and groups behind their topics."""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from processor.core.history import RequestState
from processor.core.ids import is_request_id
from processor.service.client_ports import Unreachable

log = logging.getLogger(__name__)

MOST_OPEN = 500_000
"""Open requests kept in memory, some 200 bytes each; those beyond are found by reading again."""
_OPEN = frozenset({RequestState.ACCEPTED.encode()})
"""Those that are held wait for a person, which the store tells."""


@dataclass(frozen=True, slots=True)
class GroupLag:
    """`oldest_s`: when the oldest record not done with was written, in Unix seconds; None where there is none."""

    records: int
    oldest_s: float | None


@dataclass(frozen=True, slots=True)
class Look:
    """`members` by role; `lags` by role and topic; `retention_s` by topic, those kept for ever left out.

    `dead_letters_end`: the end offsets of the dead-letter topic's partitions, added up.
    """

    members: Mapping[str, int] = field(default_factory=dict)
    lags: Mapping[tuple[str, str], GroupLag] = field(default_factory=dict)
    retention_s: Mapping[str, float] = field(default_factory=dict)
    dead_letters_end: int | None = None


class OpenRequests:
    """Requests accepted and not ended, by the keys and headers of history records, in offset order a request."""

    def __init__(self, most: int = MOST_OPEN) -> None:
        self._most = most
        self._since: dict[bytes, float] = {}
        self._left_out = False

    def __len__(self) -> int:
        return len(self._since)

    def add(self, key: bytes | None, status: bytes | None, timestamp_s: float) -> None:
        """`status` is the header of a record with a value; None stands for a tombstone."""
        request_id, _, rest = (key or b"").partition(b"/")
        if not rest:
            if status not in _OPEN:
                self._since.pop(request_id, None)
            elif request_id in self._since or not is_request_id(request_id.decode(errors="replace")):
                return
            elif len(self._since) < self._most:
                self._since[request_id] = timestamp_s
            else:
                self._left_out = True
        elif rest in (b"~end", b"~cleared"):
            self._since.pop(request_id, None)

    def oldest_s(self) -> float | None:
        return min(self._since.values(), default=None)

    def wants_rereading(self) -> bool:
        """Whether some were left out and there is room for them now."""
        return self._left_out and len(self._since) < self._most // 2

    def clear(self) -> None:
        self._since.clear()
        self._left_out = False


class HistoryHeads(Protocol):
    """The history topic, keys and headers only, read on from where the last call ended."""

    def read(self, requests: OpenRequests, for_s: float) -> bool:
        """Whether all that there was is read. Blocks at most a little longer than `for_s`."""

    def again(self) -> None:
        """From the beginning."""


class Groups(Protocol):
    def look(self) -> Look:
        """Raises Unreachable."""


@dataclass(slots=True)
class Monitor:
    """Looks again and again; what it found last may be read by other threads, and ages once nothing answers."""

    heads: HistoryHeads
    groups: Groups
    every_s: float
    last: Look = field(default_factory=Look)
    looked_at: float | None = None
    """On the monotonic clock."""
    open_requests: int | None = None
    """None until the topic was read to its end once."""
    oldest_open_s: float | None = None
    _requests: OpenRequests = field(default_factory=OpenRequests)
    _next_look: float = 0.0

    def step(self) -> None:
        """Reads on for at most a second; asks about groups where it is time to."""
        if self._requests.wants_rereading():
            self._requests.clear()
            self.heads.again()
        if self.heads.read(self._requests, min(1.0, self.every_s)):
            self.oldest_open_s = self._requests.oldest_s()
            self.open_requests = len(self._requests)
        if time.monotonic() >= self._next_look:
            self._next_look = time.monotonic() + self.every_s
            try:
                self.last = self.groups.look()
            except Unreachable as fault:
                log.warning("%s; what was found last is kept", fault)
            else:
                self.looked_at = time.monotonic()

    def lag_age_s(self, lag: GroupLag, now_s: float) -> float:
        """As of the last look: what was on its way then may be done with. As of `now_s` once looks are overdue."""
        if lag.oldest_s is None:
            return 0.0
        since_look_s = 0.0 if self.looked_at is None else time.monotonic() - self.looked_at
        seen_s = now_s if since_look_s > 2 * self.every_s else now_s - since_look_s
        return max(0.0, seen_s - lag.oldest_s)

    def oldest_age_s(self, now_s: float) -> float | None:
        """Of requests that are open, and of those that wait to be taken on."""
        if self.open_requests is None:
            return None
        open_s = 0.0 if self.oldest_open_s is None else max(0.0, now_s - self.oldest_open_s)
        waiting = self.last.lags.get(("process", "requests"))
        return open_s if waiting is None else max(open_s, self.lag_age_s(waiting, now_s))
