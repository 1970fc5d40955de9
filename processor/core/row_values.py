"""The values of one row, beside the names that all rows of its object share."""

from collections.abc import Iterator, Mapping, Sequence


class RowValues(Mapping[str, str | None]):
    """Field name to canonical text, as `values.Values`. Thousands of these are alive at once: a list, not a dict."""

    __slots__ = ("names", "texts")

    def __init__(self, names: tuple[str, ...], texts: Sequence[str | None]) -> None:
        """`texts` are in the order of `names`; neither is changed any more."""
        self.names = names
        self.texts = texts

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
