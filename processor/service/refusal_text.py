"""What the state's database said no to, in words. Never its own message: that holds values."""

from collections.abc import Iterable

_WHY = {
    "22001": "too long for the state's column",
    "22003": "beyond what the state's column holds",
    "22007": "no date or time for the state's column",
    "22008": "a time that the state's column cannot hold",
    "22021": "a character that the state's database cannot hold",
    "22P02": "not of the type of the state's column",
    "22P05": "a character that the encoding of the state's database lacks",
    "428C9": "the state's database fills a column by itself that the catalog has it written to",
    "23502": "the state's column needs a value",
    "P0001": "refused by a rule of the state's database",
}
"""By SQLSTATE, which follows in brackets. Those that come with a constraint are told by its name instead."""
NUL_SQLSTATE = "22021"
NO_SUCH_TIME_SQLSTATE = "22008"


def refusal_text(sqlstate: str, fields: str | None) -> str:
    """`phone: too long for the state's column (22001)`; `fields` is None where it is not known which it was."""
    why = f"{_WHY.get(sqlstate, 'refused by the state')} ({sqlstate})"
    return why if fields is None else f"{fields}: {why}"


def kept_text(fields: Iterable[str]) -> str:
    """`phone: the state keeps another value than is written`: its column or a trigger makes something else of it."""
    return f"{','.join(fields)}: the state keeps another value than is written"
