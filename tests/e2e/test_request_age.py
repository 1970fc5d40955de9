"""How old a key is when it ends, as /metrics tells it."""

import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from prometheus_client.parser import text_string_to_metric_families

from tests.awaiting import await_
from tests.e2e.deployment import Deployment
from tests.e2e.people import persons, rename
from tests.tools.ports import free_port

HOUR_S = 3600


def test_a_corrected_key_is_as_old_as_its_request(deploy: Callable[..., Deployment]) -> None:
    """One key ends by an answer, one in the request's own batch; the request lay in its topic for an hour."""
    port = free_port()
    deployment = deploy()
    deployment.start_all(["apply", "store"])
    deployment.start("process", http_port=port, http_host="127.0.0.1")
    keys = list(deployment.take_keys(2))
    persons(deployment, "NORTH", keys)
    rename(deployment, "NORTH", keys[:1])
    asked_at = datetime.now(UTC) - timedelta(seconds=HOUR_S)
    request_id = deployment.submit("NORTH", "PersonIdentity", keys, requested_at=asked_at)
    deployment.watcher.until_ended([request_id])
    assert deployment.watcher.story(request_id).counts() == {"APPLIED": 1, "IN_SYNC": 1}
    await_(lambda: ages(port)["count"] == 2, "both ages")
    assert 2 * HOUR_S <= ages(port)["sum"] < 2 * HOUR_S + 120


def ages(port: int) -> dict[str, float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        families = text_string_to_metric_families(answer.read().decode())
        found = {sample.name: sample.value for family in families for sample in family.samples}
    return {what: found[f"resync_request_to_outcome_seconds_{what}"] for what in ("sum", "count")}
