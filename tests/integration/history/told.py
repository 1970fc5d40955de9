"""A history without Kafka: records go into the store's tables as a batch does; commands read them."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from typing import Any

from processor.adapters.postgres.history_tables import PostgresTables
from processor.core.history import ChunkStatus, Cleared, HistoryRecord, KeyOutcome, RequestStatus
from processor.service.history_changes import Changes
from stack.layout import REPO
from stack.roles import console_script
from tests import forked
from tests.kept_connection import KeptConnection

TIMEOUT_S = forked.TIMEOUT_S

_PEAK = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def changes_of(records: Iterable[HistoryRecord]) -> Changes:
    changes = Changes()
    for record in records:
        match record:
            case RequestStatus():
                changes.requests[record.request.request_id] = record
            case ChunkStatus():
                changes.chunks[record.request_id, record.chunk] = record
            case KeyOutcome():
                changes.outcomes[record.request_id, record.object, record.key] = record
            case Cleared():
                changes.clearings[record.request_id] = record
            case _:
                raise AssertionError(record)
    return changes


class Told:
    """On a database with the store's tables."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self._tables = PostgresTables(dsn, "resync/store/0")
        self._connection = KeptConnection(dsn)

    def close(self) -> None:
        self._tables.disconnect()
        self._connection.close()

    def tell(self, *records: HistoryRecord) -> None:
        self.change(changes_of(records))

    def change(self, changes: Changes) -> None:
        with self._tables.transaction() as transaction:
            transaction.stage(changes)
            transaction.merge()

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self._connection.rows(query.encode())

    def execute(self, statement: str) -> None:
        self._connection.rows(statement.encode())

    def run(self, *arguments: object, **settings: str) -> "subprocess.CompletedProcess[str]":
        """The console script, with nothing set but what is needed."""
        return forked.run([*map(str, arguments)], env=self._environment() | settings)

    def peak_mib(self, *arguments: object) -> float:
        """The memory that a command took at its most; its output is passed over.

        Started by a small process: Linux counts what the starting one took to the started one's.
        """
        ended = subprocess.run(
            [sys.executable, "-c", _PEAK, str(console_script()), *map(str, arguments)],
            env=self._environment(),
            capture_output=True,
            text=True,
            check=True,
            timeout=TIMEOUT_S,
        )
        return int(ended.stdout) / 1024

    def _environment(self) -> dict[str, str]:
        env = {name: value for name, value in os.environ.items() if not name.startswith("RESYNC_")}
        return env | {"RESYNC_HISTORY_DSN": self.dsn, "RESYNC_CATALOG": str(REPO / "demo" / "catalog.yaml")}

    def json(self, *arguments: object) -> Any:
        ended = self.run(*arguments, "--output", "json")
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout)
