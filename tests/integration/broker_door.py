"""A way to the real broker that says once, to one client, that there are no brokers.

So a broker answers that the controller has fenced, as it does after a standstill, until its next heartbeat. Clients are
kept on this way by the port that they are told, and on a version of the answer (KIP-896 keeps it) that is easily made.
"""

import socket
import struct
from collections.abc import Iterator
from contextlib import suppress
from threading import Event, Thread
from types import TracebackType
from typing import Self

METADATA, API_VERSIONS = 3, 18
METADATA_VERSION = 1
LEADER_NOT_AVAILABLE = 5
HOST = "127.0.0.1"


class BrokerDoor:
    """`client_id` is told of no brokers by the next answer after `say_none`; `said_none` is set by then."""

    def __init__(self, bootstrap: str, client_id: str) -> None:
        self._behind = int(bootstrap.rpartition(":")[2])
        self._client_id = client_id
        self._listener = socket.create_server((HOST, 0))
        self._port: int = self._listener.getsockname()[1]
        self.bootstrap = f"{HOST}:{self._port}"
        self._say_none = Event()
        self.said_none = Event()
        self._ends: list[socket.socket] = []

    def __enter__(self) -> Self:
        Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        for end in (self._listener, *self._ends):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def say_none(self) -> None:
        self._say_none.set()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                broker = socket.create_connection((HOST, self._behind))
                self._ends += [client, broker]
                asked: dict[int, int] = {}
                Thread(target=self._ask, args=(client, broker, asked), daemon=True).start()
                Thread(target=self._answer, args=(broker, client, asked), daemon=True).start()

    def _ask(self, client: socket.socket, broker: socket.socket, asked: dict[int, int]) -> None:
        """`asked`: of each request that the broker has, the API by the correlation id."""
        with suppress(OSError, EOFError):
            for request in _frames(client):
                api, _, correlation, length = struct.unpack_from(">hhih", request)
                if (
                    api == METADATA
                    and self._say_none.is_set()
                    and request[10 : 10 + length] == self._client_id.encode()
                ):
                    self._say_none.clear()
                    client.sendall(_framed(struct.pack(">i", correlation) + _no_brokers(request[10 + length :])))
                    self.said_none.set()
                else:
                    asked[correlation] = api
                    broker.sendall(_framed(request))
        with suppress(OSError):
            broker.shutdown(socket.SHUT_WR)

    def _answer(self, broker: socket.socket, client: socket.socket, asked: dict[int, int]) -> None:
        host, behind, port = HOST.encode(), struct.pack(">i", self._behind), struct.pack(">i", self._port)
        with suppress(OSError, EOFError):
            for frame in _frames(broker):
                answer = frame.replace(host + behind, host + port)
                if asked.pop(struct.unpack_from(">i", frame)[0]) == API_VERSIONS:
                    at = answer.index(struct.pack(">hh", METADATA, 0), 6)
                    answer = answer[: at + 4] + struct.pack(">h", METADATA_VERSION) + answer[at + 6 :]
                client.sendall(_framed(answer))
        with suppress(OSError):
            client.shutdown(socket.SHUT_WR)


def _no_brokers(topics: bytes) -> bytes:
    """Version 1: no brokers, no controller, and of each topic one partition without a leader."""
    [count] = struct.unpack_from(">i", topics)
    at, described = 4, b""
    for _ in range(count):
        [length] = struct.unpack_from(">h", topics, at)
        name = topics[at : at + 2 + length]
        at += len(name)
        partition = struct.pack(">hiiii", LEADER_NOT_AVAILABLE, 0, -1, 0, 0)
        described += struct.pack(">h", 0) + name + struct.pack(">?i", False, 1) + partition
    return struct.pack(">iii", 0, -1, count) + described


def _framed(message: bytes) -> bytes:
    return struct.pack(">i", len(message)) + message


def _frames(source: socket.socket) -> Iterator[bytes]:
    """Raises EOFError at the end."""
    while True:
        [size] = struct.unpack(">i", _exactly(source, 4))
        yield _exactly(source, size)


def _exactly(source: socket.socket, size: int) -> bytes:
    read = b""
    while len(read) < size:
        part = source.recv(size - len(read))
        if not part:
            raise EOFError
        read += part
    return read
