"""The applier: take corrections, apply them in one Postgres transaction, answer them in one Kafka transaction."""

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from threading import Lock
from typing import Any, TypeAlias

from processor import metrics
from processor.codec.codec import Codec
from processor.codec.correction_reader import Arrived
from processor.codec.errors import DecodeError
from processor.codec.history import headers_of
from processor.core.correction import Answer, Result
from processor.core.errors import Reason
from processor.core.partition import partition_of
from processor.service.apply import Ready, apply_ready, ready
from processor.service.apply_state import StateWriter
from processor.service.emit import Emitter
from processor.service.inbox import Inbox
from processor.service.records import TRACEPARENT, Headers, Outgoing, Received
from processor.service.tally import count_applied, timed_commit
from processor.service.work import Poison

log = logging.getLogger(__name__)

STEP_S = 5.0
"""A step then begins no other batch: a stop is heard of between steps, and a batch may take a minute."""
LONGEST_S = 2.0
"""Behind a batch that took so long at the state none is begun that waits."""
QUICK_S = LONGEST_S / 4
"""After a batch that took longer at the state, the next one is not taken before it is applied."""
MOST_IN_HAND = 3
"""Batches: one is answered, one applied, one waits for its turn."""


_KEY = 3
"""The place of a record's key among an answer's headers."""
_Around: TypeAlias = dict[tuple[str, str, str, Result], tuple[Headers, Headers]]
"""Headers before and behind that of the key: of a batch's answers nearly all are the same."""


@dataclass(slots=True)
class _Batch:
    """What is passed on as it came, and the corrections, in their order."""

    offsets: Sequence[Any]
    passed_on: list[Outgoing] = field(default_factory=list)
    corrections: list[tuple[Arrived, Received]] = field(default_factory=list)
    poison: list[Reason] = field(default_factory=list)
    misrouted: int = 0


@dataclass(frozen=True, slots=True)
class _InHand:
    """A batch, and what is said of it.

    `applied` holds None where it was not begun, and `answered` then too, or where its transaction was aborted or that
    of one before it.
    """

    batch: _Batch
    generation: int
    applied: Future[list[Answer] | None]
    answered: Future[list[Answer] | None]


