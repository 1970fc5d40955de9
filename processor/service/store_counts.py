from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic


@dataclass(slots=True)
class StoreCounts:
    """What happened in the store so far, and how it stands; each is replaced as a whole."""

    records: int = 0
    batches: int = 0
    batches_dropped: int = 0
    records_skipped: int = 0
    unavailable: int = 0
    shared_ids: int = 0
    """Times that a batch held records of a request whose id another district's request has too."""
    ends_announced: int = 0
    overdue_published: int = 0
    cleared: int = 0
    tombstones: int = 0
    rebuilds: int = 0
    last_step: float = field(default_factory=monotonic)
    """On the monotonic clock: the heartbeat."""
    assigned: frozenset[int] | None = None
    """None until the group has shared out its partitions; then perhaps none."""
    positions: Mapping[int, int] = field(default_factory=dict)
    """The next offset that the tables need, by partition; kept while the database is away."""
    held: int = 0
    oldest_held: datetime | None = None
    """When the oldest request that is held was so."""
    oldest_unanswered: datetime | None = None
    """When the oldest correction without an answer was sent; None where there is none."""
    is_available: bool = True
