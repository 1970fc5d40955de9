"""Bytes to records and back: the one place that knows Avro, its two framings and the registry."""

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from fastavro.schema import SchemaParseException, UnknownType

from processor.codec import encoding
from processor.codec.alike import Similar, alike_writer
from processor.codec.correction_reader import Arrived
from processor.codec.correction_schema import object_of
from processor.codec.errors import DecodeError, NotRegistered
from processor.codec.framing import Framing, header_of, registry_header, single_object_header, writer_ref
from processor.codec.outcome_reader import Own
from processor.codec.record_schema import RecordSchema, record_schema
from processor.codec.record_types import FIXED, Record, correction_type, unknown_correction_type
from processor.codec.registry import Compatibility, Registry
from processor.codec.schema_files import SchemaFiles
from processor.codec.schema_text import Schema, fingerprint, full_name
from processor.codec.writer import Writer, parsed_schema, writer_of
from processor.core.catalog import Catalog
from processor.core.correction import Answer, Correction, Result
from processor.core.errors import Reason
from processor.core.request import Single

_SAID_BEFORE = 256
"""Answers that differ in their sources alone."""


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
        self._objects = catalog.objects
        fixed = {record.name: record for record in FIXED}
        for schema in files.records():
            entry = record_schema(fixed[full_name(schema)], schema)
            self._by_type[entry.record.type] = entry
            self._by_name[entry.record.name] = entry
        for object_type in catalog.objects.values():
            entry = record_schema(correction_type(object_type), files.correction(object_type.name), object_type)
            self._by_object[object_type.name] = entry
            self._by_name[entry.record.name] = entry
        self._headers: dict[tuple[str, str], bytes] = {}
        self._writers: dict[bytes, Writer] = {}
        self._last: Writer | None = None
        """Of the value before, mostly the next one's, too."""
        self._said = lru_cache(_SAID_BEFORE)(self._write_said)

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

    def alike_writer(self, topic: str, similar: Similar) -> Callable[[Any], bytes]:
        """Writes the record of each of their asks, sources or requests. Raises as `encode`."""
        schema = self._by_type[type(similar.first)]
        header = self._headers.get((topic, schema.record.name)) or self._header(topic, schema)
        return alike_writer(schema.write, similar, header)

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
        writer = self._expected(data, expected)
        arrived = writer.arrived(data)
        return writer.record(data) if arrived is None else arrived.correction

    def decode_correction(self, data: bytes) -> Arrived:
        """As `decode`, with the bytes that an answer carries back."""
        writer = self._expected(data, (Correction,))
        arrived = writer.arrived(data)
        return Arrived(cast("Correction", writer.record(data)), None) if arrived is None else arrived

    def encode_answer(self, topic: str, answer: Answer, source: bytes | None) -> bytes:
        """As `encode`; `source`: the bytes of the answer's source, as its correction had them."""
        if source is None:
            return self.encode(topic, answer)
        schema = self._by_type[Answer]
        header = self._headers.get((topic, schema.record.name)) or self._header(topic, schema)
        return header + source + self._said(answer.result, answer.detail, answer.answered_at)

    def _write_said(self, result: Result, detail: str | None, answered_at: datetime) -> bytes:
        """All of an answer but its source, which is what it begins with."""
        write = self._by_type[Answer].write
        if not isinstance(write, encoding.RecordWriter) or write.fields[0][0] != "source":
            raise TypeError("an answer does not begin with its source")
        said = {"result": result, "detail": detail, "answered_at": answered_at}
        return b"".join(each(said[name]) for name, each in write.fields[1:])

    def _expected(self, data: bytes, expected: Collection[type[Record]]) -> Writer:
        """Raises DecodeError where the schema of what was written is of another record."""
        writer = self._writer(data)
        if writer.reads is None or writer.reads.record.type not in expected:
            names = ", ".join(sorted(entry.record.name for kind in expected for entry in self.schemas_of(kind)))
            raise DecodeError(Reason.UNEXPECTED_RECORD, f"a {writer.name}, where one of these belongs: {names}")
        return writer

    def alike(self, data: bytes) -> Own | None:
        """An outcome by what it has of its own; None for what `decode` is to read. Raises as `decode`."""
        last = self._last  # looked at here too: a call less for each outcome
        reader = (last if last is not None and data.startswith(last.header) else self._writer(data)).outcomes
        return None if reader is None else reader(data)

    def single(self, data: bytes) -> Single | None:
        """A request of one key by what is its own; None for what `decode` is to read. Raises as `decode`."""
        reader = self._writer(data).requests
        return None if reader is None else reader(data)

    def _header(self, topic: str, schema: RecordSchema) -> bytes:
        if self._registry is None:
            header = single_object_header(schema.fingerprint)
        else:
            header = registry_header(self._registry.schema_id(f"{topic}-{schema.record.name}", schema.text))
        self._headers[topic, schema.record.name] = header
        return header

    def _writer(self, data: bytes) -> Writer:
        """Who wrote a value. Raises as `decode`; what is not found is asked for again the next time."""
        last = self._last
        if last is not None and data.startswith(last.header):
            return last
        header = header_of(data)
        writer = self._last = self._writers.get(header) or self._looked_up(header)
        return writer

    def _looked_up(self, header: bytes) -> Writer:
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

    def _writer_of(self, schema: Schema, header: bytes) -> Writer:
        name, parsed = parsed_schema(schema)
        reads = self._by_name.get(name) or self._unknown_correction(name)
        if reads is None:
            return Writer(header, name, parsed, None)
        object_type = self._objects.get(object_of(name) or "")
        return writer_of(schema, header, parsed, reads, () if object_type is None else object_type.owned)

    def _unknown_correction(self, name: str) -> RecordSchema | None:
        """So that a correction still gets its answer after its object was taken out of the catalog."""
        object_name = object_of(name)
        if object_name is None:
            return None
        return record_schema(unknown_correction_type(name), self._files.unknown_correction(object_name))


def _parsed_json(text: str | None) -> Schema | None:
    try:
        return None if text is None else json.loads(text)
    except ValueError:
        return None
