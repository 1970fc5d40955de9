"""P11: how soon a role that died does its work again."""

from collections.abc import Sequence
from statistics import median

from tests.e2e.deployment import Deployment

LONGEST_S = 10.0
MEDIAN_S = 3.0


def assert_quick(recovered_s: Sequence[float]) -> None:
    """Of all kills of a run: from the start of the new process to the first outcome of a request published after."""
    assert max(recovered_s) <= LONGEST_S, f"{max(recovered_s):.1f} s"
    assert median(recovered_s) < MEDIAN_S, f"median {median(recovered_s):.1f} s of {len(recovered_s)} kills"


def are_stored(deployment: Deployment, request_ids: Sequence[str]) -> bool:
    """Whether the store's tables have outcomes of all these requests."""
    query = "select count(distinct request_id) from history.outcomes where request_id = any(%s)"
    return deployment.rows("history", query, [list(request_ids)]) == [(len(request_ids),)]
