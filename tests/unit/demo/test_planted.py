from io import BytesIO
from pathlib import Path
from typing import Any

import fastavro
import pytest

from demo.planted import Ask, Expected, Kind, Ledger, Request, Wave, read_planted
from demo.publish import encode
from demo.submit import command, exit_codes
from processor.codec.schema_files import SchemaFiles


def test_one_request_for_each_way_of_asking(tmp_path: Path) -> None:
    ledger = Ledger()
    for key in ("1", "2"):
        ledger.plant("NORTH", Expected(Kind.EQUAL, "PersonIdentity", key, "IN_SYNC"))
    ledger.plant("NORTH", Expected(Kind.FORCED, "PersonIdentity", "3", "APPLIED", "FORCED"), Ask(mode="FORCE"))
    ledger.write(tmp_path / "planted.json")
    assert [r["keys"] for r in read_planted(tmp_path / "planted.json")["requests"]] == [["1", "2"], ["3"]]


def test_a_failure_shows_in_the_end_and_in_the_exit_code() -> None:
    ledger = Ledger()
    ledger.plant("NORTH", Expected(Kind.EQUAL, "PersonIdentity", "1", "IN_SYNC"))
    ledger.plant("NORTH", Expected(Kind.CHECK, "PersonIdentity", "2", "FAILED", "REJECTED_BY_STATE"))
    (request,) = ledger.requests
    assert request.state == "COMPLETE_WITH_FAILURES"
    assert exit_codes(request) == {1}


@pytest.mark.parametrize(("ask", "options"), [
    (Ask(), []),
    (Ask(mode="VERIFY"), ["--mode", "verify"]),
    (Ask(dependencies="PARENTS", wave=Wave.AWAY), ["--dependencies", "parents"]),
])  # fmt: skip
def test_command_names_only_what_is_not_default(ask: Ask, options: list[str]) -> None:
    line = command(Request("id", "LAKE", "Enrollment", ask), wait=False)
    assert line[1:] == [
        "submit", "--district", "LAKE", "--object", "Enrollment", "--request-id", "id", "--reason", "demo", *options,
    ]  # fmt: skip


def test_published_bytes_name_a_released_schema() -> None:
    data = encode(Request("id", "LAKE", "Enrollment", Ask(), ["1"]))
    assert data.startswith(b"\xc3\x01")
    schema = SchemaFiles().archived(int.from_bytes(data[2:10], "little"))
    assert schema is not None
    assert schema["name"] == "ResyncRequest"


def test_a_cancelled_key_shows_in_the_end() -> None:
    ledger = Ledger()
    ledger.plant("NORTH", Expected(Kind.CANCELLED, "PersonIdentity", "1", "CANCELLED"))
    (request,) = ledger.requests
    assert request.state == "CANCELLED"


def test_published_bytes_say_how_it_is_asked() -> None:
    ask = Ask(mode="FORCE", dependencies="PARENTS", on_state_only="DELETE", school_year="2019")
    data = encode(Request("id", "LAKE", "Enrollment", ask, ["1"]))
    schema = SchemaFiles().archived(int.from_bytes(data[2:10], "little"))
    assert schema is not None
    found: Any = fastavro.schemaless_reader(BytesIO(data[10:]), schema, None)
    assert {name: found[name] for name in ("mode", "dependencies", "on_state_only", "school_year")} == {
        "mode": "FORCE", "dependencies": "PARENTS", "on_state_only": "DELETE", "school_year": "2019",
    }  # fmt: skip
