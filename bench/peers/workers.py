"""The peers as workers on a backlog, and how far ahead of each we want to be."""

from collections.abc import Sequence

from bench.workers import Worker

GOALS = {
    "plain Java": {"backlog": {"speed": 1.2}, "latency": {"p50": 1 / 1.2, "p99": 1 / 1.5}},
    "Kafka Streams": {"backlog": {"speed": 1.5}},
    "Quix Streams": {"backlog": {"speed": 5.0}},
}


def workers() -> Sequence[Worker]:
    """Ready to be started. Raises RunFailed and StackError, which name what could not be had."""
    return ()
