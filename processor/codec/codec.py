"""Bytes to records and back: the one place that knows Avro, its two framings and the registry."""

import json
import struct
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any, cast

from fastavro import parse_schema, schemaless_reader, schemaless_writer
from fastavro.read import SchemaResolutionError
from fastavro.schema import SchemaParseException, UnknownType

from processor.codec import decoding, encoding
from processor.codec.correction_schema import object_of, values_name
from processor.codec.errors import DecodeError, NotRegistered
from processor.codec.framing import Framing, header_of, registry_header, single_object_header, writer_ref
from processor.codec.outcome_reader import OutcomeReader, Own, outcome_reader
from processor.codec.record_types import FIXED, Record, RecordType, correction_type, unknown_correction_type
from processor.codec.registry import Compatibility, Registry
from processor.codec.repeating import body_writer
from processor.codec.schema_files import SchemaFiles
from processor.codec.schema_text import Schema, fingerprint, full_name, logical_types
from processor.codec.wire import Wire
from processor.core.catalog import Catalog
from processor.core.correction import Correction
from processor.core.errors import CoreError, Reason
from processor.core.history import KeyOutcome

_UNREADABLE = (
    EOFError,
    LookupError,
    ValueError,
    TypeError,
    ArithmeticError,
    AttributeError,
    struct.error,
    SchemaResolutionError,
)
"""What fastavro raises on bytes that do not fit their schema."""


@dataclass(frozen=True, slots=True)
class RecordSchema:
    """A record of this release. `text` is what a registry holds; `fingerprint` names it without one."""

    record: RecordType
    text: str
    parsed: Any
    fingerprint: int
    meaning: frozenset[tuple[str, str]]
    write: encoding.Write
    """A record as Avro's fields to its bytes."""
    body: Callable[[Any], bytes]
    """A record to its bytes."""


@dataclass(frozen=True, slots=True)
class _Writer:
    """The schema that wrote some bytes, and the record of this release that it is read as, if any.

    `resolve_to` is None where both schemas read bytes alike; there may then be a reader made for them.
    """

    name: str
    parsed: Any
    reads: RecordSchema | None
    resolve_to: Any
    read: decoding.Read | None = None
    outcomes: OutcomeReader | None = None

    def wire(self, data: bytes, begin: int) -> Wire:
        """The record from there to the end. Raises DecodeError."""
        if self.read is not None:
            with suppress(*decoding.UNFIT):  # fastavro then says what is wrong
                wire, end = self.read(data, begin)
                if end == len(data):
                    return cast("Wire", wire)
        body = BytesIO(data)
        body.seek(begin)
        try:
            found = schemaless_reader(body, self.parsed, self.resolve_to)
        except _UNREADABLE as fault:
            raise DecodeError(
                Reason.UNDECODABLE, f"the value ends early or is damaged: not a {self.name} ({type(fault).__name__})"
            ) from None
        trailing = len(data) - body.tell()
        if trailing:
            raise DecodeError(Reason.UNDECODABLE, f"{trailing} bytes follow the end of the {self.name}")
        return cast("Wire", found)


@dataclass(frozen=True, slots=True)
class Registered:
    """A subject as the registry has it. `later`: versions of it that no archive holds."""

    subject: str
    holds_ours: bool
    rule: str | None
    later: tuple[int, ...] = ()


