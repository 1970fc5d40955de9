"""Waiting until the tables show what was written."""

from processor.service.read_back import ReadBack


def test_nothing_is_awaited_at_first() -> None:
    assert ReadBack().is_reached({})


def test_a_record_is_read_back_when_its_offset_is_passed() -> None:
    read_back = ReadBack()
    read_back.expect([(0, 4), (0, 7), (0, 5), (2, 0)])
    assert not read_back.is_reached({})
    assert not read_back.is_reached({0: 7, 2: 1})
    assert not read_back.is_reached({0: 8, 1: 9})
    assert read_back.is_reached({0: 8, 1: 0, 2: 1})


def test_to_begin_forgets_what_was_awaited() -> None:
    read_back = ReadBack()
    read_back.expect([(0, 100)])
    read_back.begin({1: 3})
    assert not read_back.is_reached({0: 200, 1: 2})
    assert read_back.is_reached({1: 3})
