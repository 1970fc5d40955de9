"""The applier's two steps as one, where nothing is made ready meanwhile."""

from collections.abc import Sequence
from datetime import datetime

from processor.core.correction import Answer, Correction
from processor.service.apply import apply_ready, ready
from processor.service.apply_state import StateWriter


def apply(corrections: Sequence[Correction], state: StateWriter, now: datetime) -> list[Answer]:
    """Answers in the order of `corrections`. Raises StateUnavailable."""
    return apply_ready(ready(corrections, state), state, now)
