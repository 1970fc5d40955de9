"""Whether a state's column surely keeps what is written to it: some round, cut or pad (ADR 0147)."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from processor.adapters.postgres.state_writer_columns import ColumnType
from processor.core.catalog import FieldSpec, Kind
from processor.service.apply_state import Write

Keeps: TypeAlias = Callable[[str], bool]
"""Whether a column surely keeps a canonical text."""

_WHOLE = frozenset({"smallint", "integer", "bigint", "numeric", "text"})
_TIMES = frozenset({"timestamp with time zone", "timestamp without time zone"})
_ROUNDED = re.compile(r"numeric\(\d+,(\d+)\)")


def doubts(fields: Iterable[FieldSpec], type_of: Callable[[FieldSpec], ColumnType]) -> Mapping[str, Keeps]:
    """Of the fields whose columns may keep something else."""
    found = {field.name: _keeps(field, type_of(field)) for field in fields if field.state_lookup is None}
    return {name: keeps for name, keeps in found.items() if keeps is not None}


def is_doubtful(write: Write, doubted: Mapping[str, Keeps]) -> bool:
    after = write.correction.after or {}
    return any(
        (text := after.get(field.name)) is not None and not doubted[field.name](text)
        for field in write.fields
        if field.name in doubted
    )


def _keeps(field: FieldSpec, column: ColumnType) -> Keeps | None:
    """None for a column that always does. A domain may have a precision of its own."""
    declared, sure = column.declared, False
    match field.kind:
        case Kind.STRING if column.cast_to in {"character varying", "character", "bpchar"}:
            return _has_no_blanks_to_cut
        case Kind.STRING:
            sure = column.cast_to == "text"
        case Kind.BOOLEAN:
            sure = column.cast_to == "boolean"
        case Kind.LONG:
            sure = declared in _WHOLE
        case Kind.DOUBLE:
            sure = declared in {"double precision", "text"}
        case Kind.DATE:
            sure = declared in {"date", "text"} | _TIMES
        case Kind.DECIMAL:
            rounded = _ROUNDED.fullmatch(declared)
            sure = declared in {"numeric", "text"} or (rounded is not None and int(rounded[1]) >= field.scale)
        case Kind.TIMESTAMP:
            sure = declared in _TIMES
    return None if sure else _is_never_sure


def _has_no_blanks_to_cut(text: str) -> bool:
    return not text.endswith(" ")


def _is_never_sure(_text: str) -> bool:
    return False
