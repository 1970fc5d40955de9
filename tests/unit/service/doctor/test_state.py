"""What a write at the state sets off, the applier's own tables, epochs, and the store's tables."""

from dataclasses import replace
from typing import Any

import pytest

from processor.service.doctor.applier import judge_bookkeeping, judge_epochs
from processor.service.doctor.cascades import judge_cascades
from processor.service.doctor.facts import Database, ForeignKey, Trigger, Version
from processor.service.doctor.findings import Check, Finding, Level
from processor.service.doctor.history import judge_history
from processor.service.doctor.wanted import state_tables
from tests.unit.core.builders import CATALOG
from tests.unit.service.doctor.seen import ALL, books, database, history, only, tables

ERROR, WARNING = Level.ERROR, Level.WARNING
WANTED = state_tables(CATALOG, is_written=True)


def state(**changes: Any) -> Database:
    found = tables(WANTED)
    person = found["Person"]
    assert person is not None
    return database(WANTED, tables={**found, "Person": replace(person, **changes)})


@pytest.mark.parametrize(
    ("definition", "kept"),
    [
        ("FOREIGN KEY (p) REFERENCES person(id) ON DELETE CASCADE", "FOREIGN KEY (p) REFERENCES person(id)"),
        (
            "FOREIGN KEY (p, d) REFERENCES person(id, d) ON UPDATE CASCADE ON DELETE SET NULL (p) DEFERRABLE",
            "FOREIGN KEY (p, d) REFERENCES person(id, d) ON UPDATE CASCADE DEFERRABLE",
        ),
    ],
)
def test_a_foreign_key_that_cascades(definition: str, kept: str) -> None:
    seen = state(cascades=(ForeignKey("badge_person", "public.badge", definition),))
    found = only(judge_cascades(seen, allow_delete=True))
    assert (found.level, found.check) == (ERROR, Check.CASCADES)
    assert found.command == (
        f"ALTER TABLE public.badge DROP CONSTRAINT badge_person, ADD CONSTRAINT badge_person {kept};"
    )
    assert only(judge_cascades(seen, allow_delete=False)).level is WARNING


@pytest.mark.parametrize(
    ("source", "is_told"),
    [
        ("begin insert into audit values (new.id); return null; end", False),
        ("begin select grade from Enrollment; return null; end", False),
        ("begin update Enrollment set grade = 1; return null; end", True),
        ('begin DELETE FROM only public."Enrollment" where a = 1; end', True),
        ("begin insert into   person values (1); end", True),
        ("begin update enrollment_log set a = 1; end", False),
    ],
)
def test_a_trigger_is_judged_by_what_it_writes(source: str, is_told: bool) -> None:  # noqa: FBT001
    found = list(judge_cascades(state(triggers=(Trigger("after_it", "f", source),)), allow_delete=True))
    assert [(one.level, one.command) for one in found] == (
        [(WARNING, "ALTER TABLE person DISABLE TRIGGER after_it;")] if is_told else []
    )


def test_a_rule() -> None:
    assert only(judge_cascades(state(rules=("no_deletes",)), allow_delete=True)).command == (
        "DROP RULE no_deletes ON person;"
    )


def test_bookkeeping_that_is_well_or_will_be_made() -> None:
    assert list(judge_bookkeeping(database(), books())) == []
    assert list(judge_bookkeeping(database(), books(tables={"applied": None, "versions": None}))) == []


def test_bookkeeping_that_cannot_be_made_or_used() -> None:
    nothing = books(tables={"applied": None, "versions": None})
    found = only(judge_bookkeeping(database(may_create=False), nothing))
    assert found.command == 'GRANT CREATE ON DATABASE "agency" TO reader_of_all;'
    found = only(judge_bookkeeping(database(), books(may_use_schema=False)))
    assert found.command == "GRANT USAGE ON SCHEMA resync_applier TO reader_of_all;"
    found = only(judge_bookkeeping(database(), books(tables={"applied": ALL, "versions": ALL - {"DELETE"}})))
    assert found.command == "GRANT DELETE ON resync_applier.versions TO reader_of_all;"


@pytest.mark.parametrize(
    ("version", "says"),
    [
        (Version(1, 1_001), "it was replaced or restored"),
        (Version(2, 1), "corrections of epoch 2 were applied"),
        (Version(1, 1_000), None),
        (Version(0, 9_999), None),
    ],
)
def test_epochs(version: Version, says: str | None) -> None:
    """Districts are of epoch 1, and their databases at transaction 1000."""
    found = list(judge_epochs(CATALOG.districts, {"NORTH": database()}, {"NORTH": version, "GONE": Version(9, 9)}))
    assert len(found) == (says is not None)
    if says:
        assert says in found[0].what
        assert "districts.NORTH.epoch to 2" in found[0].advice


def told(seen: Database, **changes: Any) -> list[Finding]:
    return list(judge_history(seen, history(**changes)))


def test_the_history() -> None:
    assert told(database()) == []
    assert only(told(database(), version=None, rights={})).level is WARNING
    assert only(told(database(may_create=False), version=None, rights={})).level is ERROR
    assert only(told(database(may_create=False))).level is WARNING
    assert only(told(database(), version=4)).command == "resync topics create"
    assert only(told(database(), version=6)).level is ERROR
    assert only(told(database(may_make_temporary=False))).command == (
        'GRANT TEMPORARY ON DATABASE "agency" TO reader_of_all;'
    )
    assert only(told(database(), rights={"requests": ALL, "outcomes": ALL - {"UPDATE"}})).command == (
        "GRANT USAGE ON SCHEMA resync_store TO reader_of_all;"
        " GRANT UPDATE ON ALL TABLES IN SCHEMA resync_store TO reader_of_all;"
    )
    assert only(told(database(), owns=False)).command == "ALTER SCHEMA resync_store OWNER TO reader_of_all;"
