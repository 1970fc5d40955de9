"""Requests and chunks as Avro records."""

from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Any

from processor.codec.errors import DecodeError
from processor.codec.schema_text import NAMESPACE
from processor.codec.wire import Symbols, Wire, read_time_or_none
from processor.core.chunk import Ask, Cause, Chunk, Scan, Stage
from processor.core.errors import Reason
from processor.core.ids import is_request_id
from processor.core.request import All, Dependencies, Filter, Keys, Mode, OnStateOnly, Report, Request, Selection, Side

MODE = Symbols(Mode)
DEPENDENCIES = Symbols(Dependencies)
ON_STATE_ONLY = Symbols(OnStateOnly)
CAUSE = Symbols(Cause)
_STAGE = Symbols(Stage)
_OF_SCAN = ("after", "part", "size", "left", "digest", "by_rows", "where", "year", "of")
_REPORT = Symbols(Report)
_SIDE = Symbols(Side)
_OF_REQUEST: dict[str, tuple[Symbols[Any], StrEnum]] = {
    "mode": (MODE, Mode.SYNC),
    "dependencies": (DEPENDENCIES, Dependencies.NONE),
    "on_state_only": (ON_STATE_ONLY, OnStateOnly.REPORT),
    "report": (_REPORT, Report.ALL),
    "requested_from": (_SIDE, Side.DISTRICT),
}
"""A request's closed lists, and what stands for a symbol that is not known: nothing is done by it."""


def request_to_wire(request: Request) -> Wire:
    return {
        "request_id": request.request_id,
        "district_id": request.district_id,
        "object": request.object,
        "selection": _selection_to_wire(request.selection),
        "requested_by": request.requested_by,
        **{name: request.symbol(name) for name in _OF_REQUEST},
        "requested_at": request.requested_at,
        "school_year": request.school_year,
        "reason": request.reason,
        "run_id": request.run_id,
        "linked": request.linked,
    }


def request_from_wire(wire: Wire) -> Request:
    """Raises DecodeError with INVALID_REQUEST for an id under which no history can be kept."""
    request_id: str = wire["request_id"]
    if not is_request_id(request_id):
        raise DecodeError(Reason.INVALID_REQUEST, "request_id is not a uuid (8-4-4-4-12 hexadecimal digits)")
    lists, not_understood = _closed_lists(*map(wire.__getitem__, _OF_REQUEST))
    return Request(
        request_id=request_id.lower(),
        district_id=wire["district_id"],
        object=wire["object"],
        selection=_selection_from_wire(wire["selection"]),
        requested_by=wire["requested_by"],
        requested_at=read_time_or_none(wire["requested_at"]),
        school_year=wire["school_year"],
        reason=wire["reason"],
        run_id=wire["run_id"],
        linked=wire["linked"],
        not_understood=not_understood,
        **lists,
    )


@lru_cache(maxsize=256)
def _closed_lists(*written: str) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """A request's closed lists as read, and which of them have an unknown symbol; most requests have the same ones."""
    known = {name: _OF_REQUEST[name][0].read_known(symbol) for name, symbol in zip(_OF_REQUEST, written, strict=True)}
    lists = {name: known[name] or instead for name, (_, instead) in _OF_REQUEST.items()}
    return lists, tuple(name for name, symbol in known.items() if symbol is None)


def _selection_to_wire(selection: Selection) -> tuple[str, Wire]:
    match selection:
        case Keys():
            return f"{NAMESPACE}.Keys", {"keys": selection.keys}
        case All():
            return f"{NAMESPACE}.All", {}
        case Filter():
            return f"{NAMESPACE}.Filter", {"expression": selection.expression}


def _selection_from_wire(wire: Wire) -> Selection:
    """The three branches have no field in common; a branch of a later release does not get here."""
    if "keys" in wire:
        return Keys(tuple(wire["keys"]))
    if "expression" in wire:
        return Filter(wire["expression"])
    return All()


def chunk_to_wire(chunk: Chunk) -> Wire:
    return {
        "request_id": chunk.request_id,
        "chunk": chunk.chunk,
        "district_id": chunk.district_id,
        "object": chunk.object,
        "asks": [{"key": ask.key, "asked_as": ask.asked_as} for ask in chunk.asks],
        "cause": chunk.cause,
        "mode": chunk.mode,
        "dependencies": chunk.dependencies,
        "on_state_only": chunk.on_state_only,
        "report": chunk.report,
        "attempt": chunk.attempt,
        "announced": chunk.announced,
        "first_decided_at": chunk.first_decided_at,
        "deferred_since": chunk.deferred_since,
        "not_before": chunk.not_before,
        "correction_id": chunk.correction_id,
        "sent_at": chunk.sent_at,
        "requested_at": chunk.requested_at,
        "scan": _scan_to_wire(chunk.scan),
        "stage": chunk.stage,
        "rank": chunk.rank,
    }


def chunk_from_wire(wire: Wire) -> Chunk:
    return Chunk(
        request_id=wire["request_id"],
        chunk=wire["chunk"],
        district_id=wire["district_id"],
        object=wire["object"],
        asks=tuple(Ask(ask["key"], ask["asked_as"]) for ask in wire["asks"]),
        cause=CAUSE.read(wire["cause"]),
        mode=MODE.read(wire["mode"]),
        dependencies=DEPENDENCIES.read(wire["dependencies"]),
        on_state_only=ON_STATE_ONLY.read(wire["on_state_only"]),
        report=_REPORT.read(wire["report"]),
        attempt=wire["attempt"],
        announced=wire["announced"],
        first_decided_at=read_time_or_none(wire["first_decided_at"]),
        deferred_since=read_time_or_none(wire["deferred_since"]),
        not_before=read_time_or_none(wire["not_before"]),
        correction_id=wire["correction_id"],
        sent_at=read_time_or_none(wire["sent_at"]),
        requested_at=read_time_or_none(wire["requested_at"]),
        scan=_scan_from_wire(wire["scan"]),
        stage=_STAGE.read(wire["stage"]),
        rank=wire["rank"],
    )


def _scan_to_wire(scan: Scan | None) -> tuple[str, Wire] | None:
    if scan is None:
        return None
    return f"{NAMESPACE}.Scan", {**{name: getattr(scan, name) for name in _OF_SCAN}, "below": scan.below}


def _scan_from_wire(wire: Wire | None) -> Scan | None:
    return None if wire is None else Scan(**{name: wire[name] for name in _OF_SCAN}, below=tuple(wire["below"]))
