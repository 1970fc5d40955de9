"""Requests with what hangs below their keys: read first, since too many reject the whole request."""

from datetime import datetime

from processor.core.accept import Rejected, rejected
from processor.core.catalog import Catalog
from processor.core.chunk import Chunk
from processor.core.family import check_number, children_of, descending, family
from processor.core.settle import defer, give_up, unreadable
from processor.service.intake import Intake, Unfolded
from processor.service.ports import SnapshotImpossible, Snapshots, SnapshotUnavailable

COUNTED_UP_TO = 10
"""Times the limit: beyond it, how many more there are does not matter."""


def descend(intake: Intake, snapshots: Snapshots, catalog: Catalog, now: datetime) -> None:
    """Turns each unfolded chunk into its family, or into what stands in the way."""
    for unfolded in intake.unfolded:
        _descend(unfolded, intake, snapshots, catalog, now)
    intake.unfolded.clear()


def _descend(unfolded: Unfolded, intake: Intake, snapshots: Snapshots, catalog: Catalog, now: datetime) -> None:
    chunk = unfolded.chunk
    try:
        below = descendants(chunk, snapshots, catalog)
        check_number(sum(map(len, below.values())), catalog.limits)
        plan, chunks = family(chunk, below, catalog.limits, now)
    except SnapshotImpossible as fault:
        intake.plan.add(unfolded.plan)
        intake.plan.add(unreadable(chunk, str(fault), now))
    except SnapshotUnavailable as away:
        intake.plan.add(unfolded.plan)
        intake.plan.add(defer(chunk, str(away), catalog.limits, now))
    except Rejected as why:
        if unfolded.request is not None:
            intake.plan.add(rejected(unfolded.request, why, now))
        else:
            intake.plan.add(give_up(chunk, why.reason, now))
    else:
        intake.plan.add(unfolded.plan)
        intake.plan.add(plan)
        intake.chunks += chunks


def descendants(chunk: Chunk, snapshots: Snapshots, catalog: Catalog) -> dict[str, list[str]]:
    """Keys of all records that either side holds below the chunk's keys: by object, from the top down, sorted.

    Raises SnapshotUnavailable.
    """
    limit = COUNTED_UP_TO * catalog.limits.max_keys_by_dependency
    found: dict[str, dict[str, None]] = {}
    level: dict[str, list[str]] = {chunk.object: [ask.key for ask in chunk.asks]}
    while level and sum(map(len, found.values())) <= limit:
        following: dict[str, list[str]] = {}
        for name, keys in level.items():
            for child in children_of(name, catalog):
                known = found.setdefault(child.name, {})
                fresh = [k for k in snapshots.children(chunk.district_id, child.name, keys, limit) if k not in known]
                known.update(dict.fromkeys(fresh))
                if fresh:
                    following[child.name] = fresh
        level = following
    order = [kind.name for kind in descending(chunk.object, catalog)]
    return {name: sorted(found[name]) for name in order if found.get(name)}
