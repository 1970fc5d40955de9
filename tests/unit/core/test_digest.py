import pytest

from processor.core.catalog import Limits
from processor.core.digest import MAX_ROWS, READS_BY_ROWS, more_rows, reads_by_rows


def test_keys_go_by_columns_for_a_while_once_more_than_half_of_them_had_other_digests() -> None:
    assert [reads_by_rows(100, others) for others in (0, 50, 51, 100)] == [0, 0, READS_BY_ROWS, READS_BY_ROWS]


@pytest.mark.parametrize(
    ("size", "took_s", "spent_s", "following"),
    [
        (10_000, 0.02, 0.05, 160_000),  # what was quick may have been in memory
        (160_000, 0.1, 0.15, 560_000),  # as many as fit into what is left of the time
        (900_000, 0.2, 0.2, MAX_ROWS),
        (10_000, 0.2, 0.25, 12_500),
        (10_000, 0.2, 0.26, 0),
        (10_000, 3.0, 3.0, 0),
    ],
)
def test_a_part_reads_on_until_half_of_its_time_is_spent(
    size: int, took_s: float, spent_s: float, following: int
) -> None:
    assert more_rows(size, took_s, spent_s, Limits(chunk_target_s=0.5)) == pytest.approx(following, rel=1e-6)
