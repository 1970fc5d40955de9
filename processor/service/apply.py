"""Applying: corrections become changes at the state, each at most once and never backwards, and are answered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from processor.core.correction import Answer, Correction, Result
from processor.service.apply_decide import unusable
from processor.service.apply_group import APPLIED, Prepared, prepare, settle
from processor.service.apply_rounds import rounds
from processor.service.apply_state import StateTransaction, StateWriter, Verdict

Sending: TypeAlias = tuple[str, datetime]
"""What makes two corrections one: the id alone comes again when a request is repeated after its window."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A batch with all that can be made of it before its transaction begins (ADR 0058)."""

    corrections: Sequence[Correction]
    faults: Mapping[Sending, str]
    usable: Mapping[Sending, Correction]
    groups: Sequence[Prepared]


def ready(corrections: Sequence[Correction], state: StateWriter) -> Ready:
    """Asks the database nothing: another thread may be in a transaction. Raises StateUnavailable."""
    faults: dict[Sending, str] = {}
    usable: dict[Sending, Correction] = {}
    for correction in corrections:
        if (fault := unusable(correction, state.catalog)) is None:
            usable[_sending(correction)] = correction
        else:
            faults[_sending(correction)] = fault
    return Ready(corrections, faults, usable, _groups([*usable.values()], state))


def apply_ready(batch: Ready, state: StateWriter, now: datetime) -> list[Answer]:
    """Answers in the order of the corrections, after the state's commit.

    Raises StateUnavailable: nothing is to be answered, and the same batch is to be given again.
    """
    verdicts = {sending: Verdict(Result.REJECTED_BY_STATE, fault, now) for sending, fault in batch.faults.items()}
    if batch.usable:
        with state.transaction({c.source.district_id for c in batch.usable.values()}) as transaction:
            verdicts |= _settle_once(batch, state, transaction, now)
    return [_answer(correction, verdicts[_sending(correction)]) for correction in batch.corrections]


def _settle_once(
    batch: Ready, state: StateWriter, transaction: StateTransaction, now: datetime
) -> dict[Sending, Verdict]:
    corrections = batch.usable
    answered = transaction.answered([*corrections.values()], now)
    known = {s: verdict for s, verdict in zip(corrections, answered, strict=True) if verdict is not None}
    groups = batch.groups
    if known:
        groups = _groups([correction for sending, correction in corrections.items() if sending not in known], state)
    applied = Verdict(Result.APPLIED, None, now)
    settled = [
        (correction, applied if said is APPLIED else Verdict(*said, now))
        for each in groups
        for correction, said in zip(each.group.corrections, settle(each, transaction), strict=True)
    ]
    transaction.conclude(settled)
    return known | {_sending(correction): verdict for correction, verdict in settled}


def _groups(corrections: Sequence[Correction], state: StateWriter) -> list[Prepared]:
    return [prepare(group, state) for group in rounds(corrections, state.catalog)]


def _sending(correction: Correction) -> Sending:
    return correction.source.correction_id, correction.source.sent_at


def _answer(correction: Correction, verdict: Verdict) -> Answer:
    return Answer(correction.source, verdict.result, verdict.detail, verdict.answered_at)
