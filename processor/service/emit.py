"""A plan as records: which topic, partition, key and headers each part of it has."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

from processor.codec.codec import Codec
from processor.codec.history import headers_of, history_record
from processor.core.chunk import Chunk
from processor.core.correction import Correction
from processor.core.history import Alike, HistoryRecord, Parked, Sent, SingleOutcomes, SingleStatuses, Told
from processor.core.ids import outcome_keys, segments, single_keys
from processor.core.partition import partition_of, partitions_of
from processor.core.plan import Plan
from processor.service.due import headers_of_due
from processor.service.intake import Intake
from processor.service.records import TRACEPARENT, Headers, Outgoing
from processor.service.work import Poison
from processor.settings import Topics

MARKER = b"1"
"""Value of a record in `resync.accepted`: its key says all, and null would be a tombstone."""


@dataclass(frozen=True, slots=True)
class Emitter:
    """Turns plans into records. `partitions` is the number of the district topics, `history_partitions` of history."""

    codec: Codec
    topics: Topics
    partitions: int
    history_partitions: int
    group: str

    def records(self, intake: Intake, plan: Plan) -> Iterator[Outgoing]:
        """All that a batch writes, in order. Raises RegistryUnavailable.

        That a parked chunk is gone comes after what became of it: who has read only some of this must not find nothing
        open.
        """
        traces = intake.traces
        for accepted_id, partition in intake.accepted.items():
            yield Outgoing(self.topics.accepted, partition, accepted_id, MARKER)
        for record, home in intake.misrouted:
            yield Outgoing(record.topic, home, record.key, record.value, record.headers)
        for record in intake.bulky:
            yield Outgoing(self.topics.chunks, record.partition, record.key, record.value, record.headers)
        for poison in intake.poison:
            yield self.dead_letter(poison)
        parts = (intake.plan, plan)
        for part in parts:
            yield from self.part(part, traces)
        parked = [record for part in parts for record in part.history if isinstance(record, Parked)]
        yield from (self.history(record, traces) for record in parked if record.is_gone)

    def part(self, plan: Plan, traces: Mapping[str, bytes]) -> Iterator[Outgoing]:
        """But for parked chunks that are gone."""
        for record in plan.history:
            if isinstance(record, Alike | Sent):
                yield from self.alike(record, traces)
            elif isinstance(record, SingleStatuses):
                yield from self.statuses(record, traces)
            elif isinstance(record, SingleOutcomes):
                yield from self.outcomes(record, traces)
            elif not _is_gone(record):
                yield self.history(record, traces)
        yield from self.corrections(plan.corrections, traces)
        for chunk in plan.chunks:
            yield self.chunk(self.topics.chunks, chunk, traces)
        for chunk in plan.retries:
            yield self.chunk(self.topics.retry, chunk, traces, headers_of_due(chunk))

    def history(self, record: HistoryRecord, traces: Mapping[str, bytes]) -> Outgoing:
        key, request_id, headers = history_record(record)
        partition = partition_of(request_id, self.history_partitions)
        value = None if _is_gone(record) else self.codec.encode(self.topics.history, record)
        return Outgoing(self.topics.history, partition, key, value, (*headers, *_trace(request_id, traces)))

    def alike(self, outcomes: Alike | Sent, traces: Mapping[str, bytes]) -> Iterator[Outgoing]:
        """As `history` gives them one by one, for a third of the work."""
        first, keys = outcomes.first, outcomes.asks if isinstance(outcomes, Alike) else outcomes.sources
        if len(keys) == 1:
            yield self.history(first, traces)
            return
        write = self.codec.alike_writer(self.topics.history, outcomes)
        partition = partition_of(first.request_id, self.history_partitions)
        key_of = outcome_keys(first.request_id, first.object)
        *about, status = headers_of(first.request_id, first.district_id, first.object, status=first.status)
        ends = (status, *_trace(first.request_id, traces))
        for each in keys:
            headers = (*about, ("key", each.key.encode()), *ends)
            yield Outgoing(self.topics.history, partition, key_of(each.key).encode(), write(each), headers)

    def statuses(self, told: SingleStatuses, traces: Mapping[str, bytes]) -> Iterator[Outgoing]:
        """As `history` gives them one by one, for a fraction of the work."""
        topic, first = self.topics.history, told.first
        write = self.codec.alike_writer(topic, told)
        _, *about = headers_of("", first.request.district_id, first.request.object, status=first.state)
        request_ids = [single.request_id for single in told.singles]
        partitions, keys = partitions_of(request_ids, self.history_partitions), segments(request_ids)
        for single, partition, key in zip(told.singles, partitions, keys, strict=True):
            headers = (("request_id", single.request_id.encode()), *about, *_trace(single.request_id, traces))
            yield Outgoing(topic, partition, key.encode(), write(single), headers)

    def outcomes(self, told: SingleOutcomes, traces: Mapping[str, bytes]) -> Iterator[Outgoing]:
        """As `history` gives them one by one, for a fraction of the work."""
        topic, first = self.topics.history, told.first
        write = self.codec.alike_writer(topic, told)
        _, district, name, status = headers_of("", first.district_id, first.object, status=first.status)
        request_ids, asked = [single.request_id for single in told.singles], [single.key for single in told.singles]
        partitions = partitions_of(request_ids, self.history_partitions)
        keys = single_keys(request_ids, first.object, asked)
        for single, partition, key in zip(told.singles, partitions, keys, strict=True):
            own = ("request_id", single.request_id.encode()), ("key", single.key.encode())
            headers = (own[0], district, name, own[1], status, *_trace(single.request_id, traces))
            yield Outgoing(topic, partition, key, write(single), headers)

    def corrections(self, corrections: Iterable[Correction], traces: Mapping[str, bytes]) -> Iterator[Outgoing]:
        """Those of one object of a request, which come after each other, have headers alike but for the key."""
        topic, encode = self.topics.corrections, self.codec.encode
        for (request_id, district_id, name), alike in groupby(corrections, _request_and_object):
            about, trace = headers_of(request_id, district_id, name), _trace(request_id, traces)
            partition, key = partition_of(district_id, self.partitions), district_id.encode()
            for correction in alike:
                headers = (*about, ("key", correction.source.key.encode()), *trace)
                yield Outgoing(topic, partition, key, encode(topic, correction), headers)

    def chunk(self, topic: str, chunk: Chunk, traces: Mapping[str, bytes], own: Headers = ()) -> Outgoing:
        return Outgoing(
            topic,
            partition_of(chunk.district_id, self.partitions),
            chunk.district_id.encode(),
            self.codec.encode(topic, chunk),
            (*headers_of(chunk.request_id, chunk.district_id, chunk.object), *own, *_trace(chunk.request_id, traces)),
        )

    def dead_letter(self, poison: Poison) -> Outgoing:
        """The record as it came, with where it came from and why it is here (header names of KIP-1191)."""
        record = poison.record
        origin: Headers = (
            ("__dlq.errors.topic", record.topic.encode()),
            ("__dlq.errors.partition", str(record.partition).encode()),
            ("__dlq.errors.offset", str(record.offset).encode()),
            ("__dlq.errors.group", self.group.encode()),
            ("__dlq.errors.message", poison.detail.encode()),
            ("resync-error-code", poison.reason.encode()),
        )
        return Outgoing(self.topics.dead_letters, None, record.key, record.value, (*record.headers, *origin))


def _request_and_object(correction: Correction) -> tuple[str, str, str]:
    source = correction.source
    return source.request_id, source.district_id, source.object


def _is_gone(record: Told) -> bool:
    return isinstance(record, Parked) and record.is_gone


def _trace(request_id: str, traces: Mapping[str, bytes]) -> Headers:
    trace = traces.get(request_id)
    return () if trace is None else ((TRACEPARENT, trace),)
