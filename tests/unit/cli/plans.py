"""A plan with one key of each kind that a dry run tells apart."""

from dataclasses import replace
from datetime import UTC, datetime

from processor.core.correction import Correction, Op
from processor.core.errors import Reason
from processor.core.history import KeyOutcome, Status
from processor.core.plan import Plan
from tests.unit.codec.records import CORRECTION

AT = datetime(2026, 9, 1, tzinfo=UTC)


def outcome(key: str, status: Status, reason: Reason | None = None, correction: Correction | None = None) -> KeyOutcome:
    return KeyOutcome(
        request_id="0b9c4a3e-6f0d-4c57-9a55-2f1f6d3b7c11",
        district_id="NORTH",
        object="PersonIdentity",
        key=key,
        asked_as=key,
        status=status,
        reason=reason,
        detail=None,
        changed_fields=("lastName",) if status is Status.SENT else (),
        parent=None,
        correction_id=None if correction is None else correction.source.correction_id,
        attempt=1,
        first_decided_at=AT,
        sent_at=None,
        answered_at=None,
        decided_at=AT,
    )


UPDATE = replace(CORRECTION, op=Op.UPDATE)
PLAN = Plan(
    history=[
        outcome("1", Status.IN_SYNC),
        outcome("2", Status.SENT, correction=UPDATE),
        outcome("3", Status.FAILED, Reason.INVALID_KEY),
    ],
    corrections=[UPDATE],
)
