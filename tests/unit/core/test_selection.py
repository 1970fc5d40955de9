"""What a filter means against a catalog, and what is said of one that means nothing there."""

from dataclasses import replace

import pytest

from processor.core.catalog import Catalog, Crosswalk, KeyType, Kind, Naming, ObjectType, ParentRef
from processor.core.condition import (
    AllOf,
    Compare,
    Condition,
    IsNull,
    Not,
    OneOf,
    Operand,
    Operator,
    StartsWith,
    leaves,
)
from processor.core.filter_text import FilterError
from processor.core.request import Side
from processor.core.scope import NoSchoolYear, YearNotOpen
from processor.core.selection import in_year, key_field, names_of_person, select
from tests.conditions import evaluate
from tests.unit.core.builders import PERSON, PERSON_LOOKUP, catalog, object_type, spec

GRADE = Crosswalk("grade", {"09": "9", "10": "10", "KG": "K"})
PEOPLE = replace(
    PERSON,
    modified="modifiedAt",
    naming=Naming(("student", "individual"), "personID", "lastName", "nickname"),
)
ENROLLMENT = replace(
    object_type(
        "Enrollment",
        [
            spec("personID", Kind.LONG, state_lookup=PERSON_LOOKUP),
            spec("grade", crosswalk=GRADE),
            spec("schoolYear", Kind.LONG),
            spec("startDate", Kind.DATE),
            spec("comment", state_column=None),
        ],
        ParentRef("Person", "personID", KeyType.INTEGER),
        depth=1,
    ),
    school_year="schoolYear",
    naming=Naming(("student",), "enrollmentID"),
)
BEHAVIOR = object_type(
    "Behavior",
    [spec("enrollmentID", Kind.LONG), spec("code")],
    ParentRef("Enrollment", "enrollmentID", KeyType.INTEGER),
    depth=2,
)
LEVELS = catalog(PEOPLE, ENROLLMENT, BEHAVIOR)
OPEN = Catalog(LEVELS.objects, LEVELS.districts, LEVELS.limits, frozenset({2026, 2027}))


def chosen(text: str, kind: ObjectType = ENROLLMENT, known: Catalog = LEVELS) -> Condition:
    return select(text, kind, known, [Side.DISTRICT])


def compared(text: str, kind: ObjectType = ENROLLMENT) -> tuple[str, str, Operator, str]:
    """Object, field, operator and value of a single comparison."""
    found = chosen(text, kind)
    assert isinstance(found, Compare)
    return found.operand.kind.name, found.operand.field.name, found.operator, found.value


@pytest.mark.parametrize(
    ("kind", "name", "meant"),
    [
        (ENROLLMENT, "personID", "Enrollment.personID"),
        (ENROLLMENT, "PERSONid", "Enrollment.personID"),
        (ENROLLMENT, "enrollment.personID", "Enrollment.personID"),
        (ENROLLMENT, "key", "Enrollment.key"),
        (ENROLLMENT, "enrollmentID", "Enrollment.key"),
        (ENROLLMENT, "student.enrollmentID", "Enrollment.key"),
        (ENROLLMENT, "student.personID", "Enrollment.personID"),
        (ENROLLMENT, "person.key", "Enrollment.personID"),
        (ENROLLMENT, "individual.personID", "Enrollment.personID"),
        (BEHAVIOR, "enrollment.key", "Behavior.enrollmentID"),
        (BEHAVIOR, "enrollment.personID", "Behavior.Enrollment.personID"),
        (BEHAVIOR, "person.personID", "Behavior.Enrollment.personID"),
        (BEHAVIOR, "student.siblings", "Behavior.Enrollment.Person.siblings"),
        (PEOPLE, "student.personID", "Person.key"),
        (PEOPLE, "siblings", "Person.siblings"),
    ],
)
def test_names_lead_to_a_field_or_a_key(kind: ObjectType, name: str, meant: str) -> None:
    (test,) = leaves(chosen(f"{name} = 7", kind))
    way = ".".join(each.name for each in test.operand.path)
    assert f"{way}.{test.operand.field.name}" == meant


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("student.siblings = 007", "7"),
        ("student.siblings = 7.0", "7"),
        ("student.ratio > -1.5", "-1.50"),
        ("student.income < 1e3", "1000.0"),
        ("student.birthDate = 2010-02-28", "2010-02-28"),
        ("student.birthDate = '2010-02-28'", "2010-02-28"),
        ("student.modifiedAt >= 2026-08-01", "2026-08-01T05:00:00.000000Z"),
        ("student.modifiedAt >= '2026-08-01 08:00'", "2026-08-01T13:00:00.000000Z"),
        ("student.modifiedAt >= 2026-08-01T08:00:00Z", "2026-08-01T08:00:00.000000Z"),
        ("student.homeless = TRUE", "true"),
        ("student.lastName = 'O''Neil'", "O'Neil"),
        ("student.lastName = ''", ""),
        ("grade = 'K'", "K"),
        ("key = 0042", "42"),
    ],
)
def test_values_are_canonical(text: str, value: str) -> None:
    assert compared(text)[3] == value


