"""The topics as the deployment needs them: made where they are missing, and compared where they exist."""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NoAnswer
from dataclasses import dataclass, replace
from time import monotonic, sleep
from typing import Any, TypeVar

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType
from confluent_kafka.cimpl import NewTopic

from processor.adapters.kafka.broker import ANSWER_S, Broker
from processor.service.client_ports import NotSetUp
from processor.settings import Settings

T = TypeVar("T")

_DAY_MS = 24 * 3600 * 1000
_LOOK_AGAIN_S = 0.1
_POLICY = "cleanup.policy"


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """How a topic should be. `same_count` topics are read together, so they need one number of partitions."""

    name: str
    partitions: int
    config: Mapping[str, str]
    same_count: bool


@dataclass(frozen=True, slots=True)
class TopicState:
    """`partitions` is None where the topic does not exist. `differs` maps options to (as it is, as it should be)."""

    spec: TopicSpec
    partitions: int | None
    differs: Mapping[str, tuple[str, str]]
    created: bool = False


def topic_specs(
    settings: Settings, more_requests: Iterable[str] = (), more_control: Iterable[str] = ()
) -> tuple[TopicSpec, ...]:
    """Request and control topics beside the default ones; see `core.policy.request_topics` and `control_topics`."""
    names, lanes = settings.topics, settings.partitions
    deleted = {_POLICY: "delete", "retention.ms": str(30 * _DAY_MS)}
    compacted = {_POLICY: "compact"}
    # Headers make a record that was as large as a record may be larger still.
    dead = {_POLICY: "delete", "retention.ms": str(90 * _DAY_MS), "max.message.bytes": str(2 * 1024 * 1024)}
    accepted = {_POLICY: "compact,delete", "retention.ms": str(2 * int(settings.accepted_window_s * 1000))}
    return (
        *(
            TopicSpec(name, lanes, deleted, same_count=True)
            for name in dict.fromkeys(
                (names.requests, *more_requests, names.chunks, names.retry, names.corrections, names.answers)
            )
        ),
        TopicSpec(names.accepted, lanes, accepted, same_count=True),
        *(TopicSpec(name, 1, compacted, same_count=False) for name in dict.fromkeys((names.control, *more_control))),
        TopicSpec(names.history, settings.history_partitions, compacted, same_count=False),
        TopicSpec(names.dead_letters, 1, dead, same_count=False),
    )


def faults(states: Sequence[TopicState]) -> list[str]:
    """What the service cannot work with; empty if all is well. Retention times are the deployment's own matter."""
    missing = [state.spec.name for state in states if state.partitions is None]
    found = [f"{name} does not exist: `resync topics create` creates it" for name in missing]
    counts = {s.spec.name: s.partitions for s in states if s.spec.same_count and s.partitions is not None}
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"{name} has {count}" for name, count in counts.items())
        found.append(f"these need one number of partitions: {listed}")
    for state in states:
        if _POLICY in state.differs:
            is_now, must_be = state.differs[_POLICY]
            found.append(f"{state.spec.name} has {_POLICY}={is_now}; it must be {must_be}")
    return found


def check_topics(options: Mapping[str, Any], specs: Sequence[TopicSpec]) -> None:
    """For a role at its start. Raises NotSetUp with everything that is wrong."""
    found = faults(TopicAdmin(options).inspect(specs))
    if found:
        raise NotSetUp(f"topics at {options['bootstrap.servers']}: {'; '.join(found)} (see `resync topics check`)")


class TopicAdmin:
    """`options` are librdkafka's."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._broker = Broker(options)
        self._admin = AdminClient(self._broker.options)

    def create(self, specs: Sequence[TopicSpec], replication_factor: int) -> list[TopicState]:
        """Makes what is missing and leaves what exists as it is; -1 takes the broker's replication factor.

        Returns once the brokers tell of all of them, so that whoever comes next finds them.
        """
        missing = [state.spec for state in self.inspect(specs) if state.partitions is None]
        asked = [NewTopic(s.name, s.partitions, replication_factor, config=dict(s.config)) for s in missing]
        made = self._admin.create_topics(asked, request_timeout=ANSWER_S) if asked else {}
        created = {name for name, future in made.items() if self._was_created(name, future)}
        deadline = monotonic() + ANSWER_S
        states = self.inspect(specs)
        while any(state.partitions is None for state in states) and monotonic() < deadline:
            sleep(_LOOK_AGAIN_S)
            states = self.inspect(specs)
        return [replace(state, created=state.spec.name in created) for state in states]

    def partition_counts(self) -> dict[str, int]:
        """Of every topic. Raises Unreachable."""
        return self._broker.partition_counts(self._admin)

    def inspect(self, specs: Sequence[TopicSpec]) -> list[TopicState]:
        """Raises Unreachable."""
        counts = self._broker.partition_counts(self._admin)
        found = [spec for spec in specs if spec.name in counts]
        resources = [ConfigResource(ResourceType.TOPIC, spec.name) for spec in found]
        asked = self._admin.describe_configs(resources, request_timeout=ANSWER_S) if resources else {}
        configs = {resource.name: self._answer(future) for resource, future in asked.items()}
        return [self._state(spec, counts.get(spec.name), configs.get(spec.name, {})) for spec in specs]

    def _state(self, spec: TopicSpec, partitions: int | None, config: Mapping[str, Any]) -> TopicState:
        differs: dict[str, tuple[str, str]] = {}
        if partitions is not None and partitions != spec.partitions:
            differs["partitions"] = (str(partitions), str(spec.partitions))
        for name, wanted in spec.config.items():
            entry = config.get(name)
            if entry is not None and set(entry.value.split(",")) != set(wanted.split(",")):
                differs[name] = (entry.value, wanted)
        return TopicState(spec, partitions, differs)

    def _was_created(self, name: str, future: "Future[None]") -> bool:
        """False where another process was quicker."""
        try:
            future.result(ANSWER_S + 1)
        except NoAnswer as fault:
            raise self._broker.unreachable(KafkaError(KafkaError._TIMED_OUT)) from fault
        except KafkaException as fault:
            error: KafkaError = fault.args[0]
            if error.code() == KafkaError.TOPIC_ALREADY_EXISTS:
                return False
            raise NotSetUp(f"Kafka at {self._broker.servers} would not create {name}: {error.str()}") from fault
        return True

    def _answer(self, future: "Future[T]") -> T:
        try:
            return future.result(ANSWER_S + 1)
        except NoAnswer as fault:
            raise self._broker.unreachable(KafkaError(KafkaError._TIMED_OUT)) from fault
        except KafkaException as fault:
            raise self._broker.unreachable(fault.args[0]) from fault
