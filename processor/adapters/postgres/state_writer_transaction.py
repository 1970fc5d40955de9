"""One transaction at the state: the statements that `processor.service.apply` asks for, in batches."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import psycopg
from psycopg import Connection
from psycopg.errors import UniqueViolation

from processor.adapters.postgres.named_sql import named_sql
from processor.adapters.postgres.state_writer_arrays import (
    Arrays,
    alike,
    answers,
    identities,
    literals,
    new_texts,
    raws,
    readings,
    time_texts,
    written,
)
from processor.adapters.postgres.state_writer_bisect import Pieces
from processor.adapters.postgres.state_writer_facts import Memory, TableFacts
from processor.adapters.postgres.state_writer_foretold import lost_time
from processor.adapters.postgres.state_writer_kept import is_doubtful
from processor.adapters.postgres.state_writer_rows import found_in
from processor.adapters.postgres.state_writer_statements import Statements, column_of
from processor.adapters.postgres.state_writer_unread import Unread
from processor.core.catalog import FieldSpec, ObjectType
from processor.core.correction import Correction, Result, Source
from processor.service.apply_decide import unlike_after
from processor.service.apply_rounds import record_of
from processor.service.apply_state import (
    NO_REFERENCES,
    AnsweredBefore,
    Effect,
    Found,
    Made,
    References,
    Refusal,
    Verdict,
    Write,
    WriteResult,
)
from processor.service.refusal_text import NO_SUCH_TIME_SQLSTATE, refusal_text

_SQL = named_sql("applier.sql")
_NAMES_INVALID_INPUT = 160_000
"""`pg_input_is_valid` came with this server version; before it, a refused value's column stays unnamed."""
_READ_TABLES, _LOOK_UP = "set local enable_seqscan = on", "set local enable_seqscan = off"
"""What refers to a row may have no index: its table is then read once, not for each row that is deleted (ADR 0059)."""

_ONE_VERSION = "versions_key"
"""A key's version is recorded twice where both of its rows are written."""


class KeyHasTwoRows(psycopg.Error):
    """Both were written, or one of them. No SQLSTATE of the server's."""

    sqlstate = "TWICE"


