"""The state's database as the applier writes it: the connection, its transactions, what the applier keeps there."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from hashlib import blake2b

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from processor.adapters.postgres.named_sql import named_sql
from processor.adapters.postgres.raised import safe_message
from processor.adapters.postgres.state_writer_columns import Columns, missing_columns
from processor.adapters.postgres.state_writer_facts import Memory
from processor.adapters.postgres.state_writer_statements import Statements
from processor.adapters.postgres.state_writer_transaction import PostgresStateTransaction
from processor.adapters.postgres.state_writer_unread import MadeWrites, made_of
from processor.core.catalog import Catalog, ObjectType
from processor.crashpoint import CrashPoints
from processor.service.apply_state import StateUnavailable, Write

_SQL = named_sql("applier.sql")
_SCHEMA = named_sql("applier_schema.sql")
LOCK_SHARE = 0.3
"""Of the statement timeout: a row that somebody holds for longer is a conflict, and stops no other row."""
_SAFE_MESSAGES = ("08", "28", "3D", "40", "42", "53", "55", "57", "58")
"""Classes of errors whose message names no value of a row, but where a function raised them."""

_LIBPQ: dict[str, str | int | None] = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}


def district_lock(district_id: str) -> int:
    """The advisory lock under which one district's rows are written: 64 bits, the same in every process."""
    return _lock("resync-apply", district_id)


