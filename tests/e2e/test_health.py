"""Health of the roles while what they need is away."""

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from time import monotonic

import pytest
from confluent_kafka import ConsumerGroupState, Producer

from stack.layout import Stack
from tests.awaiting import await_
from tests.e2e.deployment import ROLES, Deployment
from tests.e2e.servers import stopped

LIMIT_S = 45
"""Far below the default, and above the half minute that a call may be repeated while brokers are away."""
STOP_S = 10
"""Far less than ids are waited for."""

NOBODY = 0
"""Nobody listens, or no longer in the middle of an answer: a role that begins anew takes a moment until it answers."""


def asked(deployment: Deployment, role: str, path: str) -> tuple[int, dict[str, object]]:
    port = int(deployment.role(role).log.read_text().rpartition(" on 127.0.0.1:")[2].partition('"')[0])
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, json.load(refused)
    except (urllib.error.URLError, ConnectionError, http.client.IncompleteRead):
        return NOBODY, {"ready": False}


def all_ready(deployment: Deployment, roles: Iterable[str]) -> bool:
    return all(asked(deployment, role, "/readyz")[0] == 200 for role in roles)


@pytest.mark.timeout(240)
def test_a_role_lives_while_the_broker_is_away_and_is_ready_again_after(
    deploy: Callable[..., Deployment], stack: Stack
) -> None:
    settings = {"http_port": 0, "http_host": "127.0.0.1", "liveness_timeout_s": LIMIT_S}
    deployment = deploy(settings=settings)
    roles = (*ROLES, "monitor")
    deployment.start_all(roles)
    await_(lambda: all_ready(deployment, roles), "readiness")
    with stopped(stack, "kafka"):
        until = monotonic() + LIMIT_S + 10
        await_(
            lambda: monotonic() > until or [r for r in roles if asked(deployment, r, "/livez")[0] not in (200, NOBODY)],
            "the time in which the broker is away",
            LIMIT_S + 30,
        )
        await_(lambda: all(asked(deployment, role, "/livez")[0] == 200 for role in roles), "life", 15)
        _, said = asked(deployment, "monitor", "/readyz")
        assert said["ready"] is False
    await_(lambda: all_ready(deployment, roles), "readiness", 60)
    [key] = deployment.take_keys(1)
    deployment.watcher.until_ended([deployment.submit("NORTH", "PersonIdentity", [key])], 60)


def test_a_role_that_waits_says_for_what(deploy: Callable[..., Deployment]) -> None:
    """No schemas are loaded while the broker cannot be reached; the process lives and says so."""
    deployment = deploy()
    role = deployment.start("apply", ready=False, http_port=0, http_host="127.0.0.1", bootstrap_servers="127.0.0.1:1")
    await_(lambda: " on 127.0.0.1:" in role.log.read_text(), "the server")
    assert asked(deployment, "apply", "/livez")[0] == 200
    status, said = asked(deployment, "apply", "/readyz")
    assert (status, said["checks"]) == (
        503,
        {name: {"ok": False, "detail": "not yet"} for name in ("schemas", "assigned", "state")},
    )
    assert role.stop() == 0


def test_a_stop_is_heard_while_ids_are_restored(deploy: Callable[..., Deployment]) -> None:
    """A transaction of a former owner hangs, so nothing comes of what is yet to be read."""
    deployment = deploy()
    former = Producer({**deployment.client, "transactional.id": deployment.name})
    former.init_transactions(20)
    former.begin_transaction()
    former.produce(deployment.topics.accepted, b"1", b"a" * 16, 0)
    assert former.flush(20) == 0
    role = deployment.start("process", ready=False)
    group = deployment.settings.group("process")

    def is_assigned() -> bool:
        described = deployment.admin.describe_consumer_groups([group], request_timeout=10)[group].result(11)
        return described.state is ConsumerGroupState.STABLE

    await_(is_assigned, "the assignment")
    stopped_at = monotonic()
    assert role.stop() == 0
    assert monotonic() - stopped_at < STOP_S
    assert not role.is_ready()
    former.abort_transaction(20)
