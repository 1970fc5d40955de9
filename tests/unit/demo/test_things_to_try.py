"""The commands that the demo prints at its end."""

from demo.planted import Expected, Ledger
from demo.run import things_to_try


def test_what_nobody_asked_for_is_only_planned() -> None:
    ledger = Ledger()
    ledger.plant("NORTH", Expected("unreadable", "PersonIdentity", "1002", "FAILED"))
    ledger.plant("NORTH", Expected("differs", "PersonIdentity", "1003", "APPLIED"))
    ledger.not_asked += [("PersonIdentity", "RIVER", "1003"), ("PersonIdentity", "NORTH", "1021")]
    told = things_to_try(ledger)
    assert "--wait 1003 007\n" in told
    assert [line for line in told.splitlines() if "1021" in line] == [
        "  resync submit --district NORTH --object PersonIdentity --dry-run 1021"
    ]
    assert f"resync report {ledger.requests[0].request_id}\n" in told
