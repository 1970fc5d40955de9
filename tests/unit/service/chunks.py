"""Chunks of a large request, and answers, as records that wait in the inbox."""

from dataclasses import replace

from processor.core.chunk import Ask, Cause, Chunk, Scan
from processor.core.correction import Answer, Result
from processor.core.request import Mode, Report
from processor.service.records import Lane, Received
from tests.unit.codec.records import SOURCE
from tests.unit.core.builders import NOW
from tests.unit.service.processing import CODEC, NORTH, Parts, chunk_records, parts
from tests.unit.service.received import received

ANSWER = Answer(replace(SOURCE, district_id="NORTH"), Result.APPLIED, None, NOW)
EARLIER = "0b9c4a3e-6f0d-4c57-9a55-2f1f6d3b7cf0"


def keys_of(number: int, count: int = 1, request_id: str = EARLIER) -> Chunk:
    first = 1_000 * number
    asks = tuple(Ask(str(key), str(key)) for key in range(first, first + count))
    return Chunk(request_id, f"0.{number}", "NORTH", "PersonIdentity", asks, Cause.SPLIT, first_decided_at=NOW)


def scan_part() -> Chunk:
    return replace(
        keys_of(0),
        asks=(),
        cause=Cause.SCAN,
        mode=Mode.VERIFY,
        report=Report.CHANGES,
        scan=Scan(None, 0, 10, 10, by_rows=True),
    )


def with_chunks(*chunks: Chunk) -> Parts:
    made = parts()
    made.inbox.bulk = chunk_records(*chunks)
    return made


def answers(count: int, first: int) -> list[Received]:
    value = CODEC.encode("any", ANSWER)
    return [received(Lane.ANSWERS, value, partition=NORTH, offset=first + number) for number in range(count)]
