"""What a request would change, the guard that it is held against, and keys parked meanwhile, as Avro records."""

from processor.codec.schema_text import NAMESPACE
from processor.codec.wire import Symbols, Wire
from processor.codec.work_records import chunk_from_wire, chunk_to_wire
from processor.core.correction import Op
from processor.core.history import Guard, Parked, PlanCounts, Planned, Sample

_OP = Symbols(Op)
_PLAN = f"{NAMESPACE}.PlanCounts"
_GUARD = f"{NAMESPACE}.Guard"


def plan_to_wire(plan: PlanCounts | None) -> tuple[str, Wire] | None:
    """Named, as all optional records."""
    if plan is None:
        return None
    counts = [{"object": each.object, "op": each.op, "field": each.field, "keys": each.keys} for each in plan.counts]
    samples = [{"object": sample.object, "op": sample.op, "key": sample.key} for sample in plan.samples]
    return _PLAN, {"counts": counts, "samples": samples}


def plan_from_wire(wire: Wire | None) -> PlanCounts | None:
    if wire is None:
        return None
    return PlanCounts(
        tuple(Planned(each["object"], _OP.read(each["op"]), each["field"], each["keys"]) for each in wire["counts"]),
        tuple(Sample(sample["object"], _OP.read(sample["op"]), sample["key"]) for sample in wire["samples"]),
    )


def guard_to_wire(guard: Guard | None) -> tuple[str, Wire] | None:
    return None if guard is None else (_GUARD, {"changes": guard.changes, "deletes": guard.deletes})


def guard_from_wire(wire: Wire | None) -> Guard | None:
    return None if wire is None else Guard(wire["changes"], wire["deletes"])


def parked_to_wire(parked: Parked) -> Wire:
    """Of one that is still there; what is gone is a tombstone."""
    return {"chunk": chunk_to_wire(parked.chunk)}


def parked_from_wire(wire: Wire) -> Parked:
    return Parked(chunk_from_wire(wire["chunk"]))
