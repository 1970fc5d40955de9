"""A batch while it is gathered: records that were taken and decoded, until one of its limits is reached."""

import time
from collections import Counter
from dataclasses import dataclass

from processor.service.records import Lane
from processor.service.work import Poison, Work


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """A batch ends with the record that reaches one of these; a single record may be larger."""

    max_keys: int
    max_records: int
    max_bytes: int
    max_s: float


class Gathered:
    """Records taken so far, by the inbox's `generation`."""

    def __init__(self, limits: BatchLimits, generation: int) -> None:
        self.taken: list[Work | Poison] = []
        self.generation = generation
        self.keys = 0
        self.keys_of = Counter[Lane]()
        """By lane."""
        self.is_full = False
        self._limits = limits
        self._size = 0
        self._until = time.monotonic() + limits.max_s

    def add(self, item: Work | Poison) -> bool:
        """False where it does not fit any more: then the batch is full, and the record is not taken."""
        limits, weight = self._limits, item.keys if isinstance(item, Work) else 1
        if self.taken and self.keys + weight > limits.max_keys:
            self.is_full = True
            return False
        self.taken.append(item)
        self.keys += weight
        self.keys_of[item.record.lane] += weight
        self._size += len(item.record.value or b"")
        self.is_full = (
            self.keys >= limits.max_keys
            or len(self.taken) >= limits.max_records
            or self._size >= limits.max_bytes
            or time.monotonic() >= self._until
        )
        return True
