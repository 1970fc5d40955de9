"""What our processor is held against: the same job as others would do it.

`PEERS` by name. A peer is prepared once: compiled, or its packages installed; what is missing is downloaded. Its
command is made for the orders of a run; the program prints `ready` on a line of its own once it reads requests, works
until SIGTERM, and ends with another code than 0 where it could not go on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bench.peers import environment, task
from bench.peers.compiled import Program


class Peer(Protocol):
    @property
    def name(self) -> str: ...

    def prepare(self) -> None:
        """Raises RunFailed or StackError, which name what could not be had."""

    def command(self, orders: Path) -> Sequence[str]:
        """Raises RunFailed."""


@dataclass(frozen=True, slots=True)
class InJava:
    name: str
    program: Program

    def prepare(self) -> None:
        self.program.prepare()

    def command(self, orders: Path) -> Sequence[str]:
        return self.program.command(str(task.write(orders)))


@dataclass(frozen=True, slots=True)
class InPython:
    """A script that runs in an environment of its own."""

    name: str
    script: Path
    lock: Path

    def prepare(self) -> None:
        environment.python(self.lock)

    def command(self, orders: Path) -> Sequence[str]:
        return [str(environment.python(self.lock)), "-P", str(self.script), str(task.write(orders))]


PLAIN_JAVA = InJava("plain Java", Program("plain", "java", "peers.Plain"))
KAFKA_STREAMS = InJava("Kafka Streams", Program("streams", "streams", "peers.Streams"))
QUIX_STREAMS = InPython("Quix Streams", Path(__file__).with_name("quix.py"), environment.QUIX)
PEERS: Mapping[str, Peer] = {peer.name: peer for peer in (PLAIN_JAVA, KAFKA_STREAMS, QUIX_STREAMS)}
