"""Publish the shortest valid request and wait for its end: publish.py DISTRICT OBJECT KEY..."""

import io
import json
import os
import sys
import uuid
from pathlib import Path

import fastavro
from confluent_kafka import Consumer, Producer, TopicPartition

SERVERS = {"bootstrap.servers": os.environ["RESYNC_BOOTSTRAP_SERVERS"]}
REQUESTS = os.environ.get("RESYNC_TOPIC_REQUESTS", "resync.requests")
HISTORY = os.environ.get("RESYNC_TOPIC_HISTORY", "resync.history")
SCHEMA = json.loads(Path(os.environ.get("RESYNC_SCHEMAS", "schemas"), "ResyncRequest.avsc").read_text())

request_id, (district, object_name, *keys) = str(uuid.uuid4()), sys.argv[1:]
request = {"request_id": request_id, "district_id": district, "object": object_name, "requested_by": "example"}
request["selection"] = ("selectivesync.v1.Keys", {"keys": keys})

# Where the history ends now: the request's end will come after it.
history = Consumer({**SERVERS, "group.id": "example", "isolation.level": "read_committed", "enable.auto.commit": False})
places = [TopicPartition(HISTORY, p) for p in history.list_topics(HISTORY, 10).topics[HISTORY].partitions]
history.assign([TopicPartition(HISTORY, p.partition, history.get_watermark_offsets(p, 10)[1]) for p in places])

# Avro's single-object encoding (C3 01, the schema's fingerprint, the record) needs no schema registry.
fingerprint = fastavro.schema.fingerprint(fastavro.schema.to_parsing_canonical_form(SCHEMA), "CRC-64-AVRO")
value = io.BytesIO()
fastavro.schemaless_writer(value, fastavro.parse_schema(SCHEMA), request)
producer = Producer({**SERVERS, "enable.idempotence": True, "partitioner": "murmur2_random"})
producer.produce(REQUESTS, b"\xc3\x01" + bytes.fromhex(fingerprint) + value.getvalue(), district)
producer.flush()

# RequestEnd has the key <request_id>/~end and tells the state in a header, so nothing has to be decoded.
ended = next((m for m in iter(lambda: history.poll(60), None) if m.key() == f"{request_id}/~end".encode()), None)
if ended is None:
    sys.exit("nothing came for 60 s: do the processor and the store run?")
print(request_id, dict(ended.headers())["status"].decode())
