"""The values of one row, beside the names that all rows of its object share."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import compress
from operator import ne


class RowValues(Mapping[str, str | None]):
    """Field name to canonical text, as `values.Values`. Thousands of these are alive at once: a list, not a dict."""

    __slots__ = ("_base", "_replaced", "names", "texts")

    def __init__(
        self,
        names: tuple[str, ...],
        texts: Sequence[str | None],
        base: "RowValues | None" = None,
        replaced: Collection[int] = (),
    ) -> None:
        """`texts` are in the order of `names`; neither is changed any more. All but those replaced are as in `base`."""
        self.names = names
        self.texts = texts
        self._base = base
        self._replaced = replaced

    def replaced(self, texts: Mapping[int, str | None]) -> "RowValues":
        """A row with other texts at these places."""
        own = [*self.texts]
        for place, text in texts.items():
            own[place] = text
        return RowValues(self.names, own, self, texts.keys())

    def unlike(self, other: "RowValues") -> Collection[int]:
        """All places in which a row with the same names has other texts, and perhaps others; known if made of it."""
        if self._base is other:
            return self._replaced
        return [*compress(range(len(self.texts)), map(ne, self.texts, other.texts))]

    def __getitem__(self, name: str) -> str | None:
        try:
            return self.texts[self.names.index(name)]
        except ValueError:
            raise KeyError(name) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)

    def __repr__(self) -> str:
        return repr(dict(self))
