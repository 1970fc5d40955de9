"""Values: equal, equal by rule, different in one field or several, awkward text, nulls, values that cannot travel."""

from itertools import cycle

from demo.databases import DISTRICTS
from demo.planted import Expected, Kind, Ledger
from demo.plants.editing import set_columns
from demo.pool import Pool
from demo.tables import PLANTED_IN, STATE_COLUMNS, districts_of

_OTHER_TEXT = "coalesce({0}, '') || ' (edited)'"
_OTHER_CODE = "case {0} when '99' then '98' else '99' end"
_OTHER_DAY = "coalesce({0}, date '2027-05-28') + 1"
_OTHER_NUMBER = "coalesce({0}, 0) + 1"
_OTHER_FLAG = "not coalesce({0}, false)"
_OTHER_MOMENT = "{0} + interval '1 hour'"
_OTHER_REFERENCE = "(select max(state_id) from {1} where district_id = %(district)s)"

# By field, an expression that gives another valid value of the state's column {0}. The rest are other text.
_OTHERWISE = {
    "suffix": "case {0} when 'IV' then 'V' else 'IV' end",
    "birthDate": _OTHER_DAY,
    "gender": "case {0} when 'Female' then 'Male' else 'Female' end",
    "raceEthnicity": "case {0} when 'W5' then 'M6' else 'W5' end",
    "homeLanguage": "case {0} when 'eng' then 'spa' else 'eng' end",
    "nationalID": "lpad(mod(state_id, 1000000000)::text, 9, '0')",
    "birthCountry": "case {0} when 'US' then 'CA' else 'US' end",
    "phone": "'555-0100'",
    "postalCode": "case {0} when '55057' then '55056' else '55057' end",
    "isStudent": _OTHER_FLAG,
    "isStaff": _OTHER_FLAG,
    "homeless": _OTHER_FLAG,
    "familyIncomeRatio": _OTHER_NUMBER,
    "modifiedAt": _OTHER_MOMENT,
    "personID": _OTHER_REFERENCE.replace("{1}", "state_person"),
    "enrollmentID": _OTHER_REFERENCE.replace("{1}", "state_enrollment"),
    "employmentID": _OTHER_REFERENCE.replace("{1}", "state_employment"),
    "schoolNumber": "case {0} when '010101' then '020201' else '010101' end",
    "schoolYear": _OTHER_NUMBER,
    "grade": "case {0} when '1' then '2' else '1' end",
    "serviceType": "case {0} when 'P' then 'S' else 'P' end",
    "startDate": "{0} - 1",
    "endDate": _OTHER_DAY,
    "startStatus": _OTHER_CODE,
    "endStatus": _OTHER_CODE,
    "percentEnrolled": "case {0} when 75 then 25 else 75 end",
    "stateExclude": _OTHER_FLAG,
    "teachingStartYear": _OTHER_NUMBER,
    "fullTimeEquivalent": "case {0} when 0.25 then 0.75 else 0.25 end",
    "highlyQualified": _OTHER_FLAG,
    "assignmentCode": _OTHER_CODE,
    "eventCode": _OTHER_CODE,
    "eventAt": _OTHER_MOMENT,
    "role": "case {0} when 'O' then 'V' else 'O' end",
    "resolutionCode": _OTHER_CODE,
    "daysSuspended": "coalesce({0}, 0) + 0.5",
    "lawEnforcementReferral": _OTHER_FLAG,
    "programStatus": _OTHER_CODE,
    "identifiedDate": _OTHER_DAY,
    "exitDate": _OTHER_DAY,
    "proficiencyLevel": "coalesce({0}, 0) + 0.1",
    "parentDeclined": _OTHER_FLAG,
    "diplomaDate": _OTHER_DAY,
    "diplomaType": _OTHER_CODE,
    "firstNinthGradeYear": _OTHER_NUMBER,
    "creditsEarned": "coalesce({0}, 0) + 0.125",
    "testCode": "case {0} when 'SAT' then 'ACT' else 'SAT' end",
    "testDate": _OTHER_DAY,
    "scaleScore": "coalesce({0}, 0) + 0.01",
    "percentile": "coalesce({0}, 0) + 0.5",
    "accommodated": _OTHER_FLAG,
}


def equal(pool: Pool, ledger: Ledger) -> None:
    for district_id, object_names in PLANTED_IN.items():
        for object_name in object_names:
            for chain in pool.take(district_id, object_name, 100 if object_name == "PersonIdentity" else 10):
                ledger.plant(district_id, Expected(Kind.EQUAL, object_name, chain.key(), "IN_SYNC"))


