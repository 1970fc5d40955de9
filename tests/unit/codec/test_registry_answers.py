"""Whatever answers in a registry's place says nothing about a record: no role ends by it, no record is set aside."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from processor.codec import Codec, RegistryUnavailable
from processor.codec.framing import registry_header
from processor.codec.registry import Registry
from processor.core.request import Request
from tests.unit.codec.records import CATALOG, REQUEST

CUT_SHORT = 100
"""Bytes that are announced and do not come."""
SHAPES = (b"null", b'"ok"', b"5", b'{"schema":{}}', b'{"schema":null}', b"[" * 100_000)


class _InItsPlace(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, _Server)
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(self.server.body) + self.server.missing))
        self.end_headers()
        self.wfile.write(self.server.body)
        self.close_connection = True

    do_POST = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Says nothing."""


class _Server(HTTPServer):
    status, body, missing = 200, b"", 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[_Server]:
    monkeypatch.setattr("processor.codec.registry_client.RETRY_AFTER_S", 0)
    server = _Server(("127.0.0.1", 0), _InItsPlace)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(params=[{}, {"timeout": 4, "max.retries": 0}], ids=["plain", "confluent"])
def options(request: pytest.FixtureRequest) -> dict[str, Any]:
    return dict(request.param)


def is_away(server: _Server, options: dict[str, Any]) -> None:
    with pytest.raises(RegistryUnavailable):
        Codec.open(None, CATALOG, server.url, options).decode(registry_header(1) + b"\x00", {Request})
    with pytest.raises(RegistryUnavailable):
        Codec.open(None, CATALOG, server.url, options).encode("any", REQUEST)
    with pytest.raises(RegistryUnavailable):
        Registry(server.url, options).rule("any")


@pytest.mark.parametrize("body", SHAPES)
def test_an_answer_of_another_shape(server: _Server, options: dict[str, Any], body: bytes) -> None:
    server.body = body
    is_away(server, options)


@pytest.mark.parametrize("status", [200, 401, 404])
def test_an_answer_that_is_cut_short(server: _Server, options: dict[str, Any], status: int) -> None:
    server.status, server.body, server.missing = status, b'{"error_code":40401,"message":"no such', CUT_SHORT
    is_away(server, options)


@pytest.mark.parametrize("schema_id", [b"true", b'"5"', b"1.5", b"-1", b"4294967296", b"null"])
def test_an_id_that_no_framing_has(server: _Server, options: dict[str, Any], schema_id: bytes) -> None:
    server.body = b'{"id":%b}' % schema_id
    with pytest.raises(RegistryUnavailable):
        Codec.open(None, CATALOG, server.url, options).encode("any", REQUEST)
