"""When the store may read on from where it stands."""

import pytest

from processor.service.history_ports import Extent, OutsideLog, StoredOffset
from processor.service.within_log import check_within_log, outside


@pytest.mark.parametrize(
    ("stored", "extent", "fault"),
    [
        (StoredOffset(0, "id", live=False), Extent(0, 0, 0), None),
        (StoredOffset(5, "id", live=True), Extent(0, 5, 5), None),
        (StoredOffset(5, "id", live=True), Extent(0, 3, 9), None),
        (StoredOffset(5, "id", live=True), Extent(5, 9, 9), None),
        (StoredOffset(6, "id", live=True), Extent(0, 5, 5), "beyond the log's end 5"),
        (StoredOffset(4, "id", live=True), Extent(5, 9, 9), "before the log's start 5"),
        (StoredOffset(4, "other", live=True), Extent(0, 9, 9), "created again"),
    ],
)
def test_reading_on(stored: StoredOffset, extent: Extent, fault: str | None) -> None:
    found = outside("id", stored, extent)
    assert (found is None) if fault is None else (found is not None and fault in found)


def test_the_explanation_names_partition_and_command() -> None:
    with pytest.raises(OutsideLog, match=r"partition 3 of resync\.history.*resync replay"):
        check_within_log("resync.history", "id", {3: StoredOffset(6, "id", live=True)}, {3: Extent(0, 5, 5)})
