"""Whoever publishes a request, however and however often: it is done once."""

from collections.abc import Iterator

import pytest
from confluent_kafka import Producer

from processor.core.model import Request
from tests.e2e.deployment import Deployment
from tests.e2e.people import assert_same, persons, rename
from tests.e2e.promises import prove

PARTITIONERS = ("murmur2_random", "consistent_random")
"""Of Kafka's Java client, and librdkafka's own, which is crc32."""


def published(deployment: Deployment, request: Request) -> Iterator[None]:
    """By each partitioner, with the district as key and without a key."""
    value = deployment.encoded(request)
    for partitioner in PARTITIONERS:
        producer = Producer({"bootstrap.servers": deployment.settings.bootstrap_servers, "partitioner": partitioner})
        for key in (request.district_id, None):
            producer.produce(deployment.topics.requests, value, key)
        assert producer.flush(30) == 0
        yield


@pytest.mark.parametrize("district", ["NORTH", "RIVER"])
def test_one_request_by_any_client_before_and_after_a_restart_is_one_set_of_corrections(
    running: Deployment, district: str
) -> None:
    keys = list(running.take_keys(5))
    persons(running, district, keys)
    rename(running, district, keys)
    request = running.request(district, "PersonIdentity", keys)
    for _ in published(running, request):
        running.watcher.until_ended([request.request_id])
    running.role("process").kill()
    running.start_missing()
    for _ in published(running, request):
        prove(running, [request.request_id])
    sent = [c for c in running.watcher.corrections if c.source.request_id == request.request_id]
    assert sorted(int(c.source.key) for c in sent) == keys
    assert_same(running, district, keys)
