"""Ways of asking: spellings, texts that are no keys, FORCE, VERIFY, requests that cannot be carried out."""

from demo.databases import DISTRICTS
from demo.planted import Ask, Expected, Kind, Ledger, Wave, invalid_key_id
from demo.plants import editing
from demo.pool import Pool

_VERIFY = Ask(mode="VERIFY")
_NO_KEYS = (
    "+7", "７", "٧", "−7", "--7", "7-", "1e3", "12.0", "0x1F", "1_000", "1,000", "1 2", "NaN", "null", "a/b", "~chunk",
    "%37", "7;8", "'7'", "9223372036854775808", "-9223372036854775809", "9" * 256, "key\tkey", "🎒",
)  # fmt: skip
_NO_KEYS_TO_PUBLISH = ("", "   ", "7\x00", "\x00")


def spelled(pool: Pool, ledger: Ledger) -> None:
    for district_id in DISTRICTS:
        for chain in pool.take(district_id, "PersonIdentity", 3):
            key = chain.key()
            spellings = (f"000{key}", f" {key} ", key, f"{key:0>30}", key)
            expected = Expected(Kind.SPELLING, "PersonIdentity", key, "IN_SYNC")
            ledger.plant(district_id, expected, spellings=spellings)


def not_keys(_pool: Pool, ledger: Ledger) -> None:
    for texts, ask in ((_NO_KEYS, Ask(group="not keys")), (_NO_KEYS_TO_PUBLISH, Ask(wave=Wave.PUBLISHED))):
        for text in texts:
            expected = Expected(Kind.INVALID_KEY, "PersonIdentity", invalid_key_id(text), "FAILED", "INVALID_KEY")
            ledger.plant("NORTH", expected, ask, (text,))


def forced(pool: Pool, ledger: Ledger) -> None:
    for district_id, object_name in (("NORTH", "PersonIdentity"), ("RIVER", "Enrollment")):
        for chain in pool.take(district_id, object_name, 10):
            expected = Expected(Kind.FORCED, object_name, chain.key(), "APPLIED", "FORCED")
            ledger.plant(district_id, expected, Ask(mode="FORCE"))


def verified(pool: Pool, ledger: Ledger) -> None:
    """Verification finds all this and changes nothing."""
    for district_id in DISTRICTS:
        found = {
            kind: [chain.key() for chain in pool.take(district_id, "PersonIdentity", 5)]
            for kind in (
                Kind.VERIFY_IN_SYNC,
                Kind.VERIFY_DIFFERS,
                Kind.VERIFY_MISSING_AT_STATE,
                Kind.VERIFY_MISSING_AT_DISTRICT,
                Kind.VERIFY_DUPLICATE,
            )
        }
        for key in found[Kind.VERIFY_DIFFERS]:
            editing.set_columns(pool, district_id, "PersonIdentity", key, at_district="email = 'new@example.org'")
        pool.drop_at_state(district_id, [int(key) for key in found[Kind.VERIFY_MISSING_AT_STATE]])
        for key in found[Kind.VERIFY_MISSING_AT_DISTRICT]:
            editing.drop_at_district(pool, district_id, "PersonIdentity", key)
        for key in found[Kind.VERIFY_DUPLICATE]:
            editing.double_at_district(pool, district_id, key)
        found[Kind.VERIFY_NOT_FOUND] = [str(key) for key in range(850_001, 850_006)]
        for kind, keys in found.items():
            for key in keys:
                _plant_verified(ledger, district_id, kind, key)


def _plant_verified(ledger: Ledger, district_id: str, kind: Kind, key: str) -> None:
    status = {Kind.VERIFY_DUPLICATE: "DUPLICATE_KEY"}.get(kind, kind.name.removeprefix("VERIFY_"))
    reason = "DUPLICATE_KEY" if kind is Kind.VERIFY_DUPLICATE else None
    changed = ["email"] if kind is Kind.VERIFY_DIFFERS else None
    ledger.plant(district_id, Expected(kind, "PersonIdentity", key, status, reason, changed=changed), _VERIFY)


def repeated(pool: Pool, ledger: Ledger) -> None:
    """Carried out a second time, the keys would be found equal and history would say IN_SYNC."""
    for district_id in DISTRICTS:
        for chain in pool.take(district_id, "PersonIdentity", 5):
            editing.set_columns(pool, district_id, "PersonIdentity", chain.key(), at_district="zip = '55057-1234'")
            expected = Expected(Kind.REPEATED, "PersonIdentity", chain.key(), "APPLIED", changed=["postalCode"])
            ledger.plant(district_id, expected, Ask(wave=Wave.PUBLISHED_TWICE))


def impossible(_pool: Pool, ledger: Ledger) -> None:
    """Published straight to the topic, as an upstream system would: the command line would not send some of them."""
    for district_id, object_name, keys, reason in (
        ("ATLANTIS", "PersonIdentity", ["1001"], "UNKNOWN_DISTRICT"),
        ("RIVER", "Spaceship", ["1001"], "UNKNOWN_OBJECT"),
        ("RIVER", "Enrollment", [], "EMPTY_SELECTION"),
    ):
        request = ledger.request(district_id, object_name, Ask(wave=Wave.PUBLISHED, group=reason))
        request.keys, request.state, request.reason = keys, "REJECTED", reason
