"""Loads the catalog: one YAML file, its crosswalk CSVs beside it, and the schema of each object.

The file says where both sides keep an object; the schema says what its fields are. Every mistake is told at once.
"""

import csv
import os
import re
from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from processor.core.catalog import (
    MAX_READERS,
    Catalog,
    Crosswalk,
    District,
    FieldSpec,
    KeyType,
    Limits,
    Lookup,
    Naming,
    ObjectType,
    ParentRef,
    Table,
)
from processor.core.catalog_rules import misfits
from processor.object_schema import field_types
from processor.yaml_file import Mistakes, read_entry


class Secrets(Enum):
    """Whether this process opens the districts' databases and so needs their connection strings."""

    NEEDED = "needed"
    LEFT_OUT = "left out"


class CatalogError(Exception):
    """The catalog cannot be used; `problems` lists every mistake found, each with its place in the file."""

    def __init__(self, path: Path, problems: list[str]) -> None:
        self.problems = problems
        super().__init__(f"{path}: " + "; ".join(problems))


_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*(?:\.[A-Za-z_][A-Za-z0-9_$]*)?")
_DISTRICT_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_VARIABLE = re.compile(r"\$\{([A-Z0-9_a-z.-]+)\}")
_LONGEST = 2**63 - 1
"""What is written in records is a long there."""


def _identifier(name: str) -> str:
    if not _IDENTIFIER.fullmatch(name):
        raise ValueError("is not a name of a table or column")
    return name


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError("is not a timezone of the IANA database") from None
    return name


