"""What the doctor has seen of each part. Gathered by adapters, judged by the modules beside this one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


class Declared(Protocol):
    """A topic as the settings and the policy declare it."""

    @property
    def name(self) -> str: ...
    @property
    def partitions(self) -> int: ...
    @property
    def config(self) -> Mapping[str, str]: ...
    @property
    def same_count(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as the broker has it; without `config` where the account may not see it.

    `replicas` and `in_sync` are those of its poorest partition.
    """

    partitions: int
    replicas: int
    in_sync: int
    leaderless: int
    config: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Place:
    """A group's stand in a partition; `committed` is None where it never committed."""

    topic: str
    partition: int
    low: int
    high: int
    committed: int | None


@dataclass(frozen=True, slots=True)
class Group:
    """A role's group. `oldest_s`: age of the oldest record not done with, None where there is none."""

    role: str
    name: str
    members: int
    lag: int
    oldest_s: float | None
    places: Sequence[Place]


@dataclass(frozen=True, slots=True)
class Kafka:
    """`limits` are options of a broker. `unseen`: topics that the account may not see; `hidden`: other things."""

    servers: str
    brokers: int
    limits: Mapping[str, str]
    topics: Mapping[str, Topic]
    groups: Sequence[Group] = ()
    unseen: frozenset[str] = frozenset()
    hidden: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Subject:
    """`rule` is its own, or the registry's where it has none. `later`: versions that this release does not know."""

    name: str
    wanted: str
    holds_ours: bool
    rule: str | None
    later: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Column:
    """`base` is the type without length and without domains; `rights` those of the role that connected."""

    base: str
    declared: str
    not_null: bool = False
    has_default: bool = False
    is_written_by_database: bool = False
    """A generated column, or an identity that takes no value."""
    defaults_to_now: bool = False
    rights: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Index:
    """`columns` in order; None stands for an expression. `is_whole`: valid, and of all rows."""

    columns: tuple[str | None, ...]
    is_unique: bool
    is_whole: bool = True


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """Of `table`, which is quoted, to the table that it was found at. `definition` is SQL."""

    name: str
    table: str
    definition: str


@dataclass(frozen=True, slots=True)
class Trigger:
    """`source` is the function's text."""

    name: str
    function: str
    source: str


@dataclass(frozen=True, slots=True)
class TableFacts:
    """A table that the catalog names, as it is found. `name` is quoted and qualified."""

    name: str
    schema: str
    is_in_path: bool
    may_use_schema: bool
    has_indexes: bool
    """False for a view."""
    row_security: bool
    rights: frozenset[str]
    columns: Mapping[str, Column]
    indexes: Sequence[Index] = ()
    cascades: Sequence[ForeignKey] = ()
    triggers: Sequence[Trigger] = ()
    rules: Sequence[str] = ()
    locked_sequences: Sequence[str] = ()
    """Those behind defaults, which the role may not use."""


@dataclass(frozen=True, slots=True)
class Text:
    """A probe's value as the server writes it, and the SHA-256 of that text in UTF-8, made by the server."""

    text: str
    digest: str


@dataclass(frozen=True, slots=True)
class Database:
    """`clock_ahead_s` is against this machine, by at most `clock_error_s` wrong. `tables` by the catalog's name."""

    database: str
    role: str
    version: int
    encoding: str
    timezone: str
    may_create: bool
    may_make_temporary: bool
    xmax: int
    clock_ahead_s: float
    clock_error_s: float
    session: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[str, Text | None] = field(default_factory=dict)
    zones: Mapping[str, Sequence[str] | None] = field(default_factory=dict)
    tables: Mapping[str, TableFacts | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Version:
    """The newest reading of a district that was ever applied."""

    epoch: int
    xmax: int


@dataclass(frozen=True, slots=True)
class Bookkeeping:
    """The applier's own tables: their rights by name, None where a table is missing. `versions` None if not read."""

    may_use_schema: bool
    tables: Mapping[str, frozenset[str] | None]
    versions: Mapping[str, Version] | None


@dataclass(frozen=True, slots=True)
class HistoryTables:
    """`version` is None where there are none. `rights` by table."""

    version: int | None
    newest: int
    rights: Mapping[str, frozenset[str]] = field(default_factory=dict)
    owns: bool = True
