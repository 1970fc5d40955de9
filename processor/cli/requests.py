"""Texts and documents that several commands make of a request's row in the history."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, unquote

from processor.cli.exits import UsageError
from processor.cli.output import plain
from processor.core.ids import is_request_id

_NO_PLACE = "--after: is not what the page before said to add"
_MAX_TEXT_BYTES = 10_000
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def request_id_of(text: str) -> str:
    """As the history has it. Raises UsageError."""
    if not is_request_id(text):
        raise UsageError("a request's id is a uuid, 8-4-4-4-12 hexadecimal digits, as `resync submit` printed it")
    return text.lower()


def text_option(option: str, given: str) -> str:
    """As a request can carry it. Raises UsageError."""
    try:
        size = len(given.encode())
    except UnicodeEncodeError:
        raise UsageError(f"{option}: is not UTF-8 text") from None
    if size > _MAX_TEXT_BYTES:
        raise UsageError(f"{option}: is longer than {_MAX_TEXT_BYTES} bytes")
    return given


def moment(option: str, text: str, now: datetime) -> datetime:
    """`2h`, `3d`, `2026-09-01` or a time with it; UTC where no zone is given. Raises UsageError."""
    number, unit = text[:-1], text[-1:]
    if unit in _UNITS and number.isascii() and number.isdigit():
        try:
            return now - timedelta(**{_UNITS[unit]: int(number)})
        except OverflowError:
            raise UsageError(f"{option} {text}: lies too far back") from None
    try:
        given = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{option} {text}: a time like 2026-09-01, 2026-09-01T08:00 or 2h, 3d is needed") from None
    return given if given.tzinfo is not None else given.replace(tzinfo=UTC)


def place_text(time: datetime, request_id: str) -> str:
    """For --after: where a page ended."""
    return f"{time.astimezone(UTC).isoformat(timespec='microseconds')}/{request_id}"


def place_of(text: str) -> tuple[datetime, str]:
    """Raises UsageError."""
    time, _, request_id = text.partition("/")
    try:
        given = datetime.fromisoformat(time)
    except ValueError:
        given = None
    if given is None or given.tzinfo is None or not is_request_id(request_id):
        raise UsageError(_NO_PLACE)
    return given, request_id.lower()


def record_place_text(row: Mapping[str, Any]) -> str:
    """For --after of `record`: one request may have several rows there."""
    place = place_text(row["decided_at"], row["request_id"])
    return "/".join([place, quote(row["object"], safe=""), quote(row["key"], safe="")])


def record_place_of(text: str) -> tuple[datetime, str, str, str]:
    """Raises UsageError."""
    place, *names = text.rsplit("/", 2)
    time, request_id = place_of(place)
    if len(names) != 2:
        raise UsageError(_NO_PLACE)
    return time, request_id, unquote(names[0]), unquote(names[1])


def document(row: Mapping[str, Any]) -> dict[str, Any]:
    """For JSON: times in ISO 8601 and UTC."""
    return {
        name: value.astimezone(UTC).isoformat(timespec="microseconds") if isinstance(value, datetime) else value
        for name, value in row.items()
    }


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """For people: times to the second, in UTC."""
    return {
        name: value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ") if isinstance(value, datetime) else value
        for name, value in row.items()
    }


def shown_key(row: Mapping[str, Any]) -> str:
    """A text that cannot be a key is kept under a hash; people see it as it was asked for."""
    key: str = row["key"]
    return row["asked_as"] if key.startswith("!") and row["asked_as"] is not None else key


def count_text(count: Mapping[str, Any]) -> str:
    """`FAILED/PARENT_MISSING=3`."""
    return "{}={}".format("/".join(plain(count[n]) for n in ("status", "reason") if count[n]), count["keys"])
