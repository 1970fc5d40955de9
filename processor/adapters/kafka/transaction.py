"""The life of a Kafka transaction, and the only reader of `KafkaError`.

What an error leads to, by the call that raised it:

| error                                | begin, produce, send offsets | commit          | abort           |
|--------------------------------------|------------------------------|-----------------|-----------------|
| fatal (fenced, broken state)         | stop                         | stop            | stop            |
| transaction must be aborted          | abort                        | abort           | -               |
| no answer in time                    | unknown                      | unknown         | unknown         |
| retriable                            | repeat, then abort           | repeat, unknown | repeat, unknown |
| anything else                        | abort                        | unknown         | unknown         |

*Stop*: `ProducerFatal` leaves the process; the orchestrator restarts it under the same identity. *Abort*: nothing of
the batch is visible; its input is read again. *Unknown*: only the broker knows whether the commit happened. A new
producer of the same transactional.id settles that (a second `init_transactions` on one producer fails), and the
group's committed offsets then tell (KIP-98, KIP-447). A call that got no answer in time means a stuck client as often
as a broker that is away: after a broker's restart librdkafka may wait for ever for a coordinator that it has
forgotten, and destroying such a producer may block for ever too. So it is put aside alive, and its successor fences
it.
"""

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum, auto
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from processor import metrics
from processor.adapters.kafka.committed import committed_offsets
from processor.adapters.kafka.membership import ClientBroken
from processor.service.records import Outgoing

log = logging.getLogger(__name__)

CALL_TIMEOUT_S = 10.0
PATIENCE_S = 15.0
"""With calls that are to be repeated: a stuck client says so again and again, and a new one is well."""
OUTAGE_S = 60.0
"""With a broker that knows no producer yet."""
AGAIN_S = 0.1
"""Between two tries: many an error comes at once."""
MOST_PUT_ASIDE = 10
"""Each keeps a few threads and connections; a process that has this many starts anew."""


class Step(Enum):
    """The call that raised."""

    WORK = auto()
    COMMIT = auto()
    ABORT = auto()


class Way(Enum):
    """What to do about an error."""

    REPEAT = auto()
    ABORT = auto()
    UNKNOWN = auto()
    STOP = auto()


class Commit(Enum):
    """How a transaction ended."""

    COMMITTED = auto()
    ABORTED = auto()


class ProducerFatal(ClientBroken):
    """The producer can do nothing more: another process has its identity, or its state is broken. Restart."""


def way_out(error: KafkaError, step: Step, *, patience_is_over: bool) -> Way:
    """The table above."""
    if error.fatal():
        return Way.STOP
    if error.txn_requires_abort() and step is not Step.ABORT:
        return Way.ABORT
    if error.code() == KafkaError._TIMED_OUT:
        return Way.UNKNOWN
    if error.retriable() and not patience_is_over:
        return Way.REPEAT
    return Way.ABORT if step is Step.WORK else Way.UNKNOWN


