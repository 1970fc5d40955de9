"""Faults of the stack's servers, undone when the test is over."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
from psycopg import sql

from stack import process, services
from stack.layout import Stack


@contextmanager
def stopped(stack: Stack, name: str) -> Iterator[None]:
    """A service that is shut down as its owner would do it."""
    services.stop(stack, name)
    try:
        yield
    finally:
        services.start(stack, name)


@contextmanager
def frozen(stack: Stack, name: str) -> Iterator[None]:
    """A service whose processes all stand still: connections stay open and nobody answers."""
    main = process.find(stack, name)
    assert main is not None, f"{name} does not run"
    family = [main, *_children(main)]
    for pid in family:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in family:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


@contextmanager
def locked(dsn: str, table: str) -> Iterator[None]:
    """A table that nobody else can read, as during a migration."""
    with psycopg.connect(dsn) as connection:
        connection.execute(sql.SQL("lock table {} in access exclusive mode").format(sql.Identifier(table)))
        yield


def _children(parent: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with suppress(OSError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(fields[1]) == parent:
                    found.append(int(entry.name))
    return found
