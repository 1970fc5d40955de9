"""Kinds of metrics, and the list of all that were declared: what each role exports is chosen from it."""

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import TypeAlias

from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    Metric,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

disable_created_metrics()  # type: ignore[no-untyped-call]

Series: TypeAlias = Mapping[tuple[str, ...], float]
"""Label values to a number."""

NO_LABELS: tuple[str, ...] = ()


def nothing() -> Series:
    return {}


class Live(Collector):
    """A gauge whose series are asked for when it is scraped, so none is older than the scrape.

    `source` is called from the server's threads. It must not block, and reads only what its owner replaces as a whole.
    """

    def __init__(self, name: str, meaning: str, labels: Sequence[str]) -> None:
        self._name, self._meaning, self._labels = name, meaning, labels
        self.source: Callable[[], Series] = nothing

    def shows(self, source: Callable[[], Series]) -> None:
        self.source = source

    def is_number(self, number: Callable[[], float | None]) -> None:
        """For a gauge without labels; no series while there is no number."""

        def source() -> Series:
            found = number()
            return {} if found is None else {NO_LABELS: found}

        self.source = source

    def collect(self) -> Iterator[Metric]:
        family = GaugeMetricFamily(self._name, self._meaning, labels=self._labels)
        for values, number in self.source().items():
            family.add_metric(values, number)
        yield family


class Distribution(Histogram):
    """A histogram that takes many observations of one amount at once: the keys of a request are all of one age."""

    def observe_many(self, amount: float, times: int) -> None:
        """As `observe`, so many times."""
        self._raise_if_not_observable()  # type: ignore[no-untyped-call]
        self._sum.inc(amount * times)
        self._buckets[bisect_left(self._upper_bounds, amount)].inc(times)


@dataclass(frozen=True, slots=True)
class Declared:
    """`labels`: every value that a label can have; text where it is not a list that the code knows."""

    name: str
    kind: str
    meaning: str
    roles: Collection[str]
    labels: Mapping[str, Sequence[str] | str]
    collector: Collector


@dataclass(slots=True)
class Declarations:
    """Counters and histograms have all their series from the start, at zero: what never happened can be seen."""

    all: list[Declared] = field(default_factory=list)

    def counter(self, name: str, meaning: str, roles: Collection[str], **labels: Sequence[str]) -> Counter:
        made = Counter(name, meaning, list(labels), registry=None)
        _begin_series(made, labels)
        self.all.append(Declared(name, "counter", meaning, roles, labels, made))
        return made

    def histogram(
        self, name: str, meaning: str, roles: Collection[str], buckets: Sequence[float], **labels: Sequence[str]
    ) -> Distribution:
        made = Distribution(name, meaning, list(labels), buckets=buckets, registry=None)
        _begin_series(made, labels)
        self.all.append(Declared(name, "histogram", meaning, roles, labels, made))
        return made

    def live(self, name: str, meaning: str, roles: Collection[str], **labels: Sequence[str] | str) -> Live:
        made = Live(name, meaning, list(labels))
        self.all.append(Declared(name, "gauge", meaning, roles, labels, made))
        return made

    def registry(self, role: str) -> CollectorRegistry:
        """What a process of the role exports, with the process's own memory, time and files."""
        registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        GCCollector(registry=registry)
        for declared in self.all:
            if role in declared.roles:
                registry.register(declared.collector)
        return registry


def _begin_series(made: Counter | Histogram, labels: Mapping[str, Sequence[str]]) -> None:
    if labels:
        for values in product(*labels.values()):
            made.labels(*values)
