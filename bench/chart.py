"""The chart of a run under load: prompts delivered a second, and how long answers took, over time."""

from collections import Counter
from collections.abc import Iterator
from html import escape
from itertools import groupby
from math import ceil
from statistics import quantiles

from bot.telegram.pictures import marks
from bot.telegram.pictures.lettering import FAMILY
from bot.telegram.pictures.marks import AFTER, BEFORE, GROUND, QUIET_INK

WIDTH, HEIGHT = 1080, 860
LEFT, RIGHT = 130, WIDTH - 70
PLOT_HEIGHT = 230
TITLE, HEADING, SMALL = 40, 30, 24

Points = list[tuple[float, float]]


def load_svg(title: str, delivered: list[float], answers: Points) -> str:
    """Return the chart. `delivered` are seconds since the start, `answers` pairs of such a second and a latency in it.

    Its description says the same in words.
    """
    seconds = max([1.0, *delivered, *(at for at, _ in answers)])
    rates = per_second(delivered)
    slow = slowest(answers)
    drawn = [
        marks.text(60, 70, title, TITLE, bold=True),
        *_plot(150, "Prompts delivered a second", rates, seconds, AFTER, ""),
        *_plot(510, "95 of 100 answers were quicker than this", slow, seconds, BEFORE, " s"),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
        f' role="img" font-family="{FAMILY}"><title>{escape(title)}</title>'
        f"<desc>{escape(described(rates, slow, seconds))}</desc>"
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{GROUND}"/>{"".join(drawn)}</svg>\n'
    )


def per_second(delivered: list[float]) -> Points:
    """Return how many were delivered in each second up to the last."""
    counted = Counter(int(at) for at in delivered)
    return [(float(second), float(counted[second])) for second in range(max(counted, default=-1) + 1)]


def slowest(answers: Points) -> Points:
    """Return the 95th percentile of the latencies of each second that has answers."""
    by_second = groupby(sorted(answers), key=lambda one: int(one[0]))
    return [(float(second), percentile([latency for _, latency in group], 95)) for second, group in by_second]


def percentile(values: list[float], which: int) -> float:
    """Return a percentile from 1 to 99; of no values 0."""
    if not values:
        return 0.0
    return values[0] if len(values) == 1 else quantiles(values, n=100, method="inclusive")[which - 1]


def described(rates: Points, slow: Points, seconds: float) -> str:
    """Return the chart in words."""
    most_rate = max((rate for _, rate in rates), default=0)
    most_wait = max((wait for _, wait in slow), default=0)
    return (
        f"Over {seconds:.0f} seconds {sum(rate for _, rate in rates):.0f} prompts were delivered, at most"
        f" {most_rate:.0f} in one second. In the slowest second 95 of 100 answers took no longer than"
        f" {most_wait:.2f} seconds."
    )


def _plot(top: float, heading: str, points: Points, seconds: float, colour: str, unit: str) -> Iterator[str]:
    highest = _rounded_up(max((value for _, value in points), default=1))
    yield marks.text(60, top, heading, HEADING, bold=True)
    bottom = top + 30 + PLOT_HEIGHT
    for share in (0, 0.5, 1):
        y = bottom - share * PLOT_HEIGHT
        yield marks.line(LEFT, y, RIGHT, y)
        yield marks.text(LEFT - 14, y + 8, f"{highest * share:g}{unit}", SMALL, fill=QUIET_INK, anchor="end")
    for share in (0, 0.5, 1):
        x = LEFT + share * (RIGHT - LEFT)
        yield marks.text(x, bottom + 36, f"{seconds * share:.0f} s", SMALL, fill=QUIET_INK, anchor="middle")
    placed = [(LEFT + at / seconds * (RIGHT - LEFT), bottom - value / highest * PLOT_HEIGHT) for at, value in points]
    if placed:
        yield marks.path(placed, width=4, stroke=colour)


def _rounded_up(value: float) -> float:
    """Return the next 1, 2 or 5 times a power of ten, a legible end of a scale."""
    steps = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)
    return next((step for step in steps if value <= step), float(ceil(value)))
