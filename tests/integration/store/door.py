"""A TCP door in front of a real server: closed at first, which refuses connections, then opened."""

import socket
from contextlib import suppress
from threading import Thread
from types import TracebackType
from typing import Self


class Door:
    def __init__(self, host: str, port: int) -> None:
        self._behind = (host, port)
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._pairs: list[socket.socket] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        for end in (self._listener, *self._pairs):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def open(self) -> None:
        """A bound socket that does not listen refuses; from now on it listens."""
        self._listener.listen()
        Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._behind)
                self._pairs += [client, server]
                for source, target in ((client, server), (server, client)):
                    Thread(target=_pump, args=(source, target), daemon=True).start()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
