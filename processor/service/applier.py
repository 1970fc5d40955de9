"""The applier: take corrections, apply them in one Postgres transaction, answer them in one Kafka transaction."""

import logging
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from processor import metrics
from processor.codec.codec import Codec
from processor.codec.correction_reader import Arrived
from processor.codec.errors import DecodeError
from processor.codec.history import headers_of
from processor.core.correction import Answer, Correction
from processor.core.errors import Reason
from processor.core.partition import partition_of
from processor.service.apply import apply
from processor.service.apply_state import StateWriter
from processor.service.decoded import DecodedAhead
from processor.service.emit import Emitter
from processor.service.inbox import InboxAhead
from processor.service.records import TRACEPARENT, Headers, Outgoing, Received
from processor.service.tally import count_applied, timed_commit
from processor.service.work import Poison

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Batch:
    """What is passed on as it came, and the corrections, in their order."""

    passed_on: list[Outgoing] = field(default_factory=list)
    corrections: list[tuple[Arrived, Received]] = field(default_factory=list)
    poison: list[Reason] = field(default_factory=list)
    misrouted: int = 0


@dataclass(frozen=True, slots=True)
class Applier:
    """One applier's way from corrections to committed answers.

    A crash between the two transactions repeats the batch; the state then gives back the answers that it kept. While a
    thread waits for both, the next corrections are decoded, whatever becomes of them (ADR 0037).
    """

    inbox: InboxAhead
    codec: Codec
    state: StateWriter
    emitter: Emitter
    max_records: int
    commit_transaction: Callable[[Iterable[Outgoing], Sequence[Any]], bool]
    passed: Callable[[str], None]
    _decoded: DecodedAhead[Arrived | Poison] = field(init=False)
    _thread: ThreadPoolExecutor = field(default_factory=partial(ThreadPoolExecutor, 1, "apply"), init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_decoded", DecodedAhead(self._decode))

    def step(self) -> bool:
        """One batch; False where nothing waits. Raises StateUnavailable and RegistryUnavailable."""
        taken = self._take()
        if not taken:
            self.state.prune(datetime.now(UTC))
            return False
        batch = self._sort(taken)
        self.passed("after_read")
        offsets = self.inbox.offsets()
        carried = self._thread.submit(self._carry_out, batch, offsets)
        try:
            self._decoded.prepare(self.inbox.ahead(self.max_records), carried.done)
        finally:
            answers = carried.result()
        if answers is not None:
            self.inbox.committed(offsets)
            count_applied(answers, batch.poison, batch.misrouted)
        else:
            log.warning("transaction aborted; its input is read again")
            self.inbox.rewind()
        return True

    def _carry_out(self, batch: _Batch, offsets: Sequence[Any]) -> list[Answer] | None:
        """What was answered; None where the Kafka transaction was aborted."""
        answers = self._apply([arrived.correction for arrived, _ in batch.corrections])
        records = [*batch.passed_on]
        for answer, (arrived, received) in zip(answers, batch.corrections, strict=True):
            records.append(self._answer(answer, arrived, received))
        return answers if timed_commit(self.commit_transaction, records, offsets) else None

    def _take(self) -> list[Received]:
        taken: list[Received] = []
        for record in self.inbox.ready(datetime.now(UTC).timestamp()):
            self.inbox.take(record)
            taken.append(record)
            if len(taken) == self.max_records:
                break
        return taken

    def _apply(self, corrections: Sequence[Correction]) -> list[Answer]:
        if not corrections:
            return []
        with metrics.APPLIED.time():
            return apply(corrections, self.state, datetime.now(UTC))

    def _sort(self, taken: Sequence[Received]) -> _Batch:
        batch = _Batch()
        for record in taken:
            item = self._decoded.of(record)
            if isinstance(item, Poison):
                batch.poison.append(item.reason)
                batch.passed_on.append(self.emitter.dead_letter(item))
                continue
            home = partition_of(item.correction.source.district_id, self.emitter.partitions)
            if home == record.partition:
                batch.corrections.append((item, record))
            else:
                batch.misrouted += 1
                batch.passed_on.append(Outgoing(record.topic, home, record.key, record.value, record.headers))
        return batch

    def _decode(self, record: Received) -> Arrived | Poison:
        if record.value is None:
            return Poison(record, Reason.UNDECODABLE, "the record has no value")
        try:
            return self.codec.decode_correction(record.value)
        except DecodeError as error:
            return Poison(record, error.reason, error.detail)

    def _answer(self, answer: Answer, arrived: Arrived, received: Received) -> Outgoing:
        source, topic = answer.source, self.emitter.topics.answers
        trace = received.trace
        traced: Headers = () if trace is None else ((TRACEPARENT, trace),)
        return Outgoing(
            topic,
            received.partition,
            source.district_id.encode(),
            self.codec.encode_answer(topic, answer, arrived.source),
            (*headers_of(source.request_id, source.district_id, source.object, source.key, answer.result), *traced),
        )
