"""CPU time of the services and of whoever works on them, from the kernel.

Of a process and all that came of it: children that live, and those that have ended and were waited for, so backends of
Postgres count for as long as they lived. In ticks of 10 ms.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from stack import config, kafka, process, registry, services
from stack.layout import Stack

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
TRIES = 20


class Meter:
    """Begins to count when made. `workers` are pids by kind; processes of one kind add up."""

    def __init__(self, stack: Stack, workers: Mapping[str, list[int]]) -> None:
        self._pids = {**workers, **service_pids(stack)}
        self._began = self._now()

    def cpu_s(self) -> dict[str, float]:
        """User and system time by kind since it was made; of processes that still run."""
        return {kind: round(spent - self._began[kind], 2) for kind, spent in self._now().items()}

    def _now(self) -> dict[str, float]:
        seen = steady([pid for pids in self._pids.values() for pid in pids])
        return {kind: sum(spent_s(pid, seen) for pid in pids) for kind, pids in self._pids.items()}


@dataclass(frozen=True, slots=True)
class Process:
    parent: int
    ticks: int
    """Its own and those of children that it waited for."""


def service_pids(stack: Stack) -> dict[str, list[int]]:
    """Of those that run, by kind: the broker, the registry, the state's Postgres, and the districts'."""
    found: dict[str, list[int]] = {}
    for name in services.names(stack):
        pid = process.find(stack, name)
        if pid is not None:
            found.setdefault(_kind(name), []).append(pid)
    return found


def _kind(service: str) -> str:
    if service in {kafka.NAME, registry.NAME}:
        return service
    return "Postgres state" if service == config.district_server("state") else "Postgres district"


def spent_s(pid: int, seen: Mapping[int, Process]) -> float:
    """Of the process and all that came of it."""
    return sum(seen[each].ticks for each in family([pid], seen)) / TICKS_PER_S


def family(pids: Sequence[int], seen: Mapping[int, Process]) -> set[int]:
    """Those that run, with all that came of them."""
    found = more = {pid for pid in pids if pid in seen}
    while more := {child for child, process in seen.items() if process.parent in more} - found:
        found = found | more
    return found


def steady(pids: Sequence[int]) -> dict[int, Process]:
    """All processes, at a moment when nothing that came of `pids` has just begun or ended.

    A child that ends after its parent was looked at and before it is itself would count nowhere.
    """
    before, after = processes(), processes()
    for _ in range(TRIES):
        if family(pids, before) == family(pids, after):
            break
        before, after = after, processes()
    return after


def peak_rss_mb(pid: int) -> float:
    """Peak resident memory of a running process."""
    return _memory_mb(pid, "VmHWM:")


def rss_mb(pid: int) -> float:
    """Resident memory of a running process, now."""
    return _memory_mb(pid, "VmRSS:")


def _memory_mb(pid: int, what: str) -> float:
    """As proc(5) tells it; 0 where it does not, of a process that has just ended."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith(what):
            return round(int(line.split()[1]) / 1024, 1)
    return 0.0


def peaks_of(pids: Mapping[str, list[int]]) -> dict[str, float]:
    """Of running processes by kind; those of one kind add up."""
    return {kind: sum(map(peak_rss_mb, each)) for kind, each in pids.items()}


def processes() -> dict[int, Process]:
    """All that there are."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                status = (entry / "stat").read_text(encoding="utf-8", errors="replace")
            except (FileNotFoundError, ProcessLookupError):  # ended meanwhile
                continue
            found[int(entry.name)] = read(status)
    return found


def read(status: str) -> Process:
    """A process as proc(5) tells it; its name, which may hold anything, is in parentheses."""
    fields = status.rpartition(")")[2].split()
    return Process(int(fields[1]), sum(map(int, fields[11:15])))
