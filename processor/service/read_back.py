"""Not to judge by tables that do not yet show what was written."""

from collections.abc import Iterable, Mapping


class ReadBack:
    """Offsets of the history topic that the tables have to have passed before they are asked again."""

    def __init__(self) -> None:
        self._awaited: dict[int, int] = {}

    def begin(self, ends: Mapping[int, int]) -> None:
        """Forget all else and wait until these positions are reached."""
        self._awaited = dict(ends)

    def expect(self, places: Iterable[tuple[int, int]]) -> None:
        """Partition and offset of each record written."""
        for partition, offset in places:
            self._awaited[partition] = max(offset + 1, self._awaited.get(partition, 0))

    def is_reached(self, positions: Mapping[int, int]) -> bool:
        """`positions` are those that the store has committed."""
        return all(positions.get(partition, 0) >= offset for partition, offset in self._awaited.items())
