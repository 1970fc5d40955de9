"""Requests read by what they have of their own are those that fastavro reads, or are left to it (ADR 0238)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from fastavro import schemaless_reader
from hypothesis import given
from hypothesis import strategies as st

from processor.codec import Codec, DecodeError
from processor.codec.decoding import compiled
from processor.codec.errors import NotCompiled
from processor.codec.framing import header_of
from processor.codec.request_reader import LONGEST_KEPT, MOST_KEPT, RequestReader
from processor.codec.work_records import request_from_wire
from processor.core.request import Keys, Mode, Request
from tests.unit.codec.records import CATALOG, REQUEST, SAMPLES
from tests.unit.codec.strategies import REQUESTS

CODEC = Codec.open(None, CATALOG)
(SCHEMA,) = CODEC.schemas_of(Request)
HEADER = header_of(CODEC.encode("any", REQUEST))
ASKED = Request("0b9c4a3e-6f0d-4c57-9a55-2f1f6d3b7c00", "NORTH", "Enrollment", Keys(("7",)), "clerk")
NOW = datetime(2026, 8, 3, tzinfo=UTC)


def reader() -> RequestReader:
    read = compiled(SCHEMA.parsed)
    assert read is not None
    return RequestReader(HEADER, SCHEMA.parsed, read)


READER = reader()


def written(request: Request) -> bytes:
    return CODEC.encode("any", request)


def found(data: bytes, by: RequestReader = READER) -> Request | None:
    single = by(data)
    return None if single is None else single.request


def by_fastavro(data: bytes) -> Request | None:
    """None where these are not the bytes of one request."""
    body = BytesIO(data[len(HEADER) :])
    try:
        wire: Any = schemaless_reader(body, SCHEMA.parsed, None)
        read = request_from_wire(wire)
    except (EOFError, LookupError, ValueError, TypeError, ArithmeticError, AttributeError, DecodeError):
        return None
    return read if body.tell() == len(data) - len(HEADER) else None


def of_one_key() -> st.SearchStrategy[Request]:
    keys = st.text(st.characters(codec="utf-8"), max_size=20).map(lambda key: Keys((key,)))
    return st.builds(lambda request, selection: replace(request, selection=selection), REQUESTS, keys)


@given(st.lists(of_one_key() | REQUESTS, min_size=1, max_size=3))
def test_a_request_is_found_as_fastavro_reads_it(some: list[Request]) -> None:
    """One reader reads all, so that it has read others before; and some twice, of which it knows the like."""
    for request in some * 2:
        data = written(request)
        assert found(data) in (None, by_fastavro(data))
        assert CODEC.decode(data, (Request,)) == request


@given(of_one_key(), st.data())
def test_damaged_bytes_are_no_other_request_than_fastavro_reads(request: Request, draw: st.DataObject) -> None:
    data = written(request)
    READER(data)
    place = draw.draw(st.integers(len(HEADER), len(data) - 1))
    changed = data[:place] + bytes([draw.draw(st.integers(0, 255))]) + data[place + 1 :]
    for damaged in (data[:place], changed, data + b"\0"):
        read = found(damaged)
        assert read is None or read == by_fastavro(damaged)


def test_requests_after_one_like_them_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else only the time it takes would tell: one is read to learn what it has in common with those after it."""
    learned = reader()
    learned(written(ASKED))
    monkeypatch.setattr("processor.codec.request_reader.request_from_wire", None)
    for request in (
        replace(ASKED, request_id=ASKED.request_id.replace("0", "1"), selection=Keys(("é",))),
        replace(ASKED, requested_at=NOW),
        replace(ASKED, requested_at=NOW + timedelta(microseconds=1)),
    ):
        assert found(written(request), learned) == request


@pytest.mark.parametrize(
    "request_",
    [
        replace(ASKED, selection=Keys(())),
        replace(ASKED, selection=Keys(("1", "2"))),
        replace(ASKED, selection=Keys(("x" * 64,))),
        replace(ASKED, request_id=ASKED.request_id.upper()),
        replace(ASKED, request_id="no uuid"),
    ],
    ids=["no key", "two keys", "a long key", "capitals", "no uuid"],
)
def test_others_are_left_to_be_read_in_full(request_: Request) -> None:
    assert READER(written(request_)) is None


def test_a_symbol_of_a_later_release_is_told_of_all_that_have_it() -> None:
    unknown = replace(ASKED, not_understood=("mode",))
    for key in ("1", "2"):
        read = found(written(replace(unknown, selection=Keys((key,)))))
        assert read is not None
        assert read.not_understood == ("mode",)
        assert read.mode is Mode.SYNC


def test_what_is_kept_of_requests_is_bounded() -> None:
    learned = reader()
    for number in range(MOST_KEPT + 10):
        assert learned(written(replace(ASKED, requested_by=str(number)))) is not None
    assert len(learned) <= MOST_KEPT


def test_a_long_request_is_read_and_not_kept() -> None:
    """Else many of them would be kept, as long as others write them."""
    learned = reader()
    long = replace(ASKED, reason="x" * LONGEST_KEPT)
    assert found(written(long), learned) == long
    assert len(learned) == 0


def test_another_schema_has_no_such_reader() -> None:
    fields = [each for each in SCHEMA.parsed["fields"] if each["name"] != "linked"]
    read = compiled(SCHEMA.parsed)
    assert read is not None
    with pytest.raises(NotCompiled):
        RequestReader(HEADER, {**SCHEMA.parsed, "fields": fields}, read)


def test_a_writer_is_found_by_the_header_whoever_wrote_before() -> None:
    codec, data, chunk = Codec.open(None, CATALOG), written(ASKED), CODEC.encode("any", SAMPLES["Chunk"])
    for _ in range(2):
        single = codec.single(data)
        assert single is not None
        assert single.request == ASKED
        assert codec.single(chunk) is None
        for unknown in (b"\x00\x00\x00\x00\x07" + data[len(HEADER) :], b""):
            with pytest.raises(DecodeError):
                codec.single(unknown)