def expected_differences(pool: Pool, ledger: Ledger) -> None:
    """The state matched and certified; the district's locked copies are old."""
    for district_id in DISTRICTS:
        for chain in pool.take(district_id, "PersonIdentity", 10):
            pool.state.execute(
                "update state_person set match_status = 'REVIEWED', certified = true, reviewer_note = 'seen in person'"
                " where district_id = %s and district_person_id = %s",
                (district_id, chain.person),
            )
            _plant_expected_difference(ledger, district_id, "PersonIdentity", chain.key(), "stateMatchStatus")
        for chain in pool.take(district_id, "Enrollment", 10):
            pool.state.execute(
                "update state_enrollment set certification_status = 'DISPUTED', funded_share = 0.500"
                " where district_id = %s and district_enrollment_id = %s",
                (district_id, chain.middle),
            )
            _plant_expected_difference(ledger, district_id, "Enrollment", chain.key(), "stateEnrollmentStatus")


def _plant_expected_difference(ledger: Ledger, district_id: str, object_name: str, key: str, names: str) -> None:
    ledger.plant(district_id, Expected(Kind.EXPECTED, object_name, key, "IN_SYNC", "EXPECTED_DIFFERENCE", names))


def equal_by_rule(pool: Pool, ledger: Ledger) -> None:
    spellings = (
        ("legal_last_name = normalize(%(text)s, nfd)", "last_name = %(text)s", "Nuñez-Östberg"),
        ("legal_last_name = %(text)s || '  '", "last_name = %(text)s", "Trailing"),
        ("city_name = lower(%(text)s)", "city = %(text)s", "Été-sur-Lac"),
        ("legal_middle_name = ''", "middle_name = nullif(%(text)s, %(text)s)", "-"),
        ("unit = null", "address_line_2 = left(%(text)s, 0)", "-"),
        ("email_address = upper(%(text)s)", "email = %(text)s", "mixed.Case@example.org"),
        ("family_income_ratio = 1.35", "income_ratio = 1.349999 + length(%(text)s) * 0", "-"),
        ("name_suffix = lower(%(text)s)", "suffix = %(text)s", "JR."),
    )
    for district_id in DISTRICTS:
        for (at_state, at_district, text), chain in zip(
            spellings, pool.take(district_id, "PersonIdentity", len(spellings)), strict=True
        ):
            set_columns(
                pool, district_id, "PersonIdentity", chain.key(), at_state=at_state, at_district=at_district, text=text
            )
            ledger.plant(district_id, Expected(Kind.EQUAL_BY_RULE, "PersonIdentity", chain.key(), "IN_SYNC"))


def one_field_differs(pool: Pool, ledger: Ledger) -> None:
    for object_name, columns in STATE_COLUMNS.items():
        districts = cycle(districts_of(object_name))
        for name, column in columns.items():
            district_id = next(districts)
            chain = pool.take(district_id, object_name, 1)[0]
            other = _OTHERWISE.get(name, _OTHER_TEXT).format(column)
            set_columns(pool, district_id, object_name, chain.key(), at_state=f"{column} = {other}")
            ledger.plant(district_id, Expected(Kind.FIELD_DIFFERS, object_name, chain.key(), "APPLIED", changed=[name]))


def never_arrived(pool: Pool, ledger: Ledger) -> None:
    """Families moved and pupils changed school while the state was not told."""
    ledger.secrets += ["1 New Street", "218-555-0142", "Moved away"]
    for district_id in DISTRICTS:
        for chain in pool.take(district_id, "PersonIdentity", 40):
            moved = (
                "address_line_1 = '1 New Street', zip = '56401', home_phone = '218-555-0142',"
                " modified_date = timestamp '2026-10-30 16:59:59.999999'"
            )
            set_columns(pool, district_id, "PersonIdentity", chain.key(), at_district=moved)
            changed = ["phone", "addressLine1", "postalCode", "modifiedAt"]
            ledger.plant(
                district_id,
                Expected(Kind.FIELDS_DIFFER, "PersonIdentity", chain.key(), "APPLIED", changed=changed),
            )
        for chain in pool.take(district_id, "Enrollment", 40):
            left = (
                "end_date = date '2026-11-20', end_status = '21', end_comments = 'Moved away', percent_enrolled = 12.5"
            )
            set_columns(pool, district_id, "Enrollment", chain.key(), at_district=left)
            changed = ["endDate", "endStatus", "endComments", "percentEnrolled"]
            ledger.plant(
                district_id, Expected(Kind.FIELDS_DIFFER, "Enrollment", chain.key(), "APPLIED", changed=changed)
            )


