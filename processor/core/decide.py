"""What is done about each key of a chunk: the decision table of the product, as one pure function.

What must be observed besides the keys themselves, `parents` says; `decide` then builds the Plan.
"""

from dataclasses import field, replace
from datetime import datetime

from processor.core.accept import chunk_status
from processor.core.catalog import Catalog, ObjectType
from processor.core.chunk import Ask, Cause, Chunk, Stage
from processor.core.compare import EQUAL, Difference, both_values, check_size, compare, state_values, wanted_values
from processor.core.correction import Correction, Op, Parent, Source
from processor.core.counted import counted
from processor.core.errors import FieldError, Reason
from processor.core.frozen import dataclass
from processor.core.history import Alike, ChunkState, ChunkStatus, Status
from processor.core.ids import correction_id
from processor.core.outcome import SentOutcomes, chunk_outcome
from processor.core.parents import WITH_PARENTS, parent_of, parent_to_check
from processor.core.plan import Plan
from processor.core.request import Mode, OnStateOnly, Report
from processor.core.snapshot import KeyFault, Observed, Snapshot
from processor.core.values import Values

UNANSWERED_STATE_ONLY = "only the state has it; what was not answered is never sent again as a deletion"


def count_state_only(chunk: Chunk, snapshot: Snapshot) -> int:
    """Keys of the chunk that only the state has."""
    found = (snapshot.get(chunk.object, ask.key) for ask in chunk.asks)
    return sum(1 for o in found if o is not None and o.fault is None and not o.district and len(o.state) == 1)


def decide(chunk: Chunk, catalog: Catalog, snapshot: Snapshot, now: datetime, *, state_only: int | None = None) -> Plan:
    """The plan for a chunk whose keys, and the parents of `parents_to_read`, have been observed.

    `state_only` counts the keys of the whole request that only the state has, where it has more chunks than this.
    """
    deletes = count_state_only(chunk, snapshot) if state_only is None else state_only
    deciding = _Deciding(chunk, catalog, snapshot, now, deletes)
    kind, seen, tells_same = catalog.objects[chunk.object], snapshot.of(chunk.object), chunk.tells_same
    for ask in chunk.asks:
        observed = seen.get(ask.key)
        if tells_same and observed is not None and observed.is_same:
            deciding.end_alike(ask, Status.IN_SYNC)
        else:
            deciding.decide_key(kind, ask)
    return deciding.finish()


@dataclass(frozen=True, slots=True)
class _Change:
    """What a correction would do to the state's row, and why if not because the row differs.

    `changed` names the fields that differ; by force, all are written although none does.
    """

    op: Op
    before: Values | None
    after: Values | None
    changed: tuple[str, ...]
    reason: Reason | None = None


