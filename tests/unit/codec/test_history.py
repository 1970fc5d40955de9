"""Where each record stands in the history topic."""

import pytest

from processor.codec.history import history_record
from processor.core.history import ChunkStatus, Cleared, KeyOutcome, RequestEnd, RequestStatus
from tests.unit.codec.records import REQUEST_ID, SAMPLES

COMMON = [("request_id", REQUEST_ID.encode()), ("district_id", b"NORTH"), ("object", b"Enrollment")]


@pytest.mark.parametrize(
    ("name", "key", "more"),
    [
        ("RequestStatus", REQUEST_ID, [("status", b"REJECTED")]),
        ("ChunkStatus", f"{REQUEST_ID}/~chunk/0", [("status", b"DONE")]),
        ("KeyOutcome", f"{REQUEST_ID}/Enrollment/7", [("key", b"7"), ("status", b"FAILED")]),
        ("RequestEnd", f"{REQUEST_ID}/~end", [("status", b"COMPLETE_WITH_FAILURES")]),
        ("Cleared", f"{REQUEST_ID}/~cleared", []),
    ],
)
def test_key_partition_and_headers(name: str, key: str, more: list[tuple[str, bytes]]) -> None:
    record = SAMPLES[name]
    assert isinstance(record, RequestStatus | ChunkStatus | KeyOutcome | RequestEnd | Cleared)
    assert history_record(record) == (key.encode(), REQUEST_ID, COMMON + more)
