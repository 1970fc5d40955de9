"""The guard against mass changes: what a request would change, and how much of that passes by itself (ADR 0144)."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from heapq import nsmallest

from processor.core.catalog import Limits
from processor.core.chunk import Stage
from processor.core.correction import Correction, Op
from processor.core.counted import counted
from processor.core.errors import Reason
from processor.core.history import Guard, PlanCounts, Planned, RequestState, RequestStatus, Sample
from processor.core.parents import WITH_PARENTS
from processor.core.request import Dependencies, Mode

SHARE_FROM = 100
"""Fewer changes than these are never held for their share: a district may be small."""
MAX_SAMPLES = 20
"""Keys that a plan names, of all objects and operations together."""


def guard_of(limits: Limits, rows: int) -> Guard:
    """For changes of an object of which the larger side has so many rows; 0 where nobody knows."""
    share = limits.hold_changes if limits.hold_share >= 1 else max(SHARE_FROM, int(rows * limits.hold_share))
    return Guard(min(limits.hold_changes, share), limits.hold_deletes)


def least_guard(limits: Limits) -> Guard:
    """What is within this passes whatever the number of rows."""
    return guard_of(limits, 0)


def plan_counts(corrections: Iterable[Correction]) -> PlanCounts:
    alike: dict[tuple[str, Op, tuple[str, ...]], list[str]] = {}
    for correction in corrections:
        source = correction.source
        alike.setdefault((source.object, correction.op, source.changed_fields), []).append(source.key)
    counts: Counter[tuple[str, Op, str | None]] = Counter()
    keys: dict[tuple[str, Op], list[str]] = {}
    for (name, op, changed_fields), those in alike.items():
        for changed in (None, *(changed_fields if op is Op.UPDATE else ())):
            counts[name, op, changed] += len(those)
        keys.setdefault((name, op), []).extend(those)
    return _plan_counts(counts, _some(keys))


def merged(plans: Iterable[PlanCounts]) -> PlanCounts:
    """What all of them would change together, in whatever order they come."""
    counts: Counter[tuple[str, Op, str | None]] = Counter()
    samples: Sequence[Sample] = ()
    for plan in plans:
        counts.update({(each.object, each.op, each.field): each.keys for each in plan.counts})
        keys: dict[tuple[str, Op], list[str]] = {}
        for sample in (*samples, *plan.samples):
            keys.setdefault((sample.object, sample.op), []).append(sample.key)
        samples = _some(keys)
    return _plan_counts(counts, samples)


def _some(keys: Mapping[tuple[str, Op], Sequence[str]]) -> list[Sample]:
    """The first keys of each object and operation, about as many of each; deletions first.

    What is left out of a part would be left out of the whole.
    """
    kinds = sorted(keys, key=lambda kind: (kind[1] is not Op.DELETE, *kind))
    ranked = [
        (rank, place, key)
        for place, kind in enumerate(kinds)
        for rank, key in enumerate(nsmallest(MAX_SAMPLES, keys[kind], key=lambda key: (len(key), key)))
    ]
    chosen = sorted(sorted(ranked)[:MAX_SAMPLES], key=lambda each: (each[1], each[0]))
    return [Sample(*kinds[place], key) for _, place, key in chosen]


def _plan_counts(counts: Counter[tuple[str, Op, str | None]], samples: Sequence[Sample]) -> PlanCounts:
    in_order = sorted(counts.items(), key=lambda item: (item[0][0], item[0][1], item[0][2] or ""))
    return PlanCounts(tuple(Planned(*what, keys) for what, keys in in_order), tuple(samples))


def changes(plan: PlanCounts) -> int:
    """Records that would be created, updated or deleted."""
    return sum(each.keys for each in plan.counts if each.field is None)


def deletes(plan: PlanCounts) -> int:
    return sum(each.keys for each in plan.counts if each.field is None and each.op is Op.DELETE)


def is_beyond(plan: PlanCounts, guard: Guard) -> bool:
    """Whether somebody has to release what would be changed."""
    return changes(plan) > guard.changes or deletes(plan) > guard.deletes


def is_beyond_any(plan: PlanCounts, guards: Mapping[str, Guard]) -> bool:
    """The same for a request over several objects: each against its own guard, all together against the largest."""
    return bool(_verdict(plan, guards)[1])


def decide(status: RequestStatus, plan: PlanCounts, guards: Mapping[str, Guard], as_of: datetime) -> RequestStatus:
    """What becomes of a request that was planned to its end: it is held, or goes on.

    `guards` are those of the objects that it names, each for a share of that object's records. `as_of` is when the last
    of it was planned: the same plan makes the same decision, however often it is made.
    """
    guard, beyond = _verdict(plan, guards)
    return replace(
        status,
        state=RequestState.HELD if beyond else RequestState.ACCEPTED,
        reason=Reason.MASS_CHANGE if beyond else None,
        detail="; ".join(beyond) or None,
        decided_at=as_of,
        guard=guard,
        planned=plan,
    )


def _verdict(plan: PlanCounts, guards: Mapping[str, Guard]) -> tuple[Guard, list[str]]:
    """The guard that the plan is beyond, or within; and what of it is beyond, in words.

    All that would be changed is held against the guard of the largest object, and what of each object against its own.
    """
    largest = max(guard.changes for guard in guards.values())
    most_deletes = min(guard.deletes for guard in guards.values())
    held = [
        (guard.changes, f"change {_records(number)} of {name}")
        for name, guard in sorted(guards.items())
        if (number := changes(PlanCounts(tuple(each for each in plan.counts if each.object == name)))) > guard.changes
    ]
    if not held and (number := changes(plan)) > largest:
        held = [(largest, f"change {_records(number)}")]
    most_changes = held[0][0] if held else largest
    if (number := deletes(plan)) > most_deletes:
        held.insert(0, (most_deletes, f"delete {_records(number)}"))
    beyond = [f"it would {what}; without a release at most {most} pass" for most, what in held]
    return Guard(most_changes, most_deletes), beyond


def _records(number: int) -> str:
    return counted(number, "record")


def stage_of_parts(mode: Mode, dependencies: Dependencies, keys: int, limits: Limits) -> Stage:
    """Of a request that is done in parts: not planned first where so few keys cannot be beyond the guard.

    How many parents go along is not known.
    """
    if mode is Mode.VERIFY:
        return Stage.GUARDED
    is_small = dependencies not in WITH_PARENTS and keys <= least_guard(limits).changes
    return Stage.RELEASED if is_small else Stage.PLAN
