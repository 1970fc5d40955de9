"""The command line of the benchmark. What cannot be measured is refused before anything is started."""

import argparse
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.latest import OUT

GROUPS = ("backlog", "latency", "verification", "batch", "materializing", "applying", "growth")
SEED = 20261


@dataclass(frozen=True, slots=True)
class Options:
    """`peers`: beside other programs too. `most_rows`: how far growth is followed.

    `repeats` is None where each scenario is repeated as is usual of it.
    """

    quick: bool
    keys: int
    rows: int
    most_rows: int
    repeats: int | None
    seconds: int
    seed: int
    peers: bool
    only: tuple[str, ...]
    output: Path

    def command(self, group: str) -> str:
        """The command that measures one group again."""
        numbers = {
            "keys": self.keys,
            "rows": self.rows,
            "most-rows": self.most_rows,
            "repeats": self.repeats,
            "seconds": self.seconds,
            "seed": self.seed,
        }
        spelled = " ".join(f"--{name} {number}" for name, number in numbers.items() if number is not None)
        flags = f"{' --quick' if self.quick else ''}{'' if self.peers else ' --no-peers'}"
        return f"python -m bench{flags} {spelled} --only {group}"


@dataclass(frozen=True, slots=True)
class Size:
    """What holds where nothing else is said."""

    keys: int
    rows: int
    most_rows: int
    seconds: int
    repeats: int | None = None


USUAL, QUICK = Size(100_000, 1_000_000, 1_000_000, 5), Size(5_000, 20_000, 100_000, 1, 1)


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
        description="Measures us and our references in turn, on services of its own. Tables on stdout, all figures in"
        " a file. Exits 1 where counts are not those that were planted, never for a time.",
        allow_abbrev=False,
    )
    parser.add_argument("--quick", action="store_true", help="little of everything, once")
    parser.add_argument("--keys", type=number(100, 2_000_000), help=f"of a backlog {_both('keys')}")
    parser.add_argument("--rows", type=number(1_000, 10_000_000), help=f"of the district's table {_both('rows')}")
    parser.add_argument("--most-rows", type=number(10_000, 10_000_000), help=f"of what grows {_both('most_rows')}")
    parser.add_argument("--repeats", type=number(1, 100), help="of everything (as is usual of each; quick 1)")
    parser.add_argument("--seconds", type=number(1, 600), help=f"of single keys {_both('seconds')}")
    parser.add_argument("--seed", type=number(0, 10**18 - 1), default=SEED, help="of the keys' choice (%(default)s)")
    parser.add_argument("--no-peers", action="store_true", help="beside floors only, not beside other programs")
    parser.add_argument("--only", nargs="+", choices=GROUPS, default=GROUPS, help="groups of scenarios (all)")
    parser.add_argument("--output", type=Path, default=OUT, metavar="FILE", help="for all figures (%(default)s)")
    read = parser.parse_args(arguments)
    size = QUICK if read.quick else USUAL
    options = Options(
        read.quick,
        read.keys or size.keys,
        read.rows or size.rows,
        read.most_rows or size.most_rows,
        read.repeats or size.repeats,
        read.seconds or size.seconds,
        read.seed,
        not read.no_peers,
        tuple(dict.fromkeys(read.only)),
        read.output,
    )
    if fault := _fault(options):
        parser.error(fault)
    return options


def _both(name: str) -> str:
    return f"({getattr(USUAL, name):,}; quick {getattr(QUICK, name):,})"


def _fault(options: Options) -> str | None:
    """What a single option cannot tell."""
    if options.keys + options.keys // 10 > options.rows:
        return (
            f"--keys {options.keys}: with a tenth more to get warm, all of distinct rows, and --rows is {options.rows}"
        )
    folder = options.output.parent
    if options.output.is_dir() or not (folder.is_dir() or options.output == OUT):
        return f"--output {options.output}: not a file in a folder that exists"
    return None
