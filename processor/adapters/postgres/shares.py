"""Many keys, read at both sides at once: each connection has its share, and reads its shares one after the other."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, NamedTuple, Protocol, TypeAlias, TypeVar

from processor.adapters.postgres.database import Database
from processor.adapters.postgres.patience import answer
from processor.service.ports import SnapshotImpossible, SnapshotUnavailable, Target, Wanted

LEAST_SHARE = 100
"""Keys of which a share is worth a statement of its own."""

Share: TypeAlias = tuple[Target, int]
"""Of the keys of a target: one reader's at the district, and one's at the state."""
Shares: TypeAlias = Mapping[Share, Sequence[str]]
G = TypeVar("G")
Gives_co = TypeVar("Gives_co", covariant=True)


class Asking(Protocol[Gives_co]):
    """How one side of an object is asked."""

    @property
    def table(self) -> str: ...

    def put(self, database: Database, district_id: str, keys: Sequence[str]) -> Gives_co:
        """Raises SnapshotUnavailable."""
        ...


class Both(NamedTuple, Generic[G]):
    """What both sides give of a share's keys."""

    target: Target
    keys: Sequence[str]
    ours: G
    theirs: G


class Unread(NamedTuple):
    """A share, and why one of the sides did not give it."""

    target: Target
    keys: Sequence[str]
    fault: SnapshotUnavailable


@dataclass(frozen=True, slots=True)
class Readers:
    """All connections of a place have its name, and are read by `threads`."""

    districts: Mapping[str, Sequence[Database]]
    state: Sequence[Database]
    threads: ThreadPoolExecutor
    patience_s: float

    def both(
        self, wanted: Wanted, ours: Callable[[Target], Asking[G]], theirs: Callable[[Target], Asking[G]]
    ) -> Iterator[Both[G] | Unread]:
        """All shares, each as it was read or with the fault of one of its sides."""
        shares = {
            (target, turn): keys
            for target, asked in wanted.items()
            for turn, keys in enumerate(_shared_out(asked, len(self.districts[target[0]])))
        }
        reading_theirs = self._begin(shares, theirs, lambda _: self.state)
        reading_ours = self._begin(shares, ours, lambda district_id: self.districts[district_id])
        of_state, of_district = self._end(reading_theirs), self._end(reading_ours)
        for share, keys in shares.items():
            one, other = of_district[share], of_state[share]
            if isinstance(one, SnapshotUnavailable):
                yield Unread(share[0], keys, one)
            elif isinstance(other, SnapshotUnavailable):
                yield Unread(share[0], keys, other)
            else:
                yield Both(share[0], keys, one, other)

    def _begin(
        self,
        shares: Shares,
        asking: Callable[[Target], Asking[G]],
        readers_of: Callable[[str], Sequence[Database]],
    ) -> "list[tuple[Database, Shares, Future[dict[Share, G | SnapshotUnavailable]]]]":
        jobs: dict[Database, dict[Share, Sequence[str]]] = {}
        for share, keys in shares.items():
            (district_id, _), turn = share
            readers = readers_of(district_id)
            jobs.setdefault(readers[turn % len(readers)], {})[share] = keys
        return [(db, own, self.threads.submit(_read_shares, db, asking, own)) for db, own in jobs.items()]

    def _end(
        self, reading: "list[tuple[Database, Shares, Future[dict[Share, G | SnapshotUnavailable]]]]"
    ) -> dict[Share, G | SnapshotUnavailable]:
        reads: dict[Share, G | SnapshotUnavailable] = {}
        for database, own, future in reading:
            try:
                given = answer(database, future, self.patience_s)
                reads.update(given)
            except SnapshotUnavailable as fault:
                reads |= dict.fromkeys(own, fault)
        return reads


def _shared_out(keys: Sequence[str], readers: int) -> Iterator[Sequence[str]]:
    size = max(LEAST_SHARE, -(-len(keys) // readers))
    return (keys[start : start + size] for start in range(0, len(keys), size))


def _read_shares(
    database: Database, asking: Callable[[Target], Asking[G]], shares: Shares
) -> dict[Share, G | SnapshotUnavailable]:
    reads: dict[Share, G | SnapshotUnavailable] = {}
    for share, keys in shares.items():
        target, _ = share
        question = asking(target)
        try:
            reads[share] = question.put(database, target[0], keys)
        except SnapshotImpossible as fault:
            reads[share] = SnapshotImpossible(f"{fault} (table {question.table})")
        except SnapshotUnavailable as fault:
            reads[share] = fault
    return reads
