from time import process_time

from processor.adapters.postgres.snapshot_question import rows_by_key


def test_rows_of_a_key_keep_their_order_and_a_key_without_rows_is_left_out() -> None:
    rows = [(9, 0, "7", "a", None), (9, 0, "8", "b", "c"), (9, 0, "7", "d", "e"), (9, 0, None, None, None)]
    assert rows_by_key(rows) == {"7": (("a", None), ("d", "e")), "8": (("b", "c"),)}


def test_very_many_rows_of_one_key_take_no_more_than_as_many_of_many() -> None:
    began = process_time()
    [(key, found)] = rows_by_key([(9, 0, "0", "x")] * 100_000).items()
    assert (key, len(found)) == ("0", 100_000)
    assert process_time() - began < 5
