"""Which keys of a read a side cannot be asked for, or cannot give the rows of: found by halves.

k such keys among n cost some 2k·log2(n/k) statements, so all the others are read as if these had not been asked for.
Where no row at all can be read, that is seen by a sample, and nothing more is looked for.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from psycopg import sql
from psycopg.rows import TupleRow

from processor.adapters.postgres.array_literal import array_literal
from processor.adapters.postgres.database import Database, Unreadable
from processor.core.errors import Reason
from processor.core.snapshot import KeyFault
from processor.service.ports import SnapshotImpossible

_ECHO = sql.Composed([sql.SQL("SELECT %(keys)s::text")])
OTHER_SPELLING = "other spelling"
"""In place of an SQLSTATE: a row came under a key that was not asked for, since its column takes both for one."""
_NO_VALUE = ("22P02", "22003")
"""SQLSTATEs of a text that is no value of the key's column."""

_NO_TEXT = (None, "22021", "22P05")
"""SQLSTATEs of a value that cannot be told as text."""

SAMPLE = 64
"""Keys of a read, spread over it; of no more than those each is looked for."""
NONE_READABLE = 32
"""Rows of a sample that cannot be read, and none that can: then no row of the table is expected to be readable."""


def unreadable_keys(
    read: Callable[[Sequence[str]], list[TupleRow]], keys: Sequence[str]
) -> Iterator[tuple[str, Unreadable]]:
    """Of `keys`, of which there is one at least, those that `read` raises Unreadable for, each alone."""
    try:
        read(keys)
    except Unreadable as fault:
        if len(keys) == 1:
            yield keys[0], fault
            return
        middle = len(keys) // 2
        yield from unreadable_keys(read, keys[:middle])
        yield from unreadable_keys(read, keys[middle:])


def check_some_readable(
    database: Database, read: Callable[[Sequence[str]], list[TupleRow]], keys: Sequence[str]
) -> None:
    """Raises SnapshotImpossible where no row can be read, be it for a fault of the table or of each row.

    `read` gives rows as (xmax, in_progress, key, …), the key null where there is no row. Few keys are not looked at:
    they cost little by halves, and each is then told with its field.
    """
    unreadable = 0
    for key in keys[:: -(-len(keys) // SAMPLE)] if len(keys) > SAMPLE else ():
        try:
            if any(row[2] is not None for row in read([key])):
                return
        except Unreadable as fault:
            unreadable += fault.sqlstate != OTHER_SPELLING and not is_no_key_of(database, key, fault)
            if unreadable == NONE_READABLE:
                raise none_readable(database, fault) from fault


def none_readable(database: Database, fault: Unreadable) -> SnapshotImpossible:
    """To be raised."""
    what = "a function or a value of the table or view fails; mend it in that database, then ask again"
    return SnapshotImpossible(f"{database.name}: no row can be read ({fault}); {what}")


def why_unreadable(fault: Unreadable) -> str:
    """As the predicate of what is held."""
    return "is no text in its encoding" if fault.sqlstate in _NO_TEXT else f"cannot be read ({fault.sqlstate})"


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
    named = next((name for name, read in read_field.items() if any(unreadable_keys(read, [key]))), None)
    detail = f"{named or 'a field'}: what {database.name} holds {why_unreadable(fault)}"
    return KeyFault(Reason.UNREPRESENTABLE, detail, named)
