"""What is to be done with one correction, given the state's row as it is now: DESIGN's *never backwards*."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from processor.core import values
from processor.core.catalog import Catalog, FieldSpec, Kind, ObjectType
from processor.core.correction import Correction, Op
from processor.core.ids import is_request_id
from processor.core.keys import is_canonical
from processor.core.request import Mode
from processor.core.rows import NUL, is_tame, with_nul
from processor.core.values import Values
from processor.service.apply_state import Found, StateRow, Write
from processor.service.refusal_text import NO_SUCH_TIME_SQLSTATE, NUL_SQLSTATE, refusal_text


class Turn(Enum):
    WRITE = "write"
    ALREADY_EQUAL = "already equal"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class Decision:
    """`detail` of a conflict: `version`, `DUPLICATE`, `missing`, `exists`, or the fields that are not as before."""

    turn: Turn
    detail: str | None = None
    row: StateRow | None = None


def decide(object_type: ObjectType, correction: Correction, found: Found) -> Decision:
    if len(found.rows) > 1:
        return Decision(Turn.CONFLICT, "DUPLICATE")
    row = found.rows[0] if found.rows else None
    decision = _by_row(object_type, correction, row)
    if decision.turn is Turn.WRITE and _older(correction, found):
        return Decision(Turn.CONFLICT, "version")
    return decision


def _by_row(object_type: ObjectType, correction: Correction, row: StateRow | None) -> Decision:
    if row is None:
        match correction.op:
            case Op.CREATE:
                return Decision(Turn.WRITE)
            case Op.UPDATE:
                return Decision(Turn.CONFLICT, "missing")
            case Op.DELETE:
                return Decision(Turn.ALREADY_EQUAL)
    moved = _moved(object_type.owned, correction.before or {}, row)
    if correction.op is not Op.CREATE and not moved:
        return Decision(Turn.WRITE, row=row)
    if correction.after is not None and _equal(written_fields(object_type, correction), correction.after, row):
        return Decision(Turn.ALREADY_EQUAL)
    return Decision(Turn.CONFLICT, "exists" if correction.op is Op.CREATE else ",".join(moved))


def _moved(fields: Iterable[FieldSpec], before: Values, row: StateRow) -> list[str]:
    """Names of fields that are not as `before`; a reference that leads nowhere was null on the wire."""
    moved = []
    for field in fields:
        held, was = row.values[field.name], before.get(field.name)
        if held != was and not (was is None and held == values.DANGLING):
            moved.append(field.name)
    return moved


def _equal(fields: Iterable[FieldSpec], after: Values, row: StateRow) -> bool:
    return all(values.same(field, row.values[field.name], after.get(field.name)) for field in fields)


def unlike_after(write: Write, found: Found) -> tuple[str, ...]:
    """Names of fields of which the row that was just written does not hold what it shall."""
    after, values_held = write.correction.after or {}, found.rows[0].values if len(found.rows) == 1 else None
    return tuple(
        field.name
        for field in write.fields
        if values_held is None or not values.same(field, values_held[field.name], after.get(field.name))
    )


def _older(correction: Correction, found: Found) -> bool:
    recorded = found.recorded
    return recorded is not None and correction.source.district_version.order < recorded.order


def written_fields(object_type: ObjectType, correction: Correction) -> tuple[FieldSpec, ...]:
    """Fields that a correction writes: those that changed, all for a create or by force, none for a delete."""
    if correction.op is Op.DELETE:
        return ()
    if correction.op is Op.CREATE or correction.source.mode is Mode.FORCE:
        return object_type.owned
    return object_type.owned_among(correction.source.changed_fields)


def all_unusable(corrections: Sequence[Correction], catalog: Catalog) -> dict[int, str]:
    """Places of those that can be refused before the database is asked, and why.

    What most have in common, as objects that are shared, is looked at once.
    """
    sound: dict[tuple[object, ...], bool] = {}
    faults: dict[int, str] = {}
    for place, correction in enumerate(corrections):
        source, before, after = correction.source, correction.before, correction.after
        kind = (
            correction.op,
            source.object,
            source.district_id,
            source.mode is Mode.FORCE,
            id(source.changed_fields),
            before is None,
            after is None,
            after is None or is_tame(after),
        )
        if kind not in sound:
            sound[kind] = _is_sound(correction, catalog)
        if (
            sound[kind]
            and is_request_id(source.correction_id)
            and is_canonical(source.key, catalog.objects[source.object].key_type)
        ):
            continue
        if (fault := unusable(correction, catalog)) is not None:
            faults[place] = fault
    return faults


def _is_sound(correction: Correction, catalog: Catalog) -> bool:
    """Whether nothing but the id and the key can be wrong with one of its kind."""
    object_type, after = catalog.objects.get(correction.source.object), correction.after
    if object_type is None or NUL in correction.source.district_id or not (after is None or is_tame(after)):
        return False
    return _unusable_content(correction, object_type) is None


def unusable(correction: Correction, catalog: Catalog) -> str | None:
    """Why a correction can be refused before the database is asked; None where it cannot."""
    source = correction.source
    object_type = catalog.objects.get(source.object)
    if object_type is None:
        return "object not in the catalog"
    if not is_request_id(source.correction_id):
        return "correction_id is not a uuid"
    if NUL in source.district_id or not is_canonical(source.key, object_type.key_type):
        return "key is not canonical"
    return _unusable_content(correction, object_type)


def _unusable_content(correction: Correction, object_type: ObjectType) -> str | None:
    if (correction.before is None) != (correction.op is Op.CREATE):
        return "before does not fit op"
    if (correction.after is None) != (correction.op is Op.DELETE):
        return "after does not fit op"
    return _unusable_fields(correction, object_type)


def _unusable_fields(correction: Correction, object_type: ObjectType) -> str | None:
    changed = correction.source.changed_fields
    known = object_type.owned_among(changed)
    if len(known) < len(changed) and (foreign := sorted({*changed} - {field.name for field in known})):
        return "not owned by the district: " + ",".join(foreign)
    fields = written_fields(object_type, correction)
    if correction.op is Op.UPDATE and not fields:
        return "no field changed"
    after = correction.after
    if after is None or is_tame(after):
        return None
    if nul := [name for name in sorted(with_nul(after)) if any(name == field.name for field in object_type.owned)]:
        return refusal_text(NUL_SQLSTATE, ",".join(nul))
    times = object_type.timestamps if fields is object_type.owned else [f for f in fields if f.kind is Kind.TIMESTAMP]
    return _without_local_time(object_type, times, after) if times else None


def _without_local_time(object_type: ObjectType, times: Iterable[FieldSpec], after: Values) -> str | None:
    """A processor whose catalog has another timezone may send what cannot be written here."""
    lacking = (
        field.name
        for field in times
        if (text := after.get(field.name)) is not None and not values.has_local_time(text, object_type.state.timezone)
    )
    name = next(lacking, None)
    return None if name is None else refusal_text(NO_SUCH_TIME_SQLSTATE, name)
