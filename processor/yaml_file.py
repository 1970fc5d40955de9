"""A YAML file of a deployment as a checked entry. What it holds is never told: there may be passwords in it."""

from collections.abc import Hashable, Mapping
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


def read_entry(path: Path, kind: type[Entry], context: Mapping[str, Any] | None = None) -> Entry:
    """`context` is for the entry's validators. Raises Mistakes."""
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506 (a safe loader, below)
        return kind.model_validate(document, context=context)
    except OSError as error:
        raise Mistakes([f"cannot be read: {error.strerror}"]) from None
    except UnicodeDecodeError:
        raise Mistakes(["is not UTF-8"]) from None
    except _Repeated as error:
        raise Mistakes([f"a name stands twice{_place(error)}"]) from None
    except yaml.YAMLError as error:
        raise Mistakes([f"is not YAML{_place(error)}"]) from None
    except ValidationError as error:
        raise Mistakes(
            [f"{'.'.join(map(str, e['loc'])) or 'the whole'}: {e['msg']}" for e in error.errors(include_input=False)]
        ) from None


class _Repeated(yaml.MarkedYAMLError):
    """YAML would let the last of two win, silently."""


class _Loader(yaml.SafeLoader):
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002
        seen: set[Hashable] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=deep)
            if key_node.tag == "tag:yaml.org,2002:merge" or not isinstance(key, Hashable):
                continue
            if key in seen:
                raise _Repeated(problem_mark=key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


def _place(error: yaml.YAMLError) -> str:
    """Without the line itself, which may hold a password."""
    mark = error.problem_mark if isinstance(error, yaml.MarkedYAMLError) else None
    return "" if mark is None else f": line {mark.line + 1}, column {mark.column + 1}"
