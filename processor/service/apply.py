"""Applying: corrections become changes at the state, each at most once and never backwards, and are answered."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypeAlias

from processor.core.correction import Answer, Correction, Result
from processor.service.apply_decide import unusable
from processor.service.apply_group import settle
from processor.service.apply_rounds import rounds
from processor.service.apply_state import StateTransaction, StateWriter, Verdict

Sending: TypeAlias = tuple[str, datetime]
"""What makes two corrections one: the id alone comes again when a request is repeated after its window."""


def apply(corrections: Sequence[Correction], state: StateWriter, now: datetime) -> list[Answer]:
    """Answers in the order of `corrections`, after the state's commit.

    Raises StateUnavailable: nothing is to be answered, and the same batch is to be given again.
    """
    verdicts: dict[Sending, Verdict] = {}
    for correction in corrections:
        if (fault := unusable(correction, state.catalog)) is not None:
            verdicts[_sending(correction)] = Verdict(Result.REJECTED_BY_STATE, fault, now)
    usable = {sending: c for c in corrections if (sending := _sending(c)) not in verdicts}
    if usable:
        with state.transaction({c.source.district_id for c in usable.values()}) as transaction:
            verdicts |= _settle_once(usable, state, transaction, now)
    return [_answer(correction, verdicts[_sending(correction)]) for correction in corrections]


def _settle_once(
    corrections: Mapping[Sending, Correction], state: StateWriter, transaction: StateTransaction, now: datetime
) -> dict[Sending, Verdict]:
    answered = transaction.answered(list(corrections.values()), now)
    known = {s: verdict for s, verdict in zip(corrections, answered, strict=True) if verdict is not None}
    fresh = [correction for sending, correction in corrections.items() if sending not in known]
    settled = [
        (correction, Verdict(result, detail, now))
        for group in rounds(fresh, state.catalog)
        for correction, (result, detail) in zip(group.corrections, settle(group, transaction), strict=True)
    ]
    transaction.conclude(settled)
    return known | {_sending(correction): verdict for correction, verdict in settled}


def _sending(correction: Correction) -> Sending:
    return correction.source.correction_id, correction.source.sent_at


def _answer(correction: Correction, verdict: Verdict) -> Answer:
    return Answer(correction.source, verdict.result, verdict.detail, verdict.answered_at)
