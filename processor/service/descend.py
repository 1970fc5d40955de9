"""Requests with what hangs below their keys: read first, since too many reject the whole request."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from processor.core.accept import Rejected, rejected
from processor.core.catalog import Catalog
from processor.core.chunk import Ask, Chunk
from processor.core.descent import children_of, descending
from processor.core.errors import InvalidKey, Reason
from processor.core.family import check_number, family
from processor.core.history import KeyOutcome, Status
from processor.core.keys import canonical_key, invalid_key_id
from processor.core.outcome import chunk_outcome
from processor.core.printable import printable
from processor.core.settle import defer, give_up, unreadable
from processor.service.intake import Intake, Unfolded
from processor.service.ports import SnapshotImpossible, Snapshots, SnapshotUnavailable

COUNTED_UP_TO = 10
"""Times the limit: beyond it, how many more there are does not matter."""


@dataclass(frozen=True, slots=True)
class Descendants:
    """Keys of records below others: by object, from the top down, sorted. What is no key stands apart."""

    keys: dict[str, list[str]]
    unusable: Sequence[tuple[str, str, InvalidKey]]
    """(object, what stands there instead of a key, why it is none)."""


def descend(intake: Intake, snapshots: Snapshots, catalog: Catalog, now: datetime) -> None:
    """Turns each unfolded chunk into its family, or into what stands in the way."""
    for unfolded in intake.unfolded:
        _descend(unfolded, intake, snapshots, catalog, now)
    intake.unfolded.clear()


def _descend(unfolded: Unfolded, intake: Intake, snapshots: Snapshots, catalog: Catalog, now: datetime) -> None:
    chunk = unfolded.chunk
    try:
        below = descendants(chunk, snapshots, catalog)
        check_number(sum(map(len, below.keys.values())) + len(below.unusable), catalog.limits)
        plan, chunks = family(chunk, below.keys, catalog.limits, now)
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
            intake.plan.add(give_up(chunk, why.reason, str(why), now))
    else:
        intake.plan.add(unfolded.plan)
        intake.plan.history += [_no_key(chunk, *each, now) for each in below.unusable]
        intake.plan.add(plan)
        intake.chunks += chunks


def _no_key(chunk: Chunk, object_name: str, text: str, why: InvalidKey, now: datetime) -> KeyOutcome:
    ask, detail = Ask(invalid_key_id(text), None), f"{printable(text)!r}: {why.detail}"
    return chunk_outcome(
        chunk, ask, Status.FAILED, now, object_name=object_name, reason=Reason.INVALID_KEY, detail=detail
    )


def descendants(chunk: Chunk, snapshots: Snapshots, catalog: Catalog) -> Descendants:
    """All records that either side holds below the chunk's keys. Raises SnapshotUnavailable."""
    limit = COUNTED_UP_TO * catalog.limits.max_keys_by_dependency
    found: dict[str, dict[str, None]] = {}
    unusable: dict[tuple[str, str], InvalidKey] = {}
    level: dict[str, list[str]] = {chunk.object: [ask.key for ask in chunk.asks]}
    while level and sum(map(len, found.values())) <= limit:
        following: dict[str, list[str]] = {}
        for name, keys in level.items():
            for child in children_of(name, catalog):
                known = found.setdefault(child.name, {})
                fresh: dict[str, None] = {}
                for text in snapshots.children(chunk.district_id, child.name, keys, limit):
                    try:
                        fresh[canonical_key(text, child.key_type)] = None
                    except InvalidKey as why:
                        unusable[child.name, text] = why
                fresh = {key: None for key in fresh if key not in known}
                known.update(fresh)
                if fresh:
                    following[child.name] = list(fresh)
        level = following
    order = [kind.name for kind in descending(chunk.object, catalog)]
    return Descendants(
        {name: sorted(found[name]) for name in order if found.get(name)},
        [(name, text, why) for (name, text), why in unusable.items()],
    )
