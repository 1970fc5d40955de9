"""Values that every record shares: symbols of closed lists, and times."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Generic, TypeAlias, TypeVar

from processor.codec.errors import DecodeError
from processor.core.errors import Reason

Wire: TypeAlias = dict[str, Any]
"""A record as fastavro reads and writes it."""

E = TypeVar("E", bound=StrEnum)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Symbols(Generic[E]):
    """Reads the symbols of an enum; a later release's symbol arrives as UNKNOWN, as the schemas' defaults say."""

    def __init__(self, members: type[E]) -> None:
        self._name = members.__name__
        self._by_symbol: dict[str, E] = {member.value: member for member in members}

    def read(self, symbol: str) -> E:
        """Raises DecodeError for a symbol that this release does not know: it must not be guessed."""
        try:
            return self._by_symbol[symbol]
        except KeyError:
            raise DecodeError(
                Reason.UNDECODABLE, f"{self._name} has a symbol that this release does not know; upgrade the reader"
            ) from None

    def read_known(self, symbol: str | None) -> E | None:
        """None also for a symbol that this release does not know: where it explains and does not decide."""
        return None if symbol is None else self._by_symbol.get(symbol)


def read_time(value: datetime | int) -> datetime:
    """A UTC time, also from a writer who declared microseconds as a plain long or left out the zone."""
    if isinstance(value, int):
        return _EPOCH + timedelta(microseconds=value)
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def read_time_or_none(value: datetime | int | None) -> datetime | None:
    return None if value is None else read_time(value)
