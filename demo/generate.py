"""A seeded population: rows for each district's tables and the equal rows for the state's, as COPY text.

No database is touched here. Both sides are spelled out column by column, each in its own types, so this module
is also the plainest description of how the two sides correspond.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import TypeAlias
from zoneinfo import ZoneInfo

from demo import samples
from demo.columns import COLUMNS

SCHOOL_YEAR = 2027
CHICAGO = ZoneInfo("America/Chicago")
SHARES = {"NORTH": 0.45, "RIVER": 0.35, "LAKE": 0.20}
FIRST_KEY = 1001
STATE_IDS_FROM = 7_000_001

Cell: TypeAlias = str | int | None
Row: TypeAlias = tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Size:
    """Persons in all districts together, and how many of everything else hang on them on average."""

    persons: int = 20_000
    staff: float = 0.08
    second_enrollment: float = 0.35
    behavior: float = 0.10
    english_learner: float = 0.10
    test_score: float = 0.25


@dataclass(frozen=True, slots=True)
class District:
    """Rows by table, of one district's database and of the state's; columns in the order of `COLUMNS`."""

    district_id: str
    here: dict[str, list[Row]] = field(default_factory=dict)
    state: dict[str, list[Row]] = field(default_factory=dict)

    def add(self, table: str, here: Row, state_table: str, state: Row) -> None:
        self.here.setdefault(table, []).append(here)
        self.state.setdefault(state_table, []).append(state)


def read_crosswalk(name: str) -> dict[str, str]:
    with (Path(__file__).parent / "crosswalks" / f"{name}.csv").open(newline="") as file:
        return {row["district"]: row["state"] for row in csv.DictReader(file)}


def copy_text(rows: Sequence[Row]) -> str:
    """Rows in the text format of COPY. No sample holds a tab, a line break or a backslash."""
    return "".join("\t".join("\\N" if c is None else str(c) for c in row) + "\n" for row in rows)


def generate(size: Size, seed: int) -> Iterator[District]:
    """The districts in turn. The same size and seed give the same rows."""
    for number, (district_id, share) in enumerate(SHARES.items()):
        yield _Generator(District(district_id), Random(f"{seed}/{district_id}"), size, number).run(
            max(1, round(size.persons * share))
        )


class _Generator:
    """Makes one district. Keys start at the same number in every district, the state's ids nowhere repeat."""

    def __init__(self, district: District, random: Random, size: Size, number: int) -> None:
        self.district = district
        self.random = random
        self.size = size
        self.next_key = dict.fromkeys(COLUMNS, FIRST_KEY)
        self.next_state_id = STATE_IDS_FROM + number * 1_000_000
        self.first_identifier = 1 + number * 1_000_000
        self.gender = read_crosswalk("gender")
        self.race = read_crosswalk("race_ethnicity")
        self.grade = read_crosswalk("grade")

    def run(self, persons: int) -> District:
        for _ in range(persons):
            staff = self.happens(self.size.staff)
            key, state_id = self.ids("identity")
            self.person(key, state_id, staff=staff)
            if staff:
                self.employment(key, state_id)
            else:
                self.enrollments(key, state_id)
        return self.district

    def ids(self, table: str) -> tuple[int, int]:
        key = self.next_key[table]
        self.next_key[table] += 1
        self.next_state_id += 1
        return key, self.next_state_id

    def happens(self, probability: float) -> bool:
        return self.random.random() < probability

    def moment(self) -> tuple[str, str]:
        """A school-day moment as the district writes it (local, no zone) and as the state does (UTC)."""
        local = datetime(2026, 8, 3, 8, tzinfo=CHICAGO) + timedelta(
            days=self.random.randrange(100),
            seconds=self.random.randrange(8 * 3600),
            microseconds=self.random.randrange(10**6),
        )
        return local.replace(tzinfo=None).isoformat(" "), local.astimezone(ZoneInfo("UTC")).isoformat(" ")

    def day(self, first: date, days: int) -> str:
        return (first + timedelta(days=self.random.randrange(days))).isoformat()

    def person(self, key: int, state_id: int, *, staff: bool) -> None:
        pick = self.random.choice
        last, first = pick(samples.LAST_NAMES), pick(samples.FIRST_NAMES)
        middle = pick(samples.FIRST_NAMES) if self.happens(0.6) else None
        suffix = pick(("Jr.", "III")) if self.happens(0.03) else None
        born = self.day(date(1960, 1, 1), 14_000) if staff else self.day(date(2008, 9, 1), 5_000)
        gender, race = pick(samples.GENDERS), pick(samples.RACES)
        language, country = pick(samples.LANGUAGES), pick(samples.COUNTRIES)
        ssn = f"{(key * 48_271 + 900_000_001) % 10**9:09d}" if self.happens(0.7) else None
        email = f"p{key}@{self.district.district_id.lower()}.example" if self.happens(0.8) else None
        phone = f"(612) 555-{self.random.randrange(10_000):04d}" if self.happens(0.9) else None
        street = f"{self.random.randrange(1, 9_999)} {pick(samples.STREETS)}"
        unit = f"Apt {self.random.randrange(1, 60)}" if self.happens(0.2) else None
        city = pick(samples.CITIES[self.district.district_id])
        postal = f"5{self.random.randrange(10_000):04d}"
        homeless = "t" if self.happens(0.02) else "f"
        hundredths = self.random.randrange(900)
        ratio = None if staff else f"{hundredths / 100:.2f}"
        local, utc = self.moment()
        identifier = f"S{self.first_identifier + key:09d}"
        student = ("N", "f") if staff else ("Y", "t")
        self.district.add(
            "identity",
            (key, last, first, middle, suffix, born, gender, race, language, ssn, country, email, phone, street, unit,
             city, postal, student[0], int(staff), homeless, ratio and f"{ratio}00", local, identifier, "MATCHED"),
            "state_person",
            (state_id, self.district.district_id, key, last, first, middle, suffix, born, self.gender[gender],
             self.race[race], language, ssn, country, email, phone, street, unit, city.upper(), postal, student[1],
             "t" if staff else "f", homeless, ratio, utc, identifier, "MATCHED"),
        )  # fmt: skip

    def enrollments(self, person: int, state_person: int) -> None:
        grade = self.random.randrange(len(samples.GRADES))
        self.enrollment(person, state_person, grade, SCHOOL_YEAR)
        if grade and self.happens(self.size.second_enrollment):
            self.enrollment(person, state_person, grade - 1, SCHOOL_YEAR - 1)

    def enrollment(self, person: int, state_person: int, grade: int, year: int) -> None:
        pick = self.random.choice
        key, state_id = self.ids("enrollment")
        school, calendar = pick(samples.SCHOOLS[self.district.district_id]), pick(samples.CALENDARS)
        code = samples.GRADES[grade]
        start = self.day(date(year - 1, 8, 14), 30)
        past = year < SCHOOL_YEAR
        end = self.day(date(year, 6, 1), 12) if past else None
        status = "40" if past else None
        thirds = pick(("100.000", "100.000", "100.000", "50.000", "33.333", "66.667"))
        local, utc = self.moment()
        certified = "CERTIFIED" if past else "OPEN"
        self.district.add(
            "enrollment",
            (key, person, school, year, calendar, code, "P", start, "01", end, status, None, thirds, 0, local,
             certified),
            "state_enrollment",
            (state_id, self.district.district_id, key, state_person, school, year, calendar, self.grade[code], "P",
             start, "01", end, status, None, f"{round(float(thirds), 2):.2f}", "f", utc, certified),
        )  # fmt: skip
        self.below(key, state_id, code, year)

    def below(self, enrollment: int, state_enrollment: int, grade: str, year: int) -> None:
        """What hangs on an enrollment."""
        if self.happens(self.size.behavior):
            self.behavior(enrollment, state_enrollment)
        if self.happens(self.size.english_learner):
            self.english_learner(enrollment, state_enrollment)
        if grade == "12":
            self.graduation(enrollment, state_enrollment, year)
        if self.happens(self.size.test_score):
            self.test_score(enrollment, state_enrollment, year)

    def behavior(self, enrollment: int, state_enrollment: int) -> None:
        key, state_id = self.ids("behavior")
        code, resolution = self.random.choice(samples.BEHAVIORS), self.random.choice(samples.RESOLUTIONS)
        role, law = self.random.choice("OVW"), self.happens(0.05)
        quarters = self.random.randrange(12) * 0.25
        local, utc = self.moment()
        self.district.add(
            "behavior",
            (key, enrollment, code, local, role, resolution, f"{quarters:.3f}", "YN"[not law]),
            "state_behavior",
            (state_id, self.district.district_id, key, state_enrollment, code, utc, role, resolution,
             f"{quarters:.2f}", "tf"[not law]),
        )  # fmt: skip

    def english_learner(self, enrollment: int, state_enrollment: int) -> None:
        key, state_id = self.ids("english_learner")
        status, found = self.random.choice(("LEP", "FLEP", "NLEP")), self.day(date(2022, 9, 1), 1_000)
        left = self.day(date(2025, 9, 1), 300) if status == "FLEP" else None
        tenths = f"{self.random.randrange(10, 60) / 10}"
        self.district.add(
            "english_learner",
            (key, enrollment, status, found, left, tenths, "f"),
            "state_english_learner",
            (state_id, self.district.district_id, key, state_enrollment, status, found, left, tenths, "f"),
        )

    def graduation(self, enrollment: int, state_enrollment: int, year: int) -> None:
        key, state_id = self.ids("graduation")
        day, kind, plan = f"{year}-06-04", self.random.choice(("01", "02")), self.random.choice(samples.PLANS)
        quarters = self.random.randrange(60, 120) * 0.25
        self.district.add(
            "graduation",
            (key, enrollment, day, kind, year - 3, f"{quarters:.4f}", plan, year),
            "state_graduation",
            (
                state_id,
                self.district.district_id,
                key,
                state_enrollment,
                day,
                kind,
                year - 3,
                f"{quarters:.3f}",
                plan,
                year,
            ),
        )

    def test_score(self, enrollment: int, state_enrollment: int, year: int) -> None:
        key, state_id = self.ids("test_score")
        code, day = self.random.choice(samples.TESTS), self.day(date(year - 1, 9, 20), 40)
        score, percentile = f"{self.random.randrange(30_000, 70_000) / 100:.2f}", self.random.randrange(1, 1_000) / 10
        level = self.random.choice(samples.LEVELS)
        self.district.add(
            "test_score",
            (key, enrollment, code, day, score, f"{percentile:g}", level, 0),
            "state_test_score",
            (state_id, self.district.district_id, key, state_enrollment, code, day, score, f"{percentile:g}",
             level.upper(), "f"),
        )  # fmt: skip

    def employment(self, person: int, state_person: int) -> None:
        key, state_id = self.ids("employment")
        start, since = self.day(date(2012, 8, 1), 5_000), self.random.randrange(1990, 2024)
        licence = f"{300_000 + key}" if self.happens(0.9) else None
        share = self.random.choice(("1.000", "1.000", "0.500", "0.667"))
        self.district.add(
            "employment",
            (key, person, start, None, licence, since, f"{share}0", "Y", "CLEARED"),
            "state_employment",
            (
                state_id,
                self.district.district_id,
                key,
                state_person,
                start,
                None,
                licence,
                since,
                share,
                "t",
                "CLEARED",
            ),
        )
        for _ in range(self.random.randint(1, 2)):
            self.assignment(key, state_id, start, share)

    def assignment(self, employment: int, state_employment: int, start: str, share: str) -> None:
        key, state_id = self.ids("employment_assignment")
        school, title = (
            self.random.choice(samples.SCHOOLS[self.district.district_id]),
            self.random.choice(samples.TITLES),
        )
        self.district.add(
            "employment_assignment",
            (key, employment, school, "110000", title, start, None, f"{share}0"),
            "state_assignment",
            (state_id, self.district.district_id, key, state_employment, school, "110000", title, start, None, share),
        )
