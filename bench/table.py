"""The figures and how they are printed."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One measured figure, what it should hold, and what it was measured against."""

    what: str
    measured: float
    unit: str
    at_most: float
    against: str = ""

    @property
    def holds(self) -> bool:
        return self.measured <= self.at_most


def render(figures: list[Figure]) -> str:
    """Return the figures as a table."""
    rows = [("figure", "measured", "to hold", "", "against")]
    rows += [
        (
            figure.what,
            f"{figure.measured:.2f} {figure.unit}",
            f"≤ {figure.at_most:g} {figure.unit}",
            "holds" if figure.holds else "MISSED",
            figure.against,
        )
        for figure in figures
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
