"""P11: how soon a role that died does its work again."""

import subprocess
import sys
from collections.abc import Sequence
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


def assert_quick(recovered_s: Sequence[float], imported_s: Sequence[float] = (IMPORT_S,)) -> None:
    """Of all kills of a run: from the start of the new process to the first outcome of a request published after.

    A start is imports for the most part. Where other work shares the machine's cores, both take longer alike: as
    much as `imported_s`, taken during the run, are more than `IMPORT_S`.
    """
    slower = max(1.0, median(imported_s) / IMPORT_S)
    beside = f"; imports take {slower:.1f} times as long as on a quiet machine"
    assert max(recovered_s) <= LONGEST_S * slower, f"{max(recovered_s):.1f} s{beside}"
    assert median(recovered_s) < MEDIAN_S * slower, f"median {median(recovered_s):.1f} s of {len(recovered_s)}{beside}"


def are_stored(deployment: Deployment, request_ids: Sequence[str]) -> bool:
    """Whether the store's tables have outcomes of all these requests."""
    query = "select count(distinct request_id) from history.outcomes where request_id = any(%s)"
    return deployment.rows("history", query, [list(request_ids)]) == [(len(request_ids),)]
