from processor.core.digest import READS_BY_ROWS, reads_by_rows


def test_keys_go_by_columns_for_a_while_once_more_than_half_of_them_had_other_digests() -> None:
    assert [reads_by_rows(100, others) for others in (0, 50, 51, 100)] == [0, 0, READS_BY_ROWS, READS_BY_ROWS]
