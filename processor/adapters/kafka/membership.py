"""When a member of a consumer group is beyond help: shut out, or waiting for ever to be let in again.

After a time without its coordinator librdkafka's static member may shut itself out (it sends a heartbeat without the id
that the broker knows it by), or wait for an answer to a join that was lost with its connection. Neither ends by itself.
"""

import time
from collections.abc import Callable, Iterable

from confluent_kafka import KafkaError, TopicPartition

REJOIN_S = 25.0
"""Longer than others take to notice a rebalance, who may be in a commit that waits for its broker."""

_FATAL = frozenset({KafkaError._FATAL, KafkaError.FENCED_INSTANCE_ID})
"""What a poll returns of a broken consumer does not call itself fatal."""


class ClientBroken(Exception):
    """A Kafka client that can do nothing more, while a new one of the same identity may: the process begins anew."""


def is_of_others(partitions: Iterable[TopicPartition], topics: Iterable[str]) -> bool:
    """Whether a member that reads these topics was given partitions as if it read others.

    A static member that is back before its session has ended gets what it had, whatever it wants to read now: the
    broker looks at the names of its protocols alone (ADR 0146).
    """
    given = {each.topic for each in partitions}
    return bool(given) and given != set(topics)


class Membership:
    """Tells by what the group does, and by the errors that polling gives."""

    def __init__(self, instance_id: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._instance_id = instance_id
        self._clock = clock
        self._taken_at: float | None = None

    def given(self) -> None:
        """The group gave partitions, perhaps none."""
        self._taken_at = None

    def taken(self) -> None:
        """The group, or the loss of it, took partitions: others will be given."""
        self._taken_at = self._clock()

    def check(self) -> None:
        """Raises ClientBroken where nothing was given for too long after something was taken."""
        if self._taken_at is not None and self._clock() > self._taken_at + REJOIN_S:
            raise ClientBroken(f"{self._instance_id} was not let into its group again for {REJOIN_S:.0f} s")

    def check_error(self, error: KafkaError) -> None:
        """Raises ClientBroken for an error after which a consumer does nothing more."""
        if error.fatal() or error.code() in _FATAL:
            raise ClientBroken(
                f"{self._instance_id} was shut out of its group ({error.name()}): it was out of touch for too long, or"
                " another process runs under the same release and ordinal; give each its own"
            )
