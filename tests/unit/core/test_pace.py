"""How many keys are taken at once (ADR 0221, 0232, 0253)."""

import pytest

from processor.core.pace import GROWTH, KEYS_AT_ONCE, LEAST_KEYS, MOST_BY_COLUMNS, most_keys, next_keys

TARGET_S = 0.5
MANY = 20_000


@pytest.mark.parametrize(
    ("allowed", "taken", "by_columns", "took_s", "following"),
    [
        pytest.param(5_000, 5_000, 150, 0.1, GROWTH * 5_000, id="quick, and mostly the same: several times as many"),
        pytest.param(5_000, 5_000, 150, 0.25, 10_000, id="as many as take the time"),
        pytest.param(MANY, MANY, 600, 1.0, 10_000, id="fewer where that took too long"),
        pytest.param(MANY, MANY, MANY // 2, 0.1, KEYS_AT_ONCE, id="half of them differ: as at the start"),
        pytest.param(MANY, MANY, MANY, 0.1, KEYS_AT_ONCE, id="no fewer than at the start"),
        pytest.param(5_000, 5_000, 1_250, 0.01, 10_000, id="a quarter differs: as many as have that many to be told"),
        pytest.param(MANY, 2_000, 60, 0.1, MANY, id="a batch that was small for want of keys takes nothing away"),
        pytest.param(MANY, 99, 99, 0.1, MANY, id="few keys are read by their columns anyway"),
        pytest.param(MANY, 100, 100, 0.1, KEYS_AT_ONCE, id="what differs tells so, be it little"),
        pytest.param(KEYS_AT_ONCE, 0, 0, 0.0, KEYS_AT_ONCE, id="nothing was read"),
        pytest.param(5_000, 5_000, 0, 9.0, KEYS_AT_ONCE, id="a slow database: as at the start"),
    ],
)
def test_a_batch_has_as_many_keys_as_are_quick_and_few_of_them_differ(
    allowed: int, taken: int, by_columns: int, took_s: float, following: int
) -> None:
    assert next_keys(allowed, taken, by_columns, took_s, TARGET_S, least=KEYS_AT_ONCE) == following


@pytest.mark.parametrize(
    ("allowed", "taken", "by_columns", "took_s", "following"),
    [
        pytest.param(500, 500, 15, 0.01, GROWTH * 500, id="quick: several times as many"),
        pytest.param(500, 500, 500, 0.01, GROWTH * 500, id="also where all of them differ"),
        pytest.param(5_000, 5_000, 5_000, 0.1, KEYS_AT_ONCE, id="but then no more than these"),
        pytest.param(5_000, 5_000, 150, 0.1, GROWTH * 5_000, id="more where most are the same"),
        pytest.param(MANY, MANY, 600, 2.0, 5_000, id="fewer where that took too long"),
        pytest.param(MANY, 3, 3, 1.5, LEAST_KEYS, id="a chunk at the least"),
        pytest.param(MANY, 3, 3, 0.1, MANY, id="few keys that were quick take nothing away"),
    ],
)
def test_a_batch_of_a_large_request_has_fewer_where_a_database_is_slow(
    allowed: int, taken: int, by_columns: int, took_s: float, following: int
) -> None:
    assert next_keys(allowed, taken, by_columns, took_s, TARGET_S) == following


def test_it_never_grows_beyond_what_may_have_to_be_told() -> None:
    for share in (2, 5, 10, 33):
        taken = 10_000
        following = next_keys(taken, taken, taken // share, 0.001, TARGET_S)
        assert following == KEYS_AT_ONCE or following // share <= MOST_BY_COLUMNS


@pytest.mark.parametrize(
    ("columns", "keys"),
    [
        pytest.param(1, 400_000, id="narrow: what is configured bounds it"),
        pytest.param(20, MANY, id="as wide as most are"),
        pytest.param(50, 8_000, id="wide: all of them may differ"),
        pytest.param(100, KEYS_AT_ONCE, id="very wide: as at the start"),
    ],
)
def test_a_batch_has_fewer_keys_of_wide_rows(columns: int, keys: int) -> None:
    assert most_keys(columns) == keys
