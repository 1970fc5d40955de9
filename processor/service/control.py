"""What people wish for by the control topics: that a request's history be cleared, or an order about one under way.

A wish is judged by the tables, so only once they show all that the topic held when the partitions were taken over, and
all marks written since: else a request whose rows a rebuild has not read yet would be taken for unknown, and one
cleared by two persons at once would be marked twice.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

from processor.core.history import Clear, Order
from processor.core.policy import Policy
from processor.service.history_ports import Extent
from processor.service.read_back import ReadBack


class Wish(NamedTuple):
    """What somebody wishes, and the topic that it came by."""

    topic: str
    what: Clear | Order


class ControlLog(Protocol):
    """The control topics, read outside any group."""

    def wishes(self) -> Iterable[Wish]:
        """Some of those that came since the last call; does not wait."""

    def rewind(self) -> None:
        """Read from the beginning again."""


class NoControl:
    """For a store that is given no control topic."""

    def wishes(self) -> Iterable[Wish]:
        return ()

    def rewind(self) -> None:
        """Nothing to read."""


@dataclass(frozen=True, slots=True)
class Control:
    """`policy` says what may be wished for by which topic; without one everything by any."""

    log: ControlLog = field(default_factory=NoControl)
    policy: Policy | None = None


class CarryOut(NamedTuple):
    """Given wishes, each with the topic that it came by, and the time."""

    clears: Callable[[Iterable[tuple[str, Clear]], datetime], None]
    orders: Callable[[Iterable[tuple[str, Order]], datetime], None]


class Wishes:
    """`owns` says whether a request is this process's business."""

    def __init__(self, log: ControlLog, read_back: ReadBack, carry_out: CarryOut, owns: Callable[[str], bool]) -> None:
        self._log = log
        self._read_back = read_back
        self._carry_out = carry_out
        self._owns = owns

    def take_over(self, extents: Mapping[int, Extent]) -> None:
        """Partitions came or went: wishes that were another's business may now be ours."""
        self._log.rewind()
        self._read_back.begin({p: extent.stable for p, extent in extents.items()})

    def step(self, positions: Mapping[int, int], now: datetime) -> None:
        """Judge some wishes, once the tables show what they have to."""
        if not self._read_back.is_reached(positions):
            return
        mine = [wish for wish in self._log.wishes() if self._owns(wish.what.request_id)]
        clears = [(topic, what) for topic, what in mine if isinstance(what, Clear)]
        orders = [(topic, what) for topic, what in mine if isinstance(what, Order)]
        if clears:
            self._carry_out.clears(clears, now)
        if orders:
            self._carry_out.orders(orders, now)
