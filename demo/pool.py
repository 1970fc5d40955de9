"""Hands out records that no other planted kind touches, each with all that hangs on its person."""

from collections.abc import Iterator
from dataclasses import dataclass

import psycopg

from demo.databases import DISTRICTS, Databases, connect

_ON_ENROLLMENT = (
    ("Behavior", "behavior", "behavior_id"),
    ("EnglishLearner", "english_learner", "english_learner_id"),
    ("Graduation", "graduation", "graduation_id"),
    ("TestScore", "test_score", "score_id"),
)
_BELOW_ENROLLMENT = " union all ".join(
    f"select '{name}', {key}::text from {table} where enrollment_id = %(enrollment)s"
    for name, table, key in _ON_ENROLLMENT
)
# Per object: the district's table, its key, and for an object below a person the tables up to it.
_CHAINS = {
    "PersonIdentity": "select person_id, 0, 0 from identity where is_student = 'Y' order by 1",
    "Enrollment": "select person_id, enrollment_id, 0 from enrollment order by 2",
    "Employment": "select person_id, employment_id, 0 from employment order by 2",
    "EmploymentAssignment": "select person_id, employment_id, assignment_id"
    " from employment_assignment join employment using (employment_id) order by 3",
} | {
    name: f"select person_id, enrollment_id, {key} from {table} join enrollment using (enrollment_id) order by 3"
    for name, table, key in _ON_ENROLLMENT
}

# The state's tables from the leaves up, with the path from each to its person.
_ENROLLED = "state_enrollment_id in (select state_id from state_enrollment where state_person_id = any(%(persons)s))"
_EMPLOYED = "state_employment_id in (select state_id from state_employment where state_person_id = any(%(persons)s))"
_STATE_LEAVES_FIRST = {
    "state_behavior": _ENROLLED,
    "state_english_learner": _ENROLLED,
    "state_graduation": _ENROLLED,
    "state_test_score": _ENROLLED,
    "state_assignment": _EMPLOYED,
    "state_enrollment": "state_person_id = any(%(persons)s)",
    "state_employment": "state_person_id = any(%(persons)s)",
    "state_person": "state_id = any(%(persons)s)",
}


@dataclass(frozen=True, slots=True)
class Chain:
    """Keys from a person down: `middle` is an enrollment or employment, `leaf` what hangs on it; 0 where not asked."""

    person: int
    middle: int
    leaf: int

    def key(self) -> str:
        """The key of the lowest record."""
        return str(self.leaf or self.middle or self.person)


class Pool:
    """Open connections to all databases, and the records not yet handed out."""

    def __init__(self, databases: Databases) -> None:
        self.state = connect(databases.state)
        self.districts = {d: connect(databases.districts[d]) for d in DISTRICTS}
        self._used: dict[str, set[int]] = {d: set() for d in DISTRICTS}
        self._sources: dict[tuple[str, str], Iterator[tuple[int, int, int]]] = {}

    def district(self, district_id: str) -> psycopg.Connection:
        return self.districts[district_id]

    def take(self, district_id: str, object_name: str, count: int) -> list[Chain]:
        """`count` chains down to the object, of different persons, none handed out before."""
        used, taken = self._used[district_id], list[Chain]()
        for person, middle, leaf in self._source(district_id, object_name):
            if person not in used:
                used.add(person)
                taken.append(Chain(person, middle, leaf))
                if len(taken) == count:
                    return taken
        raise LookupError(f"{district_id} has too few {object_name} records for all kinds: load more persons")

    def _source(self, district_id: str, object_name: str) -> Iterator[tuple[int, int, int]]:
        """The object's chains that were not yet looked at."""
        place = (district_id, object_name)
        if place not in self._sources:
            self._sources[place] = iter(self.districts[district_id].execute(_CHAINS[object_name].encode()).fetchall())
        return self._sources[place]

    def take_same_key(self, object_name: str, one: str, other: str) -> Chain:
        """A record of `one` whose person's key also occurs, still unused, in `other`."""
        while True:
            chain = self.take(one, object_name, 1)[0]
            if chain.person not in self._used[other]:
                self._used[other].add(chain.person)
                return chain

    def below_enrollment(self, district_id: str, enrollment: int) -> list[tuple[str, str]]:
        """Object and key of all that hangs on an enrollment at the district."""
        found: list[tuple[str, str]] = (
            self.districts[district_id].execute(_BELOW_ENROLLMENT.encode(), {"enrollment": enrollment}).fetchall()
        )
        return found

    def drop_at_state(self, district_id: str, persons: list[int]) -> None:
        """Deletes the persons and all that hangs on them at the state."""
        found = self.state.execute(
            "select state_id from state_person where district_id = %s and district_person_id = any(%s)",
            (district_id, persons),
        ).fetchall()
        for table, below in _STATE_LEAVES_FIRST.items():
            self.state.execute(f"delete from {table} where {below}".encode(), {"persons": [row[0] for row in found]})

    def close(self) -> None:
        for connection in (self.state, *self.districts.values()):
            connection.close()
