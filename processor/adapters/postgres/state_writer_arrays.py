"""Corrections as parameters: one array a column, because a statement takes its rows by `unnest`."""

from collections.abc import Sequence
from typing import Any, TypeAlias

from processor.adapters.postgres.array_literal import array_literal
from processor.core.catalog import ObjectType
from processor.core.correction import Correction
from processor.core.values import side_text
from processor.service.apply_state import Write

Arrays: TypeAlias = dict[str, list[Any]]
"""Parameter name to a column of the input."""


def identities(corrections: Sequence[Correction]) -> Arrays:
    return {
        "district": [correction.source.district_id for correction in corrections],
        "key": [correction.source.key for correction in corrections],
    }


def versions(corrections: Sequence[Correction]) -> Arrays:
    read_at = [correction.source.district_version for correction in corrections]
    return {
        "epoch": [version.epoch for version in read_at],
        "snapshot_xmax": [version.xmax for version in read_at],
        "in_progress": [version.in_progress for version in read_at],
        "correction_id": [correction.source.correction_id for correction in corrections],
    }


def written(object_type: ObjectType, writes: Sequence[Write]) -> Arrays:
    """All that a write takes; `writes` have the same fields, and all a row or none."""
    corrections = [write.correction for write in writes]
    arrays = identities(corrections) | versions(corrections)
    for n in range(len(writes[0].fields)):
        arrays[f"new_{n}"] = [_new(object_type, write, n) for write in writes]
    if writes[0].row is not None:
        raws = [write.row.raw for write in writes if write.row is not None]
        arrays |= {f"old_{n}": list(column) for n, column in enumerate(zip(*raws, strict=True))}
    return arrays


def literals(arrays: Arrays) -> dict[str, str]:
    return {name: array_literal(column) for name, column in arrays.items()}


def _new(object_type: ObjectType, write: Write, n: int) -> str | None:
    field = write.fields[n]
    if field.state_lookup is not None:
        return write.references.ids[field.name]
    after = write.correction.after or {}
    return side_text(field, after.get(field.name), object_type.state.timezone)