def awkward_text(pool: Pool, ledger: Ledger) -> None:
    texts = (
        'O\'Brien "Bud" \\ back\\slash',
        "'; drop table state_person; --",
        "emoji 🎒👩\u200d👧 and 漢字",
        "عربى עברית",
        "%s %(x)s {0} $1 \\N \\x00",
        "a,b;c|d\te",
        "<b onclick=alert(1)>&amp;</b>",
        "\u00a0no-break\u2028line",
        "line\nbreak",
        "e\u0301 as two, é as one",
    )
    ledger.secrets += texts
    for district_id in DISTRICTS:
        for text, chain in zip(texts, pool.take(district_id, "PersonIdentity", len(texts)), strict=True):
            set_columns(
                pool, district_id, "PersonIdentity", chain.key(), at_district="address_line_1 = %(text)s", text=text
            )
            ledger.plant(
                district_id,
                Expected(Kind.TEXT, "PersonIdentity", chain.key(), "APPLIED", changed=["addressLine1"]),
            )


def clock_changes(pool: Pool, ledger: Ledger) -> None:
    """The state holds another moment; what the district's local time means is for its own database to say."""
    times = ("2026-11-01 01:30:00", "2026-11-01 01:59:59.999999", "2026-03-08 02:30:00", "2026-03-08 03:00:00")
    for district_id in DISTRICTS:
        for text, chain in zip(times, pool.take(district_id, "PersonIdentity", len(times)), strict=True):
            at_district = "modified_date = %(text)s::timestamp"
            set_columns(pool, district_id, "PersonIdentity", chain.key(), at_district=at_district, text=text)
            expected = Expected(Kind.CLOCKS, "PersonIdentity", chain.key(), "APPLIED", changed=["modifiedAt"])
            ledger.plant(district_id, expected)


def nulls(pool: Pool, ledger: Ledger) -> None:
    cases = (
        ("phone", "home_phone = null", "phone_number = '555-0199'"),
        ("familyIncomeRatio", "income_ratio = null", "family_income_ratio = 0"),
        ("homeLanguage", "home_language = ''", "home_language_code = null"),
        ("birthCountry", "birth_country = null", "birth_country = ''"),
        ("modifiedAt", "modified_date = null", ""),
        ("birthDate", "birthdate = date '2012-02-29'", "birth_date = null"),
        ("homeless", "homeless = null", "homeless_flag = false"),
        ("gender", "gender = null", "gender_code = 'Female'"),
    )
    for district_id in DISTRICTS:
        for (name, here, there), chain in zip(cases, pool.take(district_id, "PersonIdentity", len(cases)), strict=True):
            set_columns(pool, district_id, "PersonIdentity", chain.key(), at_state=there, at_district=here)
            ledger.plant(district_id, Expected(Kind.NULLS, "PersonIdentity", chain.key(), "APPLIED", changed=[name]))


def untransportable(pool: Pool, ledger: Ledger) -> None:
    """Values that the declared types cannot carry, and codes without a translation."""
    values = (
        ("PersonIdentity", "birthDate", "birthdate = 'infinity'"),
        ("PersonIdentity", "birthDate", "birthdate = '0044-03-15 BC'"),
        ("PersonIdentity", "modifiedAt", "modified_date = '-infinity'"),
        ("PersonIdentity", "modifiedAt", "modified_date = '12026-01-01'"),
        ("PersonIdentity", "familyIncomeRatio", "income_ratio = 'NaN'"),
        ("PersonIdentity", "familyIncomeRatio", "income_ratio = 123456789.5"),
        ("PersonIdentity", "isStudent", "is_student = 'Q'"),
        ("PersonIdentity", "isStaff", "is_staff = 7"),
        ("Behavior", "daysSuspended", "days_suspended = 99999.5"),
        ("EnglishLearner", "identifiedDate", "identified_date = timestamp '2024-09-03 14:30'"),
        ("EnglishLearner", "proficiencyLevel", "proficiency = 'NaN'"),
    )
    codes = (
        ("PersonIdentity", "gender", "gender = 'U'"),
        ("PersonIdentity", "raceEthnicity", "race_ethnicity = '99'"),
        ("Enrollment", "grade", "grade = '13'"),
    )
    for kind, reason, cases in (
        (Kind.UNREPRESENTABLE, "UNREPRESENTABLE", values),
        (Kind.UNMAPPED, "UNMAPPED_VALUE", codes),
    ):
        for object_name, name, broken in cases:
            for district_id in districts_of(object_name):
                chain = pool.take(district_id, object_name, 1)[0]
                set_columns(pool, district_id, object_name, chain.key(), at_district=broken)
                ledger.plant(district_id, Expected(kind, object_name, chain.key(), "FAILED", reason, name))


def untransportable_at_state(pool: Pool, ledger: Ledger) -> None:
    """What the state holds cannot be compared, so nobody can say what a correction would replace."""
    chain = pool.take("NORTH", "PersonIdentity", 1)[0]
    set_columns(pool, "NORTH", "PersonIdentity", chain.key(), at_state="birth_date = 'infinity'")
    expected = Expected(Kind.UNREPRESENTABLE, "PersonIdentity", chain.key(), "FAILED", "UNREPRESENTABLE", "birthDate")
    ledger.plant("NORTH", expected)
