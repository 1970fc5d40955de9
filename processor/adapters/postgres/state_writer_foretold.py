"""How the database writes a row of which only the canonical texts are known (ADR 0047)."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import TypeAlias
from zoneinfo import ZoneInfo

from processor.core.catalog import FieldSpec, Kind, ObjectType
from processor.core.rows import columns
from processor.core.values import Values, has_local_time, survives_without_zone
from processor.service.apply_state import Write

Spell: TypeAlias = Callable[[str], str | None]
"""Canonical text as a column's own, whose canonical text is the former again; None where that is not sure."""


def spellings(fields: Iterable[FieldSpec], without_zone: frozenset[str], tz: ZoneInfo) -> Sequence[tuple[str, Spell]]:
    """By field; `without_zone` names timestamps that the state keeps without their zone."""
    return [(field.name, _spelling(field, without_zone, tz)) for field in fields]


def foretold(
    spelled: Sequence[tuple[str, Spell]], held: Sequence[Values]
) -> tuple[list[list[str | None]], frozenset[int]]:
    """Of each field the rows' texts; and places of rows of which one is not sure: there may stand others."""
    texts: list[list[str | None]] = []
    unsure: set[int] = set()
    for (_, spell), column in zip(spelled, columns(held, [name for name, _ in spelled]), strict=True):
        own = column if spell is str else [None if text is None else spell(text) for text in column]
        if own.count(None) != column.count(None):
            unsure |= {n for n, text in enumerate(own) if text is None and column[n] is not None}
        texts.append(own)
    return texts, frozenset(unsure)


def _spelling(field: FieldSpec, without_zone: frozenset[str], tz: ZoneInfo) -> Spell:
    match field.kind:
        case Kind.TIMESTAMP if field.name in without_zone:
            return partial(_local, tz)
        case Kind.TIMESTAMP:
            return _moment
        case Kind.DOUBLE:
            return _double
        case _:
            return str


def _moment(text: str) -> str:
    return f"{text[:10]} {_seconds(text[11:26])}+00"


def _local(tz: ZoneInfo, text: str) -> str | None:
    if not has_local_time(text, tz) or not survives_without_zone(text, tz):
        return None
    local = datetime.fromisoformat(text).astimezone(tz).isoformat(timespec="microseconds")
    return f"{local[:10]} {_seconds(local[11:26])}"


def _seconds(text: str) -> str:
    """Time of day without zeros at the end of its fraction."""
    return text.rstrip("0").rstrip(".") if text[9:] else text


def _double(text: str) -> str:
    return text.removesuffix(".0")


def lost_time(object_type: ObjectType, without_zone: frozenset[str], write: Write) -> FieldSpec | None:
    """A field whose column has no zone and would give another moment back than it was given."""
    after = write.correction.after or {}
    for field in write.fields if without_zone else ():
        text = after.get(field.name) if field.name in without_zone else None
        if text is not None and not survives_without_zone(text, object_type.state.timezone):
            return field
    return None
