"""What hangs below the named keys: a chunk and its descendants, as chunks from the top down."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from processor.core.accept import MAX_CHUNK_BYTES, PART_KEYS, Rejected, cut, pending
from processor.core.catalog import Catalog, Limits
from processor.core.chunk import Ask, Chunk
from processor.core.correction import Correction, Op
from processor.core.counted import counted
from processor.core.descent import upward
from processor.core.errors import Reason
from processor.core.guard import stage_of_parts
from processor.core.plan import Plan
from processor.core.request import Dependencies, OnStateOnly


def check_number(keys: int, limits: Limits) -> None:
    """Raises Rejected where more hangs below than one request may carry along."""
    if keys > limits.max_keys_by_dependency:
        raise Rejected(
            Reason.TOO_MANY_KEYS,
            f"{counted(keys, 'record hangs', 'records hang')} below the named ones; a request takes at most"
            f" {limits.max_keys_by_dependency} along: name fewer keys, or ask for the children themselves",
        )


def family(chunk: Chunk, below: Mapping[str, Sequence[str]], limits: Limits, now: datetime) -> tuple[Plan, list[Chunk]]:
    """The chunk and what hangs below it, `below` being keys by object from the top down.

    Returns chunks to compare at once, parents first, if all together fit in one transaction; else a plan that announces
    them as PENDING parts, which then come in the same order. Children need no dependencies of their own: their parents
    are in the family. Raises Rejected for a family that may be deleted and does not fit.
    """
    named = replace(chunk, dependencies=upward(chunk.dependencies))
    members = [named]
    for name, keys in below.items():
        asks = tuple(Ask(key, None) for key in keys)
        child = replace(
            named,
            chunk=f"{chunk.chunk}.{name}",
            object=name,
            asks=asks,
            dependencies=Dependencies.NONE,
            deferred_since=None,  # no outcome tells yet that these wait
        )
        members.append(child)
    count = sum(len(member.asks) for member in members)
    size = sum(len(ask.key.encode()) for member in members for ask in member.asks)
    if count <= limits.max_keys and size <= MAX_CHUNK_BYTES:
        return Plan(), members
    if chunk.on_state_only is OnStateOnly.DELETE:
        raise Rejected(
            Reason.TOO_MANY_KEYS,
            f"{count} keys with what hangs below; with DELETE at most {limits.max_keys}: name fewer keys",
        )
    plan, stage = Plan(), stage_of_parts(chunk.mode, chunk.dependencies, count, limits)
    for member in members:
        small = cut(member.asks, min(PART_KEYS, limits.max_keys))
        plan.add(pending(replace(member, stage=stage), small, now))
    return plan, []


def deletes_last_and_upward(corrections: Sequence[Correction], catalog: Catalog) -> list[Correction]:
    """Corrections of one family in an order in which no parent is deleted before its children."""
    deletes = [c for c in corrections if c.op is Op.DELETE]
    others = [c for c in corrections if c.op is not Op.DELETE]
    return others + sorted(deletes, key=lambda c: -catalog.objects[c.source.object].depth)
