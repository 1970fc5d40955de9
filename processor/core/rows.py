"""Many rows at once: of a field, the texts that all of them hold."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence

from processor.core.values import Values

NUL = "\x00"
"""No database keeps it in a text."""


class Columnar(Mapping[str, str | None]):
    """One row's values, of which many rows' are read faster field by field.

    None of its texts has a NUL character, and its times are far from both ends of the calendar.
    """

    is_tame = True

    @abstractmethod
    def columns(self, rows: Sequence[Values], names: Sequence[str]) -> list[list[str | None]] | None:
        """As the function below; None where the rows are not all of this row's kind."""


def columns(rows: Sequence[Values], names: Sequence[str]) -> list[list[str | None]]:
    """Of each name what the rows hold, in their order; null where a row lacks the field."""
    if rows and isinstance(rows[0], Columnar) and (found := rows[0].columns(rows, names)) is not None:
        return found
    read = [dict(row) if isinstance(row, Columnar) else row for row in rows]
    return [[row.get(name) for row in read] for name in names]


def is_tame(row: Values) -> bool:
    """Whether no text has a NUL character, and each time is a local time in every zone, without a look at them."""
    return getattr(row, "is_tame", False)


def with_nul(row: Values) -> list[str]:
    """Names of the fields whose texts have a NUL character."""
    return [name for name, text in row.items() if text is not None and NUL in text]
