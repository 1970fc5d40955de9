"""The history topic as flat rows for analysts: every committed record up to where the log ended when this began."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, is_dataclass
from datetime import UTC, datetime
from typing import Any, Protocol, TypeAlias

from processor.codec import DecodeError
from processor.core import ids
from processor.core.history import ChunkStatus, Cleared, HistoryRecord, KeyOutcome, Parked, RequestEnd, RequestStatus
from processor.core.request import UNKNOWN
from processor.service.history_changes import Decode, RawRecord
from processor.service.history_ports import BatchLimits, HistoryScan
from processor.service.rebuild import Progress, silent

Row: TypeAlias = dict[str, Any]

COLUMNS = (
    "partition", "offset", "timestamp", "record_type", "record_key", "request_id", "district_id", "object", "key",
    "asked_as", "chunk", "status", "state", "reason", "detail", "changed_fields", "parent_object", "parent_key",
    "correction_id", "attempt", "first_decided_at", "sent_at", "answered_at", "decided_at", "last_decided_at", "keys",
    "in_sync", "district_rows", "state_rows", "expected_differences", "counts", "requested_by", "requested_from",
    "requested_at", "selection", "filter", "mode", "dependencies", "on_state_only", "report", "school_year",
    "request_reason", "run_id", "linked", "guard", "planned", "decided_by",
    "cleared_by", "cleared_at", "outcomes", "scope",
)  # fmt: skip
"""Of all kinds of records; a row has those that its kind has."""

TOMBSTONE = "TOMBSTONE"


class ExportScan(HistoryScan, Protocol):
    def offsets_at(self, time: datetime) -> Mapping[int, int]:
        """Of each partition, the first record that came at this time or later; left out where there is none."""


@dataclass(frozen=True, slots=True)
class Wanted:
    since: datetime | None = None
    district_id: str | None = None
    """Tombstones name no district, so they are left out with one."""
    may_see: Callable[[str, str], bool] | None = None
    """Of a district and an object; None is everything. Tombstones are left out with it, and what names none of both."""

    def takes(self, row: Row) -> bool:
        district_id, object_name = row.get("district_id"), row.get("object")
        if self.district_id is not None and district_id != self.district_id:
            return False
        if self.may_see is None:
            return True
        return district_id is not None and object_name is not None and self.may_see(district_id, object_name)


@dataclass(slots=True)
class Covered:
    """What was read: offsets from `start` to before `end`; `first` and `last` are times that Kafka gave to records."""

    topic: str
    start: Mapping[int, int]
    end: Mapping[int, int]
    read: int = 0
    written: int = 0
    unreadable: int = 0
    first: datetime | None = None
    last: datetime | None = None
    limits: BatchLimits = field(default_factory=BatchLimits)


def export(
    scan: ExportScan, decode: Decode, wanted: Wanted, write: Callable[[Row], None], progress: Progress = silent
) -> Covered:
    """Rows in the order of the log a partition. Records that cannot be decoded are counted and passed over."""
    covered = _span(scan, wanted.since)
    total = sum(covered.end[p] - covered.start[p] for p in covered.end)
    done = 0
    progress(done, total)
    for batch in scan.batches(covered.start, covered.end, covered.limits):
        for record in batch.records:
            _note(covered, record)
            try:
                row = row_of(record, decode)
            except DecodeError:
                covered.unreadable += 1
                continue
            if wanted.takes(row):
                write(row)
                covered.written += 1
        done += sum(batch.end[p] - batch.start[p] for p in batch.end)
        progress(done, total)
    return covered


def _span(scan: ExportScan, since: datetime | None) -> Covered:
    extents = scan.extents(range(scan.partitions))
    end = {p: extent.stable for p, extent in extents.items()}
    start = {p: extent.low for p, extent in extents.items()}
    if since is not None:
        found = scan.offsets_at(since)
        start = {p: min(found.get(p, end[p]), end[p]) for p in end}
    return Covered(scan.topic, start, end)


def _note(covered: Covered, record: RawRecord) -> None:
    covered.read += 1
    time = _time(record)
    if time is not None:
        covered.first = time if covered.first is None else min(covered.first, time)
        covered.last = time if covered.last is None else max(covered.last, time)


def _time(record: RawRecord) -> datetime | None:
    return None if record.timestamp_ms < 0 else datetime.fromtimestamp(record.timestamp_ms / 1000, UTC)


def row_of(record: RawRecord, decode: Decode) -> Row:
    """Without the columns that have no value. Raises DecodeError."""
    kind, fields = (TOMBSTONE, _of_key(record.key)) if record.value is None else _of_content(decode(record.value))
    place: Row = {
        "partition": record.partition,
        "offset": record.offset,
        "timestamp": _time(record),
        "record_type": kind,
        "record_key": None if record.key is None else record.key.decode("utf-8", "backslashreplace"),
    }
    return {name: value for name, value in {**place, **fields}.items() if value is not None}


def _of_key(key: bytes | None) -> Row:
    """What a tombstone tells by its key."""
    parts = ids.split_record_key((key or b"").decode("utf-8", "backslashreplace"))
    match parts:
        case (request_id, "~chunk" | "~held", chunk):
            return {"request_id": request_id, "chunk": chunk}
        case (request_id, marker) if marker.startswith("~"):
            return {"request_id": request_id}
        case (request_id, object_name, key_text):
            return {"request_id": request_id, "object": object_name, "key": key_text}
        case _:
            return {"request_id": parts[0]}


def _of_content(content: HistoryRecord) -> tuple[str, Row]:
    kind = type(content).__name__
    match content:
        case KeyOutcome():
            fields = dict(_fields(content, leave_out=("parent",)))
            if content.parent is not None:
                fields |= {"parent_object": content.parent.object, "parent_key": content.parent.key}
            return kind, fields | {"changed_fields": list(content.changed_fields)}
        case RequestStatus():
            request = dict(_fields(content.request, leave_out=("selection", "reason", "not_understood")))
            request |= dict.fromkeys(content.request.not_understood, UNKNOWN)
            request["selection"] = content.request.selected_by
            request["filter"] = content.request.where
            request["request_reason"] = content.request.reason
            return kind, request | dict(_fields(content, leave_out=("request",)))
        case RequestEnd():
            counts = [{"status": c.status, "reason": c.reason, "keys": c.keys} for c in content.counts]
            return kind, dict(_fields(content, leave_out=("counts",))) | {"counts": counts}
        case ChunkStatus() | Cleared():
            return kind, dict(_fields(content, leave_out=()))
        case Parked(chunk=chunk):
            of_chunk = ("request_id", "district_id", "object", "chunk")
            return kind, {name: getattr(chunk, name) for name in of_chunk} | {"keys": len(chunk.asks)}


def _fields(record: Any, leave_out: tuple[str, ...]) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 (any dataclass of ours)
    for name in record.__slots__:
        if name not in leave_out:
            value = getattr(record, name)
            yield name, asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
