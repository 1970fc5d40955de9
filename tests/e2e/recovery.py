"""P11: how soon a role that died does its work again."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from time import monotonic

from stack.layout import REPO
from tests.e2e.deployment import Deployment

LONGEST_S = 10.0
MEDIAN_S = 3.0
IMPORT_S = 0.7
"""How long a new interpreter takes to import a role where nothing else runs."""


def import_s() -> float:
    """How long it takes now."""
    started = monotonic()
    subprocess.run([sys.executable, "-c", "import processor.bootstrap.process"], cwd=REPO, check=True)
    return monotonic() - started


@dataclass
class Recoveries:
    """Of all kills of a run: seconds from a new process's start to the first outcome of a request published after.

    A start is imports for the most part. Where other work shares the machine's cores, both take longer alike: as
    much as imports, taken during the run, are more than `IMPORT_S`.
    """

    seconds: list[float] = field(default_factory=list)
    imports_s: list[float] = field(default_factory=list)

    def add(self, seconds: float) -> None:
        if len(self.seconds) % 3 == 0:
            self.imports_s.append(import_s())
        self.seconds.append(seconds)

    def __str__(self) -> str:
        return f"{len(self.seconds)} kills, median {median(self.seconds):.1f} s, longest {max(self.seconds):.1f} s"

    def assert_quick(self) -> None:
        slower = max(1.0, median(self.imports_s) / IMPORT_S)
        said = f"{self}; imports take {slower:.1f} times as long as on a quiet machine"
        assert max(self.seconds) <= LONGEST_S * slower, said
        assert median(self.seconds) < MEDIAN_S * slower, said


def are_stored(deployment: Deployment, request_ids: Sequence[str]) -> bool:
    """Whether the store's tables have outcomes of all these requests."""
    query = "select count(distinct request_id) from history.outcomes where request_id = any(%s)"
    return deployment.rows("history", query, [list(request_ids)]) == [(len(request_ids),)]
