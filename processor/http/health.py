"""What every role serves to its surroundings: /metrics, /livez, /readyz. A small server in threads of its own.

/livez asks for nothing but the loop's heartbeat: a process that waits for a broker or a database is alive, and
restarting it would help nobody. /readyz names each check as JSON.
"""

import json
import logging
from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TypeAlias

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from processor.lifecycle import Lifecycle

log = logging.getLogger(__name__)

SILENCE_S = 5.0
"""A client that says nothing for so long is let go."""

Answer: TypeAlias = tuple[HTTPStatus, str, bytes]


class PortTaken(Exception):
    """The server cannot listen where the settings say."""


class Health:
    """Answers by path. `beat_limit_s`: a loop that came round longer ago is taken as stuck."""

    def __init__(self, life: Lifecycle, registry: CollectorRegistry, beat_limit_s: float) -> None:
        self._life = life
        self._registry = registry
        self._beat_limit_s = beat_limit_s
        self._paths: Mapping[str, Callable[[str], Answer]] = {
            "/metrics": self._metrics,
            "/livez": self._livez,
            "/readyz": self._readyz,
        }

    def answer(self, path: str, accept: str) -> Answer:
        found = self._paths.get(path.partition("?")[0])
        if found is None:
            return HTTPStatus.NOT_FOUND, "text/plain; charset=utf-8", b"/metrics, /livez, /readyz\n"
        return found(accept)

    def is_ready(self) -> bool:
        return all(check.ok for check in self._life.checks().values())

    def _metrics(self, accept: str) -> Answer:
        encode, content_type = choose_encoder(accept)
        return HTTPStatus.OK, content_type, encode(self._registry)

    def _livez(self, _accept: str) -> Answer:
        age_s = self._life.beat_age_s()
        alive = age_s <= self._beat_limit_s
        body = {"alive": alive, "poll_age_seconds": round(age_s, 3), "limit_seconds": self._beat_limit_s}
        return _json(body, ok=alive)

    def _readyz(self, _accept: str) -> Answer:
        checks = self._life.checks()
        ready = all(check.ok for check in checks.values())
        told = {name: {"ok": check.ok, "detail": check.detail} for name, check in checks.items()}
        return _json({"ready": ready, "checks": told}, ok=ready)


def _json(body: Mapping[str, object], *, ok: bool) -> Answer:
    status = HTTPStatus.OK if ok else HTTPStatus.SERVICE_UNAVAILABLE
    return status, "application/json", json.dumps(body).encode() + b"\n"


class HealthServer:
    """Listens from its making on; port 0 takes a free one."""

    def __init__(self, health: Health, host: str, port: int) -> None:
        try:
            self._server = _Server((host, port), partial(_Handler, health))
        except OSError as fault:
            raise PortTaken(
                f"cannot serve metrics and health on {host}:{port} ({fault.strerror}): set RESYNC_HTTP_PORT to a free"
                " port, or leave it out"
            ) from fault
        self._thread = Thread(target=self._server.serve_forever, name="health", daemon=True)
        self._thread.start()
        log.info("serving /metrics, /livez, /readyz on %s:%d", host, self.port)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False


class _Handler(BaseHTTPRequestHandler):
    timeout = SILENCE_S
    protocol_version = "HTTP/1.1"
    server_version = "resync"
    sys_version = ""

    def __init__(self, health: Health, *of_connection: object) -> None:
        self._health = health
        super().__init__(*of_connection)  # type: ignore[arg-type]  # passed on as the server gives them

    def do_GET(self) -> None:
        self._send(with_body=True)

    def do_HEAD(self) -> None:
        self._send(with_body=False)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 (the base class's name)
        """Nothing: probes come every few seconds."""

    def _send(self, *, with_body: bool) -> None:
        status, content_type, body = self._health.answer(self.path, self.headers.get("Accept", ""))
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body:
            self.wfile.write(body)
