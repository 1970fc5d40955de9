from dataclasses import replace
from typing import Any

import pytest

from processor.service.doctor.facts import Database
from processor.service.doctor.findings import Check, Finding, Level
from processor.service.doctor.servers import MOMENTS, judge_agreement, judge_server
from tests.unit.service.doctor.seen import database, only, text


def judged(**changes: Any) -> list[Finding]:
    return list(judge_server("NORTH", database(**changes), is_side=True))


def written(**texts: str) -> Database:
    """With other texts of some probes; dashes are written as underscores."""
    found = database()
    return replace(found, texts={**found.texts, **{n.replace("_", "-"): text(t) for n, t in texts.items()}})


def test_what_is_well_is_left_at_peace() -> None:
    assert judged() == []


@pytest.mark.parametrize(("version", "level"), [(140_005, Level.WARNING), (120_000, Level.ERROR)])
def test_an_old_server(version: int, level: Level) -> None:
    assert only(judged(version=version)).level is level


@pytest.mark.parametrize(
    ("ahead_s", "error_s", "level", "says"),
    [
        (2.5, 0.1, Level.WARNING, "2.5 s ahead of"),
        (-90.0, 0.1, Level.ERROR, "90.0 s behind"),
    ],
)
def test_a_clock_that_is_wrong(ahead_s: float, error_s: float, level: Level, says: str) -> None:
    found = only(judged(clock_ahead_s=ahead_s, clock_error_s=error_s))
    assert (found.level, found.check) == (level, Check.CLOCKS)
    assert says in found.what


def test_a_slow_way_leaves_a_clock_in_doubt() -> None:
    assert judged(clock_ahead_s=5.0, clock_error_s=3.5) == []


def test_bytes_without_an_encoding() -> None:
    found = only(judged(encoding="SQL_ASCII", session={}))
    assert (found.level, found.check) == (Level.ERROR, Check.TEXTS)


def test_a_pooler_that_drops_options() -> None:
    found = only(judged(session={"TimeZone": "UTC", "DateStyle": "SQL, DMY", "default_transaction_read_only": "on"}))
    assert "(DateStyle)" in found.what
    assert judged(session={"TimeZone": "UTC", "DateStyle": "ISO, YMD", "default_transaction_read_only": "on"}) == []


def test_a_value_that_is_not_read_as_what_it_is() -> None:
    found = only(judge_server("NORTH", written(date="08/01/2026"), is_side=True))
    assert (found.level, found.check) == (Level.ERROR, Check.TEXTS)
    found = only(judge_server("NORTH", written(double="0.1000001"), is_side=True))
    assert "double precision 0.1" in found.what


def test_texts_that_mean_the_same_are_read() -> None:
    seen = written(date="2026-08-01 00:00:00", boolean="t", double_small="1.5E-300")
    assert list(judge_server("NORTH", seen, is_side=True)) == []


def test_letters_that_cannot_be_held() -> None:
    found = only(judged(texts={**database().texts, "wide": None}, encoding="LATIN1"))
    assert (found.level, found.check) == (Level.WARNING, Check.TEXTS)


def test_a_digest_that_is_not_that_of_the_text() -> None:
    spoilt = {**database().texts, "latin": replace(text("Zoë Ångström"), digest="0" * 64)}
    assert only(judged(texts=spoilt)).level is Level.ERROR


def test_servers_that_disagree() -> None:
    state, ours = database(), {"NORTH": database(), "RIVER": written(boolean="t")}
    found = only(judge_agreement(state, ours))
    assert (found.level, found.check, found.where) == (Level.ERROR, Check.TEXTS, "RIVER")
    assert list(judge_agreement(replace(state, texts={}), ours)) == []


def test_rules_of_a_timezone() -> None:
    right = ["2026-01-15 18:00:00+00", "2026-07-15 17:00:00+00", "2007-03-20 17:00:00+00", "2026-11-01 07:30:00+00"]
    assert len(right) == len(MOMENTS)
    assert judged(zones={"America/Chicago": right}) == []
    old = [*right[:2], "2007-03-20 18:00:00+00", right[3]]
    assert "rules of the timezone" in only(judged(zones={"America/Chicago": old})).what
    assert "does not know" in only(judged(zones={"America/Chicago": None})).what


def test_the_history_is_not_compared() -> None:
    seen = database(session={}, texts={}, zones={"UTC": None})
    assert list(judge_server("history", seen, is_side=False)) == []
