"""Exit codes, and what a person is told about a fault: one line, never a stack trace."""

from dataclasses import dataclass
from enum import IntEnum


class ExitCode(IntEnum):
    DONE = 0
    """Everything asked for is synced or not to be found."""
    FAILED = 1
    """Something failed, was refused, cancelled or did not end in time."""
    USAGE = 2
    """The command, the settings or the set-up."""
    DIFFERENT = 3
    """Differences were found and not mended."""
    UNREACHABLE = 4
    """Kafka, the registry or a database cannot be reached."""


BY_FAULT = {
    "processor.cli.exits.UsageError": ExitCode.USAGE,
    "processor.settings.SettingsError": ExitCode.USAGE,
    "processor.catalog_file.CatalogError": ExitCode.USAGE,
    "processor.policy_file.PolicyError": ExitCode.USAGE,
    "processor.core.filter_text.FilterError": ExitCode.USAGE,
    "processor.core.rights.NotAuthorized": ExitCode.FAILED,
    "processor.core.scope.NoSchoolYear": ExitCode.USAGE,
    "processor.core.scope.YearNotOpen": ExitCode.FAILED,
    "processor.service.client_ports.NotSetUp": ExitCode.USAGE,
    "processor.adapters.kafka.history_topic.TopicMissing": ExitCode.USAGE,
    "processor.adapters.postgres.history_schema.SchemaTooNew": ExitCode.USAGE,
    "processor.codec.errors.NotRegistered": ExitCode.USAGE,
    "processor.http.health.PortTaken": ExitCode.USAGE,
    "processor.codec.errors.IncompatibleSchema": ExitCode.FAILED,
    "processor.service.history_ports.OutsideLog": ExitCode.FAILED,
    "processor.adapters.postgres.history_rebuild.RebuildRunning": ExitCode.FAILED,
    "processor.adapters.kafka.inbox.ConsumerFatal": ExitCode.FAILED,
    "processor.adapters.kafka.membership.ClientBroken": ExitCode.FAILED,
    "processor.codec.errors.RegistryUnavailable": ExitCode.UNREACHABLE,
    "processor.service.client_ports.Unreachable": ExitCode.UNREACHABLE,
    "processor.service.history_ports.StoreUnavailable": ExitCode.UNREACHABLE,
    "processor.service.ports.SnapshotUnavailable": ExitCode.UNREACHABLE,
}
"""By full name, because importing them all would slow every command. Their messages are written for people."""

_AND_THEN = {"processor.service.ports.SnapshotUnavailable": "; `resync doctor` says what to mend"}
"""What to do, where a message that is kept in the history as well does not say it."""

_BY_FOREIGN_FAULT = {
    "psycopg.errors.InsufficientPrivilege": (ExitCode.USAGE, "the account may not do this at Postgres: grant it"),
    "psycopg.errors.UndefinedTable": (ExitCode.USAGE, "tables are not as this release makes them"),
    "psycopg.errors.UndefinedColumn": (ExitCode.USAGE, "tables are not as this release makes them"),
    "psycopg.OperationalError": (ExitCode.UNREACHABLE, "Postgres cannot be reached or gave up"),
    "cimpl.KafkaException": (ExitCode.UNREACHABLE, "Kafka cannot be reached or gave up"),
}
"""Faults of libraries that no adapter put into words; their messages may hold values and are not shown."""


class UsageError(Exception):
    """The command cannot mean anything as it was given."""


@dataclass(frozen=True, slots=True)
class Ending:
    code: ExitCode
    text: str
    is_known: bool


def ending_of(fault: Exception) -> Ending:
    """How a command ends because of a fault. An unknown one is a defect of ours."""
    for kind in type(fault).__mro__:
        name = f"{kind.__module__}.{kind.__qualname__}"
        if name in BY_FAULT:
            return Ending(BY_FAULT[name], f"{fault}{_AND_THEN.get(name, '')}", is_known=True)
        if name in _BY_FOREIGN_FAULT:
            code, text = _BY_FOREIGN_FAULT[name]
            return Ending(code, f"{text} ({_kind(fault)})", is_known=True)
    text = f"unexpected fault: {type(fault).__qualname__}. Please report it; RESYNC_TRACE=1 shows where it arose"
    return Ending(ExitCode.FAILED, text, is_known=False)


def _kind(fault: Exception) -> str:
    """SQLSTATE or Kafka's name of the error, where there is one."""
    name = getattr(fault.args[0] if fault.args else None, "name", None)
    return str(getattr(fault, "sqlstate", None) or (name() if name else type(fault).__qualname__))
