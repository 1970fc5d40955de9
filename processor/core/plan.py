from collections.abc import Iterator
from dataclasses import dataclass, field

from processor.core.chunk import Chunk
from processor.core.correction import Correction
from processor.core.history import Alike, KeyOutcome, Sent, SingleOutcomes, Told


@dataclass(slots=True)
class Plan:
    """Everything that a batch will emit, as data, in the order of emission.

    Dry run, preview, test and the real run build the same plan and differ in the sink.
    """

    history: list[Told] = field(default_factory=list)
    corrections: list[Correction] = field(default_factory=list)
    chunks: list[Chunk] = field(default_factory=list)
    retries: list[Chunk] = field(default_factory=list)

    def outcomes(self) -> Iterator[KeyOutcome]:
        """Those that are alike one by one."""
        for record in self.history:
            if isinstance(record, Alike | Sent | SingleOutcomes):
                yield from record.each()
            elif isinstance(record, KeyOutcome):
                yield record

    def add(self, other: "Plan") -> None:
        self.history += other.history
        self.corrections += other.corrections
        self.chunks += other.chunks
        self.retries += other.retries
