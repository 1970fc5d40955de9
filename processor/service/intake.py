"""A batch sorted by what is to be done."""

from dataclasses import dataclass, field
from datetime import datetime

from processor.core.accept import accept
from processor.core.catalog import Catalog
from processor.core.chunk import Chunk
from processor.core.correction import Source
from processor.core.descent import WITH_CHILDREN
from processor.core.plan import Plan
from processor.core.request import Request, Single
from processor.core.rights import Ground
from processor.core.single import Singles
from processor.service.records import Lane, Received
from processor.service.work import Poison


@dataclass(frozen=True, slots=True)
class Unfolded:
    """A chunk about which something is to be read first. `plan` stands only if that allows it.

    `request` is None for a chunk that went round because a database was away; it was accepted before.
    """

    plan: Plan
    chunk: Chunk
    request: Request | None


@dataclass(slots=True)
class Intake:
    """A batch sorted by what is to be done.

    `plan` needs no reading and is emitted before the decisions about `chunks`. `accepted` are new ids with the
    partition that they belong to; they count once the batch is committed.
    """

    plan: Plan = field(default_factory=Plan)
    chunks: list[Chunk] = field(default_factory=list)
    singles: list[Singles] = field(default_factory=list)
    """Requests of one key, which become chunks only where there is more to tell than that both sides have the same."""
    unfolded: list[Unfolded] = field(default_factory=list)
    """Chunks that take along what hangs below them."""
    unsurveyed: list[Unfolded] = field(default_factory=list)
    """Scans that nobody has looked into yet."""
    parts: list[Chunk] = field(default_factory=list)
    """Parts of scans to read."""
    accepted: dict[bytes, int] = field(default_factory=dict)
    misrouted: list[tuple[Received, int]] = field(default_factory=list)
    """With the partition that each belongs in."""
    bulky: list[Received] = field(default_factory=list)
    """Large requests, and chunks that came round again, which belong where large requests are worked on."""
    large: list[Request] = field(default_factory=list)
    """Requests that have come there, and are yet to be taken on."""
    waits_for_chunks: bool = False
    """Whether keys were sent round again until chunks of their partition are done."""
    poison: list[Poison] = field(default_factory=list)
    refused: list[Ground] = field(default_factory=list)
    """What was not allowed of each request that the policy refuses."""
    repeated: list[Lane] = field(default_factory=list)
    """A lane for each record whose work had been taken on before."""
    traces: dict[str, bytes] = field(default_factory=dict)
    """`traceparent` of the requests that came with one."""
    requested_at: dict[str, datetime] = field(default_factory=dict)
    """By request, where its publisher said so."""

    def note(self, record: Received, origin: Request | Single | Chunk | Source) -> None:
        """What else is told of a request: by the record that counts, so not by one that comes again."""
        if record.headers and (trace := record.trace) is not None:
            self.traces[origin.request_id] = trace
        if origin.requested_at is not None:
            self.requested_at[origin.request_id] = origin.requested_at


def take_request(request: Request, catalog: Catalog, intake: Intake, now: datetime) -> None:
    """Adds what a request asks for to the batch."""
    plan, chunk = accept(request, catalog, now)
    if chunk is not None and chunk.scan is not None:
        intake.unsurveyed.append(Unfolded(plan, chunk, request))
        return
    if chunk is not None and chunk.dependencies in WITH_CHILDREN:
        intake.unfolded.append(Unfolded(plan, chunk, request))
        return
    intake.plan.add(plan)
    if chunk is not None:
        intake.chunks.append(chunk)