class Codec:
    """Encodes with the schemas of this release; decodes what any release wrote.

    With a registry, encoding uses its framing, else single-object encoding; both are always readable. Not for
    several threads at once; but what was prepared may be encoded by any.
    """

    def __init__(self, files: SchemaFiles, catalog: Catalog, registry: Registry | None) -> None:
        self._files = files
        self._registry = registry
        self._by_type: dict[type[Record], RecordSchema] = {}
        self._by_object: dict[str, RecordSchema] = {}
        self._by_name: dict[str, RecordSchema] = {}
        fixed = {record.name: record for record in FIXED}
        for schema in files.records():
            entry = _record_schema(fixed[full_name(schema)], schema)
            self._by_type[entry.record.type] = entry
            self._by_name[entry.record.name] = entry
        for object_type in catalog.objects.values():
            entry = _record_schema(correction_type(object_type), files.correction(object_type.name))
            self._by_object[object_type.name] = entry
            self._by_name[entry.record.name] = entry
        self._headers: dict[tuple[str, str], bytes] = {}
        self._writers: dict[bytes, _Writer] = {}
        self._outcomes: OutcomeReader | None = None

    @classmethod
    def open(
        cls,
        schemas: Path | None,
        catalog: Catalog,
        registry_url: str | None = None,
        registry_options: Mapping[str, Any] | None = None,
    ) -> "Codec":
        """Reads the schemas; asks the registry nothing yet. Raises ValueError for a missing or broken file."""
        registry = Registry(registry_url, registry_options) if registry_url else None
        return cls(SchemaFiles(schemas), catalog, registry)

    def schemas_of(self, record_type: type[Record]) -> tuple[RecordSchema, ...]:
        """The schemas that records of a type are written with: one, or for corrections one an object."""
        return tuple(self._by_object.values()) if record_type is Correction else (self._by_type[record_type],)

    def encode(self, topic: str, record: Record) -> bytes:
        """Raises NotRegistered, or RegistryUnavailable on the first record of its kind for the topic."""
        if isinstance(record, Correction):
            schema = self._by_object[record.source.object]
        else:
            schema = self._by_type[type(record)]
        return (self._headers.get((topic, schema.record.name)) or self._header(topic, schema)) + schema.body(record)

    def outcome_writer(self, topic: str, outcome: KeyOutcome) -> Callable[[str, str | None], bytes]:
        """Writes outcomes that differ from this one in `key` and `asked_as` alone. Raises as `encode`."""
        schema = self._by_type[KeyOutcome]
        if not isinstance(schema.write, encoding.RecordWriter):
            raise TypeError(f"{schema.record.name} has a type that no writer is made of")
        header = self._headers.get((topic, schema.record.name)) or self._header(topic, schema)
        return schema.write.alike(schema.record.to_wire(outcome), ("key", "asked_as"), header)

    def prepare(self, topic: str, *record_types: type[Record]) -> None:
        """Looks up now what encoding would look up later, so that a process learns at its start what is missing."""
        for record_type in record_types:
            for schema in self.schemas_of(record_type):
                self._header(topic, schema)

    def register(self, topic: str, record_type: type[Record], compatibility: Compatibility) -> tuple[str, ...]:
        """Registers the schemas of a type under the topic; returns the subjects. Without a registry, nothing to do."""
        if self._registry is None:
            return ()
        subjects = []
        for schema in self.schemas_of(record_type):
            subject = f"{topic}-{schema.record.name}"
            schema_id = self._registry.register(subject, schema.text, compatibility)
            self._headers[topic, schema.record.name] = registry_header(schema_id)
            subjects.append(subject)
        return tuple(subjects)

    def registered(self, topic: str, record_type: type[Record]) -> Iterator[Registered]:
        """What the registry holds for a type on a topic; nothing without one. Raises RegistryUnavailable."""
        if self._registry is None:
            return
        for schema in self.schemas_of(record_type):
            subject = f"{topic}-{schema.record.name}"
            try:
                self._registry.schema_id(subject, schema.text)
            except NotRegistered:
                yield Registered(subject, holds_ours=False, rule=None)
                continue
            # A deployment's own objects, of which corrections are made, need not be in an archive.
            held = [] if record_type is Correction else self._registry.versions(subject)
            later = tuple(number for number, text in held if not self._is_known(text))
            yield Registered(subject, holds_ours=True, rule=self._registry.rule(subject), later=later)

    def _is_known(self, text: str) -> bool:
        """Whether this release or one before it wrote with the schema."""
        schema = _parsed_json(text)
        return schema is not None and self._by_fingerprint(fingerprint(schema)) is not None

    def decode(self, data: bytes, expected: Collection[type[Record]]) -> Record:
        """The record in a value that is not a tombstone.

        Raises DecodeError for bytes that cannot be one of the expected records, and RegistryUnavailable where that
        could not be found out: such a record is to be read again.
        """
        header = header_of(data)
        writer = self._writers.get(header) or self._writer(header)
        schema = writer.reads
        if schema is None or schema.record.type not in expected:
            names = ", ".join(sorted(entry.record.name for kind in expected for entry in self.schemas_of(kind)))
            raise DecodeError(Reason.UNEXPECTED_RECORD, f"a {writer.name}, where one of these belongs: {names}")
        return _from_wire(schema, writer.wire(data, len(header)))

    def alike(self, data: bytes) -> Own | None:
        """An outcome by what it has of its own; None for what `decode` is to read. Raises as `decode`."""
        reader = self._outcomes
        if reader is None or not data.startswith(reader.header):
            header = header_of(data)
            reader = self._outcomes = (self._writers.get(header) or self._writer(header)).outcomes
        return None if reader is None else reader(data)

    def _header(self, topic: str, schema: RecordSchema) -> bytes:
        if self._registry is None:
            header = single_object_header(schema.fingerprint)
        else:
            header = registry_header(self._registry.schema_id(f"{topic}-{schema.record.name}", schema.text))
        self._headers[topic, schema.record.name] = header
        return header

    def _writer(self, header: bytes) -> _Writer:
        """Finds and remembers who wrote; what is not found is asked for again the next time."""
        ref = writer_ref(header)
        if ref.framing is Framing.FINGERPRINT:
            schema = self._by_fingerprint(ref.number)
            hint = "no archive holds it; the writer may be of a later release"
        elif self._registry is None:
            raise DecodeError(Reason.UNDECODABLE, f"{ref} cannot be looked up: RESYNC_REGISTRY_URL is not set")
        else:
            schema = _parsed_json(self._registry.schema_text(ref.number))
            hint = "the registry has no Avro schema of this id"
        if schema is None:
            raise DecodeError(Reason.UNDECODABLE, f"unknown {ref}: {hint}")
        try:
            writer = self._writer_of(schema, header)
        except (SchemaParseException, UnknownType, LookupError, TypeError, ValueError) as fault:
            raise DecodeError(
                Reason.UNDECODABLE, f"{ref} leads to a schema that is not self-contained Avro ({type(fault).__name__})"
            ) from None
        self._writers[header] = writer
        return writer

    def _by_fingerprint(self, number: int) -> Schema | None:
        current = next((entry for entry in self._by_name.values() if entry.fingerprint == number), None)
        return self._files.archived(number) if current is None else json.loads(current.text)

    def _writer_of(self, schema: Schema, header: bytes) -> _Writer:
        parsed = parse_schema(schema)
        name = parsed["name"] if isinstance(parsed, dict) and "name" in parsed else "schema without a name"
        reads = self._by_name.get(name) or self._unknown_correction(name)
        if reads is None:
            return _Writer(name, parsed, None, None)
        alike = fingerprint(schema) == reads.fingerprint and frozenset(logical_types(schema)) == reads.meaning
        if not alike:
            return _Writer(name, parsed, reads, reads.parsed)
        object_name = object_of(name)
        texts = frozenset[str]() if object_name is None else frozenset({values_name(object_name)})
        outcomes = outcome_reader(header, reads.record, parsed)
        return _Writer(name, parsed, reads, None, decoding.compiled(parsed, texts), outcomes)

    def _unknown_correction(self, name: str) -> RecordSchema | None:
        """So that a correction still gets its answer after its object was taken out of the catalog."""
        object_name = object_of(name)
        if object_name is None:
            return None
        return _record_schema(unknown_correction_type(name), self._files.unknown_correction(object_name))


def _record_schema(record: RecordType, schema: Schema) -> RecordSchema:
    text = json.dumps(schema, ensure_ascii=False, separators=(",", ":"))
    parsed, meaning = parse_schema(schema), frozenset(logical_types(schema))
    write = encoding.compiled(parsed) or partial(_by_fastavro, parsed)
    return RecordSchema(record, text, parsed, fingerprint(schema), meaning, write, body_writer(record, write))


def _by_fastavro(parsed: Any, wire: Wire) -> bytes:  # noqa: ANN401  (a schema as fastavro keeps it)
    out = BytesIO()
    schemaless_writer(out, parsed, wire)
    return out.getvalue()


def _parsed_json(text: str | None) -> Schema | None:
    try:
        return None if text is None else json.loads(text)
    except ValueError:
        return None


def _from_wire(schema: RecordSchema, wire: Wire) -> Record:
    try:
        return schema.record.from_wire(wire)
    except DecodeError:
        raise
    except CoreError as fault:
        raise DecodeError(
            Reason.UNDECODABLE, f"{schema.record.name}: the field {fault.detail} cannot be read"
        ) from None
    except OverflowError:
        raise DecodeError(Reason.UNDECODABLE, f"{schema.record.name}: a time beyond the calendar") from None
