"""The applier: take corrections, apply them in one Postgres transaction, answer them in one Kafka transaction."""

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeAlias

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

LONGEST_S = 2.0
"""A step then begins no other batch: rebalances and a stop are heard of between steps, and one may take a minute."""


@dataclass(slots=True)
class _Batch:
    """What is passed on as it came, and the corrections, in their order."""

    offsets: Sequence[Any]
    passed_on: list[Outgoing] = field(default_factory=list)
    corrections: list[tuple[Arrived, Received]] = field(default_factory=list)
    poison: list[Reason] = field(default_factory=list)
    misrouted: int = 0


_InHand: TypeAlias = tuple[_Batch, Future[list[Answer] | None]]
"""What is being answered, and what was answered then; None where its transaction was aborted."""


@dataclass(slots=True)
class Applier:
    """One applier's way from corrections to committed answers.

    A crash between the two transactions repeats the batch; the state then gives back the answers that it kept.

    One batch is answered while the next is applied (ADR 0056). While a thread waits for the state, what comes after is
    decoded, whatever becomes of it (ADR 0037).
    """

    inbox: InboxAhead
    codec: Codec
    state: StateWriter
    emitter: Emitter
    max_records: int
    commit_transaction: Callable[[Iterable[Outgoing], Sequence[Any]], bool]
    passed: Callable[[str], None]
    clock: Callable[[], float] = time.monotonic
    _decoded: DecodedAhead[Arrived | Poison] = field(init=False)
    _applying: ThreadPoolExecutor = field(default_factory=partial(ThreadPoolExecutor, 1, "apply"), init=False)
    _answering: ThreadPoolExecutor = field(default_factory=partial(ThreadPoolExecutor, 1, "answer"), init=False)

    def __post_init__(self) -> None:
        self._decoded = DecodedAhead(self._decode)

    def step(self) -> bool:
        """What is at hand, a batch after the other, for a while; False where nothing is. No transaction is left open.

        Raises StateUnavailable and RegistryUnavailable, when all that was applied before is answered.
        """
        worked, in_hand, until = False, None, self.clock() + LONGEST_S
        try:
            while self.clock() < until and (taken := self._take()):
                worked = True
                batch = self._sort(taken)
                answers = self._applied(batch)
                before, in_hand = in_hand, None
                if not self._is_answered(before):
                    return True
                in_hand = batch, self._answering.submit(self._answer_all, batch, answers)
        finally:
            self._is_answered(in_hand)
        if not worked:
            self.state.prune(datetime.now(UTC))
        return worked

    def _applied(self, batch: _Batch) -> list[Answer]:
        self.passed("after_read")
        applied = self._applying.submit(self._apply, [arrived.correction for arrived, _ in batch.corrections])
        try:
            self._decoded.prepare(self.inbox.ahead(self.max_records), applied.done)
        finally:
            answers = applied.result()
        return answers

    def _is_answered(self, in_hand: _InHand | None) -> bool:
        """Waits for its transaction. After an abort all is read again, also what was applied behind it."""
        if in_hand is None:
            return True
        batch, answered = in_hand
        answers = answered.result()
        if answers is None:
            log.warning("transaction aborted; its input is read again")
            self.inbox.rewind()
            return False
        self.inbox.committed(batch.offsets)
        count_applied(answers, batch.poison, batch.misrouted)
        return True

    def _answer_all(self, batch: _Batch, answers: Sequence[Answer]) -> list[Answer] | None:
        """What was answered; None where the Kafka transaction was aborted."""
        records = [*batch.passed_on]
        for answer, (arrived, received) in zip(answers, batch.corrections, strict=True):
            records.append(self._answer(answer, arrived, received))
        return [*answers] if timed_commit(self.commit_transaction, records, batch.offsets) else None

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
        batch = _Batch(self.inbox.offsets())
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
