"""Compares a broker's ACLs with those that are wanted, and creates what is missing. Nothing is ever taken away."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import TimeoutError as NoAnswer
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ConfigResource,
    ResourcePatternType,
    ResourceType,
)

from processor.adapters.kafka.acl_list import Acl
from processor.adapters.kafka.broker import ANSWER_S, Broker
from processor.service.client_ports import NotSetUp

if TYPE_CHECKING:
    from concurrent.futures import Future

T = TypeVar("T")

_ANY: Any = None
"""Matches all; the client's types do not know that it may be given."""
_ALL = AclBindingFilter(
    ResourceType.ANY, _ANY, ResourcePatternType.ANY, _ANY, _ANY, AclOperation.ANY, AclPermissionType.ANY
)
_WRITING = frozenset({AclOperation.WRITE, AclOperation.ALL})


@dataclass(frozen=True, slots=True)
class Stranger:
    """Somebody whom the broker lets write to a topic, and the policy does not name for it."""

    principal: str
    topic: str


@dataclass(frozen=True, slots=True)
class AclStates:
    """`existing` is None where the broker has no authorizer, so that everybody may do everything."""

    existing: frozenset[Acl] | None
    strangers: tuple[Stranger, ...] = ()


class AclAdmin:
    """`options` are librdkafka's."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._broker = Broker(options)
        self._admin = AdminClient(self._broker.options)

    def inspect(self, wanted: Collection[Acl], written: Sequence[str]) -> AclStates:
        """Which of `wanted` exist, and who else may write to the topics `written`. Raises Unreachable, NotSetUp."""
        if not self._has_authorizer():
            return AclStates(None)
        self._check_allowed()
        found = self._answer(self._admin.describe_acls(_ALL, request_timeout=ANSWER_S))
        given = [b for b in found if b.permission_type is AclPermissionType.ALLOW]
        bindings = {acl: _binding(acl) for acl in wanted}
        existing = frozenset(acl for acl, binding in bindings.items() if binding in given)
        return AclStates(existing, tuple(_strangers(given, wanted, written)))

    def create(self, missing: Collection[Acl]) -> None:
        """Raises Unreachable, NotSetUp."""
        if missing:
            asked = self._admin.create_acls([_binding(acl) for acl in missing], request_timeout=ANSWER_S)
            for future in asked.values():
                self._answer(future)

    def _has_authorizer(self) -> bool:
        """By the broker's configuration: asked for ACLs, librdkafka gives an empty list where there is none."""
        broker = ConfigResource(ResourceType.BROKER, str(self._broker.any_broker(self._admin)))
        config = self._answer(self._admin.describe_configs([broker], request_timeout=ANSWER_S)[broker])
        return bool(config["authorizer.class.name"].value)

    def _check_allowed(self) -> None:
        """Likewise, it gives an empty list to an account that may not ask."""
        asked = self._admin.describe_cluster(include_authorized_operations=True, request_timeout=ANSWER_S)
        if AclOperation.DESCRIBE not in (self._answer(asked).authorized_operations or ()):
            raise self._not_allowed()

    def _not_allowed(self) -> NotSetUp:
        return NotSetUp(
            f"Kafka at {self._broker.servers} does not let this account look at its ACLs: it needs DESCRIBE and"
            " DESCRIBE_CONFIGS, and for --apply ALTER, on the cluster"
        )

    def _answer(self, future: "Future[T]") -> T:
        try:
            return future.result(ANSWER_S + 1)
        except NoAnswer as fault:
            raise self._broker.unreachable(KafkaError(KafkaError._TIMED_OUT)) from fault
        except KafkaException as fault:
            error: KafkaError = fault.args[0]
            if error.code() == KafkaError.CLUSTER_AUTHORIZATION_FAILED:
                raise self._not_allowed() from fault
            raise self._broker.unreachable(error) from fault


def _binding(acl: Acl) -> AclBinding:
    return AclBinding(
        ResourceType[acl.resource],
        acl.name,
        ResourcePatternType[acl.pattern],
        acl.principal,
        "*",
        AclOperation[acl.operation],
        AclPermissionType.ALLOW,
    )


def _strangers(given: Iterable[AclBinding], wanted: Collection[Acl], written: Sequence[str]) -> list[Stranger]:
    named = {(acl.principal, acl.name) for acl in wanted if acl.operation == "WRITE"}
    found = {
        Stranger(binding.principal, topic)
        for binding in given
        if binding.restype is ResourceType.TOPIC and binding.operation in _WRITING
        for topic in written
        if _covers(binding, topic) and (binding.principal, topic) not in named
    }
    return sorted(found, key=lambda stranger: (stranger.topic, stranger.principal))


def _covers(binding: AclBinding, topic: str) -> bool:
    name: str = binding.name
    if binding.resource_pattern_type is ResourcePatternType.PREFIXED:
        return topic.startswith(name)
    return name in (topic, "*")
