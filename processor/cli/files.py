"""Files that commands write."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from processor.cli.exits import UsageError

STDOUT = Path("-")


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """A file beside `path` that takes its place once it is whole; nothing is left of it where it did not get so far."""
    partial = path.with_name(f"{path.name}.partial")
    try:
        yield partial
        partial.replace(path)
    except OSError as fault:
        raise UsageError(f"{path} cannot be written: {fault.strerror}") from fault
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def to_stdout() -> Iterator[Path]:
    """A file whose bytes go to stdout once it is whole."""
    with TemporaryDirectory() as held:
        whole = Path(held) / "whole"
        yield whole
        with whole.open("rb") as opened:
            shutil.copyfileobj(opened, sys.stdout.buffer)
        sys.stdout.flush()
