from processor.codec.keeping import Kept


def test_what_was_made_is_made_again_only_once_it_was_dropped() -> None:
    made: list[int] = []

    def make(number: int) -> str:
        made.append(number)
        return str(number)

    kept = Kept(make, 2)
    assert [kept[number] for number in (1, 2, 1, 3, 3, 1)] == ["1", "2", "1", "3", "3", "1"]
    assert made == [1, 2, 3, 1]
    assert len(kept) == 2
