"""Readers made for one schema each, of functions that are chosen once (Avro specification 1.12, binary encoding).

They give what fastavro gives, in less time (ADR 0046), for all types that our records are made of. Where bytes do not
fit their schema they raise one of `UNFIT`, or end elsewhere than the bytes do: fastavro then says what is wrong.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias

from processor.codec.errors import NotCompiled
from processor.codec.primitives import (
    UNFIT,
    Read,
    read_boolean,
    read_date,
    read_decimal,
    read_double,
    read_long,
    read_null,
    read_optional,
    read_optional_string,
    read_string,
    read_timestamp,
)
from processor.codec.texts import LEAVES, Texts, TextsReader, decimal_leaf

__all__ = ["UNFIT", "Read", "Texts", "compiled"]

Schema: TypeAlias = Any


def compiled(schema: Schema, texts: frozenset[str] = frozenset()) -> Read | None:
    """A reader of a parsed schema's records; None where fastavro has to read them.

    `texts`: full names of records that are read as `Texts`.
    """
    try:
        return _Compiler(texts).reader(schema)
    except NotCompiled:
        return None


def _symbol(symbols: Mapping[int, str], data: bytes, at: int) -> tuple[str, int]:
    place, at = read_long(data, at)
    return symbols[place], at


def _array(read: Read, data: bytes, at: int) -> tuple[list[Any], int]:
    values = []
    count, at = read_long(data, at)
    while count:
        if count < 0:
            count = -count
            _, at = read_long(data, at)
        if count > len(data):
            raise ValueError("more values than bytes")
        for _ in range(count):
            value, at = read(data, at)
            values.append(value)
        count, at = read_long(data, at)
    return values, at


def _branch(readers: Mapping[int, Read], data: bytes, at: int) -> tuple[Any, int]:
    place, at = read_long(data, at)
    return readers[place](data, at)


def _record(fields: Sequence[tuple[str, Read]], data: bytes, at: int) -> tuple[dict[str, Any], int]:
    record = {}
    for name, read in fields:
        record[name], at = read(data, at)
    return record, at


_PRIMITIVE: Mapping[str, Read] = {
    "string": read_string,
    "long": read_long,
    "int": read_long,
    "boolean": read_boolean,
    "double": read_double,
    "null": read_null,
}


@dataclass(frozen=True, slots=True)
class _Compiler:
    """What a schema has named so far, by full names."""

    texts: frozenset[str]
    named: dict[str, Read] = field(default_factory=dict)

    def reader(self, schema: Schema, *, as_text: bool = False) -> Read:
        """Raises NotCompiled."""
        if isinstance(schema, list):
            return self._union(schema, as_text=as_text)
        if isinstance(schema, str):
            schema = {"type": schema}
        make = self._text if as_text else self._made
        made = make(schema["type"], schema.get("logicalType"), schema)
        if made is None:
            raise NotCompiled
        return made

    def _text(self, kind: str, logical: str | None, schema: Schema) -> Read | None:
        if (kind, logical) == ("bytes", "decimal"):
            return decimal_leaf(schema["precision"], schema.get("scale", 0))
        return LEAVES.get((kind, logical))

    def _made(self, kind: str, logical: str | None, schema: Schema) -> Read | None:
        made: Read | None = None
        match kind, logical:
            case "long", "timestamp-micros":
                made = read_timestamp
            case "int", "date":
                made = read_date
            case "bytes", "decimal":
                made = partial(read_decimal, schema["precision"], schema.get("scale", 0))
            case "record", None:
                fields: list[tuple[str, Read]] = []
                as_text = schema["name"] in self.texts
                made = self.named[schema["name"]] = TextsReader(fields) if as_text else partial(_record, fields)
                fields += [(each["name"], self.reader(each["type"], as_text=as_text)) for each in schema["fields"]]
            case "enum", None:
                made = self.named[schema["name"]] = partial(_symbol, dict(enumerate(schema["symbols"])))
            case "array", None:
                made = partial(_array, self.reader(schema["items"]))
            case name, None:
                made = _PRIMITIVE.get(name) or self.named.get(name)
        return made

    def _union(self, branches: list[Schema], *, as_text: bool) -> Read:
        readers = {place: self.reader(branch, as_text=as_text) for place, branch in enumerate(branches)}
        if len(branches) == 2 and "null" in branches:
            null = branches.index("null")
            if readers[1 - null] is read_string:
                return partial(read_optional_string, null << 1, (1 - null) << 1)
            return partial(read_optional, null << 1, (1 - null) << 1, readers[1 - null])
        return partial(_branch, readers)
