"""Local times without a zone mean what Postgres's `at time zone` says they mean."""

from zoneinfo import ZoneInfo

import pytest

from processor.core.catalog import FieldSpec, Kind, Owner
from processor.core.values import canonical

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
