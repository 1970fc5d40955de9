"""All judgements together, and how parts are looked at."""

from dataclasses import replace
from threading import Event
from time import monotonic

import pytest

from processor.service.doctor.examine import AT_ONCE, examine
from processor.service.doctor.facts import Database, Subject
from processor.service.doctor.findings import Away, Check, Level
from processor.service.doctor.schemas import judge_subjects
from tests.unit.service.doctor.seen import database, judged, shape, spoiled, well

ERROR, WARNING = Level.ERROR, Level.WARNING


def test_all_is_well() -> None:
    assert judged(well()) == []


def test_parts_that_are_away_are_told_once_and_stop_no_other() -> None:
    away = Away("nobody listens there")
    seen = replace(well(), kafka=away, registry=away, state=away, history=away)
    seen = replace(seen, districts={**seen.districts, "NORTH": away, "RIVER": database()})
    found = judged(seen)
    reach = [where for level, check, where in shape(found) if (level, check) == (ERROR, Check.REACH)]
    assert reach == ["Kafka", "registry", "state", "NORTH", "history"]
    assert {where for _, check, where in shape(found) if check is Check.COLUMNS} == {"RIVER"}


def test_what_is_not_set_is_a_warning() -> None:
    seen = replace(well(), history=Away("RESYNC_HISTORY_DSN is not set", is_set=False))
    assert shape(judged(seen)) == [(WARNING, Check.REACH, "history")]


def test_errors_come_first() -> None:
    seen = replace(well(), kafka=spoiled("history", delete_retention_ms="1"), state=Away("away"))
    assert [finding.level for finding in judged(seen)] == [ERROR, WARNING]


def test_versions_that_could_not_be_read_leave_epochs_in_doubt() -> None:
    seen = well()
    assert isinstance(seen.state, tuple)
    state, books = seen.state
    assert books is not None
    found = judged(replace(seen, state=(state, replace(books, versions=None))))
    assert shape(found) == [(WARNING, Check.EPOCHS, "state")]


@pytest.mark.parametrize(
    ("wanted", "holds", "rule", "check"),
    [
        ("FULL_TRANSITIVE", True, "FULL_TRANSITIVE", None),
        ("BACKWARD_TRANSITIVE", True, "FULL_TRANSITIVE", None),
        ("FULL_TRANSITIVE", True, "BACKWARD_TRANSITIVE", Check.COMPATIBILITY),
        ("BACKWARD_TRANSITIVE", True, "NONE", Check.COMPATIBILITY),
        ("BACKWARD_TRANSITIVE", True, None, Check.COMPATIBILITY),
        ("BACKWARD_TRANSITIVE", False, None, Check.SCHEMAS),
    ],
)
def test_subjects(wanted: str, holds: bool, rule: str | None, check: Check | None) -> None:  # noqa: FBT001
    found = list(judge_subjects([Subject("s", wanted, holds, rule)]))
    assert [(one.check, one.command) for one in found] == ([(check, "resync topics create")] if check else [])


def test_a_schema_of_a_later_release_is_a_warning() -> None:
    found = list(judge_subjects([Subject("s", "FULL_TRANSITIVE", holds_ours=True, rule="FULL_TRANSITIVE", later=(3,))]))
    assert shape(found) == [(WARNING, Check.SCHEMAS, "s")]
    assert "version 3" in found[0].what


def fails() -> Database:
    raise ValueError("4711")


def test_every_part_is_looked_at_whatever_becomes_of_the_others() -> None:
    never = Event()

    def hangs() -> Database:
        never.wait(60)
        return database()

    looks = {"well": database, "fails": fails, "hangs": hangs}
    started = monotonic()
    found = dict(examine(looks, lambda fault: type(fault).__name__, 0.2))
    never.set()
    assert monotonic() - started < 5
    assert found == {"well": database(), "fails": Away("ValueError"), "hangs": Away("no answer within 0.2 s")}


def test_more_parts_than_are_looked_at_at_once() -> None:
    many = {f"district-{n}": database for n in range(3 * AT_ONCE)}
    assert len(dict(examine(many, str, 5.0))) == len(many)


def test_nothing_to_look_at() -> None:
    assert list(examine({}, str, 1.0)) == []
