"""Bytes that were published stay what they are: both what is written now and what can be read.

After an intended change of a schema, keep the old bytes under `<Sample> <what was different>`, for such bytes lie in
topics, and add the new ones.
`python -m tests.unit.codec.test_golden` prints the lines of samples that have none yet.
"""

import json
from pathlib import Path

import pytest

from processor.codec import Codec
from tests.unit.codec.records import CATALOG, SAMPLES

GOLDEN: dict[str, str] = json.loads(Path(__file__).with_name("golden.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def codec() -> Codec:
    return Codec.open(None, CATALOG)


@pytest.mark.parametrize("name", SAMPLES)
def test_bytes_written_are_those_of_this_release(codec: Codec, name: str) -> None:
    assert codec.encode("any", SAMPLES[name]).hex() == GOLDEN[name]


@pytest.mark.parametrize("name", GOLDEN)
def test_bytes_once_written_stay_readable(codec: Codec, name: str) -> None:
    record = SAMPLES[name.split(" ", maxsplit=1)[0]]
    assert codec.decode(bytes.fromhex(GOLDEN[name]), {type(record)}) == record


if __name__ == "__main__":
    shown = {name: Codec.open(None, CATALOG).encode("any", record).hex() for name, record in SAMPLES.items()}
    print(json.dumps({**shown, **GOLDEN}, indent=2))  # noqa: T201
