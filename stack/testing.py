"""Stacks for tests: services only, in a directory of their own, on ports of their own."""

from __future__ import annotations

import os
import re
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from stack import config, services
from stack.layout import Stack

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FIRST_BASE = 22000
BASES = 100
MEMORY = Path("/dev/shm")  # noqa: S108  (each stack makes a folder of its own in it)
ROOM_BYTES = 6 << 30
"""Of it, and of memory, for the stacks of a few workers: each takes some 500 MB."""


def folder_in_memory(folder: Path = MEMORY, needed_bytes: int = ROOM_BYTES) -> Path | None:
    """For the files of a stack; None, for the folder of temporary files, where there is not enough room.

    Tests make and drop hundreds of databases, of 300 files each. ext4 goes round inodes that were freed lately, one by
    one, so that it takes a new database ten times as long (ADR 0174).
    """
    if not os.access(folder, os.W_OK):
        return None
    there = os.statvfs(folder)
    [available_kb] = re.findall(r"MemAvailable: +(\d+) kB", Path("/proc/meminfo").read_text())
    room_bytes = min(there.f_bavail * there.f_frsize, int(available_kb) * 1024)
    return folder if room_bytes >= needed_bytes else None


@contextmanager
def unstarted_stack(parent: Path | None = None) -> Iterator[Stack]:
    """A folder for a stack, in that for temporary files or in `parent`; removed at the end with whatever runs in it."""
    stack = Stack.at(tempfile.mkdtemp(prefix="selective-sync-", dir=parent))
    if os.geteuid() == 0:
        stack.dir.chmod(0o755)  # Postgres runs as another account
    try:
        yield stack
    finally:
        services.destroy(stack)


@contextmanager
def temporary_stack(districts: Sequence[str] = config.DEFAULT_DISTRICTS, parent: Path | None = None) -> Iterator[Stack]:
    """A running stack, removed at the end. Ports fixed in the caller's environment are for its other stack."""
    environ = {key: value for key, value in os.environ.items() if not _places_a_stack(key)}
    # Where to look first depends on the process, so that two test runs at once do not look at the same ports.
    first_base = FIRST_BASE + os.getpid() % BASES * config.BLOCK
    with unstarted_stack(parent) as stack:
        services.start_all(stack, environ=environ | {"RESYNC_DISTRICTS": ",".join(districts)}, first_base=first_base)
        yield stack


def _places_a_stack(variable: str) -> bool:
    return variable.startswith("RESYNC_") and "_PORT" in variable
