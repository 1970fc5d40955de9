"""Chunks in, one Plan out: read what the decisions need, decide what was read, defer what could not be."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeAlias

from processor.core.catalog import Catalog
from processor.core.chunk import Cause, Chunk, Stage
from processor.core.decide import count_state_only, decide
from processor.core.family import deletes_last_and_upward
from processor.core.guard import guard_of, is_beyond, is_beyond_any, least_guard, plan_counts
from processor.core.history import ChunkState, ChunkStatus, Told
from processor.core.parents import parents_to_read
from processor.core.park import Held, park
from processor.core.plan import Plan
from processor.core.request import Mode, OnStateOnly
from processor.core.settle import defer, in_pieces, unreadable
from processor.core.single import InSync, Place, Singles, in_their_places
from processor.core.snapshot import SameRead, Snapshot
from processor.service.ports import ReadTimedOut, SnapshotImpossible, Snapshots, SnapshotUnavailable, Target

MOSTLY_SAME = frozenset({Cause.REQUEST, Cause.SPLIT})
"""Why keys come that nobody has seen differ."""
Keys: TypeAlias = Mapping[Target, dict[str, None]]
CountRows: TypeAlias = Callable[[str, str], int]
"""Rows of a district's object on the larger side; 0 where that cannot be known now."""


class Observation:
    """What was read for a batch: a snapshot a district, and the (district, object) that could not be read.

    So many keys were the same on both sides by their digests; others were read by their columns.
    """

    def __init__(self) -> None:
        self.chunks: list[Chunk] = []
        """What is to be decided: chunks, and those of requests of one key of which there is more to tell."""
        self.in_sync: list[InSync] = []
        """Requests whose one key is the same on both sides."""
        self.same = 0
        self.others = 0
        self.snapshots: dict[str, Snapshot] = {}
        self.away: dict[tuple[str, str], SnapshotUnavailable] = {}

    @property
    def keys(self) -> int:
        """How many were read."""
        return self.same + self.others

    def fault(self, chunk: Chunk, catalog: Catalog) -> SnapshotUnavailable | None:
        """Why a chunk cannot be decided: its object was not read, or an ancestor's that its decisions need."""
        if not self.away:
            return None
        own = self.away.get((chunk.district_id, chunk.object))
        if own is not None:
            return own
        above = [name for name in lineage(chunk.object, catalog)[1:] if (chunk.district_id, name) in self.away]
        wanted = parents_to_read([chunk], catalog, self.snapshots[chunk.district_id]) if above else {}
        return _worst([self.away[chunk.district_id, name] for name in above if name in wanted])


def observe(
    chunks: Sequence[Chunk], snapshots: Snapshots, catalog: Catalog, singles: Sequence[Singles] = ()
) -> Observation:
    """Reads the keys of chunks and of requests of one key, then, level by level, the parents that decisions need."""
    seen = Observation()
    wanted: dict[Target, dict[str, None]] = {}
    by_rows: dict[Target, dict[str, None]] = {}
    for chunk in chunks:
        target, keys = (chunk.district_id, chunk.object), dict.fromkeys([ask.key for ask in chunk.asks])
        wanted.setdefault(target, {}).update(keys)
        if needs_rows(chunk):
            by_rows.setdefault(target, {}).update(keys)
    for alike in singles:
        target = alike.chunk.district_id, alike.chunk.object
        wanted.setdefault(target, {}).update(dict.fromkeys([single.key for single in alike.singles]))
    seen.snapshots = {district_id: Snapshot(district_id) for district_id, _ in wanted}
    if wanted:
        _read(wanted, by_rows, snapshots, seen)
    placed = list[tuple[Place, Chunk]]()
    for alike in singles:
        in_sync, others = alike.compared(seen.snapshots[alike.chunk.district_id].of(alike.chunk.object))
        if in_sync.singles:
            seen.in_sync.append(in_sync)
        placed += others
    seen.chunks = in_their_places(chunks, placed)
    while parents := _parents(seen, catalog):
        _read(parents, {}, snapshots, seen)
    return seen