@dataclass(slots=True)
class Applier:
    """One applier's way from corrections to committed answers.

    A crash between the two transactions repeats the batch; the state then gives back the answers that it kept.

    One batch is answered while the next is applied (ADR 0056), and those to come are made ready meanwhile (ADR 0058).
    What comes after them is read between two transactions with Kafka (ADR 0052).
    """

    inbox: Inbox
    codec: Codec
    state: StateWriter
    emitter: Emitter
    max_records: int
    commit_transaction: Callable[[Iterable[Outgoing], Sequence[Any]], bool]
    passed: Callable[[str], None]
    clock: Callable[[], float] = time.monotonic
    _took_s: float = field(default=LONGEST_S, init=False)
    """The last batch at the state."""
    _applying: ThreadPoolExecutor = field(default_factory=partial(ThreadPoolExecutor, 1, "apply"), init=False)
    _answering: ThreadPoolExecutor = field(default_factory=partial(ThreadPoolExecutor, 1, "answer"), init=False)
    _kafka: Lock = field(default_factory=Lock, init=False)
    """Held to read, within a step, and to answer: no transaction is open while partitions move."""

    def step(self) -> bool:
        """What is at hand, a batch after the other, for a while; False where nothing is. No transaction is left open.

        Raises StateUnavailable and RegistryUnavailable, when all that was applied before is answered.
        """
        worked, until = False, self.clock() + STEP_S
        in_hand: deque[_InHand] = deque()
        try:
            while self.clock() < until and (taken := self._take() or (in_hand and self._read_on() and self._take())):
                worked = True
                in_hand.append(self._begin(self._sort(taken), in_hand[-1] if in_hand else None))
                if not self._are_answered(in_hand, MOST_IN_HAND - 1):
                    return True
                self._read_on(wait=False)
        finally:
            self._are_answered(in_hand, 0)
        self.state.prune(datetime.now(UTC))
        return worked

    def _read_on(self, *, wait: bool = True) -> bool:
        """Reads what has arrived meanwhile; not while a transaction is open, which is waited for if told so."""
        if not self._kafka.acquire(blocking=wait):
            return False
        try:
            return self.inbox.fill(0.0) > 0
        finally:
            self._kafka.release()

    def _begin(self, batch: _Batch, before: _InHand | None) -> _InHand:
        """Nothing of a batch is applied, or answered, unless all before it was."""
        generation = self.inbox.generation
        self.passed("after_read")
        made = ready([arrived.correction for arrived, _ in batch.corrections], self.state)
        applied = self._applying.submit(self._apply, made, before)
        if self._took_s > QUICK_S:
            wait([applied])
        answered = self._answering.submit(self._answer_all, batch, generation, applied, before)
        return _InHand(batch, generation, applied, answered)

    def _are_answered(self, in_hand: deque[_InHand], most: int) -> bool:
        """Waits until no more than `most` are in hand. After an abort all is read again, also what was applied behind.

        Nothing is left in hand where it was aborted, or could not be applied.
        """
        while len(in_hand) > most:
            first = in_hand.popleft()
            answers = None
            try:
                answers = first.answered.result()
            finally:
                if answers is None:
                    wait([each.answered for each in in_hand])
                    in_hand.clear()
            if answers is None:
                log.warning("transaction aborted, or not begun behind a slow one or others' partitions; read again")
                self.inbox.rewind()
                return False
            if first.generation == self.inbox.generation:
                self.inbox.committed(first.batch.offsets)
            count_applied(answers, first.batch.poison, first.batch.misrouted)
        return True

    def _answer_all(
        self, batch: _Batch, generation: int, applied: Future[list[Answer] | None], before: _InHand | None
    ) -> list[Answer] | None:
        """What was answered, if it was, and not once partitions have moved. Raises what kept it from being applied."""
        answers = applied.result()
        if answers is None or (before is not None and before.answered.result() is None):
            return None
        around: _Around = {}
        records = [*batch.passed_on]
        for answer, (arrived, received) in zip(answers, batch.corrections, strict=True):
            records.append(self._answer(answer, arrived, received, around))
        with self._kafka:
            if generation != self.inbox.generation:
                return None
            return answers if timed_commit(self.commit_transaction, records, batch.offsets) else None

    def _take(self) -> list[Received]:
        taken: list[Received] = []
        for record in self.inbox.ready(datetime.now(UTC).timestamp()):
            self.inbox.take(record)
            taken.append(record)
            if len(taken) == self.max_records:
                break
        return taken

    def _apply(self, batch: Ready, before: _InHand | None) -> list[Answer] | None:
        if before is not None and (before.applied.result() is None or self._took_s > LONGEST_S):
            return None
        if not batch.corrections:
            self._took_s = 0.0
            return []
        began = self.clock()
        try:
            with metrics.APPLIED.time():
                return apply_ready(batch, self.state, datetime.now(UTC))
        finally:
            self._took_s = self.clock() - began

    def _sort(self, taken: Sequence[Received]) -> _Batch:
        offsets = self.inbox.offsets()
        batch = _Batch([*offsets, *self.inbox.at_rest(offsets)])
        homes: dict[str, int] = {}
        for record in taken:
            item = self._decode(record)
            if isinstance(item, Poison):
                batch.poison.append(item.reason)
                batch.passed_on.append(self.emitter.dead_letter(item))
                continue
            district = item.correction.source.district_id
            if (home := homes.get(district)) is None:
                home = homes[district] = partition_of(district, self.emitter.partitions)
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

    def _answer(self, answer: Answer, arrived: Arrived, received: Received, around: _Around) -> Outgoing:
        source, topic = answer.source, self.emitter.topics.answers
        kind = source.request_id, source.district_id, source.object, answer.result
        if kind not in around:
            headers = headers_of(*kind[:3], source.key, answer.result)
            around[kind] = tuple(headers[:_KEY]), tuple(headers[_KEY + 1 :])
        before, behind = around[kind]
        trace = received.trace
        traced: Headers = () if trace is None else ((TRACEPARENT, trace),)
        return Outgoing(
            topic,
            received.partition,
            source.district_id.encode(),
            self.codec.encode_answer(topic, answer, arrived.source),
            (*before, ("key", source.key.encode()), *behind, *traced),
        )
