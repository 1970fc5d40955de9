"""What is measured of whom, and what repeats add up to: medians, least and most, ratios. No IO.

A scenario has contenders: the first is ours, the others are its references. In each repeat all take their turn, within
seconds of each other, so a ratio of one repeat says more than any figure. Ratios are of speed: 2 is twice as fast as
the reference, whatever the unit.
"""

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from bench.planted import USUAL, Planting
from bench.world import World

OURS = "ours"
REPEATS = 5
"""Of what has a goal, where no number is asked for; of all else, one."""
CPU_KEYS = 100_000
"""CPU seconds are told for so many keys or rows."""


class Unit(StrEnum):
    KEYS_PER_S = "keys/s"
    ROWS_PER_S = "rows/s"
    SECONDS = "s"
    MILLISECONDS = "ms"

    @property
    def more_is_better(self) -> bool:
        return self in {Unit.KEYS_PER_S, Unit.ROWS_PER_S}


@dataclass(frozen=True, slots=True)
class Measured:
    """Of one contender in one repeat. Made only once all counts were found right: else WrongCount is raised."""

    values: Mapping[str, float]
    """In the scenario's unit, by what they are of: `speed`, or `p50` and `p99`."""
    amount: int
    """Keys or rows that were worked on."""
    seconds: float
    cpu_s: Mapping[str, float] = field(default_factory=dict)
    """User and system time by kind of process, as `bench.meter` tells it."""
    peak_rss_mb: Mapping[str, float] = field(default_factory=dict)
    """Peak resident memory of the contender's own processes."""

    @property
    def cpu_s_per_100k(self) -> dict[str, float]:
        return {kind: spent * CPU_KEYS / self.amount for kind, spent in self.cpu_s.items()}


Measure = Callable[[World], Measured]
"""One run from fresh topics and tables as planted. Raises WrongCount, RunFailed or TimeoutError: no figure."""


@dataclass(frozen=True, slots=True)
class Contender:
    name: str
    measure: Measure
    goals: Mapping[str, float] = field(default_factory=dict)
    """Of a reference: how many times as fast we want to be, by value."""
    takes_long: bool = False
    """Once is enough, where no number of repeats is asked for."""

    @property
    def is_repeated(self) -> bool:
        """As a reference: what no goal is for, is shown, and once is enough."""
        return bool(self.goals) and not self.takes_long


@dataclass(frozen=True, slots=True)
class Scenario:
    group: str
    """What it is asked for by: several may have one."""
    name: str
    unit: Unit
    contenders: Sequence[Contender]
    """Ours first."""
    planting: Planting = USUAL
    rows: int | None = None
    """Of the district's table, where it is not as many as in the others."""
    size: tuple[str, int] | None = None
    """One point of a line: of what there is more and more, and how much of it."""

    @property
    def references(self) -> Sequence[Contender]:
        return self.contenders[1:]

    @property
    def repeats(self) -> int:
        """Where no number is asked for."""
        return REPEATS if any(each.is_repeated for each in self.references) else 1

    def repeat(self, number: int, asked: int | None) -> Sequence[Contender]:
        """Who takes a turn in it, in turn; each begins with another one, so that none always comes after the same one.

        `asked`: how many repeats are wanted of everybody. Else those that are not to be repeated are in the first.
        """
        ours, *references = self.contenders
        is_whole = asked is not None or not number
        turns = [ours, *(each for each in references if is_whole or each.is_repeated)]
        first = number % len(turns)
        return [*turns[first:], *turns[:first]]

    def turns(self, asked: int | None) -> int:
        """Of all contenders, in all repeats."""
        return sum(len(self.repeat(number, asked)) for number in range(asked or self.repeats))


@dataclass(frozen=True, slots=True)
class Spread:
    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Of at least one."""
        return cls(statistics.median(values), min(values), max(values))


@dataclass(frozen=True, slots=True)
class Result:
    """Repeats of a scenario, each with what was measured by contender; one that failed is missing there."""

    scenario: Scenario
    repeats: Sequence[Mapping[str, Measured]]

    def of(self, contender: str) -> list[Measured]:
        return [repeat[contender] for repeat in self.repeats if contender in repeat]

    def values(self, contender: str) -> dict[str, Spread]:
        return _spreads([each.values for each in self.of(contender)])

    def cpu_s_per_100k(self, contender: str) -> dict[str, Spread]:
        return _spreads([each.cpu_s_per_100k for each in self.of(contender)])

    def peak_rss_mb(self, contender: str) -> dict[str, Spread]:
        return _spreads([each.peak_rss_mb for each in self.of(contender)])

    def ratios(self, reference: str) -> dict[str, Spread]:
        """How many times as fast ours is, by value; of repeats in which both have a figure."""
        return _spreads(list(self._ratios(reference)))

    def _ratios(self, reference: str) -> Iterator[Mapping[str, float]]:
        ours = self.scenario.contenders[0].name
        for repeat in self.repeats:
            if ours in repeat and reference in repeat:
                yield ratios(self.scenario.unit, repeat[ours], repeat[reference])


def ratios(unit: Unit, ours: Measured, theirs: Measured) -> dict[str, float]:
    """How many times as fast ours is as theirs, by value that both have."""
    both = [name for name in ours.values if name in theirs.values]
    if unit.more_is_better:
        return {name: ours.values[name] / theirs.values[name] for name in both}
    return {name: theirs.values[name] / ours.values[name] for name in both}


def _spreads(measured: Sequence[Mapping[str, float]]) -> dict[str, Spread]:
    """By name, in the order in which names come first."""
    names = dict.fromkeys(name for each in measured for name in each)
    return {name: Spread.of([each[name] for each in measured if name in each]) for name in names}
