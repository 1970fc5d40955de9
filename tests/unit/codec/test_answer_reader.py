"""Answers read by what repeats in them are those that fastavro reads, or are left to it (ADR 0169)."""

from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pytest
from fastavro import schemaless_reader
from hypothesis import given
from hypothesis import strategies as st

from processor.codec import Codec, DecodeError
from processor.codec.answer_reader import LONGEST_KEPT, MOST_KEPT, AnswerReader
from processor.codec.correction_records import answer_from_wire
from processor.codec.decoding import compiled
from processor.codec.errors import NotCompiled
from processor.codec.framing import header_of
from processor.core.correction import Answer, Parent, Result
from tests.unit.codec.records import CATALOG, CORRECTION
from tests.unit.codec.strategies import ANSWERS

CODEC = Codec.open(None, CATALOG)
(SCHEMA,) = CODEC.schemas_of(Answer)
NOW = datetime(2026, 8, 3, tzinfo=UTC)
ANSWER = Answer(CORRECTION.source, Result.APPLIED, None, NOW)


def reader() -> AnswerReader:
    read = compiled(SCHEMA.parsed)
    assert read is not None
    return AnswerReader(SCHEMA.parsed, read)


READER = reader()


def written(answer: Answer) -> bytes:
    data = CODEC.encode("any", answer)
    return data[len(header_of(data)) :]


def read_again(reader: AnswerReader, answer: Answer) -> Answer | None:
    """As the second of its kind, or a later one."""
    data = written(answer)
    reader(data, 0)
    return reader(data, 0)


def by_fastavro(data: bytes) -> Answer | None:
    """None where these are not the bytes of one answer."""
    body = BytesIO(data)
    try:
        wire: Any = schemaless_reader(body, SCHEMA.parsed, None)
        read = answer_from_wire(wire)
    except (EOFError, LookupError, ValueError, TypeError, ArithmeticError, AttributeError, DecodeError):
        return None
    return read if body.tell() == len(data) else None


@given(st.lists(ANSWERS, min_size=1, max_size=3))
def test_an_answer_is_found_as_fastavro_reads_it(some: list[Answer]) -> None:
    """One reader reads all, so that it has read others before; and some twice, of which it knows the like."""
    for answer in some * 2:
        data = written(answer)
        assert READER(data, 0) in (None, by_fastavro(data))
        assert CODEC.decode(CODEC.encode("any", answer), (Answer,)) == answer


@given(ANSWERS, st.data())
def test_damaged_bytes_are_no_other_answer_than_fastavro_reads(answer: Answer, draw: st.DataObject) -> None:
    data = written(answer)
    read_again(READER, answer)
    place = draw.draw(st.integers(0, len(data) - 1))
    changed = data[:place] + bytes([draw.draw(st.integers(0, 255))]) + data[place + 1 :]
    for damaged in (data[:place], changed, data + b"\0"):
        read = READER(damaged, 0)
        assert read is None or read == by_fastavro(damaged)


def test_answers_after_one_like_them_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else only the time it takes would tell: one is read to learn what it has in common with those after it."""
    learned = reader()
    assert read_again(learned, ANSWER) == ANSWER
    monkeypatch.setattr("processor.codec.answer_reader.answer_from_wire", None)
    for own in ({"key": "\u00e9", "asked_as": None}, {"correction_id": "another"}, {"request_id": "x", "chunk": "0.7"}):
        other = replace(ANSWER, source=replace(ANSWER.source, **own))
        assert learned(written(other), 0) == other


def test_what_is_not_of_one_key_alone_is_told_apart() -> None:
    source = ANSWER.source
    for other in (
        replace(ANSWER, result=Result.ALREADY_EQUAL),
        replace(ANSWER, detail="why"),
        replace(ANSWER, source=replace(source, changed_fields=())),
        replace(ANSWER, source=replace(source, parent=Parent("PersonIdentity", "8"))),
        replace(ANSWER, source=replace(source, district_id="SOUTH")),
        replace(ANSWER, source=replace(source, attempt=7)),
    ):
        assert read_again(READER, ANSWER) == ANSWER
        assert read_again(READER, other) == other


def test_what_is_kept_of_answers_is_bounded() -> None:
    learned = reader()
    for number in range(MOST_KEPT + 10):
        assert read_again(learned, replace(ANSWER, detail=str(number))) is not None
    assert 0 < len(learned) <= MOST_KEPT


def test_what_comes_once_is_not_kept() -> None:
    """As answers to requests that each have their own time: to learn from each costs more than to read it."""
    learned = reader()
    for number in range(2 * MOST_KEPT):
        assert learned(written(replace(ANSWER, detail=str(number))), 0) is None
    assert len(learned) == 0


def test_a_long_answer_is_read_and_not_kept() -> None:
    """Else many of them would be kept, as long as others write them."""
    learned, long = reader(), replace(ANSWER, detail="x" * LONGEST_KEPT)
    assert read_again(learned, long) == long
    assert len(learned) == 0


def test_another_schema_has_no_such_reader() -> None:
    read = compiled(SCHEMA.parsed)
    assert read is not None
    with pytest.raises(NotCompiled):
        AnswerReader({**SCHEMA.parsed, "fields": SCHEMA.parsed["fields"][:-1]}, read)
