"""Rows as they came: a field's bytes are found at once, and read when somebody asks for its text (ADR 0049)."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any, Protocol, TypeAlias

from processor.codec.errors import NotCompiled
from processor.codec.patterns import branches_of, pattern_of
from processor.codec.primitives import Read, read_string
from processor.codec.texts import text_reader
from processor.core.rows import Columnar
from processor.core.values import Values

Schema: TypeAlias = Any

_REMEMBERED = 4_096
"""Values of one field: days, amounts and flags repeat."""
_FEW = 4
"""So many fields are taken one by one; for more it is quicker to turn all columns into rows at once."""


class Leaf(Protocol):
    """A field's bytes as canonical text."""

    def text(self, data: bytes) -> str | None: ...

    def texts(self, column: Sequence[bytes]) -> list[str | None]: ...


class _StringLeaf:
    def __init__(self, null: bytes | None, begin: int) -> None:
        self._null = null
        self._begin = begin + 1  # the length is one byte

    def text(self, data: bytes) -> str | None:
        return None if data == self._null else data[self._begin :].decode()

    def texts(self, column: Sequence[bytes]) -> list[str | None]:
        null, begin = self._null, self._begin
        if null is not None and null in column:
            return [None if data == null else data[begin:].decode() for data in column]
        return [data[begin:].decode() for data in column]


class _OtherLeaf(dict[bytes, str | None]):
    """Texts by their bytes: forgotten together, once there are too many."""

    def __init__(self, null: bytes | None, begin: int, read: Read) -> None:
        super().__init__()
        self._null = null
        self._begin = begin
        self._read = read

    def __missing__(self, data: bytes) -> str | None:
        text = None if data == self._null else self._read(data, self._begin)[0]
        if len(self) >= _REMEMBERED:
            self.clear()
        self[data] = text
        return text

    def text(self, data: bytes) -> str | None:
        return self[data]

    def texts(self, column: Sequence[bytes]) -> list[str | None]:
        return [*map(self.__getitem__, column)]


class Row(Columnar):
    """Field name to canonical text."""

    __slots__ = ("found", "leaves")

    def __init__(self, leaves: Mapping[str, tuple[int, Leaf]], found: Sequence[bytes]) -> None:
        self.leaves = leaves
        self.found = found

    def __getitem__(self, name: str) -> str | None:
        place, leaf = self.leaves[name]
        return leaf.text(self.found[place])

    def __iter__(self) -> Iterator[str]:
        return iter(self.leaves)

    def __len__(self) -> int:
        return len(self.leaves)

    def __repr__(self) -> str:
        return f"Row({', '.join(self.leaves)})"

    def columns(self, rows: Sequence[Values], names: Sequence[str]) -> list[list[str | None]] | None:
        leaves, all_found = self.leaves, list[Sequence[bytes]]()
        for row in rows:
            if type(row) is not Row or row.leaves is not leaves:
                return None
            all_found.append(row.found)
        chosen = [leaves[name] for name in names]
        if len(chosen) <= _FEW:
            return [leaf.texts([*map(itemgetter(place), all_found)]) for place, leaf in chosen]
        found = [*zip(*all_found, strict=True)]
        return [leaf.texts(found[place]) for place, leaf in chosen]


class RowReader:
    """Reads one record type's rows, with the fields that are named."""

    def __init__(self, schema: Schema, names: Sequence[str]) -> None:
        """Raises NotCompiled where the schema lacks a field, or has a type of which there is no pattern."""
        fields = schema["fields"]
        pattern = b"".join(b"(%b)" % pattern_of(each["type"]) for each in fields)
        self._match = re.compile(pattern, re.DOTALL).match
        leaves = {each["name"]: (place, _leaf(each["type"])) for place, each in enumerate(fields)}
        if not leaves.keys() >= {*names}:
            raise NotCompiled
        self._leaves = {name: leaves[name] for name in names}
        strings = [place for place, leaf in leaves.values() if isinstance(leaf, _StringLeaf)]
        self._strings = _several(strings)
        self._decimals = [leaves[each["name"]] for each in fields if _is_decimal(each["type"])]

    def __call__(self, data: bytes, at: int) -> tuple[Row, int] | None:
        """None where the bytes do not fit; raises one of `UNFIT` for what is no text, or has more digits than it may.

        Every string begins with ASCII, its branch or its length: all of them together are UTF-8 if each is.
        """
        match = self._match(data, at)
        if match is None:
            return None
        found = match.groups()
        b"".join(self._strings(found)).decode()
        for place, leaf in self._decimals:
            leaf.text(found[place])
        return Row(self._leaves, found), match.end()


def _leaf(schema: Schema) -> Leaf:
    null, begin = None, 0
    if isinstance(schema, list):
        null, (_, schema) = branches_of(schema)
        begin = 1
    read = text_reader(schema)
    if read is None:
        raise NotCompiled
    return _StringLeaf(null, begin) if read is read_string else _OtherLeaf(null, begin, read)


def _is_decimal(schema: Schema) -> bool:
    if isinstance(schema, list):
        return any(map(_is_decimal, schema))
    return isinstance(schema, dict) and schema.get("logicalType") == "decimal"


def _several(places: Sequence[int]) -> Callable[[Sequence[bytes]], Sequence[bytes]]:
    if len(places) > 1:
        return itemgetter(*places)
    return lambda found: [found[place] for place in places]
