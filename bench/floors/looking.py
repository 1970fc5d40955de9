"""Lookups alone, started from here: `bench.floors.lookups` as a process of its own, so that its time can be told."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

from bench.workers import Job, orders_of
from bench.world import HERE, Run, RunFailed, World
from processor.settings import Topics


@dataclass(frozen=True, slots=True)
class Floor:
    pid: int
    orders: IO[str]
    answers: IO[str]

    def look(self) -> Mapping[str, float]:
        """Seconds, and how many rows the district has, how many of them the state lacks, and how many are equal."""
        self.orders.write("\n")
        self.orders.flush()
        return dict(json.loads(_line(self.answers)))


@contextmanager
def looking(world: World, job: Job, warm_keys: Sequence[int], keys: Sequence[int]) -> Iterator[Floor]:
    """Ready to look up these keys; it runs until the end of the block."""
    orders = world.stack.run_dir / "lookups.json"
    told = {**orders_of(Run(world, "lookups", Topics()), job, "lookups"), "keys": keys, "warm_keys": warm_keys}
    orders.write_text(json.dumps(told), encoding="utf-8")
    command = [sys.executable, "-m", "bench.floors.lookups", str(orders)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=HERE.parent
    ) as process:
        if process.stdin is None or process.stdout is None:
            raise RunFailed("lookups alone cannot be spoken with")
        _line(process.stdout)
        yield Floor(process.pid, process.stdin, process.stdout)
        process.stdin.write("\n")


def _line(answers: IO[str]) -> str:
    line = answers.readline()
    if not line:
        raise RunFailed("lookups alone ended before they were done: what they say is above")
    return line
