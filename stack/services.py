"""Kafka, the registry and the Postgres servers, together and one by one."""

from __future__ import annotations

import os
import shutil
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stack import artifacts, config, download, environment, kafka, postgres, process, registry
from stack.claims import Claims
from stack.errors import StackError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from stack.layout import Stack


def silent(_line: str) -> None:
    pass


def names(stack: Stack) -> tuple[str, ...]:
    """All services of the stack, running or not."""
    servers = ("state", *config.existing(stack).districts)
    return (kafka.NAME, registry.NAME, *map(config.district_server, servers))


def start_all(
    stack: Stack,
    *,
    say: Callable[[str], None] = silent,
    environ: Mapping[str, str] = os.environ,
    first_base: int = config.FIRST_BASE,
) -> dict[str, str]:
    """Starts what is not running, all at once, waits until everything serves; returns the settings of stack.env."""
    with stack.locked(), Claims() as claims:
        cache = artifacts.Cache.choose(environ)
        lock = artifacts.read_lock()
        download.fetch_missing([artifact for needed in lock.values() for artifact in needed], cache, environ, say)
        running = {name for name in process.names(stack) if process.find(stack, name) is not None}
        settings = config.choose(config.load(stack), environ, running, claim=claims.take, first_base=first_base)
        config.save(stack, settings)
        environment.write(stack, environ)
        report = _Report(stack, running, say)
        with ThreadPoolExecutor() as pool:
            state = pool.submit(report.start, config.STATE)
            others = (kafka.NAME, *map(config.district_server, settings.districts))
            starts = [state, *(pool.submit(report.start, name) for name in others)]
            starts.append(pool.submit(report.start, registry.NAME, after=state))
        _raise_all(starts)
        return environment.read(stack)


@dataclass(frozen=True, slots=True)
class _Report:
    stack: Stack
    running: Collection[str]
    say: Callable[[str], None]

    def start(self, name: str, after: Future[None] | None = None) -> None:
        if after is not None:
            after.result()
        started = time.monotonic()
        start(self.stack, name)
        how = "was running" if name in self.running else f"ready in {time.monotonic() - started:.1f} s"
        self.say(f"  {name:<16} {how:<16} port {config.existing(self.stack).port(name)}")


def _raise_all(starts: list[Future[None]]) -> None:
    """One error that tells of every service; a failure that followed from another's is told once."""
    errors = [error for start in starts if (error := start.exception()) is not None]
    for error in errors:
        if not isinstance(error, StackError):
            raise error
    if errors:
        raise StackError("\n".join(dict.fromkeys(map(str, errors))))


def start(stack: Stack, name: str) -> None:
    """Starts one service of a stack that was up before and waits until it serves."""
    if name == kafka.NAME:
        kafka.start(stack, artifacts.Cache.choose(os.environ))
    elif name == registry.NAME:
        registry.start(stack, artifacts.Cache.choose(os.environ))
    elif name in names(stack):
        postgres.start(stack, name.removeprefix(config.district_server("")))
    else:
        raise _no_service(stack, name)


def _no_service(stack: Stack, name: str) -> StackError:
    return StackError(f"no service {name}; there are {', '.join(names(stack))}")


def stop(stack: Stack, name: str) -> bool:
    """Gracefully, with a deadline; says whether it was running."""
    if name == kafka.NAME:
        return kafka.stop(stack)
    if name == registry.NAME:
        return registry.stop(stack)
    # A district that was taken out of the settings may still run, and the settings may be damaged.
    if name not in process.names(stack) and name not in names(stack):
        raise _no_service(stack, name)
    return postgres.stop(stack, name.removeprefix(config.district_server("")))


def restart(stack: Stack, name: str) -> None:
    stop(stack, name)
    start(stack, name)


def stop_all(stack: Stack, *, say: Callable[[str], None] = silent) -> None:
    """Stops everything that has a pid file: roles first, then the registry and Kafka, then Postgres."""
    with stack.locked():
        there = process.names(stack)
        servers = [name for name in there if name.startswith(config.district_server(""))]
        middle = [name for name in there if name in (kafka.NAME, registry.NAME)]
        roles = [name for name in there if name not in (*servers, *middle)]
        for group, stopper in ((roles, process.stop), (middle, stop), (servers, stop)):
            if group:
                _stop_together(stack, group, stopper, say)


def _stop_together(
    stack: Stack, group: list[str], stopper: Callable[[Stack, str], bool], say: Callable[[str], None]
) -> None:
    with ThreadPoolExecutor(len(group)) as pool:
        for name, ran in zip(group, pool.map(lambda name: stopper(stack, name), group), strict=True):
            say(f"  {name:<16} {'stopped' if ran else 'was not running'}")


def destroy(stack: Stack, *, say: Callable[[str], None] = silent) -> None:
    """Stops everything and removes all that the stack has written, but for a shared cache."""
    if stack.dir.exists():
        stop_all(stack, say=say)
    postgres.remove_data(stack)
    shutil.rmtree(stack.dir, ignore_errors=True)
