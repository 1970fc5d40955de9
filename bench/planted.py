"""What is planted at the state, by key, and what a request for all rows of a district must find."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Planting:
    """One row of so many differs in a field, one of so many is missing at the state; 0: none."""

    differs: int = 50
    missing: int = 100

    def is_missing(self, key: int) -> bool:
        return bool(self.missing) and key % self.missing == 1

    def is_differing(self, key: int) -> bool:
        return bool(self.differs) and key % self.differs == 0 and not self.is_missing(key)

    def of(self, rows: int) -> "Planted":
        """Among the keys 1 to `rows`."""
        missing = (rows - 1) // self.missing + 1 if self.missing else 0
        return Planted(rows, rows // self.differs if self.differs else 0, missing)

    def __str__(self) -> str:
        shares = ((self.differs, "differing"), (self.missing, "missing"))
        told = [f"{100 / each:.3g} % {what}" for each, what in shares if each]
        return " and ".join(told) if told else "nothing off"


USUAL = Planting()
HALF = Planting(differs=2)
NOTHING = Planting(0, 0)


@dataclass(frozen=True, slots=True)
class Planted:
    """So many rows of the district differ at the state, so many are missing there, the others are equal."""

    rows: int
    differing: int = 0
    missing: int = 0

    @property
    def equal(self) -> int:
        return self.rows - self.differing - self.missing

    @property
    def off(self) -> int:
        return self.differing + self.missing
