"""One request id that two districts used (ADR 0140, ADR 0180): who sees one of them sees nothing of the other."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from processor.core.correction import Parent
from processor.core.errors import Reason
from processor.core.history import ChunkState, HistoryRecord, Status
from tests.integration.history.told import Told
from tests.integration.store.records import DECIDED, chunk_status, outcome, request_status
from tests.people_of_policy import policy_of
from tests.reading import sheets

SHARED = "0b9c4a3e-6f0d-4c57-9a55-2f1f6d3b7c11"
As = Callable[..., CompletedProcess[str]]
GRANT: dict[str, Any] = {"sides": ["STATE"], "objects": "all", "rights": ["R", "D"]}
PEOPLE = {
    "north": {**GRANT, "districts": ["NORTH"]},
    "lake": {**GRANT, "districts": ["LAKE"]},
    "all": {**GRANT, "districts": "all"},
}
LAKES = ("LAKE", "lake's clerk", "lake's ticket", "50", "51", "52", "7001")
"""What nobody without a right in LAKE may read."""


def lakes() -> list[HistoryRecord]:
    """Two keys, one failed, with a child that dependencies brought, and eight that were equal."""
    lake: dict[str, Any] = {"district_id": "LAKE", "decided_at": DECIDED + timedelta(hours=5)}
    orphan = {"reason": Reason.PARENT_MISSING, "parent": Parent("PersonIdentity", "7001"), "detail": "7001"}
    return [
        request_status(SHARED, 10, district_id="LAKE", requested_by="lake's clerk", reason="lake's ticket"),
        outcome(SHARED, "50", **lake),
        outcome(SHARED, "51", Status.FAILED, **lake, **orphan),
        outcome(SHARED, "52", asked_as=None, object="Enrollment", **lake),
        chunk_status(SHARED, "0.7", ChunkState.DONE, 8, 8, district_id="LAKE"),
    ]


def norths() -> list[HistoryRecord]:
    return [request_status(SHARED, 1, requested_by="north's clerk"), outcome(SHARED, "1")]


@pytest.fixture
def shared(told: Told) -> Told:
    """LAKE's request has ended; then NORTH used its id."""
    told.tell(*lakes())
    told.tell(*norths())
    return told


@pytest.fixture
def as_(told: Told, tmp_path: Path) -> As:
    policy = policy_of(PEOPLE, tmp_path)
    file = policy.read_text()
    policy.write_text(f"{file}\ncontrol: {{resync.control: {{writers: [], districts: all, objects: all}}}}\n")
    return lambda who, *arguments: told.run(*arguments, RESYNC_POLICY=str(policy), RESYNC_TOKEN=who)


def assert_nothing_of_lake(*texts: str) -> None:
    for text in texts:
        assert [word for word in LAKES if f'"{word}"' in text or f" {word} " in text or f",{word}," in text] == [], text
        assert "FAILED" not in text
        assert "T17:" not in text, "when LAKE's outcomes were decided"


@pytest.mark.usefixtures("shared")
def test_a_report_in_any_form_is_of_the_district_that_is_seen(as_: As, tmp_path: Path) -> None:
    for who in ("north", "all"):
        for form in ("json", "ndjson", "csv", "table", "xlsx", "pdf"):
            file = tmp_path / f"{who}.{form}"
            ended = as_(who, "report", SHARED, "--output", form, "--to", file)
            assert (ended.returncode, ended.stderr) == (0, ""), ended.stderr
            if form == "xlsx":
                assert [row["key"] for row in sheets(file)["Keys"]] == ["1"]
                assert_nothing_of_lake(str(sheets(file)).replace("'", '"'))
            elif form != "pdf":
                assert_nothing_of_lake(file.read_text())
    assert as_("north", "report", SHARED, "--keys-only").stdout == "1\n"
    assert as_("north", "report", SHARED, "--parents", "PersonIdentity").stdout == ""
    assert as_("lake", "report", SHARED).stderr == f"there is no history of {SHARED}\n"


@pytest.mark.usefixtures("shared")
def test_counts_state_failures_and_times_are_of_that_district(as_: As) -> None:
    shown = json.loads(as_("north", "show", SHARED, "--output", "json").stdout)
    counts = [{"status": "APPLIED", "reason": None, "keys": 1}]
    assert (shown["state"], shown["counts"], shown["outcomes"], shown["failures"]) == ("COMPLETE", counts, 1, [])
    assert shown["in_sync_not_itemised"] == 0
    [listed] = json.loads(as_("north", "history", "--output", "json").stdout)
    assert (listed["state"], listed["counts"], listed["failed_outcomes"]) == ("COMPLETE", counts, 0)
    watched = as_("north", "watch", SHARED, "--output", "json")
    [result] = json.loads(watched.stdout)["requests"]
    assert (watched.returncode, result["counts"], [o["key"] for o in result["outcomes"]]) == (0, counts, ["1"])
    told = [as_("north", *command).stdout for command in (("show", SHARED), ("history",), ("watch", SHARED))]
    raw = as_("north", "show", SHARED, "--output", "json").stdout
    assert_nothing_of_lake(*told, raw, watched.stdout)


def test_the_record_of_one_district_is_not_described_by_the_other_s_request(shared: Told, as_: As) -> None:
    shared.tell(*lakes())
    [touched] = json.loads(as_("north", "record", "NORTH", "PersonIdentity", "1", "--output", "json").stdout)
    assert (touched["request_id"], touched["status"]) == (SHARED, "APPLIED")
    assert [touched[name] for name in ("requested_by", "request_reason", "mode")] == [None, None, None]
    ended = as_("north", "record", "LAKE", "PersonIdentity", "50")
    assert (ended.returncode, "knows nothing" in ended.stderr) == (1, True)
    assert "50" in as_("lake", "report", SHARED).stdout


def test_a_request_ends_though_the_other_s_outcome_took_the_place_of_its_own(told: Told) -> None:
    told.tell(*norths(), outcome(SHARED, "2"))
    told.tell(*lakes(), outcome(SHARED, "1", district_id="LAKE"))
    told.tell(*norths()[:1])
    assert told.rows("select state, outcomes from history.requests") == [("COMPLETE", 1)]


def test_clearing_such_an_id_needs_the_right_for_both(shared: Told, as_: As) -> None:
    refused = as_("north", "clear", SHARED, "--yes")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "has another request's history too, which north may not clear" in refused.stderr
    assert_nothing_of_lake(refused.stderr)
    assert "1 request with " in as_("all", "clear", SHARED).stderr, "this one is asked, and no more is done"
    shared.tell(outcome(SHARED, "53", Status.SENT, district_id="LAKE"))
    assert as_("north", "clear", SHARED, "--yes").stderr == refused.stderr, "not even that it still runs"
    assert "not ended yet" in as_("all", "clear", SHARED, "--yes").stderr
    shared.tell(request_status(SHARED, 1, object="Enrollment"))
    assert "may not clear" in as_("north", "clear", SHARED, "--yes").stderr
