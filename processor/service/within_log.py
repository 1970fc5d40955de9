"""Whether the log still holds all that the store has not read: what a store and a replay ask before they read on."""

from collections.abc import Mapping

from processor.service.history_ports import Extent, OutsideLog, StoredOffset


def check_within_log(
    topic: str, topic_id: str, stored: Mapping[int, StoredOffset], extents: Mapping[int, Extent]
) -> None:
    """Raises OutsideLog unless reading on where the store stands misses nothing."""
    for partition, offset in sorted(stored.items()):
        extent = extents.get(partition)
        fault = "the topic has no such partition any more" if extent is None else outside(topic_id, offset, extent)
        if fault:
            raise OutsideLog(
                f"partition {partition} of {topic}: {fault}. Nothing was changed. Run `resync replay` to rebuild the "
                "tables from the topic as it is now, or restore the topic"
            )


def outside(topic_id: str, stored: StoredOffset, extent: Extent) -> str | None:
    """Why the stored offset cannot be read on from, if so."""
    if stored.topic_id != topic_id:
        return "the topic was deleted and created again since the store read it (its id is another)"
    if stored.next_offset > extent.high:
        return (
            f"the store's next offset {stored.next_offset} lies beyond the log's end {extent.high}; "
            "the log was cut off or replaced"
        )
    if stored.next_offset < extent.low:
        return (
            f"the store's next offset {stored.next_offset} lies before the log's start {extent.low}; "
            "records that the store has not read were deleted"
        )
    return None
