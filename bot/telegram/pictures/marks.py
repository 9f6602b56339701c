"""The few marks that a picture is made of, as SVG, and its colours, each readable on its ground (WCAG AA)."""

from html import escape
from typing import Literal

GROUND, CARD, RULE = "#F6F0E6", "#FFFFFF", "#E4DCCF"
INK, QUIET_INK = "#26302F", "#56605E"
BEFORE, AFTER = "#9A4F1C", "#0B6A62"

Anchor = Literal["start", "middle", "end"]


def text(
    x: float,
    y: float,
    words: str,
    size: int,
    *,
    bold: bool = False,
    fill: str = INK,
    anchor: Anchor = "start",
    halo: bool = False,
) -> str:
    """Write one line whose baseline is at `y`; with a halo it stays readable over lines."""
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    look = f'font-size="{size}" fill="{fill}"'
    weight = ' font-weight="bold"' if bold else ""
    around = f' paint-order="stroke" stroke="{CARD}" stroke-width="10"' if halo else ""
    return f"<text {place} {look}{weight}{around}>{escape(words)}</text>"


def card(x: float, y: float, width: float, height: float) -> str:
    """Lay a sheet with round corners on the ground."""
    place = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
    return f'<rect {place} rx="28" fill="{CARD}" stroke="{RULE}" stroke-width="2"/>'


def line(x: float, y: float, to_x: float, to_y: float, *, width: float = 2, stroke: str = RULE) -> str:
    """Draw a straight line with round ends."""
    ends = f'x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}"'
    return f'<line {ends} stroke="{stroke}" stroke-width="{width:.1f}" stroke-linecap="round"/>'


def path(points: list[tuple[float, float]], *, width: float, stroke: str) -> str:
    """Draw a line through the points."""
    through = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    look = f'fill="none" stroke="{stroke}" stroke-width="{width:.1f}" stroke-linejoin="round" stroke-linecap="round"'
    return f'<polyline points="{through}" {look}/>'


def dot(x: float, y: float, radius: float, fill: str) -> str:
    """Draw a filled point."""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="{fill}"/>'


def ring(x: float, y: float, radius: float, stroke: str) -> str:
    """Draw a hollow point."""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{CARD}" stroke="{stroke}" stroke-width="5"/>'


def arrow(x: float, to_x: float, y: float, stroke: str) -> str:
    """Draw an arrow from left to right or back, whose tip is at `to_x`."""
    back = -15 if to_x > x else 15
    head = f"{to_x:.1f},{y:.1f} {to_x + back:.1f},{y - 10:.1f} {to_x + back:.1f},{y + 10:.1f}"
    return line(x, y, to_x + back, y, width=5, stroke=stroke) + f'<polygon points="{head}" fill="{stroke}"/>'
