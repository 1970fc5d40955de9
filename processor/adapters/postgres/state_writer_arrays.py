"""Corrections as parameters: one array a column, because a statement takes its rows by `unnest`."""

from collections import defaultdict
from collections.abc import Container, Iterable, Sequence
from datetime import datetime
from typing import Any, TypeAlias, TypeVar

from processor.adapters.postgres.array_literal import array_literal, array_of_rows
from processor.core.catalog import Kind, ObjectType
from processor.core.correction import Correction
from processor.core.rows import columns
from processor.core.values import side_text
from processor.service.apply_state import Verdict, Write

T = TypeVar("T")

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


def readings(corrections: Sequence[Correction]) -> Arrays:
    """Keys and ids, and of each the place of its district's reading, which many have in common."""
    sources = [correction.source for correction in corrections]
    alone = _first_of_equals([source.district_version for source in sources])
    versions = {id(version): version for version in alone.values()}
    origins = [(source.district_id, id(alone[id(source.district_version)])) for source in sources]
    kinds = {origin: str(place) for place, origin in enumerate(dict.fromkeys(origins), 1)}
    return {
        "district": [district for district, _ in kinds],
        "epoch": [versions[version].epoch for _, version in kinds],
        "snapshot_xmax": [versions[version].xmax for _, version in kinds],
        "in_progress": [versions[version].in_progress for _, version in kinds],
        "origin": [kinds[origin] for origin in origins],
        "key": [source.key for source in sources],
        "correction_id": [source.correction_id for source in sources],
    }


def answers(verdicts: Sequence[tuple[Correction, Verdict]]) -> Arrays:
    """Keys and ids, and of each the place of what many answers have in common."""
    alone = _first_of_equals([verdict for _, verdict in verdicts])
    said = {id(verdict): verdict for verdict in alone.values()}
    answers = [
        (source.sent_at, source.district_id, source.object, id(alone[id(verdict)]))
        for source, verdict in ((correction.source, verdict) for correction, verdict in verdicts)
    ]
    kinds = {each: str(place) for place, each in enumerate(dict.fromkeys(answers), 1)}
    verdicts_of = [said[verdict] for *_, verdict in kinds]
    return {
        "sent_at": [str(sent_at) for sent_at, *_ in kinds],
        "district_id": [district for _, district, *_ in kinds],
        "object": [name for _, _, name, _ in kinds],
        "result": [verdict.result.value for verdict in verdicts_of],
        "detail": [verdict.detail for verdict in verdicts_of],
        "answered_at": [str(verdict.answered_at) for verdict in verdicts_of],
        "alike": [kinds[each] for each in answers],
        "key": [correction.source.key for correction, _ in verdicts],
        "correction_id": [correction.source.correction_id for correction, _ in verdicts],
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
    return literals(readings(corrections)) | arrays


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


def _first_of_equals(values: Sequence[T]) -> dict[int, T]:
    """By the id of each. A place in an array is found by passing all before it, so equals have one."""
    first: dict[T, T] = {}
    return {name: first.setdefault(value, value) for name, value in {id(value): value for value in values}.items()}


def raws(writes: Sequence[Write]) -> Sequence[Sequence[str | None]]:
    """Of each owned field what the rows held when they were read."""
    return [*zip(*(write.row.raw for write in writes if write.row is not None), strict=True)]


def literals(arrays: Arrays) -> dict[str, str]:
    return {name: array_literal(column) for name, column in arrays.items()}


def time_texts(times: Sequence[datetime]) -> list[str]:
    """Most of a batch's are the same."""
    texts = {each: str(each) for each in set(times)}
    return [texts[each] for each in times]
