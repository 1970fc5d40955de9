"""Whether the schemas of this release and those of earlier ones can read each other, without a registry.

Imported by the generator and by tests only: the services do not need the `avro` package.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType
from avro.schema import parse

from processor.codec.schema_text import Schema, full_name, logical_types, read_schema
from processor.codec.subjects import HISTORY

_BOTH_WAYS = frozenset(record.__name__ for record in HISTORY)


def incompatibilities(current: Schema, archive: Path) -> Iterator[str]:
    """One sentence for each archived schema of the same record that the current one breaks.

    Every record must read what was ever written. The history's must also be readable by every earlier release.
    """
    for path in sorted(archive.glob("*.avsc")):
        earlier = read_schema(path)
        if full_name(earlier) != full_name(current):
            continue
        if fault := _cannot_read(current, earlier):
            yield f"{full_name(current)} cannot read what {path.name} wrote: {fault}"
        elif current["name"] in _BOTH_WAYS and (fault := _cannot_read(earlier, current)):
            yield f"{full_name(current)} could not be read with {path.name}: {fault}"
        elif fault := _other_meaning(current, earlier):
            yield f"{full_name(current)} gives bytes another meaning than {path.name}: {fault}"


def _cannot_read(reader: Schema, writer: Schema) -> str:
    """Why, or an empty text. The checker compares names and types, and knows defaults and enum defaults."""
    checker: Any = ReaderWriterCompatibilityChecker  # its constructor has no annotations
    result = checker().get_compatibility(parse(json.dumps(reader)), parse(json.dumps(writer)))
    if result.compatibility is SchemaCompatibilityType.compatible:
        return ""
    kinds = ", ".join(sorted({kind.value for kind in result.incompatibilities}))
    return f"{kinds} ({', '.join(sorted(result.messages))})"


def _other_meaning(current: Schema, earlier: Schema) -> str:
    """Logical types are outside of Avro's own rules, so a changed scale would pass as compatible."""
    was, now = dict(logical_types(earlier)), dict(logical_types(current))
    both = _fields(earlier) & _fields(current)
    changed = sorted(path for path in both if was.get(path) != now.get(path))
    return f"the logical type of {', '.join(changed)} changed; add a field instead" if changed else ""


def _fields(schema: Schema, path: str = "") -> set[str]:
    match schema:
        case list():
            return {found for branch in schema for found in _fields(branch, path)}
        case {"fields": fields}:
            return {
                found
                for field in fields
                for found in {f"{path}/{field['name']}", *_fields(field["type"], f"{path}/{field['name']}")}
            }
        case {"items": inner} | {"values": inner}:
            return _fields(inner, path)
    return set()
