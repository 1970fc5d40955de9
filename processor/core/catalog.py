"""What the deployment syncs: objects, their fields, where both sides keep them, districts and limits.

Built and checked by `processor.catalog_file` from a YAML file and the object schemas; immutable here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property, lru_cache
from zoneinfo import ZoneInfo


class Kind(StrEnum):
    """Types that a field can have on the wire."""

    STRING = "string"
    LONG = "long"
    BOOLEAN = "boolean"
    DOUBLE = "double"
    DATE = "date"
    TIMESTAMP = "timestamp-micros"
    DECIMAL = "decimal"


class Owner(StrEnum):
    """Who decides a field's value. What the state owns is never written by a correction."""

    DISTRICT = "district"
    STATE = "state"
    NONE = "none"


class Rule(StrEnum):
    """How two canonical texts may differ and still be equal; exact where no rule is given."""

    TRIM = "trim"
    CASEFOLD = "casefold"
    NFC = "nfc"
    SCALE = "scale"
    NULL_IS_EMPTY = "null-is-empty"


class KeyType(StrEnum):
    INTEGER = "integer"
    UUID = "uuid"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Crosswalk:
    """Translation of a district's codes to the state's."""

    name: str
    to_state: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Lookup:
    """A reference that the state holds as its own id: the table that has both that id and the district's key.

    `table` has one row for each (`district_column`, `key_column`); `id_column` is what the reference holds.
    """

    table: str
    district_column: str
    key_column: str
    id_column: str


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field of an object. A column is None where that side does not keep the field.

    `precision` and `scale` belong to `Kind.DECIMAL`. `crosswalk` translates the district's text; `state_lookup`
    says that `state_column` holds the state's id for the district key that is this field's value.
    """

    name: str
    kind: Kind
    owner: Owner
    rules: frozenset[Rule]
    district_column: str | None
    state_column: str | None
    precision: int = 0
    scale: int = 0
    crosswalk: Crosswalk | None = None
    state_lookup: Lookup | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """Where one side keeps an object.

    `name` may be qualified by a schema. `key_column` holds the district's key as `key_type`. `district_column` is
    None where the whole database belongs to one district. `timezone` is that of timestamps without one.
    """

    name: str
    key_column: str
    key_type: KeyType
    district_column: str | None
    timezone: ZoneInfo


@dataclass(frozen=True, slots=True)
class ParentRef:
    """The object that must be at the state first, and the field that holds its key, which is of `key_type`."""

    object: str
    field: str
    key_type: KeyType = KeyType.TEXT


@dataclass(frozen=True, slots=True)
class Naming:
    """How filters and lists call an object: other names of it, a name of its key, the fields with a person's name."""

    aliases: tuple[str, ...] = ()
    key: str | None = None
    last_name: str | None = None
    first_name: str | None = None


