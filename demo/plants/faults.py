"""Faults: refusals by the state's constraints, editors who get in between, a database that goes away."""

from demo.databases import DISTRICTS
from demo.planted import Ask, Edited, Expected, Kind, Ledger, Wave
from demo.plants import editing
from demo.plants.strict import withhold
from demo.pool import Pool

EDITED_COLUMN = "phone_number"
MAX_ATTEMPTS = 5
EDITS = {
    Kind.CONFLICT_ONCE: ["555-0001"],
    Kind.CONFLICT_ALWAYS: [f"555-000{n}" for n in range(MAX_ATTEMPTS)],
    Kind.ALREADY_EQUAL: ["555-0123"],
}
"""What the editor of a record sets EDITED_COLUMN to, one value after the other."""


def refused(pool: Pool, ledger: Ledger) -> None:
    cases = (
        (Kind.CHECK, "Enrollment", "state_enrollment_dates", "end_date = start_date - 1"),
        (Kind.CHECK, "PersonIdentity", "state_person_birth_date", "birthdate = date '1009-08-07'"),
        (Kind.FOREIGN_KEY, "Enrollment", "state_enrollment_school", "school_number = '999999'"),
        (Kind.TOO_LONG, "PersonIdentity", "", "home_phone = '+1 (218) 555-0142 ext. 4711'"),
    )
    for district_id in DISTRICTS:
        for kind, object_name, constraint, broken in cases:
            for chain in pool.take(district_id, object_name, 2):
                editing.set_columns(pool, district_id, object_name, chain.key(), at_district=broken)
                expected = Expected(kind, object_name, chain.key(), "FAILED", "REJECTED_BY_STATE", constraint)
                ledger.plant(district_id, expected)


def number_taken(pool: Pool, ledger: Ledger) -> None:
    """The district gives a pupil the national number that another pupil has on both sides."""
    for district_id in DISTRICTS:
        owner, taker = (chain.key() for chain in pool.take(district_id, "PersonIdentity", 2))
        number = f"99{owner:0>7}"
        editing.set_columns(
            pool, district_id, "PersonIdentity", owner,
            at_state="national_id = %(text)s", at_district="ssn = %(text)s", text=number,
        )  # fmt: skip
        editing.set_columns(pool, district_id, "PersonIdentity", taker, at_district="ssn = %(text)s", text=number)
        ledger.plant(
            district_id,
            Expected(Kind.UNIQUE, "PersonIdentity", taker, "FAILED", "REJECTED_BY_STATE", "state_person_national_id"),
        )


def edited_in_between(pool: Pool, ledger: Ledger) -> None:
    """Each in a request of its own; `demo.editor` does the editing while they run."""
    for kind, expected_end in (
        (Kind.CONFLICT_ONCE, {"status": "APPLIED", "attempts": 2}),
        (Kind.CONFLICT_ALWAYS, {"status": "FAILED", "reason": "CONFLICT", "attempts": MAX_ATTEMPTS}),
        (Kind.ALREADY_EQUAL, {"status": "APPLIED", "reason": "ALREADY_EQUAL"}),
    ):
        chain = pool.take("NORTH", "PersonIdentity", 1)[0]
        editing.set_columns(pool, "NORTH", "PersonIdentity", chain.key(), at_district="home_phone = '555-0123'")
        expected = Expected(kind, "PersonIdentity", chain.key(), **expected_end)
        ledger.plant("NORTH", expected, Ask(wave=Wave.CONFLICT, group=kind.name))
        ledger.edited.append(Edited("PersonIdentity", "NORTH", chain.key(), {EDITED_COLUMN: EDITS[kind][-1]}))


def database_away(pool: Pool, ledger: Ledger) -> None:
    for kind, wave, district_id, object_name in (
        (Kind.DATABASE_AWAY, Wave.AWAY, "LAKE", "PersonIdentity"),
        (Kind.DATABASE_AWAY, Wave.AWAY, "LAKE", "Enrollment"),
        (Kind.OTHERS_MEANWHILE, Wave.MEANWHILE, "NORTH", "PersonIdentity"),
    ):
        for chain in pool.take(district_id, object_name, 20):
            editing.drop_at_state(pool, district_id, object_name, chain.key())
            ledger.plant(district_id, Expected(kind, object_name, chain.key(), "APPLIED"), Ask(wave=wave))
    for chain in pool.take("LAKE", "PersonIdentity", 5):
        withhold(pool, ledger, "LAKE", chain.key())
        expected = Expected(Kind.CANCELLED, "PersonIdentity", chain.key(), "CANCELLED")
        ledger.plant("LAKE", expected, Ask(wave=Wave.CANCELLED))


def same_key_elsewhere(pool: Pool, ledger: Ledger) -> None:
    """Two districts have a record of the same key; one is asked for, the other, also different, is not."""
    for asked, other in (("NORTH", "RIVER"), ("RIVER", "LAKE"), ("LAKE", "NORTH")):
        for _ in range(10):
            key = pool.take_same_key("PersonIdentity", asked, other).key()
            for district_id in (asked, other):
                editing.set_columns(pool, district_id, "PersonIdentity", key, at_district="zip = '00000'")
            expected = Expected(Kind.FIELDS_DIFFER, "PersonIdentity", key, "APPLIED", changed=["postalCode"])
            ledger.plant(asked, expected)
            ledger.not_asked.append(("PersonIdentity", other, key))


def wrong_reference(pool: Pool, ledger: Ledger) -> None:
    """The state's enrollment hangs on another district's person who happens to have the same key there."""
    for district_id, other in (("NORTH", "RIVER"), ("RIVER", "LAKE"), ("LAKE", "NORTH")):
        for _ in range(3):
            chain = pool.take_same_key("Enrollment", district_id, other)
            same_key = f"district_id = '{other}' and district_person_id = {chain.person}"
            stranger = f"(select state_id from state_person where {same_key})"
            editing.set_columns(pool, district_id, "Enrollment", chain.key(), at_state=f"state_person_id = {stranger}")
            expected = Expected(Kind.REFERENCE, "Enrollment", chain.key(), "APPLIED", changed=["personID"])
            ledger.plant(district_id, expected)
