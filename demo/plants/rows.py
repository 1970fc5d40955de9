"""Rows: on neither side, missing, without their parents, only at the state, twice."""

from demo.databases import DISTRICTS
from demo.planted import Ask, Expected, Kind, Ledger, Wave
from demo.plants import editing
from demo.pool import Chain, Pool
from demo.tables import PLANTED_IN

MAX_DELETES = 100
_LARGEST = 2**63 - 1
_PARENTS = Ask(dependencies="PARENTS")
_DELETE = Ask(on_state_only="DELETE")
_CHILDREN = Ask(dependencies="CHILDREN")
_DELETE_CHILDREN = Ask(dependencies="CHILDREN", on_state_only="DELETE")


def on_neither_side(_pool: Pool, ledger: Ledger) -> None:
    """Among them keys that fit no integer column, so that comparing must not cast them down."""
    for district_id in DISTRICTS:
        for key in (*range(800_001, 800_011), 0, -5, 2**31, _LARGEST, -_LARGEST - 1):
            for object_name in ("PersonIdentity", "Enrollment"):
                ledger.plant(district_id, Expected(Kind.NOT_FOUND, object_name, str(key), "NOT_FOUND"))


def missing_at_state(pool: Pool, ledger: Ledger) -> None:
    for district_id, object_names in PLANTED_IN.items():
        for object_name in object_names:
            for chain in pool.take(district_id, object_name, 30 if object_name == "PersonIdentity" else 5):
                editing.drop_at_state(pool, district_id, object_name, chain.key())
                ledger.plant(district_id, Expected(Kind.MISSING, object_name, chain.key(), "APPLIED"))


def persons_and_enrollments(pool: Pool, ledger: Ledger) -> None:
    """Families new to the state: the persons are asked for, and at once, without waiting, their enrollments."""
    ask = Ask(wave=Wave.IN_ORDER)
    chains = pool.take("RIVER", "Enrollment", 200)
    pool.drop_at_state("RIVER", [c.person for c in chains])
    for chain in chains:
        ledger.plant("RIVER", Expected(Kind.WITH_PARENT, "PersonIdentity", str(chain.person), "APPLIED"), ask)
    for enrollment in _enrollments(pool, "RIVER", chains):
        ledger.plant("RIVER", Expected(Kind.WITH_PARENT, "Enrollment", enrollment, "APPLIED"), ask)


def _enrollments(pool: Pool, district_id: str, chains: list[Chain]) -> list[str]:
    """Every enrollment of the chains' persons at the district."""
    rows = pool.district(district_id).execute(
        "select enrollment_id::text from enrollment where person_id = any(%s) order by enrollment_id",
        ([c.person for c in chains],),
    )
    return [row[0] for row in rows]


def parent_missing(pool: Pool, ledger: Ledger) -> None:
    """The parent is at the district, not at the state, and the request does not ask for it: it may be on its way.

    So the record is sent, and once more after the applier has missed the parent.
    """
    kind = Kind.PARENT_MISSING
    for district_id, count in (("NORTH", 20), ("RIVER", 5)):
        for chain in pool.take(district_id, "Enrollment", count):
            pool.drop_at_state(district_id, [chain.person])
            ledger.plant(district_id, _orphan(kind, "Enrollment", chain, f"PersonIdentity {chain.person}", 2))
    for district_id, object_name, parent in (
        ("NORTH", "TestScore", "Enrollment"),
        ("RIVER", "EmploymentAssignment", "Employment"),
    ):
        for chain in pool.take(district_id, object_name, 5):
            editing.drop_at_state(pool, district_id, parent, str(chain.middle))
            ledger.plant(district_id, _orphan(kind, object_name, chain, f"{parent} {chain.middle}", 2))


def parent_nowhere(pool: Pool, ledger: Ledger) -> None:
    for ask in (Ask(), _PARENTS):
        for chain in pool.take("RIVER", "Enrollment", 5):
            pool.drop_at_state("RIVER", [chain.person])
            editing.drop_at_district(pool, "RIVER", "PersonIdentity", str(chain.person))
            expected = _orphan(Kind.PARENT_NOWHERE, "Enrollment", chain, f"PersonIdentity {chain.person}")
            ledger.plant("RIVER", expected, ask)


def grandparent_nowhere(pool: Pool, ledger: Ledger) -> None:
    """The parent that was to go ahead cannot either; both are told, each with what it lacks."""
    kind = Kind.GRANDPARENT_NOWHERE
    for chain in pool.take("NORTH", "TestScore", 3):
        pool.drop_at_state("NORTH", [chain.person])
        editing.drop_at_district(pool, "NORTH", "PersonIdentity", str(chain.person))
        ledger.plant("NORTH", _orphan(kind, "TestScore", chain, f"Enrollment {chain.middle}"), _PARENTS)
        parent = Chain(chain.person, chain.middle, 0)
        expected = _orphan(kind, "Enrollment", parent, f"PersonIdentity {chain.person}")
        ledger.plant_dependency("NORTH", "TestScore", expected, _PARENTS)


def _orphan(kind: Kind, object_name: str, chain: Chain, parent: str, attempts: int = 1) -> Expected:
    return Expected(kind, object_name, chain.key(), "FAILED", "PARENT_MISSING", parent=parent, attempts=attempts)


def parent_sent(pool: Pool, ledger: Ledger) -> None:
    """Missing persons, some with two enrollments: the person goes ahead once."""
    for district_id in DISTRICTS:
        chains = pool.take(district_id, "Enrollment", 15)
        pool.drop_at_state(district_id, [c.person for c in chains])
        for enrollment in _enrollments(pool, district_id, chains):
            ledger.plant(district_id, Expected(Kind.PARENT_SENT, "Enrollment", enrollment, "APPLIED"), _PARENTS)
        for chain in chains:
            ancestor = _ancestor(Kind.PARENT_SENT, "PersonIdentity", chain.person)
            ledger.plant_dependency(district_id, "Enrollment", ancestor, _PARENTS)


