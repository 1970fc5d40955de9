"""What somebody asks for, held against the policy and the catalog before anything is sent."""

from dataclasses import replace
from pathlib import Path

import pytest

from processor.cli.asking import check_asked, id_option, year_option
from processor.cli.exits import UsageError
from processor.cli.person import Person
from processor.core.filter_text import FilterError
from processor.core.policy import Grant, Permit, Policy, Principal, RequestTopic, Right, Scope
from processor.core.request import All, Dependencies, Filter, Keys, Mode, Request, Selection, Side
from processor.core.rights import NotAuthorized
from processor.core.scope import NoSchoolYear
from processor.settings import Settings
from tests.unit.core.builders import CATALOG

SETTINGS = Settings(catalog=Path("none.yaml"))
NOBODY = Person("someone@somewhere")


def person(*rights: Right, objects: frozenset[str] | None = None) -> Person:
    everywhere = Scope(None, None)
    permit = Permit(everywhere, frozenset(Side), frozenset(Mode), frozenset(Dependencies), delete=True, batch=True)
    topic = RequestTopic(SETTINGS.topics.requests, permit, ())
    grants = [
        Grant(everywhere, frozenset(Side), frozenset({Right.SEE, Right.SYNC, Right.BATCH})),
        Grant(Scope(None, objects), frozenset(Side), frozenset({Right.SEE, *rights})),
    ]
    return Person("clerk", (Policy({}, {topic.name: topic}), Principal("clerk", tuple(grants))))


def asked(selection: Selection, year: str | None = None) -> Request:
    return Request("7", "NORTH", "Enrollment", selection, "clerk", mode=Mode.VERIFY, school_year=year)


def test_a_filter_needs_the_right_to_see_values_of_all_that_it_names() -> None:
    by_parent = asked(Filter("grade = '9' and person.lastName = 'Lee'"))
    check_asked(SETTINGS, NOBODY, by_parent, CATALOG)
    check_asked(SETTINGS, person(Right.SEE_VALUES), by_parent, CATALOG)
    with pytest.raises(NotAuthorized, match="may not see values of Person here"):
        check_asked(SETTINGS, person(Right.SEE_VALUES, objects=frozenset({"Enrollment"})), by_parent, CATALOG)
    with pytest.raises(NotAuthorized, match="may not see values of Enrollment here"):
        check_asked(SETTINGS, person(), asked(Filter("grade = '9'")), CATALOG)


def test_all_records_and_keys_need_no_such_right() -> None:
    for selection in (All(), Keys(("1",))):
        check_asked(SETTINGS, person(), asked(selection), CATALOG)


def test_a_mistake_in_a_filter_or_a_year_is_told_before_anything_is_sent() -> None:
    with pytest.raises(FilterError, match="position 15: the name of a field"):
        check_asked(SETTINGS, NOBODY, asked(Filter("grade = '9' or")), CATALOG)
    with pytest.raises(NoSchoolYear, match="Enrollment has no school year"):
        check_asked(SETTINGS, NOBODY, asked(All(), "2027"), CATALOG)


@pytest.mark.parametrize("selection", [All(), Filter("grade = '9'"), Keys(("1",))])
def test_a_name_that_the_catalog_lacks_is_refused_with_those_that_it_has(selection: Selection) -> None:
    request = asked(selection)
    with pytest.raises(UsageError, match=r"no district NROTH; it has .*NORTH"):
        check_asked(SETTINGS, NOBODY, replace(request, district_id="NROTH"), CATALOG)
    with pytest.raises(UsageError, match=r"no object Pupil; it has Behavior, Enrollment"):
        check_asked(SETTINGS, NOBODY, replace(request, object="Pupil"), CATALOG)
    check_asked(SETTINGS, NOBODY, replace(request, district_id="NROTH"), None)


def test_who_may_not_ask_for_a_district_is_not_told_which_there_are() -> None:
    elsewhere = person()
    assert elsewhere.known is not None
    policy, clerk = elsewhere.known
    grant = Grant(Scope(frozenset({"NORTH"}), None), frozenset(Side), frozenset({Right.SEE, Right.SYNC, Right.BATCH}))
    of_north = Person("clerk", (policy, replace(clerk, grants=(grant,))))
    with pytest.raises(NotAuthorized, match="this district"):
        check_asked(SETTINGS, of_north, replace(asked(Keys(("1",))), district_id="NROTH"), CATALOG)


def test_without_a_catalog_the_processor_tells_it_but_nobody_can_say_whose_values_it_names() -> None:
    check_asked(SETTINGS, NOBODY, asked(Filter("grade =")), None)
    with pytest.raises(UsageError, match="RESYNC_CATALOG has to be here"):
        check_asked(SETTINGS, person(Right.SEE_VALUES), asked(Filter("grade = '9'")), None)


def test_an_id_is_drawn_or_made_lower() -> None:
    drawn = id_option("--run-id", None)
    assert id_option("--run-id", drawn.upper()) == drawn
    with pytest.raises(UsageError, match="--run-id: a uuid"):
        id_option("--run-id", "nightly")


@pytest.mark.parametrize("given", ["abc", "", "2026-27", "\u0662\u0660\u0662\u0667", "-2027"])
def test_a_year_that_is_none_is_a_mistake_of_usage(given: str) -> None:
    with pytest.raises(UsageError, match="--school-year: a year in digits is needed"):
        year_option(given)
    assert [year_option(year) for year in (None, "2027", " 2027 ")] == [None, "2027", " 2027 "]
