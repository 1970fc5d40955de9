"""A YAML file of a deployment as a checked entry. What it holds is never told: there may be passwords in it."""

from collections.abc import Callable, Hashable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

Entry = TypeVar("Entry", bound=BaseModel)


class Mistakes(Exception):
    """All mistakes found, each with its place in the file."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def _no_more(_document: object) -> Iterable[str]:
    return ()


def read_entry(
    path: Path,
    kind: type[Entry],
    context: Mapping[str, Any] | None = None,
    across: Callable[[Any], Iterable[str]] = _no_more,
    setting: str | None = None,
) -> Entry:
    """`context` is for the entry's validators; `setting` is what the file's name may come from. Raises Mistakes.

    `across` finds mistakes between parts of the document, whatever its parts look like: so they are told together with
    those within the parts.
    """
    repeated: list[str] = []
    between: list[str] = []
    try:
        document, repeated = _document(path.read_text(encoding="utf-8"))
        between = [*across(document)]
        entry = kind.model_validate(document, context=context)
    except OSError as error:
        hint = f" ({setting} says where it is)" if setting else ""
        raise Mistakes([f"cannot be read: {error.strerror}{hint}"]) from None
    except UnicodeDecodeError:
        raise Mistakes(["is not UTF-8"]) from None
    except yaml.YAMLError as error:
        raise Mistakes([f"is not YAML{_place(error)}"]) from None
    except ValidationError as error:
        within = [
            f"{'.'.join(map(str, e['loc'])) or 'the whole'}: {e['msg']}" for e in error.errors(include_input=False)
        ]
        raise Mistakes([*repeated, *within, *between]) from None
    if repeated or between:
        raise Mistakes([*repeated, *between])
    return entry


def _document(text: str) -> tuple[Any, list[str]]:
    """With the names that stand twice: YAML would let the last of two win, silently."""
    loader = _Loader(text)
    try:
        document = loader.get_single_data()
    finally:
        loader.dispose()
    return document, [f"a name stands twice{_at(mark)}" for mark in loader.repeated]


class _Loader(yaml.SafeLoader):
    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self.repeated: list[yaml.Mark] = []

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002
        seen: set[Hashable] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=deep)
            if key_node.tag == "tag:yaml.org,2002:merge" or not isinstance(key, Hashable):
                continue
            if key in seen:
                self.repeated.append(key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


def _place(error: yaml.YAMLError) -> str:
    """Without the line itself, which may hold a password."""
    return _at(error.problem_mark if isinstance(error, yaml.MarkedYAMLError) else None)


def _at(mark: yaml.Mark | None) -> str:
    return "" if mark is None else f": line {mark.line + 1}, column {mark.column + 1}"
