"""Corrections of one object and operation: read, decided, written, and what is to be said of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from processor.core.catalog import ObjectType
from processor.core.correction import Correction, Op, Result
from processor.service.apply_decide import Turn, decide, written_fields
from processor.service.apply_rounds import Group
from processor.service.apply_state import (
    LOCK_NOT_AVAILABLE,
    NO_REFERENCES,
    NOT_TRIED,
    TIMED_OUT,
    Effect,
    Made,
    References,
    Refusal,
    StateTransaction,
    StateWriter,
    Write,
    WriteResult,
)
from processor.service.refusal_text import kept_text, refusal_text

Said: TypeAlias = tuple[Result, str | None]
"""An answer's result and detail."""

APPLIED: Said = (Result.APPLIED, None)

UNIQUE_VIOLATION = "23505"
FOREIGN_KEY_VIOLATION = "23503"
REFERRED_TO = frozenset({FOREIGN_KEY_VIOLATION, "23001"})
_LATER = {LOCK_NOT_AVAILABLE: "locked by another transaction", TIMED_OUT: "timed out", NOT_TRIED: "timed out"}


@dataclass(frozen=True, slots=True)
class Prepared:
    """A group with its writes, none for deletes; `made` is of all of them."""

    group: Group
    writes: Sequence[Write]
    made: Made | None


def prepare(group: Group, state: StateWriter) -> Prepared:
    if group.op is Op.DELETE:
        return Prepared(group, (), None)
    kind = group.object_type
    writes = [Write(correction, written_fields(kind, correction), None) for correction in group.corrections]
    return Prepared(group, writes, state.make(kind, writes))


def settle(prepared: Prepared, transaction: StateTransaction) -> list[Said]:
    """What is said of each correction, in their order.

    Most rows are as their corrections expect them, and are written without being read. The others are read and decided;
    a row that changed between reading and writing is so once more.
    """
    group = prepared.group
    done = _unread(prepared, transaction)
    if len(done) == len(group.corrections):
        return _all_applied(prepared, transaction)
    said: dict[int, Said] = dict.fromkeys(done, APPLIED)
    left = [place for place in range(len(group.corrections)) if place not in said]
    for last in (False, True):
        if left:
            settling = _Settling(group, [group.corrections[place] for place in left], transaction)
            heard = settling.run(last=last)
            said |= {left[place]: what for place, what in heard.items()}
            left = [place for place in left if place not in said]
    places = range(len(group.corrections))
    said |= _kept_otherwise(prepared, transaction, [place for place in places if said[place] is APPLIED])
    return [said[place] for place in places]


def _all_applied(prepared: Prepared, transaction: StateTransaction) -> list[Said]:
    """As nearly all of nearly every group are."""
    said = [APPLIED] * len(prepared.writes)
    for place, otherwise in _kept_otherwise(prepared, transaction, range(len(said))).items():
        said[place] = otherwise
    return said


def _kept_otherwise(prepared: Prepared, transaction: StateTransaction, places: Sequence[int]) -> dict[int, Said]:
    """What was written and is not, or not surely, what the row holds: nobody is told that both are equal (ADR 0147).

    `places` ascend.
    """
    if not prepared.writes or not places:
        return {}
    kind = prepared.group.object_type
    writes = prepared.writes if len(places) == len(prepared.writes) else [prepared.writes[place] for place in places]
    unlike = transaction.kept_otherwise(kind, writes)
    return {
        places[n]: _refused(kind, held) if isinstance(held, Refusal) else (Result.REJECTED_BY_STATE, kept_text(held))
        for n, held in unlike.items()
    }


def _unread(prepared: Prepared, transaction: StateTransaction) -> set[int]:
    """Places of corrections that needed no decision."""
    kind, writes = prepared.group.object_type, prepared.writes
    sure: dict[int, Write] = {}
    for place, (write, references) in enumerate(zip(writes, transaction.resolve(kind, writes), strict=True)):
        if references is NO_REFERENCES:
            sure[place] = write
        elif isinstance(references, References) and not references.dangling:
            sure[place] = Write(write.correction, write.fields, None, references)
    if not sure:
        return set()
    write_unread = transaction.create_unread if prepared.group.op is Op.CREATE else transaction.update_unread
    places = list(sure)
    made = prepared.made if len(places) == len(writes) else None
    return {places[n] for n in write_unread(kind, list(sure.values()), made)}


