"""Applying: corrections become changes at the state, each at most once and never backwards, and are answered."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypeAlias

from processor.core.correction import Answer, Correction, Result
from processor.service.apply_decide import unusable
from processor.service.apply_group import APPLIED, settle
from processor.service.apply_rounds import rounds
from processor.service.apply_state import StateTransaction, StateWriter, Verdict

Sending: TypeAlias = tuple[str, datetime]
"""What makes two corrections one: the id alone comes again when a request is repeated after its window."""


def apply(corrections: Sequence[Correction], state: StateWriter, now: datetime) -> list[Answer]:
    """Answers in the order of `corrections`, after the state's commit.

    Raises StateUnavailable: nothing is to be answered, and the same batch is to be given again.
    """
    sendings = [(c.source.correction_id, c.source.sent_at) for c in corrections]
    verdicts: dict[Sending, Verdict] = {}
    usable: dict[Sending, Correction] = {}
    for sending, correction in zip(sendings, corrections, strict=True):
        if (fault := unusable(correction, state.catalog)) is None:
            usable[sending] = correction
        else:
            verdicts[sending] = Verdict(Result.REJECTED_BY_STATE, fault, now)
    if usable:
        with state.transaction({c.source.district_id for c in usable.values()}) as transaction:
            verdicts |= _settle_once(usable, state, transaction, now)
    return [_answer(correction, verdicts[sending]) for sending, correction in zip(sendings, corrections, strict=True)]


def _settle_once(
    corrections: Mapping[Sending, Correction], state: StateWriter, transaction: StateTransaction, now: datetime
) -> dict[Sending, Verdict]:
    answered = transaction.answered(list(corrections.values()), now)
    known = {s: verdict for s, verdict in zip(corrections, answered, strict=True) if verdict is not None}
    fresh = [correction for sending, correction in corrections.items() if sending not in known]
    applied = Verdict(Result.APPLIED, None, now)
    settled = [
        (correction, applied if said == APPLIED else Verdict(*said, now))
        for group in rounds(fresh, state.catalog)
        for correction, said in zip(group.corrections, settle(group, transaction), strict=True)
    ]
    transaction.conclude(settled)
    return known | {(c.source.correction_id, c.source.sent_at): verdict for c, verdict in settled}


def _answer(correction: Correction, verdict: Verdict) -> Answer:
    return Answer(correction.source, verdict.result, verdict.detail, verdict.answered_at)
