"""What of an earlier request is not asked for again."""

from dataclasses import replace

import pytest

from processor.cli.from_request import NOT_FINE, left_behind
from processor.core.history import Status
from processor.core.request import Keys, OnStateOnly, Request

ASKED = Request("7", "NORTH", "Enrollment", Keys(()), "clerk")


@pytest.mark.parametrize(
    ("number", "statuses", "says"),
    [
        (366, [Status.IN_SYNC], "366 keys IN_SYNC were counted, not listed"),
        (1, [Status.FAILED, Status.IN_SYNC], "1 key IN_SYNC was counted, not listed"),
        (0, [Status.IN_SYNC], None),
        (366, NOT_FINE, None),
    ],
)
def test_keys_that_were_only_counted_are_said_to_be_so(number: int, statuses: list[Status], says: str | None) -> None:
    row = {"in_sync_not_itemised": number, "on_state_only": "REPORT"}
    told = list(left_behind(row, ASKED, statuses))
    assert [line[: len(says or "")] for line in told] == ([] if says is None else [says])


def test_a_deletion_is_not_carried_over() -> None:
    row = {"in_sync_not_itemised": 0, "on_state_only": "DELETE"}
    [line] = left_behind(row, ASKED, NOT_FINE)
    assert "--on-state-only delete, which is not carried over" in line
    assert list(left_behind(row, replace(ASKED, on_state_only=OnStateOnly.DELETE), NOT_FINE)) == []
