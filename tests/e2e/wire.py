"""What goes over the wire between a role and a Postgres server, counted by a relay that stands between them.

Messages are those of the frontend/backend protocol 3.0 ("Message Formats" in Postgres' manual): a type of one byte and
a length that counts itself.
"""

import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from psycopg.conninfo import conninfo_to_dict, make_conninfo

HEAD = 5
ROW, COPIED, COMPLETED = b"D", b"d", b"C"


@dataclass(slots=True)
class Wire:
    """Since it was last made to forget: statements by their verb, rows that came, and the bytes of those."""

    statements: Counter[str] = field(default_factory=Counter)
    rows: int = 0
    row_bytes: int = 0

    def forget(self) -> None:
        self.statements.clear()
        self.rows = self.row_bytes = 0

    def reads(self) -> int:
        """Statements that read."""
        return self.statements["SELECT"] + self.statements["COPY"]

    def take(self, kind: bytes, size: int, tag: bytes) -> None:
        if kind in {ROW, COPIED}:
            self.rows += 1
            self.row_bytes += size
        elif kind == COMPLETED:
            self.statements[tag.split(b" ")[0].rstrip(b"\0").decode()] += 1


class Messages:
    """Cuts what a server sends into messages and tells `wire` of each."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._left = b""

    def feed(self, data: bytes) -> None:
        left, at = self._left + data, 0
        while len(left) >= at + HEAD:
            size = 1 + int.from_bytes(left[at + 1 : at + HEAD], "big")
            if len(left) < at + size:
                break
            self._wire.take(left[at : at + 1], size, left[at + HEAD : at + size])
            at += size
        self._left = left[at:]


@contextmanager
def relayed(dsn: str) -> Iterator[tuple[str, Wire]]:
    """A connection string by way of the relay, and what is counted of all connections made by it."""
    parts = conninfo_to_dict(dsn)
    target = str(parts["host"]), int(str(parts["port"]))
    wire = Wire()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        accepting = threading.Thread(target=_accept, args=(listener, target, wire))
        accepting.start()
        port = listener.getsockname()[1]
        try:
            yield make_conninfo(dsn, host="127.0.0.1", port=port, sslmode="disable", gssencmode="disable"), wire
        finally:
            listener.shutdown(socket.SHUT_RDWR)  # closing alone wakes nobody
            accepting.join()


def _accept(listener: socket.socket, target: tuple[str, int], wire: Wire) -> None:
    """Until the listener is shut down; then no connection goes on."""
    serving: list[tuple[socket.socket, threading.Thread]] = []
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            break
        serving.append((client, threading.Thread(target=_serve, args=(client, target, wire))))
        serving[-1][1].start()
    for client, thread in serving:
        with suppress(OSError):  # it has ended
            client.shutdown(socket.SHUT_RDWR)
        thread.join()


def _serve(client: socket.socket, target: tuple[str, int], wire: Wire) -> None:
    with client, socket.create_connection(target) as server:
        asking = threading.Thread(target=_pump, args=(client, server, None))
        asking.start()
        _pump(server, client, Messages(wire))
        asking.join()


def _pump(of: socket.socket, to: socket.socket, messages: Messages | None) -> None:
    """Until either end closes; then the other direction ends too."""
    try:
        while data := of.recv(65_536):
            if messages is not None:
                messages.feed(data)
            to.sendall(data)
    except OSError:  # one of them has gone
        pass
    for end in (of, to):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
