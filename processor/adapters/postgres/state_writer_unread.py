"""Writes of rows that were not read first: they are as the correction says, or they are not written (ADR 0047)."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from psycopg import Connection

from processor.adapters.postgres.state_writer_arrays import alike, written
from processor.adapters.postgres.state_writer_bisect import MAX_ROWS, Pieces
from processor.adapters.postgres.state_writer_facts import TableFacts
from processor.adapters.postgres.state_writer_foretold import foretold, lost_time
from processor.adapters.postgres.state_writer_statements import Statements
from processor.core.catalog import FieldSpec, ObjectType
from processor.service.apply_state import Made, Write

NUL = "\0"


@dataclass(frozen=True, slots=True)
class Piece:
    """What one statement carries: `places` among the writes, which write the same fields."""

    fields: tuple[FieldSpec, ...]
    places: Sequence[int]
    parameters: dict[str, str | int]


@dataclass(frozen=True, slots=True)
class MadeWrites:
    """`statements`: those of the columns as they were known then."""

    statements: Statements
    pieces: Sequence[Piece]


class Unread:
    """Of one transaction. What is not written stands as it was, whatever the reason, and nothing is said of it."""

    def __init__(
        self,
        connection: Connection,
        pieces: Pieces,
        statements: Callable[[ObjectType], Statements],
        facts: TableFacts,
    ) -> None:
        self._facts = facts
        self._connection = connection
        self._pieces = pieces
        self._statements = statements

    def create(self, object_type: ObjectType, writes: Sequence[Write], made: Made | None) -> set[int]:
        """Places of those created."""
        statements = self._statements(object_type)
        made = self._made(statements, object_type, writes, made)
        return self._written(made, lambda _: statements.create_all, self._some_or_all)

    def update(self, object_type: ObjectType, writes: Sequence[Write], made: Made | None) -> set[int]:
        """Places of those updated.

        An id of the state's that a field was looked up by cannot be foretold, so such objects are read first.
        """
        statements = self._statements(object_type)
        if statements.looked_up:
            return set()
        made = self._made(statements, object_type, writes, made)
        if self._facts.of(statements).has_unique_key:
            return self._written(made, statements.update_of_one, self._some_or_all)
        return self._written(made, statements.update, self._each_once)

    @staticmethod
    def _made(
        statements: Statements, object_type: ObjectType, writes: Sequence[Write], made: Made | None
    ) -> MadeWrites:
        """Anew where nothing was made, or for columns as another connection knew them."""
        if isinstance(made, MadeWrites) and made.statements is statements:
            return made
        return made_of(statements, object_type, writes)

    def _written(
        self,
        made: MadeWrites,
        statement_of: Callable[[Sequence[FieldSpec]], bytes],
        run: Callable[[bytes, Piece], Iterable[int] | None],
    ) -> set[int]:
        """Nothing of a piece is done where one row fails, or where `run` says so: what was written is undone."""
        done: set[int] = set()
        for piece in made.pieces:
            done.update(self._pieces.at_once(partial(run, statement_of(piece.fields), piece)) or ())
        return done

    def _some_or_all(self, statement: bytes, piece: Piece) -> Iterable[int] | None:
        ((some,),) = self._connection.execute(statement, piece.parameters)
        return piece.places if some is None else [piece.places[n - 1] for n in some] or None

    def _each_once(self, statement: bytes, piece: Piece) -> Iterable[int] | None:
        """None where a key has two rows."""
        found = [n for (n,) in self._connection.execute(statement, piece.parameters)]
        return [piece.places[n - 1] for n in found] if len(found) == len(set(found)) else None


def made_of(statements: Statements, object_type: ObjectType, writes: Sequence[Write]) -> MadeWrites:
    """Without those that cannot be sure of a row before it is tried: they are left to be read."""
    return MadeWrites(statements, [*_pieces(statements, object_type, writes)])


def _pieces(statements: Statements, object_type: ObjectType, writes: Sequence[Write]) -> Iterator[Piece]:
    for places in alike(writes):
        held = places
        if statements.without_zone:
            held = [place for place in places if lost_time(object_type, statements.without_zone, writes[place]) is None]
        for start in range(0, len(held), MAX_ROWS):
            piece = held[start : start + MAX_ROWS]
            old: Sequence[Sequence[str | None]] = ()
            if writes[piece[0]].correction.before is not None:
                piece, old = _foretold(statements, writes, piece)
            if not piece:
                continue
            arrays = written(object_type, [writes[place] for place in piece], statements.zoned, old)
            if not _has_nul(arrays.values()):
                parameters: dict[str, str | int] = {"object": object_type.name, "count": len(piece), **arrays}
                yield Piece(writes[piece[0]].fields, piece, parameters)


def _foretold(
    statements: Statements, writes: Sequence[Write], places: Sequence[int]
) -> tuple[list[int], Sequence[Sequence[str | None]]]:
    """Places of the rows whose texts are sure, and of each field these texts."""
    old, unsure = foretold(statements.spelled, [writes[place].correction.before or {} for place in places])
    if not unsure:
        return [*places], old
    sure = [n for n in range(len(places)) if n not in unsure]
    return [places[n] for n in sure], [[column[n] for n in sure] for column in old]


def _has_nul(texts: Iterable[str]) -> bool:
    """No row has it, and no parameter may."""
    return any(NUL in text for text in texts)