class PostgresStateTransaction:
    """Implements `processor.service.apply_state.StateTransaction`."""

    def __init__(
        self,
        connection: Connection,
        statements: Callable[[ObjectType], Statements],
        memory: Memory,
        statement_timeout_s: float,
    ) -> None:
        self._memory = memory
        self._has_looked = False
        self._connection = connection
        self._pieces = Pieces(connection, statement_timeout_s)
        self._read_back = Pieces(connection, statement_timeout_s)
        """With patience of its own: what was written in time is told of, however slow the writing was."""
        self._statements = statements
        self._facts = TableFacts(connection)
        self._unread = Unread(connection, self._pieces, statements, self._facts)

    def answered(self, corrections: Sequence[Correction], now: datetime) -> list[Verdict | None]:
        """What was answered is looked up; no row is needed against others, since the district is locked (ADR 0048).

        Not so behind a batch of which nothing was known: another that is delivered again is found when it is concluded.
        A key with a character that the database's encoding lacks is refused, and nothing is kept of it.
        """
        verdicts: list[Verdict | None] = [None] * len(corrections)
        for place, refusal in self._not_held([correction.source.key for correction in corrections]).items():
            verdicts[place] = Verdict(Result.REJECTED_BY_STATE, refusal_text(refusal.sqlstate, "key"), now)
        if not self._memory.may_know:
            return verdicts
        self._has_looked, self._memory.may_know = True, False
        places = [place for place, verdict in enumerate(verdicts) if verdict is None]
        sources = [corrections[place].source for place in places]
        for n, result, detail, answered_at in self._connection.execute(_SQL["answered"], literals(_sendings(sources))):
            self._memory.may_know = True
            verdicts[places[n - 1]] = Verdict(Result(result), detail, answered_at.astimezone(UTC))
        return verdicts

    def conclude(self, verdicts: Sequence[tuple[Correction, Verdict]]) -> None:
        try:
            self._connection.execute(_SQL["conclude"], literals(answers(verdicts)))
        except UniqueViolation as violation:
            if self._has_looked:
                raise
            self._memory.may_know = True
            raise AnsweredBefore from violation

    def read(self, object_type: ObjectType, corrections: Sequence[Correction]) -> list[Found | Refusal]:
        return self._read(self._pieces, object_type, corrections)

    def _read(
        self, pieces: Pieces, object_type: ObjectType, corrections: Sequence[Correction]
    ) -> list[Found | Refusal]:
        statements = self._statements(object_type)

        def run(piece: Sequence[Correction]) -> list[Found]:
            rows = self._connection.execute(
                statements.read, {"object": object_type.name, **literals(identities(piece))}
            )
            return found_in(rows, object_type, statements.looked_up)

        return pieces.run(corrections, run)

    def kept_otherwise(self, object_type: ObjectType, writes: Sequence[Write]) -> dict[int, tuple[str, ...] | Refusal]:
        """Rows that surely hold what was written are not read."""
        statements, doubted = self._statements(object_type), self._statements(object_type).doubted
        places: Sequence[int] = range(len(writes))
        if not self._facts.of(statements).may_change_rows:
            if not doubted:
                return {}
            places = [n for n in places if is_doubtful(writes[n], doubted)]
        corrections = [writes[place].correction for place in places]
        found = self._read(self._read_back, object_type, corrections) if places else []
        unlike = {
            place: unlike_after(writes[place], held) if isinstance(held, Found) else held
            for place, held in zip(places, found, strict=True)
        }
        return {place: names for place, names in unlike.items() if names}

    def resolve(self, object_type: ObjectType, writes: Sequence[Write]) -> list[References | Refusal]:
        ids: list[dict[str, str | None]] = [{} for _ in writes]
        dangling: list[list[str]] = [[] for _ in writes]
        refused: dict[int, Refusal] = {}
        referring = self._statements(object_type).references
        if not referring:
            return [NO_REFERENCES] * len(writes)
        for field, statement in referring:
            places = [place for place, write in enumerate(writes) if field in write.fields]
            named = [_named(writes[place].correction, field) for place in places]
            found = self._ids(statement, [identity for identity in dict.fromkeys(named) if identity[1] is not None])
            for place, identity in zip(places, named, strict=True):
                state_id = found.get(identity)
                if isinstance(state_id, Refusal):
                    refused[place] = state_id
                    continue
                ids[place][field.name] = state_id
                if identity[1] is not None and state_id is None:
                    dangling[place].append(field.name)
        return [refused.get(place) or References(ids[place], tuple(dangling[place])) for place in range(len(writes))]

    def _ids(
        self, statement: bytes, identities: Sequence[tuple[str, str | None]]
    ) -> dict[tuple[str, str | None], str | Refusal | None]:
        """(district, key) to the state's id; a key that two rows have is not found, nor one the column refuses."""

        def run(piece: Sequence[tuple[str, str | None]]) -> list[str | None]:
            districts, keys = zip(*piece, strict=True)
            rows = self._connection.execute(statement, literals({"district": list(districts), "key": list(keys)}))
            known = {n: state_id for n, state_id, count in rows if count == 1}
            return [known.get(n) for n in range(1, len(piece) + 1)]

        found = zip(identities, self._pieces.run(identities, run), strict=True)
        return {identity: None if _cannot_hold(state_id) else state_id for identity, state_id in found}

    def referring(self, object_type: ObjectType, corrections: Sequence[Correction]) -> list[str | Refusal | None]:
        children: list[str | Refusal | None] = [None] * len(corrections)
        statements = self._statements(object_type).referring
        if not statements:
            return children
        self._connection.execute(_READ_TABLES)
        for child, statement in statements:

            def run(piece: Sequence[Correction], child: str = child, statement: bytes = statement) -> list[str | None]:
                referred = {n for (n,) in self._connection.execute(statement, literals(identities(piece)))}
                return [child if n in referred else None for n in range(1, len(piece) + 1)]

            for place, found in enumerate(self._pieces.run(corrections, run)):
                if found is not None and not _cannot_hold(found):
                    children[place] = found
        self._connection.execute(_LOOK_UP)
        return children

    def create(self, object_type: ObjectType, writes: Sequence[Write]) -> list[WriteResult]:
        return self._write(self._statements(object_type).create, object_type, writes)

    def delete(self, object_type: ObjectType, writes: Sequence[Write]) -> list[WriteResult]:
        return self._write(self._statements(object_type).delete, object_type, writes)

    def update(self, object_type: ObjectType, writes: Sequence[Write]) -> list[WriteResult]:
        """One statement for each set of fields."""
        results: dict[int, WriteResult] = {}
        for places in alike(writes):
            statement = self._statements(object_type).update(writes[places[0]].fields)
            some = self._write(statement, object_type, [writes[place] for place in places])
            results |= zip(places, some, strict=True)
        return [results[place] for place in range(len(writes))]

    def create_unread(self, object_type: ObjectType, writes: Sequence[Write], made: Made | None) -> set[int]:
        return self._unread.create(object_type, writes, made)

    def update_unread(self, object_type: ObjectType, writes: Sequence[Write], made: Made | None) -> set[int]:
        return self._unread.update(object_type, writes, made)

    def record_seen(self, object_type: ObjectType, corrections: Sequence[Correction]) -> None:
        parameters = {"object": object_type.name, **literals(readings(corrections))}
        self._connection.execute(self._statements(object_type).seen, parameters)

    def _write(self, statement: bytes, object_type: ObjectType, writes: Sequence[Write]) -> list[WriteResult]:
        statements = self._statements(object_type)

        def run(piece: Sequence[Write]) -> list[Effect]:
            old = raws(piece) if piece[0].row is not None else ()
            arrays = written(object_type, piece, statements.zoned, old)
            found = [n for (n,) in self._connection.execute(statement, {"object": object_type.name, **arrays})]
            done = {*found}
            if len(done) < len(found):
                raise KeyHasTwoRows
            return [Effect.WRITTEN if n in done else Effect.MISSED for n in range(1, len(piece) + 1)]

        results: dict[int, WriteResult] = {}
        for place, write in enumerate(writes):
            field = lost_time(object_type, statements.without_zone, write)
            if field is not None:
                # The first of two moments with one local time.
                results[place] = Refusal(NO_SUCH_TIME_SQLSTATE, None, column_of(field))
        places = [place for place in range(len(writes)) if place not in results]
        tried = [writes[place] for place in places]
        records = [record_of(write.correction) for write in tried]
        heard = self._pieces.run_slow_last(tried, records, self._memory.slow, run)
        for place, result in zip(places, heard, strict=True):
            blamed = self._blamed(object_type, writes[place], result) if isinstance(result, Refusal) else result
            results[place] = Effect.MISSED if _is_of_two_rows(blamed) else blamed
        return [results[place] for place in range(len(writes))]

    def _blamed(self, object_type: ObjectType, write: Write, refusal: Refusal) -> Refusal:
        """A refused value's column is found by asking the types one by one; the error does not name it."""
        unnamed = refusal.constraint is None and refusal.column is None and refusal.sqlstate.startswith("22")
        if not unnamed:
            return refusal
        for place in sorted(self._not_held([_text(write, field) for field in write.fields])):
            return Refusal(refusal.sqlstate, None, column_of(write.fields[place]))
        if self._connection.info.server_version < _NAMES_INVALID_INPUT:
            return refusal
        statements = self._statements(object_type)
        asked = {
            "text": [text for (text,) in new_texts(object_type, [write], statements.zoned)],
            "type": [statements.declared(field) for field in write.fields],
        }
        for (n,) in self._connection.execute(_SQL["invalid_input"], asked):
            return Refusal(refusal.sqlstate, None, column_of(write.fields[n - 1]))
        return refusal

    def _not_held(self, texts: Sequence[str | None]) -> dict[int, Refusal]:
        """Places of texts with a character that the database's encoding lacks."""
        if self._connection.info.parameter_status("server_encoding") == "UTF8":
            return {}

        def run(piece: Sequence[str | None]) -> list[None]:
            self._connection.execute(_SQL["echo"], {"text": list(piece)})
            return [None] * len(piece)

        heard = self._pieces.run(texts, run)
        return {p: r for p, r in enumerate(heard) if isinstance(r, Refusal) and _cannot_hold(r)}


def _sendings(sources: Sequence[Source]) -> Arrays:
    """What tells one sending of a correction from another."""
    return {
        "correction_id": [source.correction_id for source in sources],
        "sent_at": time_texts([source.sent_at for source in sources]),
    }


def _is_of_two_rows(result: WriteResult) -> bool:
    """What was undone since the key has had another row since it was read."""
    if not isinstance(result, Refusal):
        return False
    return result.sqlstate == KeyHasTwoRows.sqlstate or result.constraint == _ONE_VERSION


def _text(write: Write, field: FieldSpec) -> str | None:
    return (write.correction.after or {}).get(field.name)


def _cannot_hold(found: str | Refusal | None) -> bool:
    """Whether the database cannot hold a text where it was asked for; no row has it there."""
    return isinstance(found, Refusal) and found.sqlstate.startswith("22")


def _named(correction: Correction, field: FieldSpec) -> tuple[str, str | None]:
    """District and key of the record that a field shall refer to."""
    after = correction.after or {}
    return correction.source.district_id, after.get(field.name)
