"""Loads the policy: one YAML file that says who may ask for what. Every mistake is told at once."""

import re
from collections.abc import Collection, Hashable, Iterator, Mapping
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo

from processor.core.catalog import Catalog
from processor.core.policy import (
    DEFAULT_CONTROL,
    NEEDS,
    ControlRight,
    ControlTopic,
    Grant,
    Permit,
    Policy,
    Principal,
    RequestTopic,
    Right,
    Scope,
    Services,
)
from processor.core.request import Dependencies, Mode, Side
from processor.yaml_file import Mistakes, read_entry


class PolicyError(Exception):
    """The policy cannot be used; `problems` lists every mistake found, each with its place in the file."""

    def __init__(self, path: Path, problems: list[str]) -> None:
        self.problems = problems
        super().__init__(f"{path}: " + "; ".join(problems))


_HASH = re.compile(r"[0-9a-f]{64}")
_HASH_OF_NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._@+-]{0,99}")
_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")
_KAFKA_PRINCIPAL = re.compile(r"[A-Za-z]+:\S.{0,250}")


def _all_or_names(given: object, info: ValidationInfo) -> object:
    """`all` becomes None, which no file can say by itself."""
    if given == "all":
        return None
    listed = given if isinstance(given, list) else []
    names = {name for name in listed if isinstance(name, str) and name}
    wrong = []
    if not listed or not all(name in names for name in listed if isinstance(name, Hashable)):
        wrong.append("is `all` or a list of names (numbers and yes/no in quotes)")
    known = (info.context or {}).get(info.field_name)
    if known is not None and (unknown := sorted(names - set(known))):
        wrong.append(f"the catalog has no {', '.join(unknown)}")
    if wrong:
        raise ValueError("; ".join(wrong))
    return given


def _upper(given: object) -> object:
    return given.upper() if isinstance(given, str) else given


def _token_hash(given: str) -> str:
    text = given.lower()
    if not _HASH.fullmatch(text):
        raise ValueError("is not the SHA-256 of a token, 64 hexadecimal digits: see `resync policy token`")
    if text == _HASH_OF_NOTHING:
        raise ValueError("is the SHA-256 of an empty token")
    return text


def _kafka_principal(given: str) -> str:
    if not _KAFKA_PRINCIPAL.fullmatch(given):
        raise ValueError("is not a principal of Kafka, such as User:north-sis")
    return given


def _principal_name(given: str) -> str:
    if not _NAME.fullmatch(given):
        raise ValueError("a name is 1 to 100 of A-Z a-z 0-9 . _ @ + - and blanks, beginning with a letter or digit")
    return given


def _topic(given: str, info: ValidationInfo) -> str:
    if not _TOPIC.fullmatch(given):
        raise ValueError("is not a name of a topic")
    if given in (info.context or {}).get("other_topics", ()):
        raise ValueError("is a topic of the service itself, which no publisher may write to")
    return given


def _control_topic(given: str, info: ValidationInfo) -> str:
    return given if given == (info.context or {}).get("control_topic") else _topic(given, info)


