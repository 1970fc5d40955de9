from demo.columns import COLUMNS
from demo.generate import Size, copy_text, generate

SMALL = Size(persons=300)


def test_same_seed_same_rows() -> None:
    assert [(d.here, d.state) for d in generate(SMALL, 7)] == [(d.here, d.state) for d in generate(SMALL, 7)]


def test_other_seed_other_rows() -> None:
    assert [d.here for d in generate(SMALL, 7)] != [d.here for d in generate(SMALL, 8)]


def test_rows_fit_their_columns() -> None:
    for district in generate(SMALL, 7):
        for table, rows in (district.here | district.state).items():
            assert {len(row) for row in rows} == {len(COLUMNS[table].split())}, table


def test_districts_share_keys_and_the_state_shares_no_id() -> None:
    districts = list(generate(SMALL, 7))
    persons = [{row[0] for row in d.here["identity"]} for d in districts]
    assert persons[0] & persons[1] & persons[2]
    ids = [row[0] for d in districts for row in d.state["state_person"]]
    assert len(ids) == len(set(ids)) == SMALL.persons


def test_copy_text() -> None:
    assert copy_text([("a", None), (1, "b")]) == "a\t\\N\n1\tb\n"
