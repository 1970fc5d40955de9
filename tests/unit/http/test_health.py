"""/livez, /readyz and /metrics as a client sees them."""

import json
import signal
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from threading import Event

import pytest
from prometheus_client import CollectorRegistry

from processor.http.health import Health, HealthServer, PortTaken
from processor.lifecycle import Check, Lifecycle


@pytest.fixture
def life() -> Iterator[Lifecycle]:
    before = {name: signal.getsignal(name) for name in (signal.SIGTERM, signal.SIGINT)}
    yield Lifecycle(None, ("schemas", "assigned"))
    for name, handler in before.items():
        signal.signal(name, handler)


def served(life: Lifecycle, limit_s: float = 60.0) -> HealthServer:
    return HealthServer(Health(life, CollectorRegistry(), limit_s), "127.0.0.1", 0)


def get(server: HealthServer, path: str) -> tuple[int, str, bytes]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}{path}", timeout=5) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.headers["Content-Type"], refused.read()


def test_readiness_names_what_is_missing(life: Lifecycle) -> None:
    with closing(served(life)) as server:
        life.passed("schemas", "those of 4 topics")
        status, kind, body = get(server, "/readyz")
        assert (status, kind) == (503, "application/json")
        assert json.loads(body) == {
            "ready": False,
            "checks": {
                "schemas": {"ok": True, "detail": "those of 4 topics"},
                "assigned": {"ok": False, "detail": "not yet"},
            },
        }
        life.check("assigned", lambda: Check(ok=True, detail="6 partitions"))
        status, _, body = get(server, "/readyz")
        assert (status, json.loads(body)["ready"]) == (200, True)


def test_a_loop_that_stands_still_is_not_alive_until_it_comes_round(life: Lifecycle) -> None:
    with closing(served(life, limit_s=0.05)) as server:
        Event().wait(0.1)
        status, _, body = get(server, "/livez")
        assert (status, json.loads(body)["alive"]) == (503, False)
    with closing(served(life, limit_s=60)) as server:
        life.stopping()
        assert get(server, "/livez")[0] == 200


def test_waiting_for_what_is_away_is_a_heartbeat(life: Lifecycle) -> None:
    Event().wait(0.05)
    tries: list[float] = []

    def call() -> None:
        tries.append(life.beat_age_s())
        if len(tries) < 3:
            raise OSError

    life.when_available(call, OSError)
    assert max(tries) < 0.05


def test_metrics_come_in_the_form_that_the_scraper_asks_for(life: Lifecycle) -> None:
    with closing(served(life)) as server:
        assert get(server, "/metrics")[:2] == (200, "text/plain; version=0.0.4; charset=utf-8")
        connection = HTTPConnection("127.0.0.1", server.port, timeout=5)
        connection.request("GET", "/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
        answer = connection.getresponse()
        assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
        assert answer.read().endswith(b"# EOF\n")
        connection.request("HEAD", "/livez")
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b"")
        connection.close()


def test_other_paths_and_methods_are_refused(life: Lifecycle) -> None:
    with closing(served(life)) as server:
        assert get(server, "/")[0] == 404
        assert get(server, "/livez?verbose")[0] == 200
        connection = HTTPConnection("127.0.0.1", server.port, timeout=5)
        connection.request("POST", "/metrics", body=b"")
        assert connection.getresponse().status == 501
        connection.close()


def test_a_client_that_says_nothing_keeps_nobody_waiting(life: Lifecycle) -> None:
    with closing(served(life)) as server, socket.create_connection(("127.0.0.1", server.port)):
        assert get(server, "/livez")[0] == 200


def test_a_port_that_is_taken_is_told(life: Lifecycle) -> None:
    with closing(served(life)) as server, pytest.raises(PortTaken, match=f"127.0.0.1:{server.port}.*RESYNC_HTTP_PORT"):
        HealthServer(Health(life, CollectorRegistry(), 60.0), "127.0.0.1", server.port)
