"""Avro schemas as JSON data: reading and writing the files, names, fingerprints.

Files are self-contained, so that any one of them can be handed to a publisher or to a registry as it is. A type that
several files use is defined in each of them; a test holds the definitions equal.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

from fastavro.schema import fingerprint as digest
from fastavro.schema import to_parsing_canonical_form

Schema: TypeAlias = Any
"""Parsed JSON of a schema: a name, a union as a list, or a mapping."""

NAMESPACE = "selectivesync.v1"
_NAMED = frozenset({"record", "enum", "fixed"})
_NESTED = frozenset({"type", "items", "values"})
_LINE = 120


def read_schema(path: Path) -> Schema:
    """The record that a file declares. Raises ValueError, naming the file, where it declares none."""
    try:
        schema = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as fault:
        raise ValueError(f"{path} is not JSON: {fault}") from fault
    if not isinstance(schema, dict) or schema.get("type") != "record" or not isinstance(schema.get("name"), str):
        raise ValueError(f"{path} must hold an Avro record with a name and fields")
    return schema


def full_name(schema: Schema) -> str:
    name: str = schema["name"]
    namespace = schema.get("namespace")
    return name if "." in name or not namespace else f"{namespace}.{name}"


def fingerprint(schema: Schema) -> int:
    """CRC-64-AVRO of the parsing canonical form, which leaves out docs, defaults and logical types."""
    return int.from_bytes(bytes.fromhex(digest(to_parsing_canonical_form(schema), "CRC-64-AVRO")), "little")


def fingerprint_name(value: int) -> str:
    """A fingerprint as file names write it: 16 hex digits, most significant first."""
    return f"{value:016x}"


def logical_types(schema: Schema, path: str = "") -> Iterator[tuple[str, str]]:
    """(path of field names, logical type) of all that changes the meaning of bytes but not the fingerprint."""
    match schema:
        case list():
            for branch in schema:
                yield from logical_types(branch, path)
        case {"fields": fields}:
            for field in fields:
                yield from logical_types(field["type"], f"{path}/{field['name']}")
        case {"logicalType": name}:
            size = f"({schema.get('precision')},{schema.get('scale', 0)})" if name == "decimal" else ""
            yield path, f"{name}{size}"
        case {"items": inner} | {"values": inner}:
            yield from logical_types(inner, path)


def definitions(schema: Schema) -> dict[str, Schema]:
    """The named types defined inside a schema of one namespace, by bare name, each naming the others it uses."""
    found: dict[str, Schema] = {}
    _outline(schema, found)
    return found


def _outline(schema: Schema, found: dict[str, Schema]) -> Schema:
    if isinstance(schema, list):
        return [_outline(branch, found) for branch in schema]
    if not isinstance(schema, dict):
        return schema
    if schema["type"] not in _NAMED:
        return {key: _outline(value, found) if key in _NESTED else value for key, value in schema.items()}
    body = {key: value for key, value in schema.items() if key != "namespace"}
    if "fields" in body:
        body["fields"] = [{**field, "type": _outline(field["type"], found)} for field in body["fields"]]
    found[body["name"]] = body
    return body["name"]


def inlined(schema: Schema, known: dict[str, Schema]) -> Schema:
    """The schema with each known type written out where it is first used, and named where it is used again."""
    return _inline(schema, known, set())


def _inline(schema: Schema, known: dict[str, Schema], seen: set[str]) -> Schema:
    if isinstance(schema, str):
        if schema not in known or schema in seen:
            return schema
        seen.add(schema)
        return _inline(known[schema], known, seen)
    if isinstance(schema, list):
        return [_inline(branch, known, seen) for branch in schema]
    if schema["type"] not in _NAMED:
        return {key: _inline(value, known, seen) if key in _NESTED else value for key, value in schema.items()}
    if "fields" not in schema:
        return schema
    return {**schema, "fields": [{**field, "type": _inline(field["type"], known, seen)} for field in schema["fields"]]}


def dumped(schema: Schema) -> str:
    """JSON text for a file: what fits on a line stays on one."""
    return _dump(schema, 0, 0) + "\n"


def _dump(value: Schema, indent: int, before: int) -> str:
    line = json.dumps(value, ensure_ascii=False)
    if indent + before + len(line) < _LINE or not isinstance(value, dict | list):
        return line
    inner = "\n" + " " * (indent + 2)
    if isinstance(value, list):
        return "[" + ",".join(inner + _dump(item, indent + 2, 1) for item in value) + "\n" + " " * indent + "]"
    members = []
    for key, item in value.items():
        head = f"{json.dumps(key)}: "
        members.append(inner + head + _dump(item, indent + 2, len(head) + 1))
    return "{" + ",".join(members) + "\n" + " " * indent + "}"