class Transactions:
    """Writes records and input offsets atomically, one transaction at a time."""

    def __init__(self, producer_config: Mapping[str, Any], consumer: Consumer, passed: Callable[[str], None]) -> None:
        """`passed` is called with the name of each step boundary; a fault test crashes there."""
        self._config = dict(producer_config)
        self._consumer = consumer
        self._passed = passed
        self._put_aside: list[Producer] = []
        self._producer = self._new_producer()

    def commit(self, records: Iterable[Outgoing], offsets: Sequence[TopicPartition]) -> Commit:
        """Writes all records and moves the group to `offsets`, or does neither.

        Blocks up to some 160 s while brokers are away, which is within what a poll loop and /livez allow (300 s).
        Raises ProducerFatal, and ClientBroken where the group's offsets cannot be learned.
        """
        try:
            self._call(Step.WORK, self._producer.begin_transaction)
            for record in records:
                self._produce(record)
            self._passed("after_produce")
            metadata = self._consumer.consumer_group_metadata()
            self._call(Step.WORK, self._producer.send_offsets_to_transaction, list(offsets), metadata, CALL_TIMEOUT_S)
            self._passed("after_send_offsets")
            self._passed("before_commit")
            self._call(Step.COMMIT, self._producer.commit_transaction, CALL_TIMEOUT_S)
        except _Abort:
            return self._abort(offsets)
        except _Unknown:
            return self._settle(offsets)
        self._passed("after_commit")
        return Commit.COMMITTED

    def close(self) -> None:
        """Leaves an open transaction to the next holder of the identity; none is open between commits."""
        self._producer.flush(CALL_TIMEOUT_S)

    def _new_producer(self) -> Producer:
        """Takes over the transactional.id: whatever its last holder left open is aborted or completed first."""
        producer = Producer(self._config)
        deadline = time.monotonic() + OUTAGE_S
        while True:
            try:
                producer.init_transactions(CALL_TIMEOUT_S)
            except KafkaException as exception:
                error: KafkaError = exception.args[0]
                waiting = error.retriable() or error.code() == KafkaError._TIMED_OUT
                if not waiting or time.monotonic() > deadline:
                    raise ProducerFatal(f"init_transactions: {error.str()}") from exception
                producer.poll(AGAIN_S)
            else:
                return producer

    def _produce(self, record: Outgoing) -> None:
        """All by position: looking for arguments that come by name takes a quarter of the time (ADR 0239)."""
        partition = -1 if record.partition is None else record.partition
        headers: list[tuple[str, str | bytes | None]] = [*record.headers]
        while True:
            try:
                self._producer.produce(record.topic, record.value, record.key, partition, None, None, 0, headers)
            except BufferError:
                self._producer.poll(0.1)
            except KafkaException as exception:
                self._raise(exception, Step.WORK, patience_is_over=True)
            else:
                return

    def _call(self, step: Step, call: Callable[..., Any], *arguments: object) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                call(*arguments)
            except KafkaException as exception:
                self._raise(exception, step, patience_is_over=time.monotonic() > deadline)
                self._producer.poll(AGAIN_S)
            else:
                return

    def _raise(self, exception: KafkaException, step: Step, *, patience_is_over: bool) -> None:
        """Returns where the call is to be repeated."""
        error: KafkaError = exception.args[0]
        match way_out(error, step, patience_is_over=patience_is_over):
            case Way.STOP:
                raise ProducerFatal(f"{error.name()}: {error.str()}") from exception
            case Way.ABORT:
                metrics.ABORTED.labels(_why(error)).inc()
                raise _Abort from exception
            case Way.UNKNOWN:
                raise _Unknown from exception
            case Way.REPEAT:
                return

    def _abort(self, offsets: Sequence[TopicPartition]) -> Commit:
        try:
            self._call(Step.ABORT, self._producer.abort_transaction, CALL_TIMEOUT_S)
        except _Unknown:
            return self._settle(offsets)
        return Commit.ABORTED

    def _settle(self, offsets: Sequence[TopicPartition]) -> Commit:
        """A new producer ends what the old one left; the committed offsets then say which way."""
        log.warning("no answer about a transaction: a new producer ends it, and the group's offsets tell how")
        self._put_aside.append(self._producer)
        if len(self._put_aside) > MOST_PUT_ASIDE:
            raise ProducerFatal(f"{MOST_PUT_ASIDE} producers got no answer and were replaced")
        self._producer = self._new_producer()
        wanted = {(o.topic, o.partition): o.offset for o in offsets}
        committed = committed_offsets(self._consumer, [TopicPartition(o.topic, o.partition) for o in offsets])
        happened = all(c.offset >= wanted[c.topic, c.partition] for c in committed)
        if happened:
            return Commit.COMMITTED
        metrics.ABORTED.labels("unknown").inc()
        return Commit.ABORTED


def _why(error: KafkaError) -> str:
    """For the metric: why a transaction is aborted."""
    if error.txn_requires_abort():
        return "required"
    return "patience" if error.retriable() else "refused"


class _Abort(Exception):
    """The transaction must be aborted."""


class _Unknown(Exception):
    """Whether the transaction was committed is not known."""
