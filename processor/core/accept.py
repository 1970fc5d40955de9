"""A request becomes chunks of canonical keys, or is rejected as a whole with the reason why."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from operator import attrgetter
from typing import Any

from processor.core.catalog import Catalog, KeyType, Limits, ObjectType
from processor.core.chosen import chosen
from processor.core.chunk import Ask, Cause, Chunk, Scan, Stage
from processor.core.counted import counted
from processor.core.descent import WITH_CHILDREN, descending, upward
from processor.core.errors import CoreError, InvalidKey, Reason
from processor.core.filter_text import MAX_EXPRESSION, FilterError
from processor.core.guard import stage_of_parts
from processor.core.history import ChunkState, ChunkStatus, RequestState, RequestStatus, Status
from processor.core.ids import FIRST_CHUNK, split_chunk
from processor.core.keys import MAX_KEY_BYTES, are_plain, canonical_key, invalid_key_id
from processor.core.outcome import chunk_outcome
from processor.core.plan import Plan
from processor.core.printable import MAX_ASKED_AS, printable
from processor.core.request import Filter, Keys, Mode, OnStateOnly, Report, Request
from processor.core.run import fault_of_step
from processor.core.scope import NoSchoolYear, YearNotOpen, check_year

FIRST_SIZE = 1_000
"""Rows of a side that the first part of a scan reads; the parts after it by how long that took."""
FIRST_DIGEST = 10_000
"""Rows of which it tries one digest, where a part may take half a second or longer."""
PART_KEYS = 500
"""Keys of each chunk of a request that does not fit in one: a small request waits for no more of them (ADR 0220)."""
MAX_TEXTS = {"district_id": 255, "object": 255, "requested_by": 255, "school_year": 255, "run_id": 255, "reason": 2_000}
"""Characters of a request's texts; history holds them all in one record."""
_TEXTS, _SHORTEST = attrgetter(*MAX_TEXTS), min(MAX_TEXTS.values())
MAX_CHUNK_BYTES = 700_000
"""Keys with the texts asked for, as UTF-8: a chunk must fit into a record of 1 MiB, also when it goes round again."""
MAX_CHARACTER_BYTES = 4
"""Of UTF-8: keys that are few enough by their characters need not be encoded to be weighed."""
MAX_ASK_BYTES = MAX_KEY_BYTES + MAX_CHARACTER_BYTES * MAX_ASKED_AS


