"""Rows that the state's database gave, as what its district-owned fields hold."""

from collections.abc import Iterable, Sequence
from typing import Any

from processor.core.catalog import FieldSpec, ObjectType
from processor.core.errors import Unrepresentable
from processor.core.snapshot import DistrictVersion
from processor.core.values import canonical
from processor.service.apply_state import UNREADABLE, Found, StateRow


def found_in(rows: Iterable[Sequence[Any]], object_type: ObjectType, looked_up: Sequence[FieldSpec]) -> list[Found]:
    """`rows` as `Statements.read` gives them: by n, without gaps, several of one n where a key has several rows.

    Of those two are kept: that there are several is all that matters, and there may be very many.
    """
    found: list[Found] = []
    for n, epoch, xmax, in_progress, present, *texts in rows:
        if n <= len(found) and len(found[-1].rows) > 1:
            continue
        row = (_row(texts, object_type, looked_up),) if present else ()
        if n <= len(found):
            found[-1] = Found(found[-1].rows + row, found[-1].recorded)
        else:
            found.append(Found(row, None if epoch is None else DistrictVersion(epoch, xmax, in_progress)))
    return found


def _row(texts: Sequence[str | None], object_type: ObjectType, looked_up: Sequence[FieldSpec]) -> StateRow:
    owned = object_type.owned
    raw = tuple(texts[: len(owned)])
    shown = dict(zip((field.name for field in owned), raw, strict=True))
    shown |= zip((field.name for field in looked_up), texts[len(owned) :], strict=True)
    return StateRow(raw, {field.name: _readable(field, shown[field.name], object_type) for field in owned})


def _readable(field: FieldSpec, text: str | None, object_type: ObjectType) -> str | None:
    try:
        return canonical(field, text, object_type.state.timezone)
    except Unrepresentable:
        return UNREADABLE