def _lock(*names: str) -> int:
    digest = blake2b("\x1f".join(names).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


class PostgresStateWriter:
    """Implements `processor.service.apply_state.StateWriter` on one connection, made when first needed.

    The connection is dropped at every StateUnavailable, and with it all that was learned about columns. A process
    frozen inside a transaction loses its locks after `idle_timeout_s`.
    """

    def __init__(
        self,
        dsn: str,
        catalog: Catalog,
        *,
        application_name: str = "resync/apply/0",
        crash_points: CrashPoints | None = None,
        statement_timeout_s: float = 5.0,
        idle_timeout_s: float = 10.0,
        retention: timedelta = timedelta(days=31),
    ) -> None:
        self._conninfo = _conninfo(dsn, application_name, statement_timeout_s, idle_timeout_s)
        self._statement_timeout_s = statement_timeout_s
        self._catalog = catalog
        self._crash_points = crash_points or CrashPoints(None)
        self._pruning = Pruning(retention)
        self._connection: psycopg.Connection | None = None
        self.is_up: bool | None = None
        """Whether the database did what it was last asked for; None where nobody asked yet. For other threads too."""
        self._statements: dict[str, Statements] = {}
        self._memory = Memory()

    @property
    def catalog(self) -> Catalog:
        return self._catalog

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def ensure_schema(self) -> None:
        """Makes the applier's tables where they are missing; safe from many processes at once."""
        with self._session() as connection, connection.transaction():
            row = connection.execute(_SCHEMA["exists"]).fetchone()
            if row != (True,):
                connection.execute(_SCHEMA["lock"], {"lock": _lock("resync-apply-schema")})
                connection.execute(_SCHEMA["create"])

    def missing_columns(self) -> list[str]:
        """What the catalog names and the state's database lacks: to be asked at the start."""
        with self._session() as connection, connection.transaction():
            return missing_columns(self._catalog, Columns(connection))

    @contextmanager
    def transaction(self, districts: Collection[str]) -> Iterator[PostgresStateTransaction]:
        """Takes the districts' locks before anything is read.

        The write's own compare would not be enough. In READ COMMITTED an update that waited for a row looks again at
        that row only (EvalPlanQual): the version joined to it stays as it was when the statement began, and a create
        has no row to wait for. With the lock, what one applier recorded is seen by every later statement of the next,
        so an applier that hangs and wakes is as harmless as one that is slow. Locks are taken in one order, and in a
        statement of their own, whose snapshot is not used for reading.
        """
        with self._session() as connection:
            locks = sorted(district_lock(district) for district in districts)
            with _begun(connection, sql.SQL(_SQL["begin"]).format(locks=sql.SQL(", ").join(locks))):
                yield PostgresStateTransaction(connection, self._statements_of, self._memory, self._statement_timeout_s)
                self._crash_points("apply.before_sql_commit")
            self._crash_points("apply.after_sql_commit")

    def make(self, object_type: ObjectType, writes: Sequence[Write]) -> MadeWrites | None:
        """The parameters of writes; None before the columns are known, and for objects with an id of the state's."""
        statements = self._statements.get(object_type.name)
        if statements is None or not statements.knows_columns:
            return None
        return None if statements.looked_up else made_of(statements, object_type, writes)

    def prune(self, now: datetime) -> int:
        """Forgets some answers older than the retention, where it is time to; how many. While nothing is applied.

        An answer forgotten too early costs no more than a conflict: versions, which are never forgotten, still refuse
        what would go backwards.
        """
        if not self._pruning.is_due(now):
            return 0
        with self._session() as connection, connection.transaction():
            return self._pruning.run(connection, now)

    @contextmanager
    def _session(self) -> Iterator[psycopg.Connection]:
        try:
            yield self._connected()
        except psycopg.Error as error:
            self.is_up = False
            self._forget()
            raise StateUnavailable(_what_happened(error)) from error
        except StateUnavailable:
            self.is_up = False
            self._forget()
            raise
        self.is_up = True

    def _connected(self) -> psycopg.Connection:
        if self._connection is None or self._connection.closed:
            self._forget()
            self._connection = psycopg.connect(self._conninfo, autocommit=True)
            self._connection.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
        return self._connection

    def _forget(self) -> None:
        self.close()
        self._statements.clear()
        self._memory.may_know = True

    def _statements_of(self, object_type: ObjectType) -> Statements:
        if object_type.name not in self._statements:
            columns = Columns(self._connected())
            self._statements[object_type.name] = Statements(object_type, self._catalog, columns)
        return self._statements[object_type.name]


@contextmanager
def _begun(connection: psycopg.Connection, begin: sql.Composed) -> Iterator[None]:
    """As `connection.transaction()`, begun with more than the beginning: each statement is a wait (ADR 0053)."""
    try:
        connection.execute(begin, prepare=False)
        yield
    except BaseException:
        if not connection.closed:
            connection.rollback()
        raise
    connection.commit()


class Pruning:
    """Small deletes, a minute apart, closer while there is more to forget."""

    LIMIT = 1_000
    PAUSE = timedelta(minutes=1)

    def __init__(self, retention: timedelta) -> None:
        self._retention = retention
        self._next: datetime | None = None

    def is_due(self, now: datetime) -> bool:
        return self._next is None or now >= self._next

    def run(self, connection: psycopg.Connection, now: datetime) -> int:
        """One that fails is tried again after the pause, not at each step."""
        self._next = now + self.PAUSE
        parameters = {"before": now - self._retention, "limit": self.LIMIT}
        pruned = connection.execute(_SQL["prune"], parameters).rowcount
        if pruned == self.LIMIT:
            self._next = now
        return pruned


def _conninfo(dsn: str, application_name: str, statement_timeout_s: float, idle_timeout_s: float) -> str:
    """The deployment's options, over them those that the reading and writing of texts rests on."""
    given = conninfo_to_dict(dsn)
    options = {
        "TimeZone": "UTC",
        "DateStyle": "ISO",
        "extra_float_digits": "1",
        # Errors have a context then only where a function is at work.
        "log_parameter_max_length_on_error": "0",
        "jit": "off",
        "synchronous_commit": "on",
        # Rows are looked up by key. The planner would sooner read a whole table of some hundred thousand (ADR 0059).
        "enable_seqscan": "off",
        "plan_cache_mode": "force_generic_plan",
        "statement_timeout": f"{statement_timeout_s * 1000:.0f}",
        "lock_timeout": f"{statement_timeout_s * 1000 * LOCK_SHARE:.0f}",
        "idle_in_transaction_session_timeout": f"{idle_timeout_s * 1000:.0f}",
    }
    ours = " ".join(f"-c {name}={value}" for name, value in options.items())
    kept = {name: value for name, value in (_LIBPQ | given).items() if value is not None}
    kept["options"] = f"{given.get('options') or ''} {ours}".strip()
    return make_conninfo("", **kept | {"application_name": application_name, "client_encoding": "utf8"})


def _what_happened(error: psycopg.Error) -> str:
    state = error.sqlstate
    if state is None:
        return f"the state's database is away: {type(error).__name__}"
    message = safe_message(error) if state.startswith(_SAFE_MESSAGES) else None
    return f"the state's database refused the batch: {state} {message or type(error).__name__}"