Identifier = Annotated[str, AfterValidator(_identifier)]
Zone = Annotated[str, AfterValidator(_zone)]
Readers = Annotated[int, Field(ge=1, le=MAX_READERS)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _TableEntry(_Strict):
    table: Identifier
    key: Identifier
    key_type: KeyType | None = None
    district_column: Identifier | None = None
    timezone: Zone | None = None


class _LookupEntry(_Strict):
    table: Identifier
    district_column: Identifier
    key: Identifier
    id: Identifier

    def checked(self) -> Lookup:
        return Lookup(self.table, self.district_column, self.key, self.id)


class _FieldEntry(_Strict):
    district: Identifier | None = None
    state: Identifier | None = None
    crosswalk: str | None = None
    lookup: _LookupEntry | None = None


def _same_column(value: object) -> object:
    return {"district": value, "state": value} if isinstance(value, str) else value


class _ParentEntry(_Strict):
    object: str
    field: str


def _word(name: str) -> str:
    if not _WORD.fullmatch(name):
        raise ValueError("is not a word of ASCII letters, digits and _")
    return name


Word = Annotated[str, AfterValidator(_word)]


class _NamingEntry(_Strict):
    aliases: tuple[Word, ...] = ()
    key: Word | None = None
    last_name: str | None = None
    first_name: str | None = None


class _ObjectEntry(_Strict):
    key: KeyType
    parent: _ParentEntry | None = None
    modified: str | None = None
    school_year: str | None = None
    naming: _NamingEntry = _NamingEntry()
    district: _TableEntry
    state: _TableEntry
    fields: dict[str, Annotated[_FieldEntry, BeforeValidator(_same_column)]] = Field(min_length=1)


class _DistrictEntry(_Strict):
    name: str = ""
    dsn: str
    epoch: int = Field(default=1, ge=1, le=_LONGEST)
    readers: Readers | None = None


class _LimitsEntry(_Strict):
    max_keys: int = Field(default=5_000, ge=1, le=100_000)
    allow_delete: bool = False
    max_deletes: int = Field(default=100, ge=0)
    hold_deletes: int = Field(default=0, ge=0, le=_LONGEST)
    hold_changes: int = Field(default=10_000, ge=0, le=_LONGEST)
    hold_share: float = Field(default=0.25, ge=0, le=1)
    max_keys_by_dependency: int = Field(default=10_000, ge=0)
    max_attempts: int = Field(default=5, ge=1, le=100)
    chunk_target_s: float = Field(default=0.5, gt=0)
    readers: Readers = 1
    scan_share: float = Field(default=1.0, gt=0, le=1)
    snapshot_deadline_s: float = Field(default=900.0, gt=0)
    answer_deadline_s: float = Field(default=86_400.0, gt=0)


class _CatalogEntry(_Strict):
    timezone: Zone = "UTC"
    limits: _LimitsEntry = _LimitsEntry()
    open_years: frozenset[int] = frozenset()
    crosswalks: dict[str, Path] = {}
    districts: dict[str, _DistrictEntry] = Field(min_length=1)
    objects: dict[str, _ObjectEntry] = Field(min_length=1)


def load_catalog(path: Path, object_schema: Callable[[str], Mapping[str, Any]], secrets: Secrets) -> Catalog:
    """Reads and checks the catalog. `object_schema` gives an object's Avro schema or raises ValueError.

    Raises CatalogError with every mistake.
    """
    try:
        entry = read_entry(path, _CatalogEntry, setting="RESYNC_CATALOG")
    except Mistakes as fault:
        raise CatalogError(path, fault.problems) from None
    builder = _Builder(path, entry, object_schema)
    catalog = builder.build(secrets)
    if builder.problems:
        raise CatalogError(path, builder.problems)
    return catalog


def with_secrets(dsn: str) -> tuple[str, list[str]]:
    """A district's connection string as the environment completes it, and the variables that are missing."""
    missing = [name for name in _VARIABLE.findall(dsn) if name not in os.environ]
    return _VARIABLE.sub(lambda match: os.environ.get(match[1], ""), dsn), missing


class _Builder:
    """Turns the checked file into the core's catalog and collects what does not fit together."""

    def __init__(self, path: Path, entry: _CatalogEntry, object_schema: Callable[[str], Mapping[str, Any]]) -> None:
        self._path = path
        self._entry = entry
        self._object_schema = object_schema
        self.problems: list[str] = []

    def build(self, secrets: Secrets) -> Catalog:
        crosswalks = {name: self._crosswalk(name, file) for name, file in self._entry.crosswalks.items()}
        objects = {name: self._object(name, entry, crosswalks) for name, entry in self._entry.objects.items()}
        districts = {name: self._district(name, entry, secrets) for name, entry in self._entry.districts.items()}
        catalog = Catalog(objects, districts, Limits(**self._entry.limits.model_dump()), self._entry.open_years)
        self.problems += misfits(catalog)
        return catalog

    def _district(self, district_id: str, entry: _DistrictEntry, secrets: Secrets) -> District:
        if not _DISTRICT_ID.fullmatch(district_id):
            self.problems.append(f"districts.{district_id}: an id is 1 to 64 of A-Z a-z 0-9 . _ -")
        dsn = entry.dsn
        if secrets is Secrets.NEEDED:
            dsn, missing = with_secrets(dsn)
            self.problems += [f"districts.{district_id}.dsn: the environment has no {name}" for name in missing]
        readers = entry.readers or self._entry.limits.readers
        return District(district_id, entry.name or district_id, dsn, entry.epoch, readers)

    def _crosswalk(self, name: str, file: Path) -> Crosswalk:
        place = self._path.parent / file
        to_state: dict[str, str] = {}
        try:
            with place.open(encoding="utf-8-sig", newline="") as lines:
                reader = csv.DictReader(lines)
                if not {"district", "state"} <= set(reader.fieldnames or ()):
                    self.problems.append(f"crosswalks.{name}: {file} needs the columns district and state")
                    return Crosswalk(name, {})
                for number, row in enumerate(reader, start=2):
                    if row["state"] is None:
                        self.problems.append(f"crosswalks.{name}: {file} line {number} has no state code")
                    if row["district"] in to_state:
                        self.problems.append(f"crosswalks.{name}: {file} line {number} repeats a district code")
                    to_state[row["district"]] = row["state"]
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            self.problems.append(f"crosswalks.{name}: {file} cannot be read: {error}")
        return Crosswalk(name, to_state)

    def _object(self, name: str, entry: _ObjectEntry, crosswalks: Mapping[str, Crosswalk]) -> ObjectType:
        place = f"objects.{name}"
        fields = tuple(self._fields(place, name, entry, crosswalks))
        if entry.state.district_column is None:
            self.problems.append(f"{place}.state: needs district_column, since districts share the state's tables")
        parent = None
        if entry.parent is not None:
            parent_entry = self._entry.objects.get(entry.parent.object)
            parent = ParentRef(entry.parent.object, entry.parent.field, (parent_entry or entry).key)
            if parent_entry is None:
                self.problems.append(f"{place}.parent: there is no object {parent.object}")
            if not any(f.name == parent.field and f.district_column and f.state_column for f in fields):
                self.problems.append(f"{place}.parent: field {parent.field} must have a column on both sides")
        return ObjectType(
            name=name,
            key_type=entry.key,
            fields=fields,
            district=self._table(entry.district, entry.key),
            state=self._table(entry.state, entry.key),
            parent=parent,
            depth=self._depth(name),
            modified=entry.modified,
            school_year=entry.school_year,
            naming=Naming(**entry.naming.model_dump()),
        )

    def _depth(self, name: str) -> int:
        depth, seen = 0, {name}
        entry = self._entry.objects.get(name)
        while entry is not None and entry.parent is not None:
            if entry.parent.object in seen:
                self.problems.append(f"objects.{name}.parent: the parents run in a circle")
                return 0
            seen.add(entry.parent.object)
            depth += 1
            entry = self._entry.objects.get(entry.parent.object)
        return depth

    def _table(self, entry: _TableEntry, key_type: KeyType) -> Table:
        zone = ZoneInfo(entry.timezone or self._entry.timezone)
        return Table(entry.table, entry.key, entry.key_type or key_type, entry.district_column, zone)

    def _fields(
        self, place: str, name: str, entry: _ObjectEntry, crosswalks: Mapping[str, Crosswalk]
    ) -> list[FieldSpec]:
        try:
            types = field_types(self._object_schema(name))
        except ValueError as error:
            self.problems.append(f"{place}: {error}")
            return []
        for unknown in entry.fields.keys() - types.keys():
            self.problems.append(f"{place}.fields.{unknown}: the schema has no such field")
        fields = []
        for field_name, declared in types.items():
            columns = entry.fields.get(field_name, _FieldEntry())
            if columns.crosswalk is not None and columns.crosswalk not in crosswalks:
                self.problems.append(f"{place}.fields.{field_name}: there is no crosswalk {columns.crosswalk}")
            fields.append(
                FieldSpec(
                    name=field_name,
                    kind=declared.kind,
                    owner=declared.owner,
                    rules=declared.rules,
                    district_column=columns.district,
                    state_column=columns.state,
                    precision=declared.precision,
                    scale=declared.scale,
                    crosswalk=crosswalks.get(columns.crosswalk) if columns.crosswalk else None,
                    state_lookup=None if columns.lookup is None else columns.lookup.checked(),
                )
            )
        return fields
