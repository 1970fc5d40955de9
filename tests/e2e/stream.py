"""Requests without end while the districts keep being edited: what faults are tried on.

Half of the edits and requests are of a few persons, so that corrections of one record are on the way together.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from random import Random
from time import monotonic
from typing import TypeVar

import psycopg

from tests.e2e.databases import DISTRICTS
from tests.e2e.deployment import Deployment
from tests.e2e.people import assert_same, enrollments, enrollments_at_state, persons
from tests.e2e.promises import lags, prove

FEW = 3
T = TypeVar("T")


class Stream:
    """Every step edits one district and asks for some of its records. Persons' last names count up: `Edit000001`."""

    def __init__(self, deployment: Deployment, random: Random, persons_each: int = 60) -> None:
        self.asked: list[str] = []
        self.edits = 0
        self.probed: list[str] = []
        """The requests of the last probe."""
        self.restarted: list[str] = []
        """Processes that ended by themselves and were started again."""
        self._deployment = deployment
        self._random = random
        self._keys = {district: list(deployment.take_keys(persons_each)) for district in DISTRICTS}
        self._enrolled: dict[str, list[int]] = {district: [] for district in DISTRICTS}
        for district, keys in self._keys.items():
            persons(deployment, district, keys)

    def step(self) -> None:
        """About 35 ms. A database that is away is edited no more until it is back."""
        self.restarted += self._deployment.restart_ended()
        district = self._random.choice(DISTRICTS)
        with suppress(psycopg.OperationalError):
            self._edit(district)
        keys = self._few(district, self._random.randint(1, 5))
        self._ask(district, "PersonIdentity", keys)
        if self._enrolled[district] and self._random.random() < 0.3:
            self._ask(district, "Enrollment", [self._random.choice(self._enrolled[district])])
        self._deployment.watcher.poll(0.03)

    def run(self, seconds: float) -> None:
        until = monotonic() + seconds
        while monotonic() < until:
            self.step()

    def burst(self, requests: int) -> None:
        """So many requests at once, not waited for."""
        districts = [self._random.choice(DISTRICTS) for _ in range(requests)]
        self.asked += self._deployment.publish(
            *(self._deployment.request(d, "PersonIdentity", self._random.sample(self._keys[d], 5)) for d in districts)
        )

    def during(self, work: Callable[[], T]) -> T:
        """Goes on while something that takes time is done."""
        with ThreadPoolExecutor(1) as pool:
            future = pool.submit(work)
            while not future.done():
                self.step()
            return future.result()

    def probe(self, timeout_s: float = 90.0) -> float:
        """Asks each district for a record that the state lacks and goes on until all are there; returns the seconds."""
        started = monotonic()
        self.probed = []
        for district in DISTRICTS:
            [key] = self._deployment.take_keys(1)
            persons(self._deployment, district, [key], there=False)
            self._keys[district].append(key)
            self.probed.append(self._ask(district, "PersonIdentity", [key]))
        stories = [self._deployment.watcher.story(request_id) for request_id in self.probed]
        while missing := [story for story in stories if not story.has_ended()]:
            if monotonic() - started > timeout_s:
                told = [dict(story.counts()) for story in missing]
                raise AssertionError(f"{told} after {timeout_s:g} s; not yet read: {lags(self._deployment)}")
            self.step()
        return monotonic() - started

    def finish(self, timeout_s: float = 60.0) -> None:
        """Ends the edits, asks for everything once more, and proves P1, P2 and P5."""
        last = [
            self._ask(district, name, keys)
            for district in DISTRICTS
            for name, keys in (("PersonIdentity", self._keys[district]), ("Enrollment", self._enrolled[district]))
            if keys
        ]
        self._deployment.watcher.until_ended(self.asked, timeout_s)
        prove(self._deployment, self.asked)
        for request_id in last:
            told = self._deployment.watcher.story(request_id).counts()
            assert {each.partition(" ")[0] for each in told} <= {"APPLIED", "IN_SYNC"}, told
        for district in DISTRICTS:
            assert_same(self._deployment, district, self._keys[district])
            enrolled = self._enrolled[district]
            assert enrollments_at_state(self._deployment, district, enrolled) == {key: key for key in enrolled}

    def _edit(self, district: str) -> None:
        """Mostly a name; now and then a new person with an enrollment, missing at the state."""
        if self._random.random() < 0.05:
            [key] = self._deployment.take_keys(1)
            persons(self._deployment, district, [key], there=False)
            self._keys[district].append(key)
            enrollments(self._deployment, district, [key], [key], there=False)
            self._enrolled[district].append(key)
        else:
            self.edits += 1
            self._deployment.rows(
                district,
                "update identity set last_name = %s where person_id = %s",
                [f"Edit{self.edits:06d}", self._few(district, 1)[0]],
            )

    def _few(self, district: str, most: int) -> list[int]:
        """Some persons' keys: of the district's first few, or of all."""
        keys = self._keys[district]
        return (
            self._random.sample(keys, most)
            if self._random.random() < 0.5
            else self._random.sample(keys[:FEW], min(most, FEW))
        )

    def _ask(self, district: str, name: str, keys: Iterable[int]) -> str:
        self.asked.append(self._deployment.submit(district, name, keys))
        return self.asked[-1]