def test_tests_of_every_shape() -> None:
    grade = Operand((ENROLLMENT,), ENROLLMENT.by_name["grade"])
    assert chosen("grade in ('10', 'K', '10')") == OneOf(grade, ("10", "K"))
    assert chosen("grade not in ('10')") == Not(OneOf(grade, ("10",)))
    assert chosen("grade is null") == IsNull(grade)
    assert chosen("grade starts with '1'") == StartsWith(grade, "1")
    changed = compared("modified since 2026-08-01T00:00Z", PEOPLE)
    assert changed == ("Person", "modifiedAt", Operator.AT_LEAST, "2026-08-01T00:00:00.000000Z")


@pytest.mark.parametrize(
    ("text", "position", "says"),
    [
        ("grad = '10'", 1, "grad is unknown for Enrollment; did you mean grade?"),
        ("code = '10'", 1, "code is unknown for Enrollment; there are "),
        ("lastName = 'X'", 1, "did you mean Person.lastName or individual.lastName or student.lastName?"),
        ("student.lastNam = 'X'", 1, "did you mean "),
        ("behavior.code = 'X'", 1, "behavior is neither Enrollment nor above it; there are Enrollment, Person"),
        ("enrolment.grade = 'X'", 1, "enrolment is neither Enrollment nor above it; did you mean Enrollment?"),
        ("key = 1 and grade = 10", 21, "grade needs a text in single quotes, not a number"),
        ("schoolYear = '2026'", 14, "schoolYear needs a number without quotes, not a text"),
        ("schoolYear = 2026.5", 14, "schoolYear: the value is not a long"),
        ("schoolYear = 1e99", 14, "schoolYear: the value is not a long"),
        ("startDate = 2026-02-30", 13, "startDate: the value is not a date; write a date such as 2026-08-01"),
        ("startDate = 2026", 13, "startDate needs a date such as 2026-08-01, not a number"),
        ("student.homeless = 1", 20, "homeless needs true or false, not a number"),
        ("student.homeless = 'true'", 20, "homeless needs true or false, not a text"),
        ("student.homeless > true", 1, "only = and != make sense"),
        ("student.income = 1e400", 18, "income: the value is not a double"),
        ("student.ratio = 1e9", 17, "ratio: the value is not a decimal"),
        ("student.siblings = true", 20, "siblings needs a number without quotes, not true"),
        (
            "student.modifiedAt > 'yesterday'",
            22,
            "the value is not a timestamp-micros; write a time such as",
        ),
        ("grade = '09'", 9, "this is none of them; it is the district's code for '9'"),
        ("grade = '1O'", 9, "this is none of them; there are 10, 9, K"),
        ("schoolYear starts with '2'", 24, "schoolYear is no text"),
        ("grade starts with 1", 19, "a text in single quotes should stand here, not a number"),
        ("key = 'x'", 7, "key needs a number without quotes"),
        ("key = 1.5", 7, "the key is not an integer in ASCII digits"),
        ("key = 99999999999999999999", 7, "beyond a 64-bit integer"),
        ("modified since 2026-08-01", 1, "the catalog does not say when a record of Enrollment was modified"),
        ("student.lastName = 'a\x00b'", 20, "code 0"),
        ("student.lastName = '\ud800'", 20, "not valid Unicode"),
        (f"{'x' * 1_000} = 1", 1, f"{'x' * 60}… is unknown"),
    ],
)
def test_what_means_nothing_is_told_with_its_place(text: str, position: int, says: str) -> None:
    with pytest.raises(FilterError) as caught:
        chosen(text)
    assert caught.value.detail.startswith(f"filter, position {position}: ")
    assert says in caught.value.detail


