"""Memory of `resync replay` while it goes on: `python -m bench.replaying`, a JSON line.

The topic holds requests of 1,000 keys each, all decided, in the bytes that the processor writes. They differ in their
id alone, so the topic fills in seconds and is packed small.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench import command, history_topic
from bench.figures import Figure
from bench.history_topic import KEYS_A_REQUEST
from bench.meter import peak_rss_mb, rss_mb
from bench.options import number
from bench.world import Run, RunFailed, World
from stack import roles

SAMPLE_EVERY_S = 0.2
TENTHS = 10


def main() -> int:
    parser = command.options("bench.replaying", __doc__, rows=1_000)
    parser.add_argument("--outcomes", type=number(10_000, 100_000_000), default=1_000_000, help="(%(default)s)")
    return command.figures(parser, _figures)


def _figures(here: World, options: argparse.Namespace) -> Iterator[Figure]:
    requests = options.outcomes // KEYS_A_REQUEST
    with here.run() as run:
        began = time.monotonic()
        history_topic.fill(run, requests)
        filled = time.monotonic()
        samples, peak = replayed(run)
        seconds = time.monotonic() - filled
        history_topic.check(run, "outcomes", requests)
        outcomes, tenths = requests * KEYS_A_REQUEST, _tenths(samples)
        yield {
            "scenario": "replay, memory over time",
            "outcomes": outcomes,
            "seconds_to_fill": round(filled - began, 1),
            "topic_mb": round(_size(here.stack.dir, run.topics.history) / 1e6),
            "seconds": round(seconds, 1),
            "keys_per_s": round(outcomes / seconds),
            "rss_mb_by_tenths_of_the_time": tenths,
            "peak_rss_mb": peak,
            "last_by_second_tenth": round(tenths[-1] / tenths[1], 3),
        }


def replayed(run: Run) -> tuple[Sequence[float], float]:
    """Resident memory of `resync replay` by time, and its peak, in MB. Raises RunFailed."""
    samples: list[float] = []
    peak = 0.0
    command_line = [str(roles.console_script()), "replay"]
    with subprocess.Popen(command_line, env=os.environ | run.env, stderr=subprocess.PIPE, text=True) as replay:
        while replay.poll() is None:
            try:
                peak = max(peak, peak_rss_mb(replay.pid))
                samples.append(rss_mb(replay.pid))
            except OSError:
                break
            time.sleep(SAMPLE_EVERY_S)
        told = "" if replay.stderr is None else replay.stderr.read()
    if replay.returncode:
        raise RunFailed(f"resync replay ended with {replay.returncode}: {told.strip()}")
    return [each for each in samples if each], peak


def _tenths(samples: Sequence[float]) -> list[float]:
    """The greatest of each tenth of the samples."""
    size = max(1, len(samples) // TENTHS)
    return [max(samples[begin : begin + size]) for begin in range(0, size * TENTHS, size) if samples[begin:]]


def _size(folder: Path, topic: str) -> int:
    """Bytes of the topic's segments."""
    return sum(each.stat().st_size for each in folder.rglob(f"{topic}-*/*.log"))


if __name__ == "__main__":
    sys.exit(main())
