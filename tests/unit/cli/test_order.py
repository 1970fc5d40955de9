"""What is said of a request about which nothing can be ordered any more."""

import pytest

from processor.cli.order import not_fit
from processor.core.history import OrderAction

HELD = {"state": "HELD", "decision": "HELD", "reason": "MASS_CHANGE", "decided_by": None}
REJECTED = {"state": "CANCELLED", "decision": "CANCELLED", "reason": "NOT_RELEASED", "decided_by": "lead"}
CANCELLED = {**REJECTED, "reason": None}
RELEASED = {"state": "ACCEPTED", "decision": "ACCEPTED", "reason": None, "decided_by": "lead"}
DONE = {**RELEASED, "state": "COMPLETE"}


@pytest.mark.parametrize("action", OrderAction)
def test_it_says_what_it_is_instead_and_by_whom(action: OrderAction) -> None:
    assert not_fit(action, HELD) is None
    assert not_fit(action, REJECTED) == "is rejected already, by lead"
    assert not_fit(action, CANCELLED) == "is cancelled already, by lead"
    assert not_fit(action, DONE) == "has ended: COMPLETE"
    is_cancel = action is OrderAction.CANCEL
    assert not_fit(action, RELEASED) == (None if is_cancel else "is not held: ACCEPTED, by lead")