@dataclass(slots=True)
class _Deciding:
    """One pass over a chunk."""

    chunk: Chunk
    catalog: Catalog
    snapshot: Snapshot
    now: datetime
    deletes: int
    """Keys of the request that only the state has."""
    plan: Plan = field(default_factory=Plan)
    in_sync: int = 0
    """IN_SYNC keys counted instead of itemised."""
    expected: int = 0
    """How many of these differ in fields that the state owns; those of scans alone are counted."""
    alike: dict[tuple[Status, Reason | None, tuple[str, ...]], Alike] = field(default_factory=dict)
    """Outcomes of keys that were asked for, by what they depend on beside the chunk."""
    told_sent: SentOutcomes = field(default_factory=SentOutcomes)
    ancestors: dict[Parent, bool] = field(default_factory=dict)
    """Ancestors taken up already, and whether each will be at the state."""

    def observed(self, object_name: str, key: str) -> Observed:
        observed = self.snapshot.get(object_name, key)
        if observed is None:
            raise LookupError(f"{object_name} of chunk {self.chunk.request_id}/{self.chunk.chunk} was not read")
        return observed

    def finish(self) -> Plan:
        if self.chunk.cause is Cause.CONFIRM:
            self.plan.history.append(self.confirmed())
        elif self.in_sync or self.chunk.announced:
            self.plan.history.append(chunk_status(self.chunk, ChunkState.DONE, self.now, in_sync=self.in_sync))
        return self.plan

    def confirmed(self) -> ChunkStatus:
        """A scan's suspects, read again: their rows count as they are now."""
        seen = [self.observed(self.chunk.object, ask.key) for ask in self.chunk.asks]
        done = chunk_status(self.chunk, ChunkState.DONE, self.now, keys=len(seen), in_sync=self.in_sync)
        rows = (sum(len(key.district) for key in seen), sum(len(key.state) for key in seen))
        return replace(done, district_rows=rows[0], state_rows=rows[1], expected_differences=self.expected)

    def end(
        self,
        kind: ObjectType,
        ask: Ask,
        status: Status,
        reason: Reason | None = None,
        *,
        detail: str | None = None,
        changed_fields: tuple[str, ...] = (),
        parent: Parent | None = None,
    ) -> None:
        """Writes an outcome that sends nothing."""
        if detail is None and parent is None and kind.name == self.chunk.object:
            self.end_alike(ask, status, reason, changed_fields)
            return
        self.plan.history.append(
            chunk_outcome(
                self.chunk,
                ask,
                status,
                self.now,
                object_name=kind.name,
                reason=reason,
                detail=detail,
                changed_fields=changed_fields,
                parent=parent,
            )
        )

    def end_alike(
        self, ask: Ask, status: Status, reason: Reason | None = None, changed_fields: tuple[str, ...] = ()
    ) -> None:
        """An outcome that differs from others of the chunk by its key alone; most often there are few kinds of them."""
        kind = (status, reason, changed_fields)
        alike = self.alike.get(kind)
        if alike is None:
            first = chunk_outcome(self.chunk, ask, status, self.now, reason=reason, changed_fields=changed_fields)
            alike = self.alike[kind] = Alike(first, [])
            self.plan.history.append(alike)
        alike.asks.append(ask)

    def decide_key(self, kind: ObjectType, ask: Ask) -> None:
        observed = self.observed(kind.name, ask.key)
        verify = self.chunk.mode is Mode.VERIFY
        if observed.fault is not None:
            self.unreadable(kind, ask, observed.fault)
            return
        try:
            match (len(observed.district), len(observed.state)):
                case (0, 0):
                    self.nowhere(kind, ask)
                case (1, 1):
                    self.both(kind, ask, observed)
                case (1, 0):
                    if verify:
                        self.end(kind, ask, Status.MISSING_AT_STATE)
                    else:
                        self.create(kind, ask, observed)
                case (0, 1):
                    self.state_only(kind, ask, observed)
                case (ours, theirs):
                    status = Status.DUPLICATE_KEY if verify else Status.FAILED
                    detail = f"{counted(ours, 'row')} at the district, {theirs} at the state"
                    self.end(kind, ask, status, Reason.DUPLICATE_KEY, detail=detail)
        except FieldError as error:
            status = Status.DIFFERS if verify else Status.FAILED
            self.end(kind, ask, status, error.reason, detail=error.detail, changed_fields=(error.field,))

    def unreadable(self, kind: ObjectType, ask: Ask, fault: KeyFault) -> None:
        """A row that is there and cannot be read is never equal."""
        differs = self.chunk.mode is Mode.VERIFY and fault.field is not None
        status = Status.DIFFERS if differs else Status.FAILED
        named = () if fault.field is None else (fault.field,)
        self.end(kind, ask, status, fault.reason, detail=fault.detail, changed_fields=named)

    def nowhere(self, kind: ObjectType, ask: Ask) -> None:
        if self.chunk.cause is Cause.NO_ANSWER and self.chunk.on_state_only is OnStateOnly.DELETE:
            self.end(kind, ask, Status.APPLIED, Reason.SEEN_EQUAL)
        else:
            self.end(kind, ask, Status.NOT_FOUND)

    def both(self, kind: ObjectType, ask: Ask, observed: Observed) -> None:
        difference = EQUAL if observed.is_same else compare(kind, observed.district[0], observed.state[0])
        if self.chunk.mode is Mode.VERIFY and difference.changed:
            self.end(kind, ask, Status.DIFFERS, changed_fields=difference.changed)
        elif difference.changed or (self.chunk.mode is Mode.FORCE and self.chunk.cause is not Cause.NO_ANSWER):
            self.update(kind, ask, observed, difference)
        elif self.chunk.cause is Cause.NO_ANSWER:
            self.end(kind, ask, Status.APPLIED, Reason.SEEN_EQUAL)
        elif difference.expected and (self.chunk.cause is not Cause.CONFIRM or self._itemised(ask)):
            self.end(kind, ask, Status.IN_SYNC, Reason.EXPECTED_DIFFERENCE, changed_fields=difference.expected)
        elif self._itemised(ask):
            self.end_alike(ask, Status.IN_SYNC)
        else:
            self.in_sync += 1
            self.expected += bool(difference.expected)

    def _itemised(self, ask: Ask) -> bool:
        """IN_SYNC keys are counted only if the request wants changes alone and the key has no outcome yet."""
        chunk = self.chunk
        came_round = chunk.stage is not Stage.PLAN and (chunk.deferred_since is not None or chunk.attempt > 1)
        return came_round or ask.asked_as is None or self.chunk.report is not Report.CHANGES

    def update(self, kind: ObjectType, ask: Ask, observed: Observed, difference: Difference) -> None:
        before, after = both_values(kind, observed.district[0], observed.state[0], difference)
        check_size(before, after)
        if self.parent_will_be_there(kind, ask, observed):
            reason = None if difference.changed else Reason.FORCED
            self.send(kind, ask, observed, _Change(Op.UPDATE, before, after, difference.changed, reason))

    def create(self, kind: ObjectType, ask: Ask, observed: Observed) -> None:
        after = wanted_values(kind, observed.district[0])
        check_size(None, after)
        if self.parent_will_be_there(kind, ask, observed):
            self.send(kind, ask, observed, _Change(Op.CREATE, None, after, tuple(after)))

    def state_only(self, kind: ObjectType, ask: Ask, observed: Observed) -> None:
        limits = self.catalog.limits
        if self.chunk.mode is Mode.VERIFY:
            self.end(kind, ask, Status.MISSING_AT_DISTRICT)
        elif self.chunk.on_state_only is OnStateOnly.REPORT:
            self.end(kind, ask, Status.STATE_ONLY)
        elif not limits.allow_delete:
            self.end(kind, ask, Status.STATE_ONLY, Reason.DELETE_NOT_ALLOWED)
        elif kind.district.key_type is not kind.key_type:
            detail = f"the district holds {kind.key_type} keys as text: another spelling of it may be there"
            self.end(kind, ask, Status.STATE_ONLY, Reason.DELETE_NOT_ALLOWED, detail=detail)
        elif self.chunk.stage is Stage.GUARDED and self.deletes > limits.max_deletes:
            detail = f"{counted(self.deletes, 'record')} would be deleted; at most {limits.max_deletes} may"
            self.end(kind, ask, Status.STATE_ONLY, Reason.MAX_DELETES, detail=detail)
        elif self.chunk.cause is Cause.NO_ANSWER:
            # What was not answered may have been a change: the history does not tell, and nobody let a deletion pass.
            self.end(kind, ask, Status.FAILED, Reason.NO_ANSWER, detail=UNANSWERED_STATE_ONLY)
        else:
            before = state_values(kind, observed.state[0])
            check_size(before, None)
            self.send(kind, ask, observed, _Change(Op.DELETE, before, None, tuple(before)))

    def parent_will_be_there(self, kind: ObjectType, ask: Ask, observed: Observed) -> bool:
        """Whether the row may be sent as far as its parent goes; sends missing ancestors ahead if so asked.

        Without dependencies a parent that the district has may be on its way: the applier will tell.
        """
        parent = parent_to_check(kind, observed)
        if parent is None or self.ancestor(parent):
            return True
        self.end(kind, ask, Status.FAILED, Reason.PARENT_MISSING, parent=parent, detail=f"{parent.object} {parent.key}")
        return False

    def ancestor(self, parent: Parent) -> bool:
        if parent not in self.ancestors:
            self.ancestors[parent] = self._take_ancestor(parent)
        return self.ancestors[parent]

    def _take_ancestor(self, parent: Parent) -> bool:
        observed = self.observed(parent.object, parent.key)
        if observed.state:
            return True
        if observed.fault is not None:
            # A row that cannot be read is there nevertheless; a key that a side cannot hold is not.
            return observed.fault.reason is Reason.UNREPRESENTABLE
        if self.chunk.dependencies not in WITH_PARENTS:
            return bool(observed.district)
        if not observed.district:
            return False
        sent = len(self.plan.corrections)
        self.decide_key(self.catalog.objects[parent.object], Ask(parent.key, None))
        return len(self.plan.corrections) > sent

    def send(self, kind: ObjectType, ask: Ask, observed: Observed, change: "_Change") -> None:
        chunk = self.chunk
        if chunk.cause is Cause.NO_ANSWER and chunk.attempt > self.catalog.limits.max_attempts:
            self.end(kind, ask, Status.FAILED, Reason.NO_ANSWER, changed_fields=change.changed)
            return
        parent = parent_of(kind, observed.district[0]) if observed.district else None
        source = Source(
            request_id=chunk.request_id,
            chunk=chunk.chunk,
            correction_id=correction_id(
                chunk.request_id,
                chunk.district_id,
                kind.name,
                ask.key,
                chunk.attempt,
                carried_by=chunk.chunk if ask.asked_as is None else None,
            ),
            district_id=chunk.district_id,
            object=kind.name,
            key=ask.key,
            asked_as=ask.asked_as,
            attempt=chunk.attempt,
            cause=chunk.cause,
            mode=chunk.mode,
            dependencies=chunk.dependencies,
            # A comparison that this causes may delete only what was let pass as a deletion.
            on_state_only=chunk.on_state_only if change.op is Op.DELETE else OnStateOnly.REPORT,
            changed_fields=change.changed,
            parent=parent,
            district_version=observed.district_version,
            district_read_at=observed.district_read_at,
            state_read_at=observed.state_read_at,
            first_decided_at=chunk.first_decided_at or self.now,
            sent_at=self.now,
            requested_at=chunk.requested_at,
        )
        self.plan.corrections.append(Correction(change.op, change.before, change.after, parent, source))
        self.plan.history += self.told_sent.add(source, Reason.DEPENDENCY if ask.asked_as is None else change.reason)
