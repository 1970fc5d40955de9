"""Print what became of one record, by request: read_history.py DISTRICT OBJECT KEY. Headers are enough for it."""

import os
import sys
from datetime import UTC, datetime

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

TOPIC = os.environ.get("RESYNC_TOPIC_HISTORY", "resync.history")
own = {"group.id": "reader", "isolation.level": "read_committed", "enable.auto.commit": False}
consumer = Consumer({"bootstrap.servers": os.environ["RESYNC_BOOTSTRAP_SERVERS"], "enable.partition.eof": True, **own})
to_read = set(consumer.list_topics(TOPIC, 10).topics[TOPIC].partitions)
consumer.assign([TopicPartition(TOPIC, partition, OFFSET_BEGINNING) for partition in to_read])
while to_read and (message := consumer.poll(30)) is not None:
    if message.error():  # the end of a partition
        to_read.discard(message.partition())
        continue
    headers = {name: value.decode() for name, value in message.headers() or ()}
    if [headers.get(name) for name in ("district_id", "object", "key")] == sys.argv[1:]:
        time = datetime.fromtimestamp(message.timestamp()[1] / 1000, UTC)
        print(f"{time:%Y-%m-%dT%H:%M:%SZ}", headers["request_id"], headers["status"])
if to_read:
    sys.exit("nothing came for 30 s: does the broker run?")
