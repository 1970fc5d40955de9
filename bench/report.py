"""Makes docs/performance.md and its plot from the figures of a run: `python -m bench.report [FILE]`.

The figures go along as docs/performance.json, so that `--check` can tell whether the page says what was measured.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.latest import OUT
from bench.page import page
from bench.plot import plot
from processor.cli.output import say
from stack.layout import REPO

DOCS = REPO / "docs"
FIGURES = DOCS / "performance.json"


def main(arguments: Sequence[str] | None = None) -> int:
    """0, or 1 where the page is not what its figures make, or cannot be made."""
    parser = argparse.ArgumentParser(prog="python -m bench.report", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("file", type=Path, nargs="?", default=OUT, help="figures of a run (%(default)s)")
    parser.add_argument("--check", action="store_true", help="change nothing, and say whether all is as it should be")
    options = parser.parse_args(arguments)
    file = FIGURES if options.check else options.file
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as fault:
        say(f"{file} cannot be read: {fault.strerror}; make bench writes it")
        return 1
    made = {FIGURES: text, **pages(text)}
    if options.check:
        stale = [path.name for path, wanted in made.items() if _read(path) != wanted]
        if stale:
            say(f"not what {FIGURES.name} makes: {', '.join(stale)}; python -m bench.report docs/{FIGURES.name}")
        return 1 if stale else 0
    for path, wanted in made.items():
        path.write_text(wanted, encoding="utf-8")
    return 0


def pages(text: str) -> Mapping[Path, str]:
    document = json.loads(text)
    return {DOCS / "performance.md": page(document), DOCS / "performance.svg": plot(document)}


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


if __name__ == "__main__":
    sys.exit(main())