@dataclass(frozen=True)
class ObjectType:
    """A type of record. `fields` are in the order of the schema; `depth` counts ancestors.

    `modified` names the field that tells when a record was last changed, `school_year` the one with its school year.
    """

    name: str
    key_type: KeyType
    fields: tuple[FieldSpec, ...]
    district: Table
    state: Table
    parent: ParentRef | None
    depth: int
    modified: str | None = None
    school_year: str | None = None
    naming: Naming = Naming()

    @cached_property
    def compared(self) -> tuple[FieldSpec, ...]:
        """Fields read from both sides, in schema order: a row's values stand in this order."""
        return tuple(f for f in self.fields if f.owner is not Owner.NONE and f.district_column and f.state_column)

    @cached_property
    def owned(self) -> tuple[FieldSpec, ...]:
        """District-owned fields: what corrections carry."""
        return tuple(f for f in self.compared if f.owner is Owner.DISTRICT)

    @cached_property
    def owned_among(self) -> Callable[[tuple[str, ...]], tuple[FieldSpec, ...]]:
        """Of some names, the fields that are district-owned: the same tuple for the same names, which come again."""
        return lru_cache(maxsize=256)(lambda names: tuple(f for f in self.owned if f.name in frozenset(names)))

    @cached_property
    def same_text_same_value(self) -> tuple[bool, ...]:
        """For each of `compared`: whether equal column texts of both sides are always equal values."""
        same_zone = self.district.timezone == self.state.timezone
        return tuple(f.crosswalk is None and (same_zone or f.kind is not Kind.TIMESTAMP) for f in self.compared)

    @cached_property
    def ambiguous(self) -> tuple[int, ...]:
        """Places in `compared` of fields where equal column texts of both sides may be two values."""
        return tuple(place for place, is_same in enumerate(self.same_text_same_value) if not is_same)

    @cached_property
    def owned_names(self) -> tuple[str, ...]:
        return tuple(f.name for f in self.owned)

    @cached_property
    def owned_places(self) -> Mapping[int, int]:
        """Place in `compared` of each of `owned`, to its place there."""
        places = (place for place, f in enumerate(self.compared) if f.owner is Owner.DISTRICT)
        return {place: among for among, place in enumerate(places)}

    @cached_property
    def are_owned(self) -> tuple[bool, ...]:
        """For each of `compared`: whether it is among `owned`."""
        return tuple(f.owner is Owner.DISTRICT for f in self.compared)

    @cached_property
    def spelled(self) -> tuple[tuple[int, FieldSpec, set[str]], ...]:
        """Those of `owned` of which a text in the state's column may not be canonical, with their places.

        And room for texts that were found to be, which `compare` fills: days and amounts repeat.
        """
        return tuple(
            (place, f, set())
            for place, f in enumerate(self.owned)
            if f.kind is not Kind.STRING or f.state_lookup is not None
        )

    @cached_property
    def timestamps(self) -> tuple[FieldSpec, ...]:
        """Of the district-owned fields."""
        return tuple(f for f in self.owned if f.kind is Kind.TIMESTAMP)

    @cached_property
    def by_name(self) -> Mapping[str, FieldSpec]:
        return {f.name: f for f in self.fields}


MAX_READERS = 16
"""Of one database, in one process."""


@dataclass(frozen=True, slots=True)
class District:
    """`dsn` is a libpq connection string. `epoch` is raised when the district's database is replaced."""

    district_id: str
    name: str
    dsn: str = field(repr=False)
    epoch: int = 1
    readers: int = 1
    """As in `Limits`, of this district."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Counts a request, times in seconds."""

    max_keys: int = 5_000
    """Distinct keys that one chunk, so one Kafka transaction, may hold of one request (`transaction.max_keys`)."""
    allow_delete: bool = False
    max_deletes: int = 100
    hold_deletes: int = 0
    """A request that would delete more records is held until somebody else releases it (ADR 0144)."""
    hold_changes: int = 10_000
    """One that would change more records is held."""
    hold_share: float = 0.25
    """One that would change more than this share of the district's records of its object, and at least 100, is held."""
    max_keys_by_dependency: int = 10_000
    """Records that a request may take along because they hang below those that it names."""
    max_attempts: int = 5
    """Comparisons of one key because of conflicts."""
    chunk_target_s: float = 0.5
    """How long a part of a scan, or a batch of a large request's keys, should take to be read and compared.

    Rows and keys are numbered by it (`chunk.target`).
    """
    readers: int = 1
    """Connections by which a process reads a district, or the state, for large requests, at most (ADR 0222)."""
    scan_share: float = 1.0
    """Of the time that the chunks of large requests may be worked on, by partition (ADR 0225)."""
    snapshot_deadline_s: float = 900.0
    answer_deadline_s: float = 86_400.0


@dataclass(frozen=True)
class Catalog:
    objects: Mapping[str, ObjectType]
    districts: Mapping[str, District]
    limits: Limits
    open_years: frozenset[int] = frozenset()
    """School years that may be asked for; none where the catalog leaves that open."""
