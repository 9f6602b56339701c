"""The figures and how they are printed."""

from dataclasses import dataclass
from enum import StrEnum


class Size(StrEnum):
    """How much is measured: to see that it works, within minutes, or all of it."""

    QUICK = "quick"
    USUAL = "usual"
    FULL = "full"

    def pick(self, quick: int, usual: int, full: int) -> int:
        """Return the number for this size."""
        return {Size.QUICK: quick, Size.USUAL: usual, Size.FULL: full}[self]


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One measured figure, what it should hold (nothing: it only stands beside), and against what it was measured."""

    what: str
    measured: float
    unit: str
    at_most: float | None = None
    at_least: float | None = None
    against: str = ""

    @property
    def holds(self) -> bool:
        within = self.at_most is None or self.measured <= self.at_most
        return within and (self.at_least is None or self.measured >= self.at_least)

    @property
    def promise(self) -> str:
        if self.at_most is not None:
            return f"≤ {self.at_most:g} {self.unit}"
        return f"≥ {self.at_least:g} {self.unit}" if self.at_least is not None else ""

    @property
    def verdict(self) -> str:
        if not self.promise:
            return ""
        return "holds" if self.holds else "MISSED"


def render(figures: list[Figure]) -> str:
    """Return the figures as a table."""
    rows = [("figure", "measured", "to hold", "", "against")]
    rows += [(one.what, f"{one.measured:.2f} {one.unit}", one.promise, one.verdict, one.against) for one in figures]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
