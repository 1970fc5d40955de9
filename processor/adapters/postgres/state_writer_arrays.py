"""Corrections as parameters: one array a column, because a statement takes its rows by `unnest`."""

from collections import defaultdict
from collections.abc import Container, Iterable, Sequence
from datetime import datetime
from typing import Any, TypeAlias

from processor.adapters.postgres.array_literal import array_literal, array_of_rows
from processor.core.catalog import Kind, ObjectType
from processor.core.correction import Correction
from processor.core.rows import columns
from processor.core.values import side_text
from processor.service.apply_state import Write

Arrays: TypeAlias = dict[str, Sequence[Any]]
"""Parameter name to a column of the input."""


def alike(writes: Sequence[Write]) -> Iterable[list[int]]:
    """Places of the writes that one statement can carry: of the same fields, so that no other column is named."""
    names: dict[int, tuple[str, ...]] = {}
    places: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for place, write in enumerate(writes):
        fields = write.fields
        if id(fields) not in names:
            names[id(fields)] = tuple(field.name for field in fields)
        places[names[id(fields)]].append(place)
    return places.values()


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


def written(
    object_type: ObjectType, writes: Sequence[Write], zoned: Container[str], old: Sequence[Sequence[str | None]] = ()
) -> dict[str, str]:
    """All that a write takes; `writes` have the same fields. `old`: of each owned field what the rows are to hold yet.

    A row's texts go as one array (ADR 0057).
    """
    corrections = [write.correction for write in writes]
    rows = {"new": new_texts(object_type, writes, zoned), "old": old}
    arrays = {name: array_of_rows(texts) for name, texts in rows.items() if texts}
    return literals(identities(corrections) | versions(corrections)) | arrays


def new_texts(
    object_type: ObjectType, writes: Sequence[Write], zoned: Container[str]
) -> Sequence[Sequence[str | None]]:
    """Of each field to be written, the texts that the columns are to take.

    `zoned` names timestamps whose columns keep the moment, however it is spelled.
    """
    fields = writes[0].fields
    after = columns([write.correction.after or {} for write in writes], [field.name for field in fields])
    texts: list[Sequence[str | None]] = []
    for field, column in zip(fields, after, strict=True):
        if field.state_lookup is not None:
            texts.append([write.references.ids[field.name] for write in writes])
        elif field.kind is Kind.TIMESTAMP and field.name not in zoned:
            texts.append([side_text(field, text, object_type.state.timezone) for text in column])
        else:
            texts.append(column)
    return texts


def raws(writes: Sequence[Write]) -> Sequence[Sequence[str | None]]:
    """Of each owned field what the rows held when they were read."""
    return [*zip(*(write.row.raw for write in writes if write.row is not None), strict=True)]


def literals(arrays: Arrays) -> dict[str, str]:
    return {name: array_literal(column) for name, column in arrays.items()}


def time_texts(times: Sequence[datetime]) -> list[str]:
    """Most of a batch's are the same."""
    texts = {each: str(each) for each in set(times)}
    return [texts[each] for each in times]
