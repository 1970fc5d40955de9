"""Stacks for tests: services only, in a directory of their own, on ports of their own."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

from stack import config, services
from stack.layout import Stack

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

FIRST_BASE = 22000
BASES = 100


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
