"""docs/events.md: the reference of the records, written from the schemas."""

from collections.abc import Iterable, Iterator

from processor.codec.schema_text import Schema, definitions

_INTRODUCTION = """# Events: the records of the topics

Written by `python -m processor.codec.generate` from `schemas/`; do not edit. Values are Avro; the schema files are
self-contained and may be used as they are. Namespace: `selectivesync.v1`.

| topic | record | record key | partition | compatibility |
|---|---|---|---|---|
| `resync.requests` | ResyncRequest | district_id | murmur2 of district_id | BACKWARD_TRANSITIVE |
| `resync.chunks`, `resync.retry` | ResyncChunk | district_id | as above | BACKWARD_TRANSITIVE |
| `resync.retry` | RequestStatus, ResyncRequest | district_id | as above | BACKWARD_TRANSITIVE |
| `resync.chunks` | ResyncRequest of many keys, as published | district_id | as above | |
| `state.corrections` | `<Object>Correction` | district_id | as above | BACKWARD_TRANSITIVE |
| `state.answers` | Answer | district_id | as above | BACKWARD_TRANSITIVE |
| `resync.history` | RequestStatus | `request_id` | murmur2 of request_id | FULL_TRANSITIVE |
| | ChunkStatus | `request_id/~chunk/<chunk>` | | |
| | Parked | `request_id/~held/<chunk>` | | |
| | KeyOutcome | `request_id/<object>/<key>` | | |
| | RequestEnd | `request_id/~end` | | |
| | Cleared | `request_id/~cleared` | | |
| `resync.control` | Clear | `request_id` | the only one | BACKWARD_TRANSITIVE |
| | Order | `request_id/~order` | | |

Segments of a composed record key are percent-encoded except for ASCII letters, digits and `. _ -`. An empty value in
`resync.history` is a tombstone. A request in another partition than its district's is moved to it, so a publisher may
use any partitioner.

**Headers.** `request_id`, `district_id`, `object`, and where they apply `key` and `status`, in UTF-8: readers can
filter without decoding. On `resync.retry` a `cause` of `CONFIRM` tells a second look, which is not gathered with others
(ADR 0240).

**Framing.** The first bytes say who wrote a value; both forms may lie in one topic.

| first bytes | then | the schema is found |
|---|---|---|
| `00` | id in 4 bytes, most significant first | in the schema registry, subject `<topic>-<full name of the record>` |
| `C3 01` | CRC-64-AVRO fingerprint in 8 bytes, least significant first | in `schemas/archive/<fingerprint>.avsc` |

**Change.** A record is read with the schema that wrote it and resolved to the reader's own. New fields have defaults.
Every enum begins with UNKNOWN, its default: a symbol that a reader does not know arrives as UNKNOWN. Where a symbol
decides what to do (mode, result, status), such a record is refused; where it only explains (reason), it reads as null.
A field keeps its logical type, precision and scale for ever: Avro's rules would let them change, and values would be
misread. `python -m processor.codec.generate --check` finds all of this without a registry.

**A new object** is a file `objects/<Object>.avsc` in the folder named by `RESYNC_SCHEMAS` and an entry in the catalog:
its `<Object>Correction` is built from it. Every field is `["null", T]` with default null, T one of string, long,
boolean, double, date, timestamp-micros, decimal. Attributes of a field: `owner` (`district`, else `state` or `none`)
and `compare` (a list of `trim`, `casefold`, `nfc`, `scale`, `null-is-empty`; exact where absent).
"""


def reference(records: Iterable[Schema]) -> str:
    """Markdown: the introduction, then each record with its fields, then the types that several records use."""
    types: dict[str, Schema] = {}
    names = []
    for record in records:
        names.append(record["name"])
        types.update(definitions(record))
    parts = [_INTRODUCTION]
    parts += (_section(types[name], 2) for name in names)
    parts.append("## Types used by several records\n")
    parts += (_section(types[name], 3) for name in sorted(types) if name not in names)
    return "\n".join(parts)


def _section(schema: Schema, level: int) -> str:
    lines = [f"{'#' * level} {schema['name']}", "", schema["doc"], ""]
    if schema["type"] == "enum":
        lines += [", ".join(f"`{symbol}`" for symbol in schema["symbols"]), ""]
    elif schema["fields"]:
        lines += ["| field | type | default | |", "|---|---|---|---|", *_rows(schema["fields"]), ""]
    return "\n".join(lines)


def _rows(fields: Iterable[Schema]) -> Iterator[str]:
    for field in fields:
        default = _default(field["default"]) if "default" in field else "needed"
        yield f"| {field['name']} | {_type(field['type'])} | {default} | {field['doc']} |"


def _default(value: Schema) -> str:
    if value is None:
        return "null"
    return "empty" if value == [] else f"`{value}`"


def _type(schema: Schema) -> str:
    match schema:
        case list():
            return " or ".join(_type(branch) for branch in schema)
        case {"logicalType": name}:
            return str(name)
        case {"type": "array", "items": items}:
            return f"array of {_type(items)}"
    return str(schema)
