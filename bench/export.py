"""How fast the history topic is written out: `python -m bench.export`. Makes a topic of its own and fills it."""

import argparse
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from bench.history import written
from bench.options import number
from processor.codec import Codec
from processor.codec.history import history_record
from processor.core.catalog import Catalog, Limits
from processor.core.correction import Parent
from processor.core.errors import Reason
from processor.core.history import KeyOutcome, Status

FORMS = ("ndjson", "csv", "parquet")
PARTITIONS = 6
AT = datetime(2026, 8, 1, 12, tzinfo=UTC)


@contextmanager
def topic(servers: str, records: int) -> Iterator[str]:
    name = f"bench-export-{uuid.uuid4().hex[:8]}"
    admin = AdminClient({"bootstrap.servers": servers})
    for made in admin.create_topics([NewTopic(name, PARTITIONS, 1, config={"cleanup.policy": "compact"})]).values():
        made.result(10)
    producer = Producer({"bootstrap.servers": servers, "compression.type": "lz4", "linger.ms": 50})
    codec = Codec.open(None, Catalog({}, {}, Limits()))
    for place in range(records):
        key, _, headers = history_record(outcome := _outcome(place))
        producer.produce(name, codec.encode(name, outcome), key, place % PARTITIONS, headers=[*headers])
        if not place % 10_000:
            producer.flush()
    producer.flush()
    yield name
    admin.delete_topics([name])


def _outcome(number: int) -> KeyOutcome:
    request_id, failed = str(uuid.UUID(int=number // 1_000)), number % 10 == 0
    return KeyOutcome(
        request_id, "NORTH", "Enrollment", str(number), str(number), Status.FAILED if failed else Status.APPLIED,
        Reason.PARENT_MISSING if failed else None, None, ("lastName",),
        Parent("PersonIdentity", str(number)) if failed else None, str(uuid.UUID(int=number)), 1, AT, AT, AT, AT,
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=number(1, 100_000_000), default=1_000_000)
    parser.add_argument("--forms", nargs="+", choices=FORMS, default=FORMS)
    options = parser.parse_args()
    servers = os.environ.get("RESYNC_BOOTSTRAP_SERVERS")
    if not servers:
        parser.error("RESYNC_BOOTSTRAP_SERVERS is not set")
    with topic(servers, options.records) as name:
        for form in options.forms:
            arguments = ["replay", "--export", "--format", form]
            print(f"{form:<8} {written(arguments, {'RESYNC_TOPIC_HISTORY': name}, options.records)}", flush=True)


if __name__ == "__main__":
    main()
