"""Outcomes as rows of COPY's binary format (PostgreSQL documentation, "COPY", "Binary Format").

Of outcomes that are alike the bytes between what each has of its own are made once (ADR 0039).
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from struct import Struct
from typing import Any

from processor.adapters.postgres.history_rows import COLUMNS, outcome_row
from processor.core.history import KeyOutcome
from processor.service.history_changes import AlikeOutcomes

BEGIN = b"PGCOPY\n\xff\r\n\0" + b"\0" * 8
END = b"\xff\xff"

_COLUMNS = COLUMNS["outcomes"]
_INT2, _INT4, _INT8 = Struct(">h").pack, Struct(">i").pack, Struct(">q").pack
_FIELDS = _INT2(len(_COLUMNS))
_NULL = _INT4(-1)
_SIZES = [_INT4(size) for size in range(1_024)]
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_TEXT_TYPE = 25
"""PostgreSQL's number of the type `text`, as an array names it."""


def row_of(outcome: KeyOutcome) -> bytes:
    return _FIELDS + b"".join(map(_field, outcome_row(outcome)))


def rows_of(alike: AlikeOutcomes) -> Iterator[bytes]:
    """Request, object, key, district, `asked_as`, what explains the status, correction, times."""
    fields = [_field(value) for value in outcome_row(alike.like)]
    place = {name: number for number, name in enumerate(_COLUMNS)}
    object_name, district = fields[place["object"]], fields[place["district_id"]]
    status = b"".join(fields[place["status"] : place["correction_id"]])
    times = b"".join(fields[place["correction_id"] + 1 :])
    for request_id, key, asked_as, correction_id in alike.own:
        yield b"".join(
            (
                _FIELDS, _sized(request_id), object_name, _sized(key), district,
                _NULL if asked_as is None else _sized(asked_as), status,
                _NULL if correction_id is None else _sized(correction_id), times,
            )
        )  # fmt: skip


def _sized(data: bytes) -> bytes:
    size = len(data)
    return (_SIZES[size] if size < len(_SIZES) else _INT4(size)) + data


def _field(value: Any) -> bytes:  # noqa: ANN401  (of one of the columns' types)
    match value:
        case None:
            return _NULL
        case str():
            return _sized(value.encode())
        case int():
            return _sized(_INT8(value))
        case datetime():
            return _sized(_INT8((value - _EPOCH) // _MICROSECOND))
        case list():
            return _sized(_array(value))
    raise TypeError(f"no column of outcomes has values of the type {type(value).__name__}")


def _array(texts: Sequence[str]) -> bytes:
    """Dimensions, whether there are nulls, the type; then of the one dimension its size and its first index."""
    dimensions = b"".join(map(_INT4, (1, 0, _TEXT_TYPE, len(texts), 1) if texts else (0, 0, _TEXT_TYPE)))
    return dimensions + b"".join(_sized(text.encode()) for text in texts)
