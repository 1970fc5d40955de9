"""Rows as they came: a field's bytes are found at once, and read when somebody asks for its text (ADR 0049)."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
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
        self._bytes: Callable[[bytes], bytes] = itemgetter(slice(begin + 1, None))  # the length is one byte

    def text(self, data: bytes) -> str | None:
        return None if data == self._null else self._bytes(data).decode()

    def texts(self, column: Sequence[bytes]) -> list[str | None]:
        null = self._null
        nulls = 0 if null is None else column.count(null)
        if nulls == len(column):
            return [None] * nulls
        texts: list[str | None] = [*map(bytes.decode, map(self._bytes, column))]
        return [None if data == null else text for data, text in zip(column, texts, strict=True)] if nulls else texts


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
    """Field name to canonical text. Of an update's new row few fields are asked for: they are cut out then."""

    __slots__ = ("leaves", "match")

    def __init__(self, leaves: Mapping[str, tuple[int, Leaf]], match: re.Match[bytes]) -> None:
        """`leaves`: field name to its group in `match`."""
        self.leaves = leaves
        self.match = match

    def __getitem__(self, name: str) -> str | None:
        group, leaf = self.leaves[name]
        return leaf.text(self.match[group])

    def __iter__(self) -> Iterator[str]:
        return iter(self.leaves)

    def __len__(self) -> int:
        return len(self.leaves)

    def __repr__(self) -> str:
        return f"Row({', '.join(self.leaves)})"

    def columns(self, rows: Sequence[Values], names: Sequence[str]) -> list[list[str | None]] | None:
        leaves, matches = self.leaves, list[re.Match[bytes]]()
        for row in rows:
            if type(row) is not Row or row.leaves is not leaves:
                return None
            matches.append(row.match)
        chosen = [leaves[name] for name in names]
        if len(chosen) <= _FEW:
            return [leaf.texts([match[group] for match in matches]) for group, leaf in chosen]
        found = [*zip(*[match.groups() for match in matches], strict=True)]
        return [leaf.texts(found[group - 1]) for group, leaf in chosen]


class RowReader:
    """Reads one record type's rows, with the fields that are named."""

    def __init__(self, schema: Schema, names: Sequence[str]) -> None:
        """Raises NotCompiled where the schema lacks a field, or has a type of which there is no pattern."""
        fields = schema["fields"]
        patterns: list[bytes] = []
        leaves: dict[str, tuple[int, Leaf]] = {}
        self._texts: list[int] = []
        count = 0
        for is_text, adjacent in groupby(fields, lambda each: isinstance(_leaf(each["type"]), _StringLeaf)):
            some = list(adjacent)
            begin = count + is_text
            if is_text:
                self._texts.append(begin)
            leaves |= {each["name"]: (begin + n, _leaf(each["type"])) for n, each in enumerate(some, 1)}
            found = b"".join(b"(%b)" % pattern_of(each["type"]) for each in some)
            patterns.append(b"(%b)" % found if is_text else found)
            count = begin + len(some)
        if not leaves.keys() >= {*names}:
            raise NotCompiled
        self._match = re.compile(b"".join(patterns), re.DOTALL).match
        self._leaves = {name: leaves[name] for name in names}
        self._decimals = [leaves[each["name"]] for each in fields if _is_decimal(each["type"])]

    def __call__(self, data: bytes, at: int) -> tuple[Row, int] | None:
        """None where the bytes do not fit; raises one of `UNFIT` for what is no text, or has more digits than it may.

        Every string begins with ASCII, its branch or its length: some that are adjacent are UTF-8 if each is.
        """
        match = self._match(data, at)
        if match is None:
            return None
        for group in self._texts:
            match[group].decode()
        for group, leaf in self._decimals:
            leaf.text(match[group])
        return Row(self._leaves, match), match.end()


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
