"""Publishes requests as an upstream system does: straight to the topic, knowing only the schema.

Avro's single-object encoding names the schema by its fingerprint, so no registry has to be asked.
"""

import json
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path

import fastavro
from confluent_kafka import Producer

from demo.planted import Request

SCHEMA = json.loads((Path(__file__).parents[1] / "schemas" / "ResyncRequest.avsc").read_text())


def publish(bootstrap_servers: str, requests: Iterable[Request], partitioner: str = "murmur2_random") -> None:
    """Returns once the broker has them all."""
    producer = Producer({"bootstrap.servers": bootstrap_servers, "partitioner": partitioner})
    for request in requests:
        producer.produce(request.ask.topic, key=request.district_id, value=encode(request))
    left = producer.flush(30)
    if left:
        raise TimeoutError(f"{bootstrap_servers} took none of {left} requests within 30 s")


def encode(request: Request) -> bytes:
    schema = fastavro.parse_schema(SCHEMA)
    canonical = fastavro.schema.to_parsing_canonical_form(SCHEMA)
    body = BytesIO()
    body.write(b"\xc3\x01" + bytes.fromhex(fastavro.schema.fingerprint(canonical, "CRC-64-AVRO")))
    fastavro.schemaless_writer(
        body,
        schema,
        {
            "request_id": request.request_id,
            "district_id": request.district_id,
            "object": request.object,
            "selection": ("selectivesync.v1.Keys", {"keys": request.keys}),
            "requested_by": "demo publisher",
            "mode": request.ask.mode,
            "dependencies": request.ask.dependencies,
            "on_state_only": request.ask.on_state_only,
            "school_year": request.ask.school_year,
        },
    )
    return body.getvalue()
