from dataclasses import dataclass, field

from processor.core.chunk import Chunk
from processor.core.correction import Correction
from processor.core.history import HistoryRecord


@dataclass(slots=True)
class Plan:
    """Everything that a batch will emit, as data, in the order of emission.

    Dry run, preview, test and the real run build the same plan and differ in the sink.
    """

    history: list[HistoryRecord] = field(default_factory=list)
    corrections: list[Correction] = field(default_factory=list)
    chunks: list[Chunk] = field(default_factory=list)
    retries: list[Chunk] = field(default_factory=list)

    def add(self, other: "Plan") -> None:
        self.history += other.history
        self.corrections += other.corrections
        self.chunks += other.chunks
        self.retries += other.retries
