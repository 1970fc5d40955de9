"""The command line of the benchmark. What cannot be measured is refused before anything is started."""

import argparse
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

SCENARIOS = ("backlog", "latency", "beside", "whole", "recovery")
SEED = 20261
REQUESTS_PER_S = 50
"""Of runs that measure how long single keys wait."""
OUT = Path(__file__).parent / "out" / "latest.ndjson"


@dataclass(frozen=True, slots=True)
class Options:
    keys: int
    rows: int
    kills: int
    seconds: int
    seed: int
    only: tuple[str, ...]
    output: Path

    def command(self, scenario: str) -> str:
        """The command that measures one scenario again."""
        numbers = {
            "keys": self.keys,
            "rows": self.rows,
            "kills": self.kills,
            "seconds": self.seconds,
            "seed": self.seed,
        }
        spelled = " ".join(f"--{name} {number}" for name, number in numbers.items())
        return f"python -m bench {spelled} --only {scenario}"


def number(least: int, most: int) -> Callable[[str], int]:
    """A whole number as an option takes it, both bounds included."""

    def read(text: str) -> int:
        if not re.fullmatch("[0-9]{1,18}", text, re.ASCII) or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least:,} to {most:,}")
        return int(text)

    return read


def parse(arguments: Sequence[str] | None = None) -> Options:
    """Raises SystemExit: 2 for what cannot be used, said in one line; 0 for --help."""
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measures on services of its own. JSON lines on stdout and in a file, people's table on stderr."
        " Exits 1 where the counts on the topics are not those that were planted, never for a time.",
        allow_abbrev=False,
    )
    parser.add_argument("--keys", type=number(1, 2_000_000), default=200_000, help="keys of a backlog (%(default)s)")
    parser.add_argument(
        "--rows", type=number(1_000, 5_000_000), default=1_000_000, help="rows of the district's table (%(default)s)"
    )
    parser.add_argument("--kills", type=number(1, 100), default=10, help="kills a role (%(default)s)")
    parser.add_argument(
        "--seconds", type=number(1, 600), default=20, help="length of runs with single keys (%(default)s)"
    )
    parser.add_argument("--seed", type=number(0, 10**18 - 1), default=SEED, help="of the keys' choice (%(default)s)")
    parser.add_argument("--only", nargs="+", choices=SCENARIOS, default=SCENARIOS, help="scenarios (all)")
    parser.add_argument("--output", type=Path, default=OUT, metavar="FILE", help="for the JSON lines (%(default)s)")
    read = parser.parse_args(arguments)
    options = Options(
        read.keys, read.rows, read.kills, read.seconds, read.seed, tuple(dict.fromkeys(read.only)), read.output
    )
    if fault := _fault(options):
        parser.error(fault)
    return options


def _fault(options: Options) -> str | None:
    """What a single option cannot tell."""
    if options.keys > options.rows:
        return f"--keys {options.keys}: keys of a backlog are distinct rows, and --rows is {options.rows}"
    if REQUESTS_PER_S * options.seconds >= options.rows:
        return f"--seconds {options.seconds}: {REQUESTS_PER_S} distinct rows a second, and --rows is {options.rows}"
    if 3 * options.kills > options.rows // 50:
        return f"--kills {options.kills}: {3 * options.kills} rows that differ, and --rows {options.rows} has fewer"
    folder = options.output.parent
    if options.output.is_dir() or not (folder.is_dir() or options.output == OUT):
        return f"--output {options.output}: not a file in a folder that exists"
    return None