class _Settling:
    """One reading, deciding and writing. What it says nothing of wants to be read again."""

    def __init__(self, group: Group, corrections: Sequence[Correction], transaction: StateTransaction) -> None:
        self._type = group.object_type
        self._op = group.op
        self._corrections = corrections
        self._transaction = transaction
        self._said: dict[int, Said] = {}

    def run(self, *, last: bool) -> dict[int, Said]:
        """Place in `corrections` to what is said; of all of them when it is the last time."""
        writes = self._decide()
        writes = self._unreferred(writes) if self._op is Op.DELETE else self._resolved(writes)
        refused: dict[int, tuple[Write, Refusal]] = {}
        for (place, write), effect in zip(writes.items(), self._write(list(writes.values())), strict=True):
            if effect is Effect.WRITTEN:
                self._said[place] = APPLIED
            elif isinstance(effect, Refusal):
                refused[place] = write, effect
            elif last:
                self._said[place] = Result.CONFLICT, "changed while it was written"
        self._refuse(refused, last=last)
        return self._said

    def _decide(self) -> dict[int, Write]:
        writes: dict[int, Write] = {}
        seen: list[Correction] = []
        found = self._transaction.read(self._type, self._corrections)
        for place, (correction, state) in enumerate(zip(self._corrections, found, strict=True)):
            if isinstance(state, Refusal):
                self._said[place] = _refused(self._type, state)
                continue
            decision = decide(self._type, correction, state)
            match decision.turn:
                case Turn.WRITE:
                    writes[place] = Write(correction, written_fields(self._type, correction), decision.row)
                case Turn.ALREADY_EQUAL:
                    self._said[place] = Result.ALREADY_EQUAL, None
                    seen.append(correction)
                case Turn.CONFLICT:
                    self._said[place] = Result.CONFLICT, decision.detail
        if seen:
            self._transaction.record_seen(self._type, seen)
        return writes

    def _unreferred(self, writes: Mapping[int, Write]) -> dict[int, Write]:
        """Deletes of records that nothing refers to; a state's cascade must not delete what nobody asked for."""
        corrections = [write.correction for write in writes.values()]
        referring = self._transaction.referring(self._type, corrections) if corrections else []
        free = {}
        for (place, write), child in zip(writes.items(), referring, strict=True):
            if child is None:
                free[place] = write
            elif isinstance(child, Refusal):
                self._said[place] = _refused(self._type, child)
            else:
                self._said[place] = Result.HAS_CHILDREN, child
        return free

    def _resolved(self, writes: Mapping[int, Write]) -> dict[int, Write]:
        """Writes that know the state's ids of all that they refer to."""
        references = self._transaction.resolve(self._type, list(writes.values())) if writes else []
        resolved = {}
        for (place, write), found in zip(writes.items(), references, strict=True):
            if isinstance(found, Refusal):
                self._said[place] = _refused(self._type, found)
            elif found.dangling:
                self._said[place] = self._dangling(found.dangling)
            else:
                resolved[place] = Write(write.correction, write.fields, write.row, found)
        return resolved

    def _dangling(self, fields: Sequence[str]) -> Said:
        parent = self._type.parent
        if parent is not None and parent.field in fields:
            return Result.PARENT_MISSING, parent.field
        return Result.REJECTED_BY_STATE, "lookup " + ",".join(fields)

    def _write(self, writes: Sequence[Write]) -> list[WriteResult]:
        if not writes:
            return []
        match self._op:
            case Op.CREATE:
                return self._transaction.create(self._type, writes)
            case Op.UPDATE:
                return self._transaction.update(self._type, writes)
            case Op.DELETE:
                return self._transaction.delete(self._type, writes)

    def _refuse(self, refused: Mapping[int, tuple[Write, Refusal]], *, last: bool) -> None:
        """A key taken or a parent gone since they were looked at is not the row's fault: looked at again."""
        orphans: dict[int, Write] = {}
        for place, (write, refusal) in refused.items():
            if self._op is Op.DELETE and refusal.sqlstate in REFERRED_TO:
                self._said[place] = Result.HAS_CHILDREN, _named(self._type, refusal)
            elif self._op is Op.CREATE and refusal.sqlstate == UNIQUE_VIOLATION and not last:
                continue
            else:
                self._said[place] = _refused(self._type, refusal)
                if refusal.sqlstate == FOREIGN_KEY_VIOLATION:
                    orphans[place] = write
        references = self._transaction.resolve(self._type, list(orphans.values())) if orphans else []
        for place, found in zip(orphans, references, strict=True):
            if isinstance(found, References) and found.dangling:
                self._said[place] = self._dangling(found.dangling)


def _refused(kind: ObjectType, refusal: Refusal) -> Said:
    """A row that is locked or takes too long may go through later: it is compared again."""
    if (why := _LATER.get(refusal.sqlstate)) is not None:
        return Result.CONFLICT, why
    return Result.REJECTED_BY_STATE, _named(kind, refusal)


def _named(kind: ObjectType, refusal: Refusal) -> str:
    """The constraint, else the field where known and why. Never the database's message: it holds values."""
    if refusal.constraint is not None:
        return refusal.constraint
    names = {field.state_column: field.name for field in kind.owned}
    return refusal_text(refusal.sqlstate, names.get(refusal.column, refusal.column))
