import pytest

from processor.metric_kinds import Declarations


@pytest.mark.parametrize("amount", [0.0, 0.5, 1.0, 1.5, 2.0, 1_000.0])
def test_many_observations_at_once_are_as_many_one_by_one(amount: float) -> None:
    declared = Declarations()
    at_once, one_by_one = (declared.histogram("age", "Age.", ("any",), (1.0, 2.0)) for _ in range(2))
    at_once.observe_many(amount, 3)
    for _ in range(3):
        one_by_one.observe(amount)
    (found,), (wanted,) = at_once.collect(), one_by_one.collect()
    assert found.samples == wanted.samples
