from collections import Counter

import pytest

from bench.planted import HALF
from bench.traffic import Planted, WrongCount, compare

KEYS = [1, 2, 3, 50, 100, 101, 102, 150]
"""Of these 1 and 101 are missing at the state; 50, 100 and 150 differ."""


def test_what_the_planted_tables_make_of_keys() -> None:
    planted = Planted(KEYS, requests=2)
    assert planted.decided() == {
        "request ACCEPTED": 2,
        "outcome IN_SYNC": 3,
        "outcome SENT": 5,
        "correction CREATE": 2,
        "correction UPDATE": 3,
    }
    assert planted.done() - planted.decided() == {"answer APPLIED": 5, "outcome APPLIED": 5, "end COMPLETE": 2}
    assert planted.kept() == {"IN_SYNC": 3, "APPLIED": 5}


def test_half_of_all_rows_off() -> None:
    planted = Planted(KEYS, 2, HALF).decided()
    assert (planted["correction CREATE"], planted["correction UPDATE"], planted["outcome IN_SYNC"]) == (2, 5, 1)


def test_counts_that_are_as_planted_say_nothing() -> None:
    compare(Planted(KEYS, 2).done(), Planted(KEYS, 2).done(), "on the topics")
    compare(Counter({"outcome SENT": 0}), Counter(), "on the topics")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"outcome SENT": -1}, "outcome SENT: 4 instead of 5"),
        ({"outcome REPEATED": 1}, "outcome REPEATED: 1 instead of 0"),
        ({"correction UPDATE": 1}, "correction UPDATE: 4 instead of 3"),
        ({"correction DELETE": 1}, "correction DELETE: 1 instead of 0"),
        ({"outcome APPLIED": -5}, "outcome APPLIED: 0 instead of 5"),
        (
            {"end COMPLETE": -1, "end COMPLETE_WITH_FAILURES": 1},
            "COMPLETE: 1 instead of 2; end COMPLETE_WITH_FAILURES: 1",
        ),
    ],
)
def test_a_count_that_differs_leaves_no_figure(change: dict[str, int], said: str) -> None:
    wanted = Planted(KEYS, 2).done()
    found = Counter(wanted)
    found.update(change)
    with pytest.raises(WrongCount, match=said):
        compare(found, wanted, "on the topics")
