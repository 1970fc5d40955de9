"""Persons and enrollments on both sides of a deployment, and whether the sides agree."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, LiteralString

from tests.e2e.deployment import Deployment

SCHOOL = {"NORTH": "SCHN1", "RIVER": "SCHR1", "LAKE": "SCHL1"}

_PERSON_HERE = """
insert into identity (person_id, last_name, first_name, birthdate, gender, race_ethnicity, city, is_student, is_staff,
                      income_ratio, modified_date, state_id, state_match_status)
select k, 'Last' || k, 'First' || k, date '2010-01-01' + k %% 1000, 'F', '1', 'Elm', 'Y', 0, 1.5, '2026-01-05 08:00',
       'S' || k, 'NEW'
from unnest(%(keys)s::int[]) as k
"""
_PERSON_THERE = """
insert into state_person (district_id, district_person_id, legal_last_name, legal_first_name, birth_date, gender_code,
                          race_ethnicity_code, city_name, student_flag, staff_flag, family_income_ratio,
                          district_modified_at, state_identifier)
select %(district)s, k, 'Last' || k, 'First' || k, date '2010-01-01' + k %% 1000, 'Female', 'H7', 'Elm', true, false,
       1.50, '2026-01-05 08:00-06', 'S' || k
from unnest(%(keys)s::int[]) as k
"""
_ENROLLMENT_HERE = """
insert into enrollment (enrollment_id, person_id, school_number, end_year, grade, start_date, end_comments)
select k, p, %(school)s, 2026, '05', '2025-08-20', 'none'
from unnest(%(keys)s::int[], %(persons)s::int[]) as e (k, p)
"""
_ENROLLMENT_THERE = """
insert into state_enrollment (district_id, district_enrollment_id, state_person_id, school_number, school_year,
                              grade_level, entry_date, exit_comments)
select %(district)s, k, s.state_id, %(school)s, 2026, '5', '2025-08-20', 'none'
from unnest(%(keys)s::int[], %(persons)s::int[]) as e (k, p)
join state_person s on s.district_id = %(district)s and s.district_person_id = p
"""


def persons(deployment: Deployment, district: str, keys: Iterable[int], *, there: bool = True) -> None:
    """Persons of the district, and equal ones at the state if `there`."""
    values = {"district": district, "keys": list(keys)}
    deployment.rows(district, _PERSON_HERE, values)
    if there:
        _at_state(deployment, _PERSON_THERE, values)


def enrollments(
    deployment: Deployment, district: str, keys: Sequence[int], of: Sequence[int], *, there: bool = True
) -> None:
    values = {"district": district, "keys": list(keys), "persons": list(of), "school": SCHOOL[district]}
    deployment.rows(district, _ENROLLMENT_HERE, values)
    if there:
        _at_state(deployment, _ENROLLMENT_THERE, values)


def _at_state(deployment: Deployment, statement: LiteralString, values: Mapping[str, Any]) -> None:
    """What a test writes there itself is no correction: the audit does not see it."""
    with deployment.connection("state").transaction():
        deployment.rows("state", "set local session_replication_role = replica")
        deployment.rows("state", statement, values)


def rename(deployment: Deployment, district: str, keys: Iterable[int], name: str = "Drifted") -> None:
    """Gives persons of the district another last name."""
    deployment.rows(district, "update identity set last_name = %s where person_id = any(%s)", [name, list(keys)])


def at_district(deployment: Deployment, district: str, keys: Iterable[int]) -> dict[int, tuple[object, ...]]:
    query = """
        select person_id, last_name, first_name, birthdate, city, is_student = 'Y', round(income_ratio, 2)
        from identity where person_id = any(%s)
    """
    return {row[0]: row[1:] for row in deployment.rows(district, query, [list(keys)])}


def at_state(deployment: Deployment, district: str, keys: Iterable[int]) -> dict[int, tuple[object, ...]]:
    query = """
        select district_person_id, legal_last_name, legal_first_name, birth_date, city_name, student_flag,
               family_income_ratio
        from state_person where district_id = %s and district_person_id = any(%s)
    """
    return {row[0]: row[1:] for row in deployment.rows("state", query, [district, list(keys)])}


def assert_same(deployment: Deployment, district: str, keys: Iterable[int]) -> None:
    """The sides hold the same persons."""
    chosen = list(keys)
    ours, theirs = at_district(deployment, district, chosen), at_state(deployment, district, chosen)
    differing = sorted(key for key in {*ours, *theirs} if ours.get(key) != theirs.get(key))
    assert not differing, f"{district}: {len(differing)} of {len(chosen)} persons differ, first {differing[:5]}"


def enrollments_at_state(deployment: Deployment, district: str, keys: Iterable[int]) -> dict[int, int]:
    """Enrollment to its person, both as the district's keys."""
    query = """
        select e.district_enrollment_id, p.district_person_id
        from state_enrollment e join state_person p on p.state_id = e.state_person_id and p.district_id = e.district_id
        where e.district_id = %s and e.district_enrollment_id = any(%s)
    """
    return {row[0]: row[1] for row in deployment.rows("state", query, [district, list(keys)])}