def grandparent_sent(pool: Pool, ledger: Ledger) -> None:
    kind = Kind.GRANDPARENT_SENT
    for district_id, object_name, middle in (
        ("NORTH", "TestScore", "Enrollment"),
        ("RIVER", "EmploymentAssignment", "Employment"),
        ("LAKE", "EnglishLearner", "Enrollment"),
    ):
        for chain in pool.take(district_id, object_name, 10):
            pool.drop_at_state(district_id, [chain.person])
            ledger.plant(district_id, Expected(kind, object_name, chain.key(), "APPLIED"), _PARENTS)
            for ancestor in (_ancestor(kind, middle, chain.middle), _ancestor(kind, "PersonIdentity", chain.person)):
                ledger.plant_dependency(district_id, object_name, ancestor, _PARENTS)


def children_sent(pool: Pool, ledger: Ledger) -> None:
    """The enrollment is equal; what hangs on it is at the district alone."""
    for chain in pool.take("NORTH", "TestScore", 5):
        editing.drop_below_at_state(pool, "NORTH", "Enrollment", str(chain.middle))
        expected = Expected(Kind.CHILDREN_SENT, "Enrollment", str(chain.middle), "IN_SYNC")
        ledger.plant("NORTH", expected, _CHILDREN)
        for object_name, key in pool.below_enrollment("NORTH", chain.middle):
            expected = Expected(Kind.CHILDREN_SENT, object_name, key, "APPLIED", "DEPENDENCY")
            ledger.plant_dependency("NORTH", "Enrollment", expected, _CHILDREN)


def _ancestor(kind: Kind, object_name: str, key: int) -> Expected:
    return Expected(kind, object_name, str(key), "APPLIED", "DEPENDENCY")


def only_at_state(pool: Pool, ledger: Ledger) -> None:
    for district_id, object_names in PLANTED_IN.items():
        for object_name in object_names:
            for chain in pool.take(district_id, object_name, 5):
                editing.drop_at_district(pool, district_id, object_name, chain.key())
                ledger.plant(district_id, Expected(Kind.STATE_ONLY, object_name, chain.key(), "STATE_ONLY"))


def deleted(pool: Pool, ledger: Ledger) -> None:
    for district_id, object_names in (
        ("NORTH", ("Enrollment", "TestScore")),
        ("RIVER", ("Enrollment", "EmploymentAssignment")),
        ("LAKE", ("Enrollment",)),
    ):
        for object_name in object_names:
            for chain in pool.take(district_id, object_name, 5):
                editing.drop_below_at_state(pool, district_id, object_name, chain.key())
                editing.drop_at_district(pool, district_id, object_name, chain.key())
                ledger.plant(district_id, Expected(Kind.DELETED, object_name, chain.key(), "APPLIED"), _DELETE)


def deleted_with_children(pool: Pool, ledger: Ledger) -> None:
    """At the state no enrollment goes before what hangs on it."""
    for chain in pool.take("NORTH", "TestScore", 5):
        expected = Expected(Kind.DELETED_WITH_CHILDREN, "Enrollment", str(chain.middle), "APPLIED")
        ledger.plant("NORTH", expected, _DELETE_CHILDREN)
        for object_name, key in pool.below_enrollment("NORTH", chain.middle):
            editing.drop_at_district(pool, "NORTH", object_name, key)
            expected = Expected(Kind.DELETED_WITH_CHILDREN, object_name, key, "APPLIED", "DEPENDENCY")
            ledger.plant_dependency("NORTH", "Enrollment", expected, _DELETE_CHILDREN)
        editing.drop_at_district(pool, "NORTH", "Enrollment", str(chain.middle))


def has_children(pool: Pool, ledger: Ledger) -> None:
    for district_id in DISTRICTS:
        for chain in pool.take(district_id, "Behavior", 2):
            editing.drop_at_district(pool, district_id, "Enrollment", str(chain.middle))
            expected = Expected(Kind.HAS_CHILDREN, "Enrollment", str(chain.middle), "FAILED", "HAS_CHILDREN")
            ledger.plant(district_id, expected, _DELETE)


def too_many_deletes(pool: Pool, ledger: Ledger) -> None:
    for chain in pool.take("NORTH", "TestScore", MAX_DELETES + 1):
        editing.drop_at_district(pool, "NORTH", "TestScore", chain.key())
        expected = Expected(Kind.TOO_MANY_DELETES, "TestScore", chain.key(), "STATE_ONLY", "MAX_DELETES")
        ledger.plant("NORTH", expected, Ask(on_state_only="DELETE", group="too many"))


def twice(pool: Pool, ledger: Ledger) -> None:
    for district_id in DISTRICTS:
        for chain in pool.take(district_id, "PersonIdentity", 5):
            editing.double_at_district(pool, district_id, chain.key())
            expected = Expected(Kind.DUPLICATE_AT_DISTRICT, "PersonIdentity", chain.key(), "FAILED", "DUPLICATE_KEY")
            ledger.plant(district_id, expected)
    for chain in pool.take("NORTH", "TestScore", 5):
        editing.double_at_state(pool, "NORTH", chain.key())
        ledger.plant("NORTH", Expected(Kind.DUPLICATE_AT_STATE, "TestScore", chain.key(), "FAILED", "DUPLICATE_KEY"))
