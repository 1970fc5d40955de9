"""What a policy declares: who may do what, and where. Whether a request is within that: `rights`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import product

from processor.core.request import Dependencies, Mode, Side


class Right(StrEnum):
    SEE = "R"
    SYNC = "W"
    CLEAR = "D"
    BATCH = "batch"
    DELETE = "delete"
    FORCE = "force"
    SEE_VALUES = "see-values"
    RELEASE = "release"


NEEDS: Mapping[Right, Right] = {
    Right.SYNC: Right.SEE,
    Right.CLEAR: Right.SEE,
    Right.BATCH: Right.SYNC,
    Right.DELETE: Right.SYNC,
    Right.FORCE: Right.SYNC,
    Right.SEE_VALUES: Right.SEE,
    Right.RELEASE: Right.SEE,
}
"""Rights that mean nothing without another one in the same grant."""


class ControlRight(StrEnum):
    """What a control topic's writers may wish for."""

    CLEAR = "clear"
    RELEASE = "release"
    """To release what is held, and to reject it."""
    CANCEL = "cancel"


DEFAULT_CONTROL = frozenset({ControlRight.CLEAR, ControlRight.CANCEL})
"""Where a policy does not say: nothing that lets anything be sent."""


@dataclass(frozen=True, slots=True)
class Scope:
    """None is all, also those that the catalog will have one day."""

    districts: frozenset[str] | None
    objects: frozenset[str] | None

    def covers(self, district_id: str, object_name: str) -> bool:
        return self.has_district(district_id) and self.has_object(object_name)

    def has_district(self, district_id: str) -> bool:
        return self.districts is None or district_id in self.districts

    def has_object(self, object_name: str) -> bool:
        return self.objects is None or object_name in self.objects

    def within(self, other: "Scope") -> "Scope":
        """What both cover."""
        return Scope(_common(self.districts, other.districts), _common(self.objects, other.objects))

    def pairs(self) -> Iterator[tuple[str | None, str | None]]:
        """Of a district and an object, None being all."""
        districts = [None] if self.districts is None else sorted(self.districts)
        objects = [None] if self.objects is None else sorted(self.objects)
        return product(districts, objects)


def _common(one: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str] | None:
    return other if one is None else one if other is None else one & other


EVERYTHING = Scope(None, None)


@dataclass(frozen=True, slots=True)
class Permit:
    """What may be asked for within a scope. Permits do not add up: an object needs one that allows all of it."""

    scope: Scope
    sides: frozenset[Side]
    modes: frozenset[Mode]
    dependencies: frozenset[Dependencies]
    delete: bool
    batch: bool


@dataclass(frozen=True, slots=True)
class Grant:
    """`sides` limits what may be asked for, not what may be seen."""

    scope: Scope
    sides: frozenset[Side]
    rights: frozenset[Right]


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody whom the command line or the API knows by a token; `token_hashes` are SHA-256 in hexadecimal digits."""

    name: str
    grants: tuple[Grant, ...]
    token_hashes: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class RequestTopic:
    """`writers` are Kafka's principals, to whom the broker alone lets the topic be written."""

    name: str
    permit: Permit
    writers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ControlTopic:
    """By which its `writers` may wish for what `rights` say, about requests within `scope`."""

    name: str
    scope: Scope
    writers: tuple[str, ...]
    rights: frozenset[ControlRight] = DEFAULT_CONTROL


@dataclass(frozen=True, slots=True)
class Services:
    """Kafka's principals of the roles, and of those who read the history topic."""

    process: tuple[str, ...] = ()
    apply: tuple[str, ...] = ()
    store: tuple[str, ...] = ()
    monitor: tuple[str, ...] = ()
    readers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Policy:
    principals: Mapping[str, Principal]
    topics: Mapping[str, RequestTopic]
    services: Services = Services()
    control: Mapping[str, ControlTopic] = field(default_factory=dict)


def request_topics(policy: Policy | None, default: str) -> list[str]:
    """All topics that requests come by, the default one first."""
    return list(dict.fromkeys([default, *(policy.topics if policy is not None else ())]))


def control_topics(policy: Policy | None, default: str) -> list[str]:
    """All topics that wishes come by, the default one first."""
    return list(dict.fromkeys([default, *(policy.control if policy is not None else ())]))
