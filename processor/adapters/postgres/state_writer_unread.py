"""Writes of rows that were not read first: they are as the correction says, or they are not written (ADR 0047)."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from psycopg import Connection

from processor.adapters.postgres.state_writer_arrays import literals, written
from processor.adapters.postgres.state_writer_bisect import MAX_ROWS, Pieces
from processor.adapters.postgres.state_writer_foretold import foretold, lost_time
from processor.adapters.postgres.state_writer_statements import Statements
from processor.core.catalog import ObjectType
from processor.service.apply_state import StateRow, Write

NUL = "\0"


class Unread:
    """Of one transaction. What is not written stands as it was, whatever the reason, and nothing is said of it."""

    def __init__(self, connection: Connection, pieces: Pieces, statements: Callable[[ObjectType], Statements]) -> None:
        self._connection = connection
        self._pieces = pieces
        self._statements = statements

    def create(self, object_type: ObjectType, writes: Sequence[Write]) -> set[int]:
        """Places of those created."""
        return self._written(object_type, self._statements(object_type).create, dict(enumerate(writes)))

    def update(self, object_type: ObjectType, writes: Sequence[Write]) -> set[int]:
        """Places of those updated.

        An id of the state's that a field was looked up by cannot be foretold, so such objects are read first.
        """
        statements = self._statements(object_type)
        if statements.looked_up:
            return set()
        alike: dict[tuple[str, ...], dict[int, Write]] = defaultdict(dict)
        for place, write in enumerate(writes):
            before = write.correction.before or {}
            if (raw := foretold(statements.spelled, before)) is not None:
                names = tuple(field.name for field in write.fields)
                alike[names][place] = Write(write.correction, write.fields, StateRow(raw, before), write.references)
        done: set[int] = set()
        for some in alike.values():
            statement = statements.update(next(iter(some.values())).fields)
            done |= self._written(object_type, statement, some)
        return done

    def _written(self, object_type: ObjectType, statement: bytes, writes: dict[int, Write]) -> set[int]:
        without_zone = self._statements(object_type).without_zone
        places = [p for p, write in writes.items() if lost_time(object_type, without_zone, write) is None]
        done: set[int] = set()
        for start in range(0, len(places), MAX_ROWS):
            piece = places[start : start + MAX_ROWS]
            arrays = literals(written(object_type, [writes[place] for place in piece]))
            if not _has_nul(arrays.values()):
                found = self._run(statement, {"object": object_type.name, **arrays})
                done |= {piece[n - 1] for n in found}
        return done

    def _run(self, statement: bytes, parameters: dict[str, str]) -> Sequence[int]:
        """Nothing is done where one row fails, or where a key has two rows: what was written of them is undone."""

        def run() -> list[int] | None:
            found = [n for (n,) in self._connection.execute(statement, parameters)]
            return found if len(found) == len(set(found)) else None

        return self._pieces.at_once(run) or []


def _has_nul(texts: Iterable[str]) -> bool:
    """No row has it, and no parameter may."""
    return any(NUL in text for text in texts)
