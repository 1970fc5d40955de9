from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import get_type_hints

import pytest

from processor.cli.clear import clear
from processor.cli.exits import UsageError
from processor.cli.history import history
from processor.cli.replay import replay
from processor.cli.requests import document, moment, request_id_of, shown_key

NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90s", NOW - timedelta(seconds=90)),
        ("2h", NOW - timedelta(hours=2)),
        ("3d", NOW - timedelta(days=3)),
        ("1w", NOW - timedelta(weeks=1)),
        ("2026-08-31", datetime(2026, 8, 31, tzinfo=UTC)),
        ("2026-08-31T08:00+02:00", datetime(2026, 8, 31, 6, tzinfo=UTC)),
    ],
)
def test_a_moment_is_read(text: str, expected: datetime) -> None:
    assert moment("--since", text, NOW) == expected


@pytest.mark.parametrize("text", ["", "h", "yesterday", "2026-13-01", "-2h", "９d", "999999999999w"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="since"):
        moment("--since", text, NOW)


@pytest.mark.parametrize("command", [history, replay, clear])
def test_every_option_that_takes_a_time_says_in_which_zone(command: Callable[..., None]) -> None:
    hints = get_type_hints(command, include_extras=True).values()
    options = [option for hint in hints for option in getattr(hint, "__metadata__", ()) if option.metavar == "TIME"]
    assert options
    assert [option.param_decls for option in options if "UTC" not in option.help] == []


def test_a_request_id_is_as_the_history_has_it() -> None:
    assert request_id_of("0B9C4A3E-6F0D-4C57-9A55-2F1F6D3B7C11") == "0b9c4a3e-6f0d-4c57-9a55-2f1f6d3b7c11"
    with pytest.raises(UsageError):
        request_id_of("0b9c")


def test_times_in_documents_are_utc_with_microseconds() -> None:
    at = datetime(2026, 9, 1, 2, tzinfo=timezone(timedelta(hours=2)))
    assert document({"at": at, "n": 1}) == {"at": "2026-09-01T00:00:00.000000+00:00", "n": 1}


def test_a_text_that_cannot_be_a_key_is_shown_as_it_was_asked_for() -> None:
    assert shown_key({"key": "!ab", "asked_as": "x"}) == "x"
    assert shown_key({"key": "7", "asked_as": "007"}) == "7"
