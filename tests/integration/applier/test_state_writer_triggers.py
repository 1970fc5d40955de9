"""What a state's own triggers and columns do to what is written: it is told of the row, and stops no other."""

import pytest

from processor.core.correction import Result
from tests.integration.applier.world import World, create

REFUSING = """
create function refuse() returns trigger language plpgsql as $$
begin
    if starts_with(new.body, 'raise ') then
        raise exception using message = new.body || ' is not wanted', errcode = right(new.body, 5);
    elsif starts_with(new.body, 'do ') then
        execute substr(new.body, 4);
    end if;
    return new;
end $$;
create trigger note_refuse before insert or update on note for each row execute function refuse()
"""
ID = "00000000-0000-0000-0000-00000000000"


@pytest.mark.parametrize(
    ("body", "sqlstate"),
    [
        *(
            (f"raise {sqlstate}", sqlstate)
            for sqlstate in ("40001", "42501", "42P01", "0A000", "53100", "57P01", "55006")
        ),
        ("do select no_such_function()", "42883"),
        ("do select no_such_column", "42703"),
        ("do select 1/0", "22012"),
    ],
)
def test_a_trigger_that_refuses_or_is_broken_stops_its_own_row_only(world: World, body: str, sqlstate: str) -> None:
    """It gives its error what SQLSTATE it likes, also that of a server which is away."""
    world.edit(REFUSING)

    refused, *others = world.apply(
        create("Note", ID + "1", {"body": body}),
        create("Note", ID + "2", {"body": "welcome"}),
        create("Person", "7", {"lastName": "A"}),
    )

    assert refused.result is Result.REJECTED_BY_STATE
    assert refused.detail is not None
    assert refused.detail.endswith(f"({sqlstate})")
    assert body not in refused.detail
    assert [answer.result for answer in others] == [Result.APPLIED] * 2


def test_a_column_that_the_state_fills_by_itself_stops_its_own_object_only(world: World) -> None:
    world.edit("alter table note drop column body; alter table note add body text generated always as ('x') stored")

    refused, other = world.apply(create("Note", ID + "1", {"body": "B"}), create("Person", "7", {"lastName": "A"}))

    assert (refused.result, refused.detail) == (
        Result.REJECTED_BY_STATE,
        "the state's database fills a column by itself that the catalog has it written to (428C9)",
    )
    assert other.result is Result.APPLIED
