"""Which of many keys are the same on both sides, and when it pays to ask (ADR 0226)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from processor.adapters.postgres.key_digests import DigestQuestion, Told
from processor.adapters.postgres.known_digests import KnownDigests
from processor.adapters.postgres.shares import Both, Readers
from processor.core.catalog import Catalog
from processor.core.digest import LEAST_KEYS, reads_by_rows
from processor.core.lines import same_keys
from processor.core.snapshot import DistrictVersion, SameRead
from processor.service.ports import SnapshotImpossible, SnapshotUnavailable, Target, Wanted


@dataclass(slots=True)
class Glance:
    """What digests told of a batch: keys that are the same, and what is left to be read by its columns."""

    left: dict[Target, list[str]]
    same: dict[Target, list[SameRead]] = field(default_factory=dict)
    faults: dict[Target, SnapshotUnavailable] = field(default_factory=dict)


class SameRows:
    """Asks by digests where keys are many and most of them were the same lately; remembers that by object."""

    def __init__(self, catalog: Catalog, readers: Readers, digests: KnownDigests) -> None:
        self._catalog = catalog
        self._readers = readers
        self._digests = digests
        self._resting: dict[Target, int] = {}
        """How many reads are still to go by columns."""

    def of(self, wanted: Wanted, by_rows: Wanted) -> Glance:
        """Keys of `by_rows` are left, and all of an object of which digests tell nothing now."""
        glance = Glance({target: list(keys) for target, keys in wanted.items()})
        asked: dict[Target, Sequence[str]] = {}
        questions: dict[Target, tuple[DigestQuestion, DigestQuestion]] = {}
        for target, keys in wanted.items():
            among = set(by_rows.get(target, ()))
            if len(keys) - len(among) < LEAST_KEYS or self._rests(target):
                continue
            try:
                both = self._questions(target)
            except SnapshotUnavailable as fault:
                glance.faults[target] = fault
                continue
            if both is not None:
                questions[target] = both
                asked[target] = [key for key in keys if key not in among]
                glance.left[target] = list(by_rows.get(target, ()))
        self._ask(asked, questions, glance)
        glance.left = {target: keys for target, keys in glance.left.items() if keys and target not in glance.faults}
        return glance

    def _ask(
        self,
        asked: Mapping[Target, Sequence[str]],
        questions: Mapping[Target, tuple[DigestQuestion, DigestQuestion]],
        glance: Glance,
    ) -> None:
        others = dict.fromkeys(asked, 0)
        for read in self._readers.both(asked, lambda target: questions[target][0], lambda target: questions[target][1]):
            if isinstance(read, Both):
                same = self._told(read)
                if same.keys:
                    glance.same.setdefault(read.target, []).append(same)
                among = set(same.keys)
                left = [key for key in read.keys if key not in among]
                others[read.target] += len(left)
                glance.left[read.target] += left
            elif isinstance(read.fault, SnapshotImpossible):
                glance.left[read.target] += read.keys
            else:
                glance.faults.setdefault(read.target, read.fault)
        for target, keys in asked.items():
            self._resting[target] = reads_by_rows(len(keys), others[target])

    def _told(self, read: Both[Told]) -> SameRead:
        district_id, object_name = read.target
        ours, theirs = read.ours, read.theirs
        version = DistrictVersion(self._catalog.districts[district_id].epoch, ours.xmax, ours.in_progress)
        keys = same_keys(self._catalog.objects[object_name], read.keys, ours.lines, theirs.lines)
        return SameRead(keys, version, ours.read_at, theirs.read_at)

    def _questions(self, target: Target) -> tuple[DigestQuestion, DigestQuestion] | None:
        """Raises SnapshotUnavailable."""
        kind, digests = self._catalog.objects[target[1]], self._digests.of(*target)
        if digests is None:
            return None
        return DigestQuestion(kind.district, digests.district), DigestQuestion(kind.state, digests.state)

    def _rests(self, target: Target) -> bool:
        left = self._resting.get(target, 0)
        self._resting[target] = max(0, left - 1)
        return left > 0
