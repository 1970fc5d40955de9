"""An id that was given stands for what it stood for, or is refused."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import pytest

from processor.cli.asked_before import is_known
from processor.cli.exits import UsageError
from processor.cli.person import Person
from processor.core.request import All, Filter, Keys, Mode, Request

if TYPE_CHECKING:
    from processor.adapters.postgres.history_queries import HistoryQueries

REQUEST = Request("7", "NORTH", "Enrollment", Filter("grade = '9'"), "clerk", mode=Mode.VERIFY, school_year="2027")
ROW = {
    "district_id": "NORTH",
    "object": "Enrollment",
    "mode": "VERIFY",
    "selection": "FILTER",
    "filter": "grade = '9'",
    "school_year": "2027",
}


@dataclass
class Rows:
    row: dict[str, Any] | None
    gone: dict[str, Any] | None = None

    def request(self, request_id: str) -> dict[str, Any] | None:  # noqa: ARG002
        return self.row

    def clearing(self, request_id: str) -> dict[str, Any] | None:  # noqa: ARG002
        return self.gone


def known(rows: Rows, request: Request = REQUEST) -> bool:
    return is_known(cast("HistoryQueries", rows), Person("clerk"), request, "--request-id", "request")


def test_the_same_is_known_and_what_was_never_asked_for_is_not() -> None:
    assert known(Rows(ROW))
    assert not known(Rows(None))
    assert known(Rows({**ROW, "selection": "ALL", "filter": None}), replace(REQUEST, selection=All()))


@pytest.mark.parametrize(
    "other",
    [
        replace(REQUEST, district_id="LAKE"),
        replace(REQUEST, object="Person"),
        replace(REQUEST, mode=Mode.SYNC),
        replace(REQUEST, selection=All()),
        replace(REQUEST, selection=Keys(("1",))),
        replace(REQUEST, selection=Filter("grade = '8'")),
        replace(REQUEST, school_year=None),
    ],
)
def test_another_one_s_id_is_refused(other: Request) -> None:
    with pytest.raises(UsageError, match="--request-id: that request is about something else; draw a new id"):
        known(Rows(ROW), other)


def test_one_that_was_cleared_is_refused() -> None:
    with pytest.raises(UsageError, match="the history of that request was cleared"):
        known(Rows(None, {"district_id": "NORTH", "object": "Enrollment"}))
