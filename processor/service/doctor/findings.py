"""What the doctor has found: what is wrong, where, and how to mend it. No finding holds a value or a password."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    ERROR = "error"
    """Something does not work, or will be lost."""
    WARNING = "warning"
    """It works, and should be seen to."""


class Check(StrEnum):
    """As docs/doctor.md lists them."""

    REACH = "reach"
    TOPICS = "topics"
    PARTITIONS = "partitions"
    CLEANUP = "cleanup"
    RETENTION = "retention"
    REPLICATION = "replication"
    LIMITS = "limits"
    SCHEMAS = "schemas"
    COMPATIBILITY = "compatibility"
    COLUMNS = "columns"
    TYPES = "types"
    TIMEZONES = "timezones"
    RIGHTS = "rights"
    INDEXES = "indexes"
    CASCADES = "cascades"
    TABLES = "tables"
    TEXTS = "texts"
    CLOCKS = "clocks"
    EPOCHS = "epochs"
    GROUPS = "groups"


@dataclass(frozen=True, slots=True)
class Finding:
    """`command` can be pasted into a shell, or for a database into its client; None where only a person can decide."""

    level: Level
    check: Check
    where: str
    what: str
    advice: str
    command: str | None = None


def error(check: Check, where: str, what: str, advice: str, command: str | None = None) -> Finding:
    return Finding(Level.ERROR, check, where, what, advice, command)


def warning(check: Check, where: str, what: str, advice: str, command: str | None = None) -> Finding:
    return Finding(Level.WARNING, check, where, what, advice, command)


@dataclass(frozen=True, slots=True)
class Away:
    """A part that gave no answer, or for which no address is set here. `why` names no value."""

    why: str
    is_set: bool = True
