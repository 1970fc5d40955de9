"""Two sorted sides as pairs of the same key."""

from hypothesis import given
from hypothesis import strategies as st

from processor.service.verify_replay import Divergence, Row, merged

SIDES = st.dictionaries(st.tuples(st.text(max_size=3), st.text(max_size=3)), st.integers(0, 3), max_size=20)


def rows(side: dict[tuple[str, str], int]) -> list[Row]:
    return [Row(key, (*key, side[key])) for key in sorted(side, key=lambda key: [part.encode() for part in key])]


@given(SIDES, SIDES)
def test_every_key_comes_once_with_both_rows(
    live: dict[tuple[str, str], int], rebuilt: dict[tuple[str, str], int]
) -> None:
    found = [
        ((key[0], key[1]), here and here.values[-1], there and there.values[-1])
        for key, here, there in merged(iter(rows(live)), iter(rows(rebuilt)))
    ]
    assert found == [(key, live.get(key), rebuilt.get(key)) for key, *_ in found]
    assert sorted(key for key, *_ in found) == sorted(live.keys() | rebuilt.keys())


def test_a_divergence_names_where_and_no_value() -> None:
    divergence = Divergence("outcomes", ("r", "PersonIdentity", "7"), "differs", ("status",), "resync.history", 3)
    assert str(divergence) == "outcomes r / PersonIdentity / 7: differs in status (partition 3 of resync.history)"
