"""Asking a broker on behalf of a person: answers soon, and says in words why there is none."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from confluent_kafka import KafkaError, KafkaException, Producer

from processor.service.client_ports import NotSetUp, Unreachable

if TYPE_CHECKING:
    from confluent_kafka.admin import AdminClient, ClusterMetadata

Client: TypeAlias = "Producer | AdminClient"

ANSWER_S = 10.0
_FIRST_TRY_S = 2.0

_WHY = {
    KafkaError._RESOLVE: "the host's name is unknown",
    KafkaError._TRANSPORT: "nobody listens there",
    KafkaError._ALL_BROKERS_DOWN: "nobody listens there",
    KafkaError._TIMED_OUT: "no answer",
    KafkaError._AUTHENTICATION: "it did not take the credentials",
    KafkaError._SSL: "the TLS connection failed",
}


class Broker:
    """The cluster that `options` of librdkafka lead to, and what its clients complained of."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.servers: str = options["bootstrap.servers"]
        self._fault: KafkaError | None = None
        self.options: dict[str, Any] = {**options, "error_cb": self._on_error}

    def cluster(self, client: Client) -> "ClusterMetadata":
        """Brokers and topics as one of the brokers knows them. Raises Unreachable."""
        return self._metadata(client)

    def partition_counts(self, client: Client) -> dict[str, int]:
        """Of every topic: a broker may create a topic that is asked for by name. Raises Unreachable."""
        topics = self._metadata(client).topics
        return {name: len(topic.partitions) for name, topic in topics.items() if topic.error is None}

    def any_broker(self, client: Client) -> int:
        """Id of one of the cluster's brokers. Raises Unreachable."""
        return int(min(self._metadata(client).brokers))

    def partitions(self, client: Client, topic: str) -> int:
        """Raises Unreachable, NotSetUp."""
        counts = self.partition_counts(client)
        if topic not in counts:
            raise NotSetUp(f"Kafka at {self.servers} has no topic {topic}: run `resync topics create`")
        return counts[topic]

    def unreachable(self, error: KafkaError) -> Unreachable:
        """`error` counts where the clients have not complained of anything that says more."""
        said = self._fault or error
        why = _WHY.get(said.code(), said.name())
        return Unreachable(
            f"Kafka at {self.servers} cannot be reached ({why}): check RESYNC_BOOTSTRAP_SERVERS and the broker"
        )

    def _metadata(self, client: Client) -> "ClusterMetadata":
        try:
            return client.list_topics(timeout=_FIRST_TRY_S)
        except KafkaException as fault:
            client.poll(0)
            if self._fault is not None:
                raise self.unreachable(fault.args[0]) from fault
        try:
            return client.list_topics(timeout=ANSWER_S - _FIRST_TRY_S)
        except KafkaException as fault:
            client.poll(0)
            raise self.unreachable(fault.args[0]) from fault

    def _on_error(self, error: KafkaError) -> None:
        """That a name is unknown says more than that all brokers are down, which follows from it."""
        if self._fault is None or self._fault.code() == KafkaError._ALL_BROKERS_DOWN:
            self._fault = error
