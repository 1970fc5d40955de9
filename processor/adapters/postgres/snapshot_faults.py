"""Which keys of a read a side cannot be asked for, or cannot give the rows of: found by halves.

k such keys among n cost some 2k·log2(n/k) statements, so all the others are read as if these had not been asked for.
"""

from collections.abc import Callable, Mapping, Sequence

from psycopg import sql
from psycopg.rows import TupleRow

from processor.adapters.postgres.array_literal import array_literal
from processor.adapters.postgres.database import Database, Unreadable
from processor.core.errors import Reason
from processor.core.snapshot import KeyFault

_ECHO = sql.Composed([sql.SQL("SELECT %(keys)s::text")])
OTHER_SPELLING = "other spelling"
"""In place of an SQLSTATE: a row came under a key that was not asked for, since its column takes both for one."""
_NO_VALUE = ("22P02", "22003")
"""SQLSTATEs of a text that is no value of the key's column."""

_NO_TEXT = (None, "22021", "22P05")
"""SQLSTATEs of a value that cannot be told as text."""


def unreadable_keys(read: Callable[[Sequence[str]], list[TupleRow]], keys: Sequence[str]) -> dict[str, Unreadable]:
    """Of `keys`, those that `read` raises Unreadable for, each alone."""
    try:
        read(keys)
    except Unreadable as fault:
        if len(keys) == 1:
            return {keys[0]: fault}
        middle = len(keys) // 2
        return unreadable_keys(read, keys[:middle]) | unreadable_keys(read, keys[middle:])
    return {}


def is_no_key_of(database: Database, key: str, fault: Unreadable) -> bool:
    """Whether the key is to blame: its column's type, or the database's encoding, has no such text."""
    if fault.sqlstate in _NO_VALUE:
        return True
    try:
        database.rows(_ECHO, {"keys": array_literal([key])})
    except Unreadable:
        return True
    return False


def key_fault(
    database: Database, key: str, fault: Unreadable, read_field: Mapping[str, Callable[[Sequence[str]], list[TupleRow]]]
) -> KeyFault:
    """`read_field` reads one field of the key's row, by the field's name. Raises SnapshotUnavailable."""
    if fault.sqlstate == OTHER_SPELLING:
        return KeyFault(Reason.INVALID_KEY, f"{database.name} spells this key otherwise")
    if is_no_key_of(database, key, fault):
        detail = f"{database.name} has no such key: its column or its encoding has no such text"
        return KeyFault(Reason.INVALID_KEY, detail)
    named = next((name for name, read in read_field.items() if unreadable_keys(read, [key])), None)
    why = "is no text in its encoding" if fault.sqlstate in _NO_TEXT else f"cannot be read ({fault.sqlstate})"
    detail = f"{named or 'a field'}: what {database.name} holds {why}"
    return KeyFault(Reason.UNREPRESENTABLE, detail, named)
