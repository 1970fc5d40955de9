import pytest

from processor.adapters.postgres.database import Gate
from tests.unit.adapters.clock import Clock


def test_a_gate_is_open_until_a_failure() -> None:
    assert not Gate(Clock()).is_closed()


@pytest.mark.parametrize(
    ("took_s", "closed_s"), [(0.0, 1.0), (0.05, 1.0), (0.1, 1.0), (0.5, 5.0), (3.0, 30.0), (6.0, 60.0), (30.0, 60.0)]
)
def test_a_failure_closes_it_for_ten_times_as_long_as_it_took(took_s: float, closed_s: float) -> None:
    clock = Clock()
    gate = Gate(clock)
    gate.failed(took_s)
    clock.now_s += closed_s - 0.001
    assert gate.is_closed()
    clock.now_s += 0.001
    assert not gate.is_closed()


def test_success_opens_it_at_once() -> None:
    gate = Gate(Clock())
    gate.failed(3.0)
    gate.succeeded()
    assert not gate.is_closed()


def test_the_last_failure_counts() -> None:
    clock = Clock()
    gate = Gate(clock)
    gate.failed(6.0)
    gate.failed(0.0)
    clock.now_s += 1.0
    assert not gate.is_closed()
