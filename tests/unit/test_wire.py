"""Messages of Postgres' protocol, cut out of what comes."""

import socket
import socketserver
import threading
from collections.abc import Iterator

import pytest
from psycopg.conninfo import conninfo_to_dict

from tests.e2e.wire import HEAD, Messages, Wire, relayed


def message(kind: bytes, body: bytes) -> bytes:
    return kind + (len(body) + HEAD - 1).to_bytes(4, "big") + body


STREAM = b"".join(
    [
        message(b"C", b"BEGIN\0"),
        message(b"D", b"\0\1abc"),
        message(b"D", b"\0\1"),
        message(b"C", b"SELECT 2\0"),
        message(b"d", b"copied"),
        message(b"C", b"COPY 1\0"),
        message(b"Z", b"I"),
    ]
)


@pytest.mark.parametrize("size", [1, 3, 7, len(STREAM)])
def test_messages_are_counted_however_they_are_cut(size: int) -> None:
    wire = Wire()
    messages = Messages(wire)
    for start in range(0, len(STREAM), size):
        messages.feed(STREAM[start : start + size])
    assert wire.statements == {"BEGIN": 1, "SELECT": 1, "COPY": 1}
    assert (wire.reads(), wire.rows, wire.row_bytes) == (2, 3, 10 + 7 + 11)
    wire.forget()
    assert wire == Wire()


def test_a_relay_passes_on_both_ways_and_ends_what_is_open(answering: tuple[str, int]) -> None:
    host, port = answering
    with relayed(f"postgresql://{host}:{port}/any") as (dsn, wire):
        with socket.create_connection((host, int(str(conninfo_to_dict(dsn)["port"])))) as client:
            client.sendall(b"asked")
            assert client.recv(100) == message(b"C", b"SELECT 1\0")
        left_open = socket.create_connection((host, int(str(conninfo_to_dict(dsn)["port"]))))
        left_open.sendall(b"asked")
        assert left_open.recv(100)
    with left_open:
        assert left_open.recv(100) == b""
    assert wire.statements == {"SELECT": 2}


@pytest.fixture
def answering() -> Iterator[tuple[str, int]]:
    """Answers whatever comes with one completed statement, and keeps the connection."""
    answer = message(b"C", b"SELECT 1\0")

    class Answer(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            while self.request.recv(100):
                self.request.sendall(answer)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Answer) as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        yield ("127.0.0.1", server.server_address[1])
        server.shutdown()
        serving.join()
