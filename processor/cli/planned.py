"""What a request would change that was planned before anything was sent, for people and as a document."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from processor.cli.output import print_table, say
from processor.core.history import OrderAction, PlanCounts
from processor.service.client_ports import Row

if TYPE_CHECKING:
    from processor.cli.person import Person

_COUNTS = ("object", "operation", "field", "keys")
_SAMPLES = ("object", "operation", "key")


def seen_planned(person: "Person", row: Row) -> Mapping[str, Any] | None:
    """The column `planned` of a request's row, as far as this person may see it."""
    planned = row["planned"]
    if planned is None:
        return None
    may_see = {name: person.may_see(row["district_id"], name) for name in {each["object"] for each in _all(planned)}}
    return {part: [each for each in planned[part] if may_see[each["object"]]] for part in ("counts", "samples")}


def _all(planned: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from planned["counts"]
    yield from planned["samples"]


def planned_document(plan: PlanCounts) -> dict[str, Any]:
    """As the store's tables have it."""
    counts = [dict(zip(_COUNTS, (c.object, c.op.name, c.field, c.keys), strict=True)) for c in plan.counts]
    samples = [dict(zip(_SAMPLES, (s.object, s.op.name, s.key), strict=True)) for s in plan.samples]
    return {"counts": counts, "samples": samples}


def guard_document(row: Row) -> dict[str, int] | None:
    if row["guard_changes"] is None:
        return None
    return {"changes": row["guard_changes"], "deletes": row["guard_deletes"]}


def tell_planned(planned: Mapping[str, Any], *, stderr: bool) -> None:
    """Records by operation, updates by the field that they change, and some keys."""
    print_table(_COUNTS, planned["counts"], stderr=stderr)
    if planned["samples"]:
        print_table(_SAMPLES, planned["samples"], stderr=stderr)


def release_command(request_id: str) -> str:
    return f"resync release {request_id}"


def tell_held(request_id: str, detail: str | None) -> None:
    """On stderr: why it waits, and for whom."""
    say(f"{request_id} is held: {detail or 'it would change too much'}")
    command = release_command(request_id)
    say(f"somebody else than who asked for it releases it with: {command}, or rejects it with: {command} --reject")


ORDERED = {OrderAction.RELEASE: "released", OrderAction.REJECT: "rejected", OrderAction.CANCEL: "cancelled"}
