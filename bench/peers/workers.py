"""The peers as workers on a backlog, and how far ahead of each we want to be."""

from collections.abc import Sequence

from bench.peers.contenders import PEERS
from bench.workers import Worker, program

GOALS = {
    "plain Java": {"backlog": {"speed": 1.2}, "latency": {"p50": 1 / 1.2, "p99": 1 / 1.5}},
    "Kafka Streams": {"backlog": {"speed": 1.5}},
    "Quix Streams": {"backlog": {"speed": 5.0}, "backlog, by one": {"speed": 30.0}},
}
SLOW = frozenset({"Quix Streams"})
SLOW_BY_ONE = frozenset({"Kafka Streams"})


def workers() -> Sequence[Worker]:
    """Ready to be started, the fastest first. Raises RunFailed and StackError, which name what could not be had."""
    for peer in PEERS.values():
        peer.prepare()
    return [
        program(
            name,
            peer.command,
            takes_long=name in SLOW,
            takes_long_by_one=name in SLOW_BY_ONE,
            goals=GOALS.get(name),
        )
        for name, peer in PEERS.items()
    ]
