"""Applying: corrections become changes at the state, each at most once and never backwards, and are answered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from processor.core.correction import Answer, Correction, Result
from processor.service.apply_decide import all_unusable
from processor.service.apply_group import APPLIED, Prepared, prepare, settle
from processor.service.apply_rounds import rounds
from processor.service.apply_state import AnsweredBefore, StateTransaction, StateWriter, Verdict

Sending: TypeAlias = tuple[str, datetime]
"""What makes two corrections one: the id alone comes again when a request is repeated after its window."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A batch with all that can be made of it before its transaction begins (ADR 0058)."""

    corrections: Sequence[Correction]
    faults: Mapping[int, str]
    """By place in `corrections`."""
    again: Mapping[int, int]
    """Places of corrections that came before in the batch, to the places where they did."""
    usable: Sequence[Correction]
    """All the others."""
    groups: Sequence[Prepared]


def ready(corrections: Sequence[Correction], state: StateWriter) -> Ready:
    """Asks the database nothing: another thread may be in a transaction. Raises StateUnavailable."""
    faults = all_unusable(corrections, state.catalog)
    again = _again(corrections)
    usable = corrections
    if faults or again:
        usable = [c for place, c in enumerate(corrections) if place not in faults and place not in again]
    return Ready(corrections, faults, again, usable, _groups(usable, state))


def apply_ready(batch: Ready, state: StateWriter, now: datetime) -> list[Answer]:
    """Answers in the order of the corrections, after the state's commit.

    Raises StateUnavailable: nothing is to be answered, and the same batch is to be given again.
    """
    verdicts: dict[int, Verdict] = {}
    if batch.usable:
        try:
            verdicts = _settled(batch, state, now)
        except AnsweredBefore:
            verdicts = _settled(batch, state, now)
    for place, fault in batch.faults.items():
        verdicts[id(batch.corrections[place])] = Verdict(Result.REJECTED_BY_STATE, fault, now)
    for place, first in batch.again.items():
        verdicts[id(batch.corrections[place])] = verdicts[id(batch.corrections[first])]
    return [_answer(correction, verdicts[id(correction)]) for correction in batch.corrections]


def _settled(batch: Ready, state: StateWriter, now: datetime) -> dict[int, Verdict]:
    with state.transaction({c.source.district_id for c in batch.usable}) as transaction:
        return _settle_once(batch, state, transaction, now)


def _settle_once(batch: Ready, state: StateWriter, transaction: StateTransaction, now: datetime) -> dict[int, Verdict]:
    """By the id of the object that a correction is: none is gone before its verdict is."""
    corrections = batch.usable
    answered = transaction.answered(corrections, now)
    known = {id(c): verdict for c, verdict in zip(corrections, answered, strict=True) if verdict is not None}
    groups = batch.groups
    if known:
        groups = _groups([correction for correction in corrections if id(correction) not in known], state)
    applied = Verdict(Result.APPLIED, None, now)
    settled = [
        (correction, applied if said is APPLIED else Verdict(*said, now))
        for each in groups
        for correction, said in zip(each.group.corrections, settle(each, transaction), strict=True)
    ]
    transaction.conclude(settled)
    return known | {id(correction): verdict for correction, verdict in settled}


def _groups(corrections: Sequence[Correction], state: StateWriter) -> list[Prepared]:
    return [prepare(group, state) for group in rounds(corrections, state.catalog)]


def _again(corrections: Sequence[Correction]) -> dict[int, int]:
    """Of each that is the same sending as one before it, where that was."""
    sendings: list[Sending] = [(c.source.correction_id, c.source.sent_at) for c in corrections]
    if len(set(sendings)) == len(sendings):
        return {}
    first: dict[Sending, int] = {}
    return {n: first[each] for n, each in enumerate(sendings) if first.setdefault(each, n) != n}


def _answer(correction: Correction, verdict: Verdict) -> Answer:
    return Answer(correction.source, verdict.result, verdict.detail, verdict.answered_at)
