"""Where a correction comes from, read by what it has of its own (ADR 0049, 0169).

What a batch of the processor sent has sources that differ in few fields; the others are read once. A correction ends
with its source, an answer begins with it.
"""

from dataclasses import fields as fields_of
from typing import Any, TypeAlias

from processor.codec.errors import NotCompiled
from processor.codec.patterns import pattern_of
from processor.core.correction import Source

Schema: TypeAlias = Any
Known: TypeAlias = tuple[Any, ...]
"""A source's fields in their order."""

_FIELDS = tuple(each.name for each in fields_of(Source))
_NULL = b"\x00"


def source_pattern(schema: Schema) -> bytes:
    """Groups of a source's bytes: request, chunk, correction, district and object, key, `asked_as`, and all after it.

    Raises NotCompiled for a schema that is not what a source's is.
    """
    types = {each["name"]: each["type"] for each in schema["fields"]}
    if tuple(types) != _FIELDS or types["asked_as"] != ["null", "string"]:
        raise NotCompiled
    groups = _FIELDS[:1], _FIELDS[1:2], _FIELDS[2:3], _FIELDS[3:5], _FIELDS[5:6], _FIELDS[6:7]
    return b"".join(b"(%b)" % b"".join(pattern_of(types[name]) for name in names) for names in groups) + b"(.*)"


def known_of(source: Source) -> Known:
    return tuple(getattr(source, name) for name in _FIELDS)


def source_like(  # noqa: PLR0917  (a tuple less for each correction)
    known: Known, request_id: bytes, chunk: bytes, correction_id: bytes, key: bytes, asked_as: bytes
) -> Source:
    """With what is its own, as the pattern's groups found it."""
    fields: tuple[Any, ...] = (
        request_id[1:].decode(),
        chunk[1:].decode(),
        correction_id[1:].decode(),
        *known[3:5],
        key[1:].decode(),
        None if asked_as == _NULL else asked_as[2:].decode(),
        *known[7:],
    )
    return Source(*fields)
