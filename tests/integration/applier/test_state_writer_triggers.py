"""What a state's own triggers and columns do to what is written: it is told of the row, and stops no other."""

from typing import LiteralString

import pytest

from processor.core.correction import Result
from processor.service.apply_state import StateUnavailable
from tests.applying import apply
from tests.integration.applier.world import NOW, World, create, update

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
OTHERWISE = "{}: the state keeps another value than is written"
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


def test_a_column_that_is_gone_stops_the_batch_also_where_the_state_logs_parameters(world: World) -> None:
    """Each error of a prepared statement has a context then, as those of functions have it."""
    world.edit("""
        do $$ begin
            execute format('alter database %%I set log_parameter_max_length_on_error = -1', current_database());
        end $$
    """)
    world.writer.close()
    for number in range(10):
        assert world.results(create("Note", f"{ID[:-1]}1{number}", {"body": "B"})) == [Result.APPLIED]

    world.edit("alter table note drop column body")

    with pytest.raises(StateUnavailable, match='42703 column "body" of relation "note" does not exist'):
        world.apply(create("Note", ID + "1", {"body": "B"}))


CHANGING = """
create function change() returns trigger language plpgsql as $$
begin
    new.body := replace(new.body, 'bad', 'good');
    return new;
end $$;
create trigger note_change before insert or update on note for each row execute function change()
"""


def test_what_a_trigger_makes_of_a_value_is_not_told_as_applied(world: World) -> None:
    world.edit(CHANGING)

    changed, kept = world.apply(create("Note", ID + "1", {"body": "bad"}), create("Note", ID + "2", {"body": "fine"}))

    assert (changed.result, changed.detail) == (Result.REJECTED_BY_STATE, OTHERWISE.format("body"))
    assert kept.result is Result.APPLIED
    assert world.results(update("Note", ID + "2", {"body": "fine"}, {"body": "bad"})) == [Result.REJECTED_BY_STATE]
    world.edit("drop trigger note_change on note")
    assert world.results(update("Note", ID + "2", {"body": "good"}, {"body": "bad"})) == [Result.APPLIED]


@pytest.mark.parametrize(
    "behind",
    [
        pytest.param(
            "alter table note rename to notes; create view note as select * from notes",
            id="a view",
        ),
        pytest.param(
            "alter table note rename to notes; create table note (like notes) partition by list (district_id);"
            "alter table note attach partition notes for values in ('NORTH')",
            id="a partition",
        ),
    ],
)
def test_what_a_trigger_of_a_table_behind_makes_of_a_value_is_not_told_as_applied(
    world: World, behind: LiteralString
) -> None:
    world.edit(CHANGING)
    world.edit(behind)

    changed, kept = world.apply(create("Note", ID + "1", {"body": "bad"}), create("Note", ID + "2", {"body": "fine"}))

    assert (changed.result, changed.detail) == (Result.REJECTED_BY_STATE, OTHERWISE.format("body"))
    assert kept.result is Result.APPLIED


def test_what_takes_too_long_to_read_back_is_not_told_as_applied(world: World) -> None:
    """It is compared again."""
    world.edit("alter table note rename to notes")
    world.edit("create view note as select * from notes where body <> 'slow' or pg_sleep(60) is not null")
    hasty = world.another_writer(statement_timeout_s=0.3)

    (answer,) = apply([create("Note", ID + "1", {"body": "slow"})], hasty, NOW)

    assert (answer.result, answer.detail) == (Result.CONFLICT, "timed out")
    assert world.rows("select body from notes") == [("slow",)]


@pytest.mark.parametrize(
    ("column", "field", "value"),
    [
        ("last_name type char(9)", "lastName", "Ends "),
        ("last_name type varchar(5)", "lastName", "Ends  "),
        ("ratio type numeric(6, 1)", "ratio", "1.25"),
        ("rate type real", "rate", "0.123456789"),
        ("seen_at type timestamptz(0)", "seenAt", "2026-08-01T12:00:00.400000Z"),
        ("visits type real", "visits", "16777217"),
    ],
)
def test_what_a_column_keeps_less_of_is_not_told_as_applied(
    world: World, column: LiteralString, field: str, value: str
) -> None:
    world.edit("drop trigger person_count on person; alter table person alter column " + column)
    whole = {"lastName": "A", "ratio": "1.50", "rate": "0.5", "seenAt": "2026-08-01T12:00:00.000000Z", "visits": "1"}

    wrong, fine = world.apply(create("Person", "7", {**whole, field: value}), create("Person", "8", whole))

    assert (wrong.result, wrong.detail) == (Result.REJECTED_BY_STATE, OTHERWISE.format(field))
    assert fine.result is Result.APPLIED
