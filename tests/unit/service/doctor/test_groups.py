import pytest

from processor.service.doctor.facts import Group, Place
from processor.service.doctor.findings import Check, Finding, Level
from processor.service.doctor.groups import judge_groups
from tests.unit.service.doctor.seen import group, kafka, only

KEPT_S = {"requests": 86_400.0, "retry": 7_200.0}


def judged(seen: Group) -> list[Finding]:
    return list(judge_groups(kafka(groups=(seen,)), KEPT_S))


def test_a_group_that_keeps_up_is_left_at_peace() -> None:
    assert judged(group()) == []
    assert judged(group(lag=3, oldest_s=2.0)) == []
    assert judged(group(places=(Place("requests", 0, 5, 9, None),))) == []


def test_nobody_at_work_is_a_warning() -> None:
    found = only(judged(group(members=0, lag=7)))
    assert (found.level, found.command) == (Level.WARNING, "resync process")
    assert "7 records wait" in found.what


def test_a_foreign_applier_is_not_ours_to_start() -> None:
    assert only(judged(group(role="apply", name="theirs", members=0))).command is None


@pytest.mark.parametrize(
    ("low", "high", "committed", "says"), [(5, 9, 4, "records went unread"), (0, 9, 10, "the topic was made anew")]
)
def test_a_stand_outside_of_the_log(low: int, high: int, committed: int, says: str) -> None:
    place = Place("requests", 3, low, high, committed)
    found = only(judged(group(places=(place,))))
    assert (found.level, found.check, found.where) == (Level.ERROR, Check.GROUPS, "requests-3")
    assert says in found.what
    assert found.command == (
        "kafka-consumer-groups.sh --bootstrap-server 127.0.0.1:9092 --group resync-process --topic requests:3"
        " --reset-offsets --to-earliest --execute"
    )
    assert only(judged(group(role="store", places=(place,)))).command == "resync replay"


def test_old_records_are_a_warning_and_near_their_end_an_error() -> None:
    assert only(judged(group(lag=1, oldest_s=3_599.0))).level is Level.WARNING
    near = only(judged(group(lag=1, oldest_s=3_601.0)))
    assert near.level is Level.ERROR
    assert "go after 7200 s" in near.what


def test_what_waits_for_nobody_is_told_once() -> None:
    assert len(judged(group(members=0, lag=1, oldest_s=1_000.0))) == 1