class Rejected(CoreError):
    """Why a whole request is not taken on."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def accept(request: Request, catalog: Catalog, now: datetime) -> tuple[Plan, Chunk | None]:
    """Checks a request and makes its keys canonical.

    Returns what to emit, and the chunk to compare at once if the request fits in one; a larger one is emitted as
    PENDING chunks. Every key that cannot be a key ends here; repeated keys count once. Of all records it gives the
    first part of a scan, which nobody has announced yet.
    """
    nul, too_long = list[str](), list[str]()
    if not _is_plain(request):
        nul = _with_nul(request)
        request, too_long = _shortened(request)
    try:
        kind = _checked(request, too_long, nul, catalog)
        if not isinstance(request.selection, Keys):
            return _accept_all(request, catalog, now)
        keys = request.selection.keys
        valid, invalid = _asks(keys, kind.key_type)
        parts = cut(valid, catalog.limits.max_keys)
        _check_size(request, len(valid), len(parts), catalog.limits.max_keys)
    except Rejected as why:
        return rejected(request, why, now), None

    whole = _chunk(request, FIRST_CHUNK, valid, Cause.REQUEST)
    plan = Plan(history=[RequestStatus(request, RequestState.ACCEPTED, None, None, len(valid) + len(invalid), now)])
    for ask, error in invalid:
        plan.history.append(
            chunk_outcome(whole, ask, Status.FAILED, now, reason=Reason.INVALID_KEY, detail=error.detail)
        )
    if len(parts) > 1:
        stage = stage_of_parts(request.mode, request.dependencies, len(valid), catalog.limits)
        small = cut(valid, min(PART_KEYS, catalog.limits.max_keys))
        plan.add(pending(replace(whole, stage=stage), small, now))
    return plan, whole if len(parts) == 1 else None


def _accept_all(request: Request, catalog: Catalog, now: datetime) -> tuple[Plan, Chunk]:
    """How many keys there are is not known, so the parts of the scan say whether it has ended.

    What hangs below is all of the objects below, or of these what hangs below the records that a filter matches;
    scanned one after the other.
    """
    below = _below(request, catalog)
    digest = first_digest(request.mode, request.report, catalog.limits)
    first = replace(
        _chunk(request, split_chunk(FIRST_CHUNK, 0), (), Cause.SCAN),
        dependencies=upward(request.dependencies),
        scan=Scan(None, 0, FIRST_SIZE, 0, digest, where=request.where, year=request.school_year, below=below),
        stage=Stage.GUARDED if request.mode is Mode.VERIFY else Stage.PLAN,
    )
    return Plan(history=[RequestStatus(request, RequestState.ACCEPTED, None, None, 0, now)]), first


def _below(request: Request, catalog: Catalog) -> tuple[str, ...]:
    """Objects that are scanned after the one asked for, parents first."""
    if request.dependencies not in WITH_CHILDREN:
        return ()
    return tuple(kind.name for kind in descending(request.object, catalog))


def first_digest(mode: Mode, report: Report, limits: Limits) -> int:
    """Rows that the first part of a scan tries to end by a digest; none where every key is to be told of, or sent."""
    if report is not Report.CHANGES or mode is Mode.FORCE:
        return 0
    return max(FIRST_SIZE, int(FIRST_DIGEST * min(1.0, 2 * limits.chunk_target_s)))


def rejected(request: Request, why: Rejected, now: datetime) -> Plan:
    return Plan(history=[RequestStatus(request, RequestState.REJECTED, why.reason, why.detail, 0, now)])


def refuse(request: Request, why: Rejected, now: datetime) -> Plan:
    """Rejects a request that nothing of was looked at."""
    return rejected(_shortened(request)[0], why, now)


def _is_plain(request: Request) -> bool:
    """Whether it is sure, told at once, that no text is too long or holds NUL."""
    texts = "".join(filter(None, _TEXTS(request)))
    return len(texts) <= _SHORTEST and "\0" not in texts and not isinstance(request.selection, Filter)


def _shortened(request: Request) -> tuple[Request, list[str]]:
    """The request with its texts cut to what history can hold, and the names of those that were cut."""
    cut: dict[str, Any] = {
        name: text[:most] for name, most in MAX_TEXTS.items() if len(text := getattr(request, name) or "") > most
    }
    if isinstance(request.selection, Filter) and len(request.selection.expression) > MAX_EXPRESSION:
        cut["selection"] = Filter(request.selection.expression[:MAX_EXPRESSION])
    return (replace(request, **cut) if cut else request), list(cut)


def _with_nul(request: Request) -> list[str]:
    """Names of texts with a character that neither Postgres nor a terminal takes."""
    named = [name for name in MAX_TEXTS if "\0" in (getattr(request, name) or "")]
    selection = request.selection
    return [*named, "selection"] if isinstance(selection, Filter) and "\0" in selection.expression else named


def _checked(request: Request, too_long: Sequence[str], nul: Sequence[str], catalog: Catalog) -> ObjectType:
    if too_long:
        raise Rejected(Reason.INVALID_REQUEST, f"too long: {', '.join(too_long)}")
    if request.not_understood:
        named = ", ".join(request.not_understood)
        raise Rejected(Reason.NOT_SUPPORTED, f"{named}: a symbol that this release does not know; it may be newer")
    if request.district_id not in catalog.districts:
        raise Rejected(Reason.UNKNOWN_DISTRICT, f"district {printable(request.district_id)} is not in the catalog")
    kind = catalog.objects.get(request.object)
    if kind is None:
        known = ", ".join(sorted(catalog.objects))
        raise Rejected(Reason.UNKNOWN_OBJECT, f"object {printable(request.object)} is not one of {known}")
    if nul:
        raise Rejected(Reason.INVALID_REQUEST, f"holds the character NUL: {', '.join(nul)}")
    if request.school_year is not None:
        _check_year(request.school_year, catalog)
    if isinstance(request.selection, Keys) and not request.selection.keys:
        raise Rejected(Reason.EMPTY_SELECTION, "the selection names no key")
    if not isinstance(request.selection, Keys):
        _check_chosen(request, catalog)
    if request.linked and (fault := fault_of_step(request)):
        raise Rejected(Reason.INVALID_REQUEST, fault)
    return kind


def _check_chosen(request: Request, catalog: Catalog) -> None:
    """What a filter and a school year name must be there, and be open; of each object that is scanned."""
    try:
        for name in (request.object, *_below(request, catalog)):
            chosen(request.where, request.school_year, catalog.objects[name], catalog, request.object)
    except (FilterError, YearNotOpen, NoSchoolYear) as why:
        raise Rejected(why.reason, why.detail) from None


def _check_year(year: str, catalog: Catalog) -> None:
    try:
        check_year(year, catalog)
    except YearNotOpen as why:
        raise Rejected(why.reason, why.detail) from None


def is_bounded(request: Request) -> bool:
    """Whether all of its keys must fit in one chunk: only that can count deletes, and what hangs below."""
    return bool(_bounds(request))


def _bounds(request: Request) -> list[str]:
    bounds = [str(OnStateOnly.DELETE)] if request.on_state_only is OnStateOnly.DELETE else []
    return bounds + ([str(request.dependencies)] if request.dependencies in WITH_CHILDREN else [])


def _check_size(request: Request, keys: int, parts: int, max_keys: int) -> None:
    if parts > 1 and is_bounded(request):
        raise Rejected(
            Reason.TOO_MANY_KEYS,
            f"{counted(keys, 'key')}; with {' and '.join(_bounds(request))} at most {max_keys} keys and"
            f" {MAX_CHUNK_BYTES} bytes of them: split the request",
        )


def _asks(keys: Sequence[str], key_type: KeyType) -> tuple[list[Ask], list[tuple[Ask, InvalidKey]]]:
    """Distinct keys in the order first asked for, and those that cannot be keys."""
    if are_plain(keys, key_type):
        return [Ask(key, key) for key in dict.fromkeys(keys)], []
    valid: dict[str, Ask] = {}
    invalid: dict[str, tuple[Ask, InvalidKey]] = {}
    for text in keys:
        try:
            key = canonical_key(text, key_type)
        except InvalidKey as error:
            key = invalid_key_id(text)
            invalid.setdefault(key, (Ask(key, printable(text)), error))
        else:
            if key not in valid:
                valid[key] = Ask(key, printable(text))
    return list(valid.values()), list(invalid.values())


def _chunk(request: Request, chunk: str, asks: Sequence[Ask], cause: Cause) -> Chunk:
    return Chunk(
        request_id=request.request_id,
        chunk=chunk,
        district_id=request.district_id,
        object=request.object,
        asks=tuple(asks),
        cause=cause,
        mode=request.mode,
        dependencies=request.dependencies,
        on_state_only=request.on_state_only,
        report=request.report,
        requested_at=request.requested_at,
    )


def cut(asks: Sequence[Ask], max_keys: int) -> list[list[Ask]]:
    """The asks in order, cut so that no part has more than `max_keys` keys or `MAX_CHUNK_BYTES`."""
    if 0 < len(asks) <= max_keys and _are_surely_small(asks):
        return [list(asks)]
    parts: list[list[Ask]] = []
    size = 0
    for ask in asks:
        weight = len(ask.key.encode()) + len((ask.asked_as or "").encode())
        if not parts or len(parts[-1]) == max_keys or size + weight > MAX_CHUNK_BYTES:
            parts.append([])
            size = 0
        parts[-1].append(ask)
        size += weight
    return parts


def _are_surely_small(asks: Sequence[Ask]) -> bool:
    """Whether they fit in a chunk by their number, or by their characters."""
    if len(asks) <= MAX_CHUNK_BYTES // MAX_ASK_BYTES:
        return True
    return sum(len(ask.key) + len(ask.asked_as or "") for ask in asks) * MAX_CHARACTER_BYTES <= MAX_CHUNK_BYTES


def pending(whole: Chunk, parts: Sequence[Sequence[Ask]], now: datetime, cause: Cause = Cause.SPLIT) -> Plan:
    """The keys of a chunk as parts of their own, each announced as PENDING."""
    plan = Plan()
    for index, asks in enumerate(parts):
        part = replace(
            whole,
            chunk=split_chunk(whole.chunk, index),
            asks=tuple(asks),
            cause=cause,
            announced=True,
            first_decided_at=now,
        )
        plan.chunks.append(part)
        plan.history.append(chunk_status(part, ChunkState.PENDING, now, keys=len(asks)))
    return plan


def chunk_status(chunk: Chunk, state: ChunkState, now: datetime, *, keys: int = 0, in_sync: int = 0) -> ChunkStatus:
    return ChunkStatus(chunk.request_id, chunk.district_id, chunk.object, chunk.chunk, state, keys, in_sync, now)
