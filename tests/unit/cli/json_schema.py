"""As much of JSON Schema as `schemas/cli/` uses; a keyword that is not known here is an error of the test."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

FOLDER = Path(__file__).parents[3] / "schemas" / "cli"
_TYPES: dict[str, type] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "boolean": bool,
    "null": type(None),
}
_FORMATS: dict[str, Callable[[str], object]] = {"uuid": UUID, "date-time": datetime.fromisoformat}
_SAY_NOTHING = {"$schema", "$defs", "title", "description", "properties"}


def problems(document: Any, file: str) -> list[str]:
    """Where a document is not as the schema in a file of `schemas/cli/` says."""
    return list(_Place(file, "$").problems(document, _read(file)))


@cache
def _read(file: str) -> Any:
    return json.loads((FOLDER / file).read_text(encoding="utf-8"))


@dataclass(frozen=True)
class _Place:
    file: str
    path: str

    def problems(self, value: Any, schema: dict[str, Any]) -> Iterator[str]:
        for keyword, says in schema.items():
            if keyword in _SAY_NOTHING:
                continue
            yield from _KEYWORDS[keyword](self, value, says, schema)

    def inside(self, step: str) -> "_Place":
        return _Place(self.file, self.path + step)

    def ref(self, value: Any, says: str, _schema: dict[str, Any]) -> Iterator[str]:
        target, _, path = says.partition("#")
        part = _read(target or self.file)
        for step in path.strip("/").split("/"):
            part = part[step]
        yield from _Place(target or self.file, self.path).problems(value, part)

    def type(self, value: Any, says: str | list[str], _schema: dict[str, Any]) -> Iterator[str]:
        kinds = [says] if isinstance(says, str) else says
        if not any(
            isinstance(value, _TYPES[kind]) and isinstance(value, bool) is (kind == "boolean") for kind in kinds
        ):
            yield f"{self.path}: {value!r} is no {says}"

    def enum(self, value: Any, says: list[Any], _schema: dict[str, Any]) -> Iterator[str]:
        if value not in says:
            yield f"{self.path}: {value!r} is none of {says}"

    def any_of(self, value: Any, says: list[dict[str, Any]], _schema: dict[str, Any]) -> Iterator[str]:
        tried = [list(self.problems(value, one)) for one in says]
        if [] not in tried:
            yield from tried[0]

    def required(self, value: Any, says: list[str], _schema: dict[str, Any]) -> Iterator[str]:
        if isinstance(value, dict):
            yield from (f"{self.path}: {name} is missing" for name in says if name not in value)

    def properties(self, value: Any, says: Any, schema: dict[str, Any]) -> Iterator[str]:
        """`says` is additionalProperties, which every schema of an object here has."""
        known = schema.get("properties", {})
        for name, one in value.items() if isinstance(value, dict) else ():
            place = self.inside(f".{name}")
            if name not in known and says is False:
                yield f"{place.path} is not known"
            else:
                yield from place.problems(one, known.get(name, says))

    def items(self, value: Any, says: dict[str, Any], _schema: dict[str, Any]) -> Iterator[str]:
        for index, one in enumerate(value if isinstance(value, list) else ()):
            yield from self.inside(f"[{index}]").problems(one, says)

    def minimum(self, value: Any, says: int, _schema: dict[str, Any]) -> Iterator[str]:
        if isinstance(value, int) and value < says:
            yield f"{self.path}: {value} is below {says}"

    def max_items(self, value: Any, says: int, _schema: dict[str, Any]) -> Iterator[str]:
        if isinstance(value, list) and len(value) > says:
            yield f"{self.path}: more than {says}"

    def format(self, value: Any, says: str, _schema: dict[str, Any]) -> Iterator[str]:
        try:
            if isinstance(value, str):
                _FORMATS[says](value)
        except ValueError:
            yield f"{self.path}: {value!r} is no {says}"


_KEYWORDS: dict[str, Callable[[_Place, Any, Any, dict[str, Any]], Iterator[str]]] = {
    "$ref": _Place.ref,
    "type": _Place.type,
    "enum": _Place.enum,
    "anyOf": _Place.any_of,
    "required": _Place.required,
    "additionalProperties": _Place.properties,
    "items": _Place.items,
    "minimum": _Place.minimum,
    "maxItems": _Place.max_items,
    "format": _Place.format,
}