def test_a_field_must_have_a_column_where_it_is_asked_for() -> None:
    chosen("comment is null")
    with pytest.raises(FilterError, match="position 1: the state has no column for comment"):
        select("comment is null", ENROLLMENT, LEVELS)


@pytest.mark.parametrize("text", ["schoolYear = 2025", "not schoolYear in (2026, 2025)", "schoolYear in (1)"])
def test_a_closed_year_cannot_be_named(text: str) -> None:
    chosen(text)
    with pytest.raises(YearNotOpen, match="YEAR_NOT_OPEN: only these school years are open: 2026, 2027"):
        chosen(text, known=OPEN)


def test_open_years_and_other_numbers_can() -> None:
    for text in ("schoolYear = 2026", "schoolYear < 2026", "schoolYear != 2025", "key = 2025"):
        chosen(text, known=OPEN)
    with pytest.raises(YearNotOpen):
        chosen("enrollment.schoolYear = 2025", BEHAVIOR, OPEN)


def test_a_year_is_that_of_the_nearest_object_that_has_one() -> None:
    within = in_year(chosen("code = 'A'", BEHAVIOR), " 2026 ", BEHAVIOR, OPEN, Side.DISTRICT)
    assert isinstance(within, AllOf)
    year = within.terms[0]
    assert isinstance(year, Compare)
    assert ([each.name for each in year.operand.path], year.value) == (["Behavior", "Enrollment"], "2026")
    with pytest.raises(YearNotOpen):
        in_year(within, "2025", BEHAVIOR, OPEN, Side.DISTRICT)
    with pytest.raises(FilterError, match="the value is not a long"):
        in_year(within, "2025-26", BEHAVIOR, LEVELS, Side.DISTRICT)
    with pytest.raises(NoSchoolYear, match="Person has no school year at the district"):
        in_year(within, "2026", PEOPLE, OPEN, Side.DISTRICT)


def test_names_are_those_of_the_nearest_person() -> None:
    for kind in (PEOPLE, ENROLLMENT, BEHAVIOR):
        last, first = names_of_person(kind, LEVELS, Side.STATE)
        assert last is not None
        assert first is not None
        assert (last.path[0], last.kind, last.field.name, first.field.name) == (kind, PEOPLE, "lastName", "nickname")
    assert names_of_person(ENROLLMENT, catalog(), Side.STATE) == (None, None)


def test_what_a_side_does_not_keep_is_not_asked_of_it() -> None:
    nameless = replace(PEOPLE, fields=(spec("lastName", state_column=None), spec("nickname")))
    last, first = names_of_person(nameless, catalog(nameless), Side.STATE)
    assert (last, first and first.field.name) == (None, "nickname")
    year = spec("schoolYear", Kind.LONG, state_column=None)
    yearless = replace(ENROLLMENT, fields=(spec("personID", Kind.LONG), year))
    known = catalog(PEOPLE, yearless)
    any_key = IsNull(Operand((yearless,), key_field(yearless)))
    [within, _] = leaves(in_year(any_key, "2026", yearless, known, Side.DISTRICT))
    assert within.operand.field == year
    with pytest.raises(NoSchoolYear, match="Enrollment has no school year at the state"):
        in_year(any_key, "2026", yearless, known, Side.STATE)


def test_logic_has_three_values() -> None:
    held = {"grade": "10", "schoolYear": None, "startDate": "2026-08-01"}

    def meaning(text: str) -> bool | None:
        return evaluate(chosen(text), lambda operand: held[operand.field.name])

    assert meaning("grade = '10'") is True
    assert meaning("schoolYear = 2026") is None
    assert meaning("not schoolYear = 2026") is None
    assert meaning("schoolYear is null") is True
    assert meaning("grade = '10' or schoolYear = 2026") is True
    assert meaning("grade = '10' and schoolYear = 2026") is None
    assert meaning("grade = 'K' and schoolYear = 2026") is False
    assert meaning("grade = 'K' or schoolYear = 2026") is None
    assert meaning("startDate > 2026-07-31 and startDate not in (2026-08-02)") is True


def test_a_key_is_no_field_of_the_wire() -> None:
    assert key_field(PEOPLE).kind is Kind.LONG
    assert "key" not in PEOPLE.by_name
