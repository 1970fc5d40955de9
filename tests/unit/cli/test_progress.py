import pytest

from processor.cli.progress import WINDOW_S, Pace, duration


def test_nothing_is_said_of_what_was_seen_once() -> None:
    pace = Pace()
    pace.add(0, 500_000)
    assert pace.per_s is None
    assert pace.text(500_000, 1_000_000) == ""


def test_what_was_done_before_one_began_to_look_does_not_count() -> None:
    pace = Pace()
    pace.add(100, 500_000)
    pace.add(110, 510_000)
    assert pace.per_s == 1_000
    assert pace.text(510_000, 1_000_000) == "1,000/s, 8 min left"


def test_a_standstill_is_seen_within_the_window() -> None:
    pace = Pace()
    for second in range(100):
        pace.add(second, min(second, 50) * 10)
    assert pace.per_s == 0
    assert pace.text(500, 1_000) == "0/s"
    recent = Pace()
    for second in range(200):
        recent.add(second, 0 if second < 100 else (second - 100) * 5)
    assert recent.per_s == pytest.approx(5)
    assert WINDOW_S < 100


def test_the_last_key_leaves_no_time() -> None:
    pace = Pace()
    pace.add(0, 0)
    pace.add(2, 5)
    assert pace.text(5, 5) == "2.5/s"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (89, "89 s"), (90, "2 min"), (3_600, "60 min"), (12_000, "3 h 20 min")]
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text
