"""What a record of a lane is decoded to."""

from dataclasses import replace

import pytest

from processor.codec.codec import Codec
from processor.codec.errors import RegistryUnavailable
from processor.core.errors import Reason
from processor.service.records import Lane
from processor.service.work import Poison, Work, decode
from tests.unit.codec.records import CATALOG as SHIPPED
from tests.unit.codec.records import REQUEST, SAMPLES
from tests.unit.service.received import received
from tests.unit.service.sorting import CODEC


@pytest.mark.parametrize(
    ("lane", "sample", "keys"),
    [
        (Lane.REQUESTS, "Request", 3),
        (Lane.REQUESTS, "Request-all", 0),
        (Lane.CHUNKS, "Chunk", 2),
        (Lane.RETRY, "Chunk", 2),
        (Lane.ANSWERS, "Answer", 1),
    ],
)
def test_a_record_of_its_lane_is_work(lane: Lane, sample: str, keys: int) -> None:
    record = received(lane, CODEC.encode("any", SAMPLES[sample]))
    item = decode(record, CODEC)
    assert isinstance(item, Work)
    assert (item.record, item.ask, item.keys) == (record, SAMPLES[sample], keys)


@pytest.mark.parametrize(
    ("lane", "value", "reason"),
    [
        (Lane.REQUESTS, None, Reason.UNDECODABLE),
        (Lane.REQUESTS, b"", Reason.UNDECODABLE),
        (Lane.REQUESTS, b"{}", Reason.UNDECODABLE),
        (Lane.REQUESTS, CODEC.encode("any", SAMPLES["Chunk"]), Reason.UNEXPECTED_RECORD),
        (Lane.CHUNKS, CODEC.encode("any", SAMPLES["Answer"]), Reason.UNEXPECTED_RECORD),
        (Lane.ANSWERS, CODEC.encode("any", SAMPLES["Correction"]), Reason.UNEXPECTED_RECORD),
        (
            Lane.REQUESTS,
            CODEC.encode("any", replace(REQUEST, request_id="7")),
            Reason.INVALID_REQUEST,
        ),
    ],
)
def test_a_record_that_can_never_be_used_is_poison(lane: Lane, value: bytes | None, reason: Reason) -> None:
    record = received(lane, value)
    item = decode(record, CODEC)
    assert isinstance(item, Poison)
    assert (item.record, item.reason) == (record, reason)


def test_a_registry_that_is_away_says_nothing_about_a_record() -> None:
    away = Codec.open(None, SHIPPED, "http://127.0.0.1:1")
    with pytest.raises(RegistryUnavailable):
        decode(received(Lane.REQUESTS, b"\x00\x00\x00\x00\x07x"), away)