def _parents(seen: Observation, catalog: Catalog) -> Keys:
    """Those that decisions need and that were not read yet."""
    by_district: dict[str, list[Chunk]] = {}
    for chunk in seen.chunks:
        if seen.fault(chunk, catalog) is None:
            by_district.setdefault(chunk.district_id, []).append(chunk)
    wanted: dict[Target, dict[str, None]] = {}
    for district_id, readable in by_district.items():
        for name, parents in parents_to_read(readable, catalog, seen.snapshots[district_id]).items():
            wanted[district_id, name] = dict.fromkeys(parents)
    return wanted


def needs_rows(chunk: Chunk) -> bool:
    """Whether rows are sent also where both sides have the same, or most keys are known to differ."""
    return chunk.mode is Mode.FORCE or chunk.cause not in MOSTLY_SAME


def _read(wanted: Keys, by_rows: Keys, snapshots: Snapshots, seen: Observation) -> None:
    reads = snapshots.read(
        {target: list(keys) for target, keys in wanted.items()},
        {target: list(keys) for target, keys in by_rows.items()},
    )
    for (district_id, name), read in reads.items():
        if isinstance(read, SnapshotUnavailable):
            seen.away[district_id, name] = read
            continue
        for part in read:
            if isinstance(part, SameRead):
                seen.same += len(part.keys)
                seen.snapshots[district_id].add_same(name, part)
            else:
                seen.others += len(part.keys)
                seen.snapshots[district_id].add(name, part.keys, part.district, part.state)


def resync(seen: Observation, catalog: Catalog, now: datetime, rows: CountRows | None = None) -> Plan:
    """Decides the requests in the order of their first chunks, and a request's chunks in theirs.

    Without `rows` nothing is held against the guard: the plan is what would be sent.
    """
    is_alone = len(seen.chunks) == 1 and not seen.in_sync
    families: dict[tuple[str, str], list[Chunk]] = {}
    for chunk in seen.chunks:
        families.setdefault((chunk.request_id, chunk.district_id), []).append(chunk)
    plan = Plan()
    plan.history += [alike.outcomes(now) for alike in seen.in_sync]
    for family in families.values():
        plan.add(_resync_family(family, seen, catalog, now, rows, is_alone=is_alone))
    return plan


def _resync_family(
    chunks: Sequence[Chunk],
    seen: Observation,
    catalog: Catalog,
    now: datetime,
    rows: CountRows | None,
    *,
    is_alone: bool,
) -> Plan:
    """Chunks of one request: their deletions are counted together, and go upward.

    So where one that may delete cannot be read, all wait for it, or end with it: what was counted apart would be
    bounded apart. What comes along is told of first: once the named keys have ended, nothing of their family is yet
    to be told.
    """
    state_only = 0
    faults = [seen.fault(chunk, catalog) for chunk in chunks]
    if any(chunk.on_state_only is OnStateOnly.DELETE for chunk in chunks):
        state_only = sum(count_state_only(chunk, seen.snapshots[chunk.district_id]) for chunk in chunks)
        faults = [_worst([fault for fault in faults if fault is not None])] * len(chunks)
    is_apart = rows is not None and _comes_apart(chunks, faults)
    parts = list[Plan]()
    for chunk, fault in zip(chunks, faults, strict=True):
        if fault is None:
            part = decide(chunk, catalog, seen.snapshots[chunk.district_id], now, state_only=state_only)
        elif isinstance(fault, SnapshotImpossible):
            part = unreadable(chunk, str(fault), now)
        elif is_apart and _is_guarded(chunk):
            part = in_pieces(chunk, now, 1)
        else:
            part = defer(chunk, str(fault), catalog.limits, now, is_slow=_is_slow(chunk, fault, is_alone=is_alone))
        parts.append(part)
    if rows is not None:
        parts = _guarded(chunks, parts, catalog, now, rows, is_apart=is_apart)
    if len(parts) == 1 and not any(isinstance(record, ChunkStatus) for record in parts[0].history):
        return _in_order(parts[0], catalog)
    announced = _announced((part for chunk, part in zip(chunks, parts, strict=True) if _is_guarded(chunk)), now)
    plan, told_first = Plan(), list[Told]()
    for chunk, part in zip(chunks, parts, strict=True):
        if all(ask.asked_as is None for ask in chunk.asks):
            told_first += part.history
            part.history = []
        plan.add(part)
    plan.history[:0] = told_first
    plan.history[:0] = announced
    return _in_order(plan, catalog)


