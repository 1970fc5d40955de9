"""What the broker says about a topic: its identity, number of partitions and extent."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from confluent_kafka import IsolationLevel, KafkaError, KafkaException, TopicCollection, TopicPartition, admin
from confluent_kafka.admin import AdminClient

from processor.service.history_ports import Extent, StoreUnavailable

if TYPE_CHECKING:
    from concurrent.futures import Future

ANSWER_S = 10.0

_SPEC: Any = vars(admin)["OffsetSpec"]
"""Untyped in the client, and not among the names that its module says it exports."""


class TopicMissing(Exception):
    """The topic does not exist. Nothing can be done but to create it."""


class TopicFacts:
    """`options` are librdkafka's; those of consumers and producers do no harm here."""

    def __init__(self, options: Mapping[str, Any], topic: str) -> None:
        self.topic = topic
        self._admin = AdminClient({"bootstrap.servers": options["bootstrap.servers"], **_client_options(options)})

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

    def _offsets(self, partitions: list[int], spec: Any, isolation: IsolationLevel) -> dict[int, int]:  # noqa: ANN401
        """The client does not notice by itself that a partition has another leader, or the same one anew."""
        if not partitions:
            return {}
        try:
            return self._list_offsets(partitions, spec, isolation)
        except StoreUnavailable:
            self._refresh()
            return self._list_offsets(partitions, spec, isolation)

    def _list_offsets(self, partitions: list[int], spec: Any, isolation: IsolationLevel) -> dict[int, int]:  # noqa: ANN401
        wanted = {TopicPartition(self.topic, p): spec for p in partitions}
        asked = self._admin.list_offsets(wanted, isolation_level=isolation, request_timeout=ANSWER_S)
        return {place.partition: self._answer(future).offset for place, future in asked.items()}

    def _refresh(self) -> None:
        """Of all topics: a broker may create one that is asked for by name."""
        try:
            self._admin.list_topics(timeout=ANSWER_S)
        except KafkaException as fault:
            raise StoreUnavailable(f"the broker did not answer ({fault.args[0].name()})") from fault

    def _description(self) -> Any:  # noqa: ANN401
        asked = self._admin.describe_topics(TopicCollection([self.topic]), request_timeout=ANSWER_S)
        return self._answer(asked[self.topic])

    def _answer(self, future: "Future[Any]") -> Any:  # noqa: ANN401
        try:
            return future.result(ANSWER_S + 1)
        except TimeoutError as fault:
            raise StoreUnavailable(f"the broker did not answer about {self.topic} within {ANSWER_S:.0f} s") from fault
        except KafkaException as fault:
            error: KafkaError = fault.args[0]
            if error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise TopicMissing(f"the topic {self.topic} does not exist: run `resync topics create`") from None
            raise StoreUnavailable(f"the broker did not answer about {self.topic} ({error.name()})") from fault


def _client_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Those that say how to reach a broker, whatever the client."""
    shared = ("security.", "sasl.", "ssl.", "client.", "socket.", "broker.", "metadata.", "reconnect.", "log_level")
    return {name: value for name, value in options.items() if name.startswith(shared)}