Names = Annotated[frozenset[str] | None, BeforeValidator(_all_or_names)]
TokenHash = Annotated[str, AfterValidator(_token_hash)]
KafkaPrincipal = Annotated[str, AfterValidator(_kafka_principal)]
Sides = Annotated[frozenset[Annotated[Side, BeforeValidator(_upper)]], Field(min_length=1)]
Modes = Annotated[frozenset[Annotated[Mode, BeforeValidator(_upper)]], Field(min_length=1)]
SomeDependencies = Annotated[frozenset[Annotated[Dependencies, BeforeValidator(_upper)]], Field(min_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Scoped(_Strict):
    sides: Sides
    districts: Names
    objects: Names

    def scope(self) -> Scope:
        return Scope(self.districts, self.objects)


class _GrantEntry(_Scoped):
    rights: Annotated[frozenset[Right], Field(min_length=1)]


class _PrincipalEntry(_Strict):
    tokens: list[TokenHash] = []
    grants: list[_GrantEntry] = Field(min_length=1)


class _TopicEntry(_Scoped):
    """What is not said is not allowed."""

    writers: list[KafkaPrincipal]
    modes: Modes = frozenset({Mode.SYNC, Mode.VERIFY})
    dependencies: SomeDependencies = frozenset({Dependencies.NONE})
    delete: bool = False
    batch: bool = False

    def permit(self) -> Permit:
        return Permit(self.scope(), self.sides, self.modes, self.dependencies, self.delete, self.batch)


class _ControlEntry(_Strict):
    writers: list[KafkaPrincipal]
    districts: Names
    objects: Names
    rights: Annotated[frozenset[ControlRight], Field(min_length=1)] = DEFAULT_CONTROL


class _ServicesEntry(_Strict):
    process: list[KafkaPrincipal] = []
    apply: list[KafkaPrincipal] = []
    store: list[KafkaPrincipal] = []
    monitor: list[KafkaPrincipal] = []
    readers: list[KafkaPrincipal] = []


class _PolicyEntry(_Strict):
    principals: dict[Annotated[str, AfterValidator(_principal_name)], _PrincipalEntry] = {}
    topics: dict[Annotated[str, AfterValidator(_topic)], _TopicEntry] = {}
    control: dict[Annotated[str, AfterValidator(_control_topic)], _ControlEntry] = {}
    services: _ServicesEntry = _ServicesEntry()


def load_policy(path: Path, catalog: Catalog | None = None, topics: Mapping[str, str] | None = None) -> Policy:
    """Reads and checks the policy. Raises PolicyError with every mistake.

    Districts and objects are checked where a catalog is given. `topics` are the service's own, by what they are for:
    no publisher may write to them but to `requests`; by `control`, clearings may be wished for.
    """
    try:
        entry = read_entry(path, _PolicyEntry, _context(catalog, topics or {}), _across)
    except Mistakes as fault:
        raise PolicyError(path, fault.problems) from None
    return Policy(
        principals={name: _principal(name, each) for name, each in entry.principals.items()},
        topics={name: RequestTopic(name, t.permit(), tuple(t.writers)) for name, t in entry.topics.items()},
        services=Services(*(tuple(getattr(entry.services, name)) for name in Services.__slots__)),
        control={
            name: ControlTopic(name, Scope(c.districts, c.objects), tuple(c.writers), c.rights)
            for name, c in entry.control.items()
        },
    )


def _context(catalog: Catalog | None, topics: Mapping[str, str]) -> dict[str, Collection[str] | None]:
    """What the entry's validators hold it against."""
    known = {} if catalog is None else {"districts": set(catalog.districts), "objects": set(catalog.objects)}
    others = [topic for use, topic in topics.items() if use != "requests"]
    return {"other_topics": others, "control_topic": topics.get("control"), **known}


def _principal(name: str, entry: _PrincipalEntry) -> Principal:
    grants = tuple(Grant(grant.scope(), grant.sides, grant.rights) for grant in entry.grants)
    return Principal(name, grants, tuple(entry.tokens))


def _across(document: object) -> Iterator[str]:
    """Mistakes between parts, each of which may have mistakes of its own and so be of any form."""
    owners: dict[str, str] = {}
    for name, principal in _named(document, "principals"):
        for number, token in enumerate(_listed(principal, "tokens")):
            owner = owners.setdefault(str(token).lower(), name)
            if owner != name:
                yield f"principals.{name}.tokens.{number}: is a token of {owner} too"
        for number, grant in enumerate(_listed(principal, "grants")):
            given = {str(right) for right in _listed(grant, "rights")}
            alone = [
                f"{right} means nothing without {need}"
                for right, need in NEEDS.items()
                if right in given and need not in given
            ]
            if alone:
                yield f"principals.{name}.grants.{number}.rights: {', '.join(alone)}"
    request_topics = {name for name, _ in _named(document, "topics")}
    for name, _ in _named(document, "control"):
        if name in request_topics:
            yield f"control.{name}: is a request topic too"


def _named(within: object, part: str) -> list[tuple[str, object]]:
    found = within.get(part) if isinstance(within, dict) else None
    return [(str(name), entry) for name, entry in found.items()] if isinstance(found, dict) else []


def _listed(within: object, part: str) -> list[object]:
    found = within.get(part) if isinstance(within, dict) else None
    return found if isinstance(found, list) else []
