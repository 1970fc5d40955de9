"""What the broker says about a topic: its identity, number of partitions and extent."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

from confluent_kafka import IsolationLevel, KafkaError, KafkaException, TopicCollection, TopicPartition, admin
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType

from processor.service.history_ports import Extent, StoreUnavailable

if TYPE_CHECKING:
    from concurrent.futures import Future

ANSWER_S = 10.0
RETRY_AFTER_S = 0.2

DELETE_RETENTION_S = 86_400.0

_FORBIDDEN = frozenset({KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.CLUSTER_AUTHORIZATION_FAILED})

_SPEC: Any = vars(admin)["OffsetSpec"]
"""Untyped in the client, and not among the names that its module says it exports."""


class TopicMissing(Exception):
    """The topic does not exist. Nothing can be done but to create it."""


class TopicFacts:
    """`options` are librdkafka's; those of consumers and producers do no harm here."""

    def __init__(self, options: Mapping[str, Any], topic: str) -> None:
        self.topic = topic
        self._options = {"bootstrap.servers": options["bootstrap.servers"], **_client_options(options)}
        self._admin = AdminClient(self._options)

    def partitions(self) -> int:
        return len(self._description().partitions)

    def topic_id(self) -> str:
        """Differs for a topic that was deleted and created again under the same name."""
        return str(self._description().topic_id)

    def extents(self, partitions: Iterable[int]) -> Mapping[int, Extent]:
        chosen = list(partitions)
        low = self._offsets(chosen, _SPEC.earliest(), IsolationLevel.READ_UNCOMMITTED)
        stable = self._offsets(chosen, _SPEC.latest(), IsolationLevel.READ_COMMITTED)
        high = self._offsets(chosen, _SPEC.latest(), IsolationLevel.READ_UNCOMMITTED)
        return {p: Extent(low[p], stable[p], high[p]) for p in chosen}

    def offsets_at(self, partitions: Iterable[int], time: datetime) -> Mapping[int, int]:
        """Of each partition, the first record that came at this time or later; left out where there is none.

        Negative times mean something else to a broker (-1 the end, -2 the beginning, …), and no record is so old.
        """
        spec = _SPEC.for_timestamp(max(0, int(time.timestamp() * 1000)))
        found = self._offsets(list(partitions), spec, IsolationLevel.READ_UNCOMMITTED)
        return {p: offset for p, offset in found.items() if offset >= 0}

    def tombstones_kept_s(self) -> float:
        """Its `delete.retention.ms`; Kafka's default where this client may not ask."""
        resource = ConfigResource(ResourceType.TOPIC, self.topic)
        try:
            entries = self._answer(self._admin.describe_configs([resource], request_timeout=ANSWER_S)[resource])
        except StoreUnavailable as fault:
            if not isinstance(fault.__cause__, KafkaException) or fault.__cause__.args[0].code() not in _FORBIDDEN:
                raise
            return DELETE_RETENTION_S
        return int(entries["delete.retention.ms"].value) / 1000

    def _offsets(self, partitions: list[int], spec: Any, isolation: IsolationLevel) -> dict[int, int]:  # noqa: ANN401
        """Asked again for a while, each time by a new client.

        After a broker's restart a client may keep the partitions' old leader epochs for minutes, and is refused
        (FENCED_LEADER_EPOCH) for as long; a new one asks for them first.
        """
        until = monotonic() + ANSWER_S
        while True:
            try:
                return self._ask_offsets(partitions, spec, isolation)
            except StoreUnavailable:
                self._admin.poll(0)
                self._admin = AdminClient(self._options)
                if monotonic() > until:
                    raise
            sleep(RETRY_AFTER_S)

    def _ask_offsets(self, partitions: list[int], spec: Any, isolation: IsolationLevel) -> dict[int, int]:  # noqa: ANN401
        if not partitions:
            return {}
        wanted = {TopicPartition(self.topic, p): spec for p in partitions}
        asked = self._admin.list_offsets(wanted, isolation_level=isolation, request_timeout=ANSWER_S)
        return {place.partition: self._answer(future).offset for place, future in asked.items()}

    def _description(self) -> Any:  # noqa: ANN401
        asked = self._admin.describe_topics(TopicCollection([self.topic]), request_timeout=ANSWER_S)
        return self._answer(asked[self.topic])

    def _answer(self, future: "Future[Any]") -> Any:  # noqa: ANN401
        try:
            return future.result(ANSWER_S + 1)
        except TimeoutError as fault:
            raise self._unanswered(f"within {ANSWER_S:.0f} s") from fault
        except KafkaException as fault:
            error: KafkaError = fault.args[0]
            if error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise TopicMissing(f"the topic {self.topic} does not exist: run `resync topics create`") from None
            raise self._unanswered(f"({error.name()})") from fault
        finally:
            # Hands over what the client has to log.
            self._admin.poll(0)

    def _unanswered(self, how: str) -> StoreUnavailable:
        servers = self._options["bootstrap.servers"]
        return StoreUnavailable(
            f"the broker did not answer about {self.topic} {how}: check RESYNC_BOOTSTRAP_SERVERS"
            f" ({servers}) and the broker"
        )


def _client_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Those that say how to reach a broker, whatever the client."""
    shared = ("security.", "sasl.", "ssl.", "client.", "socket.", "broker.", "metadata.", "reconnect.", "log")
    return {name: value for name, value in options.items() if name.startswith(shared)}
