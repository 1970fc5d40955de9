"""What is decoded before its turn is what would be decoded at its turn."""

from dataclasses import replace

import pytest

from processor.codec.errors import RegistryUnavailable
from processor.service.decoded import DecodedAhead
from processor.service.records import Lane, Received


def record(offset: int) -> Received:
    return Received(Lane.CORRECTIONS, "corrections", 0, offset, None, b"%d" % offset, (), 0.0)


class Decoding:
    def __init__(self) -> None:
        self.of: list[int] = []
        self.is_away = False

    def __call__(self, read: Received) -> str:
        if self.is_away:
            raise RegistryUnavailable("away")
        self.of.append(read.offset)
        return f"decoded {read.offset}"


def never() -> bool:
    return False


def test_each_record_is_decoded_once() -> None:
    decoding = Decoding()
    ahead = DecodedAhead(decoding)
    records = [record(offset) for offset in range(3)]
    ahead.prepare(records[:2], never)
    ahead.prepare(records[:2], never)
    assert [ahead.of(each) for each in records] == ["decoded 0", "decoded 1", "decoded 2"]
    assert decoding.of == [0, 1, 2]


def test_what_is_read_again_is_decoded_again() -> None:
    decoding = Decoding()
    ahead = DecodedAhead(decoding)
    first = record(7)
    ahead.prepare([first], never)
    again = replace(first, value=b"another")
    assert ahead.of(again) == "decoded 7"
    assert decoding.of == [7, 7]


def test_what_is_not_ahead_any_more_is_forgotten() -> None:
    decoding = Decoding()
    ahead = DecodedAhead(decoding)
    first, second = record(1), record(2)
    ahead.prepare([first], never)
    ahead.prepare([second], never)
    ahead.of(first)
    assert decoding.of == [1, 2, 1]


def test_it_ends_when_there_is_nothing_to_wait_for() -> None:
    decoding = Decoding()
    DecodedAhead(decoding).prepare([record(1), record(2), record(3)], lambda: len(decoding.of) == 2)
    assert decoding.of == [1, 2]


def test_a_registry_that_is_away_is_told_at_the_records_turn() -> None:
    decoding = Decoding()
    ahead = DecodedAhead(decoding)
    decoding.is_away = True
    first = record(1)
    ahead.prepare([first], never)
    with pytest.raises(RegistryUnavailable):
        ahead.of(first)
    decoding.is_away = False
    assert ahead.of(first) == "decoded 1"