def _in_order(plan: Plan, catalog: Catalog) -> Plan:
    """With its corrections in the order in which they may be applied."""
    if plan.corrections:
        plan.corrections = deletes_last_and_upward(plan.corrections, catalog)
    return plan


def _announced(parts: Iterable[Plan], now: datetime) -> list[Told]:
    """All chunks of a family that is planned, as PENDING: who reads the end of one must not find nothing open."""
    told = [record for part in parts for record in part.history if isinstance(record, ChunkStatus)]
    told = [each for each in told if each.planned is not None or each.state is ChunkState.PENDING]
    if len(told) < 2 or all(each.planned is None for each in told):
        return []
    return [replace(each, state=ChunkState.PENDING, decided_at=now, planned=None, guard=None) for each in told]


def _is_guarded(chunk: Chunk) -> bool:
    return chunk.stage is Stage.GUARDED and chunk.mode is not Mode.VERIFY


def _comes_apart(chunks: Sequence[Chunk], faults: Sequence[SnapshotUnavailable | None]) -> bool:
    """Whether a family has chunks that are to be read later, each of which would be within the guard by itself.

    So all of it is planned, and the store adds up.
    """
    waits = any(fault is not None and not isinstance(fault, SnapshotImpossible) for fault in faults)
    return waits and sum(map(_is_guarded, chunks)) > 1


def _guarded(
    chunks: Sequence[Chunk], parts: Sequence[Plan], catalog: Catalog, now: datetime, rows: CountRows, *, is_apart: bool
) -> list[Plan]:
    """The plans of one request's chunks, with what they would send parked where the guard does not let it pass."""
    if not any(part.corrections or chunk.stage is Stage.PLAN for chunk, part in zip(chunks, parts, strict=True)):
        return list(parts)
    limits = catalog.limits
    guarded = [part for chunk, part in zip(chunks, parts, strict=True) if chunk.stage is Stage.GUARDED]
    together = plan_counts(correction for part in guarded for correction in part.corrections)
    is_held = is_apart or (
        is_beyond(together, least_guard(limits))
        and is_beyond_any(
            together, {name: guard_of(limits, rows(chunks[0].district_id, name)) for name in _objects(chunks)}
        )
    )
    made = list[Plan]()
    for chunk, part in zip(chunks, parts, strict=True):
        is_planned = chunk.stage is Stage.PLAN and not _is_put_off(part)
        if is_planned or (is_held and chunk.stage is Stage.GUARDED and part.corrections):
            guard = guard_of(limits, rows(chunk.district_id, chunk.object))
            made.append(park(chunk, part, Held(plan_counts(part.corrections), guard), catalog, now))
        else:
            made.append(part)
    return made


def _is_put_off(part: Plan) -> bool:
    """Whether a planned chunk goes round: nothing is told of it, so it stays PENDING, and its request undecided."""
    return bool(part.retries) and not part.history


def _objects(chunks: Sequence[Chunk]) -> list[str]:
    return list(dict.fromkeys(chunk.object for chunk in chunks))


def _is_slow(chunk: Chunk, fault: SnapshotUnavailable, *, is_alone: bool) -> bool:
    """Whether fewer keys are to be tried. The first time others that were read with them may be to blame."""
    return isinstance(fault, ReadTimedOut) and (is_alone or chunk.deferred_since is not None)


def _worst(faults: Sequence[SnapshotUnavailable]) -> SnapshotUnavailable | None:
    """One for which waiting does not help, where there is one."""
    return min(faults, key=lambda fault: not isinstance(fault, SnapshotImpossible), default=None)


def lineage(object_name: str, catalog: Catalog) -> list[str]:
    """The object and its ancestors, upward."""
    names = [object_name]
    while (parent := catalog.objects[names[-1]].parent) is not None:
        names.append(parent.object)
    return names
