"""What only strict roles end: short deadlines, small limits, a policy, an applier that never answers."""

from demo.planted import Ask, Expected, Kind, Ledger, Request, Wave
from demo.plants import editing
from demo.pool import Pool
from demo.strict import GONE, HOLD_CHANGES, MAX_ATTEMPTS

LATE_DISTRICT = "NORTH"
PHONE = "555-0188"
NORTHS_TOPIC = "resync.requests.north"
AT_STATE, WITHHELD = "12 Withheld Road", "13 Withheld Road"
"""What the state has, and what the district has, of records that are not to be sent."""
_CLOSED_YEAR = "2019"


def unanswered(pool: Pool, ledger: Ledger) -> None:
    """Corrections that nobody answers; one district's are answered late, the newest of them last."""
    seen = MAX_ATTEMPTS + 1
    for kind, district_id, end in (
        (Kind.SEEN_EQUAL, "RIVER", {"status": "APPLIED", "reason": "SEEN_EQUAL"}),
        (Kind.NO_ANSWER, "RIVER", {"status": "FAILED", "reason": "NO_ANSWER", "attempts": seen}),
        (Kind.LATE, LATE_DISTRICT, {"status": "APPLIED", "reason": "ALREADY_EQUAL", "attempts": MAX_ATTEMPTS}),
    ):
        for chain in pool.take(district_id, "PersonIdentity", 2):
            key = chain.key()
            editing.set_columns(pool, district_id, "PersonIdentity", key, at_district=f"home_phone = '{PHONE}'")
            ledger.plant(district_id, Expected(kind, "PersonIdentity", key, **end), Ask(wave=Wave.STRICT))


def held(pool: Pool, ledger: Ledger) -> None:
    """Each request changes more than passes without a release."""
    for wave, kind, status in (
        (Wave.RELEASED, Kind.RELEASED, "APPLIED"),
        (Wave.NOT_RELEASED, Kind.NOT_RELEASED, "CANCELLED"),
    ):
        ask = Ask(wave=wave)
        for chain in pool.take("RIVER", "PersonIdentity", HOLD_CHANGES + 3):
            key = chain.key()
            if wave is Wave.RELEASED:
                editing.set_columns(pool, "RIVER", "PersonIdentity", key, at_district="email = 'much@example.org'")
            else:
                withhold(pool, ledger, "RIVER", key)
            ledger.plant("RIVER", Expected(kind, "PersonIdentity", key, status), ask)
    ledger.request("RIVER", "PersonIdentity", Ask(wave=Wave.NOT_RELEASED)).reason = "NOT_RELEASED"


def withhold(pool: Pool, ledger: Ledger, district_id: str, key: str) -> None:
    """Makes a person differ by a value that nobody may ever send."""
    if WITHHELD not in ledger.withheld:
        ledger.withheld.append(WITHHELD)
    editing.set_columns(
        pool, district_id, "PersonIdentity", key,
        at_state=f"street_address = '{AT_STATE}'", at_district=f"address_line_1 = '{WITHHELD}'",
    )  # fmt: skip


def not_allowed(pool: Pool, ledger: Ledger) -> None:
    """By a topic whose writers speak for one district; in another one's name, and for more than that one may ask."""
    for district_id, ask in (
        ("RIVER", Ask(wave=Wave.STRICT, topic=NORTHS_TOPIC)),
        ("NORTH", Ask(wave=Wave.STRICT, topic=NORTHS_TOPIC, mode="FORCE")),
        ("NORTH", Ask(wave=Wave.STRICT, topic=NORTHS_TOPIC, on_state_only="DELETE")),
    ):
        request = _differing(pool, ledger, district_id, ask)
        request.state, request.reason, request.kind = "REJECTED", "NOT_AUTHORIZED", Kind.NOT_AUTHORIZED
    chain = pool.take("NORTH", "PersonIdentity", 1)[0]
    expected = Expected(Kind.AUTHORIZED, "PersonIdentity", chain.key(), "IN_SYNC")
    ledger.plant("NORTH", expected, Ask(wave=Wave.STRICT, topic=NORTHS_TOPIC))


def closed_year(pool: Pool, ledger: Ledger) -> None:
    request = _differing(pool, ledger, "NORTH", Ask(wave=Wave.STRICT, school_year=_CLOSED_YEAR))
    request.state, request.reason = "REJECTED", "YEAR_NOT_OPEN"


def _differing(pool: Pool, ledger: Ledger, district_id: str, ask: Ask) -> Request:
    """A request for a record that differs, and must go on to differ."""
    key = pool.take(district_id, "PersonIdentity", 1)[0].key()
    withhold(pool, ledger, district_id, key)
    request = ledger.request(district_id, "PersonIdentity", ask)
    request.keys = [key]
    return request


def deletion_not_allowed(pool: Pool, ledger: Ledger) -> None:
    for chain in pool.take("RIVER", "Enrollment", 2):
        editing.drop_at_district(pool, "RIVER", "Enrollment", chain.key())
        expected = Expected(Kind.DELETE_NOT_ALLOWED, "Enrollment", chain.key(), "STATE_ONLY", "DELETE_NOT_ALLOWED")
        ledger.plant("RIVER", expected, Ask(on_state_only="DELETE", wave=Wave.STRICT))


def database_gone(pool: Pool, ledger: Ledger) -> None:
    """The state has records of a district whose database is no more."""
    for key in ("1001", "1002", "1003"):
        pool.state.execute(
            "insert into state_person (district_id, district_person_id, legal_last_name, legal_first_name)"
            " values (%s, %s, 'Left', 'Behind')",
            (GONE, key),
        )
        expected = Expected(Kind.DATABASE_GONE, "PersonIdentity", key, "FAILED", "SNAPSHOT_UNAVAILABLE", GONE)
        ledger.plant(GONE, expected, Ask(wave=Wave.STRICT))
