"""What `resync clear --older-than` finds, for whom. It is asked and not carried out: that needs Kafka."""

import uuid
from pathlib import Path
from typing import Any

import pytest

from processor.core.history import Status
from tests.integration.history.told import Told
from tests.integration.store.records import outcome, request_status
from tests.people_of_policy import policy_of

GRANT: dict[str, Any] = {"sides": ["STATE"], "districts": "all", "objects": "all", "rights": ["R", "D"]}
PEOPLE: dict[str, Any] = {
    "north": {**GRANT, "districts": ["NORTH"]},
    "auditor": {**GRANT, "rights": ["R"]},
    "admin": GRANT,
}
MANY = """
insert into resync_store.requests (
    request_id, district_id, object, selection, requested_by, mode, dependencies, on_state_only, report, requested_from,
    state, keys, decided_at
)
select gen_random_uuid()::text, '{district}', 'PersonIdentity', 'KEYS', 'clerk', 'SYNC', 'NONE', 'REPORT', 'ALL',
    'DISTRICT', '{state}', 1, '2020-01-01'::timestamptz + n * interval '1 second'
from generate_series(1, {count}) n
"""
CONTROL = "\ncontrol: {resync.control: {writers: [], districts: all, objects: all}}\n"
ALL_NORTH = "\ncontrol: {resync.control: {writers: [], districts: [NORTH], objects: all}}\n"


def asked(told: Told, tmp_path: Path, who: str, *more: str, control: str = CONTROL) -> tuple[int, str]:
    policy = policy_of(PEOPLE, tmp_path)
    policy.write_text(policy.read_text() + control)
    ended = told.run("clear", "--older-than", "0s", *more, RESYNC_POLICY=str(policy), RESYNC_TOKEN=who)
    return ended.returncode, ended.stderr


def one(told: Told, district_id: str, object_name: str = "PersonIdentity", status: Status = Status.APPLIED) -> None:
    request_id = str(uuid.uuid4())
    place: dict[str, Any] = {"district_id": district_id, "object": object_name}
    told.tell(request_status(request_id, 1, **place), outcome(request_id, "1", status, **place))


@pytest.mark.parametrize("state", ["REJECTED", "HELD"])
def test_what_others_may_clear_and_what_runs_uses_up_no_limit(told: Told, tmp_path: Path, state: str) -> None:
    told.execute(MANY.format(district="LAKE" if state == "REJECTED" else "NORTH", state=state, count=10_001))
    one(told, "NORTH")
    code, said = asked(told, tmp_path, "north")
    assert (code, "this clears the history of 1 request with 1 outcomes" in said) == (2, True), said
    assert ("more have not ended and stay" in said) == (state == "HELD")


def test_who_may_clear_one_object_and_see_more_clears_the_one(told: Told, tmp_path: Path) -> None:
    two = {
        "grants": [{**GRANT, "rights": ["R"]}, {**GRANT, "objects": ["PersonIdentity"]}],
        "tokens": ["2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"],
    }
    policy = tmp_path / "two.yaml"
    policy.write_text(f"principals: {{two: {two!s}}}{CONTROL}")
    one(told, "NORTH", "Enrollment")
    one(told, "LAKE")
    ended = told.run("clear", "--older-than", "0s", RESYNC_POLICY=str(policy), RESYNC_TOKEN="secret")  # noqa: S106
    assert "this clears the history of 1 request with 1 outcomes" in ended.stderr, ended.stderr


def test_without_the_right_or_the_topic_s_leave_it_is_refused(told: Told, tmp_path: Path) -> None:
    one(told, "LAKE")
    code, said = asked(told, tmp_path, "auditor")
    assert (code, said) == (1, "resync: NOT_AUTHORIZED: auditor may clear no history by resync.control\n")
    code, said = asked(told, tmp_path, "north", "--district", "LAKE")
    assert (code, said) == (
        1,
        "resync: NOT_AUTHORIZED: north may clear no history of this district by resync.control\n",
    )
    assert asked(told, tmp_path, "north", "--district", "NOWHERE") == (code, said)
    assert asked(told, tmp_path, "admin", "--district", "LAKE", control=ALL_NORTH)[0] == 1
    assert asked(told, tmp_path, "admin", control=ALL_NORTH) == (0, "nothing to clear\n")
    assert asked(told, tmp_path, "admin", control="\n")[0] == 1
