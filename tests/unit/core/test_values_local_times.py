"""Local times without a zone mean what Postgres's `at time zone` says they mean."""

from zoneinfo import ZoneInfo

import pytest

from processor.core.catalog import FieldSpec, Kind, Owner
from processor.core.values import canonical, side_text, survives_without_zone

MODIFIED = FieldSpec("modifiedAt", Kind.TIMESTAMP, Owner.DISTRICT, frozenset(), "modified", "modified")


@pytest.mark.parametrize(("zone", "local", "utc"), [
    ("America/Chicago", "2026-07-01 12:00:00", "2026-07-01T17:00:00.000000Z"),
    ("America/Chicago", "2026-11-01 01:30:00", "2026-11-01T07:30:00.000000Z"),  # occurs twice
    ("America/Chicago", "2026-03-08 02:30:00", "2026-03-08T08:30:00.000000Z"),  # occurs never
    ("Europe/Dublin", "2026-10-25 01:30:00", "2026-10-25T01:30:00.000000Z"),  # twice; winter is the saving time there
    ("Australia/Lord_Howe", "2026-04-05 01:45:00", "2026-04-04T15:15:00.000000Z"),  # twice, by half an hour
])  # fmt: skip
def test_local_time(zone: str, local: str, utc: str) -> None:
    assert canonical(MODIFIED, local, ZoneInfo(zone)) == utc


@pytest.mark.parametrize(("zone", "utc", "survives"), [
    ("America/Chicago", "2026-07-01T17:00:00.000000Z", True),
    ("America/Chicago", "2026-11-01T06:30:00.000000Z", False),  # 01:30 for the first time
    ("America/Chicago", "2026-11-01T07:30:00.000000Z", True),  # and for the second
    ("America/Chicago", "2026-11-01T08:00:00.000000Z", True),
    ("America/Chicago", "2026-03-08T08:30:00.000000Z", True),
    ("Europe/Dublin", "2026-10-25T00:30:00.000000Z", False),
    ("UTC", "2026-11-01T06:30:00.000000Z", True),
])  # fmt: skip
def test_what_a_column_without_a_zone_gives_back(zone: str, utc: str, survives: bool) -> None:  # noqa: FBT001
    tz = ZoneInfo(zone)
    assert survives_without_zone(utc, tz) is survives
    written = side_text(MODIFIED, utc, tz) or ""
    assert (canonical(MODIFIED, written[:19], tz) == utc) is survives
