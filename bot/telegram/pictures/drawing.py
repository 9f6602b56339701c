"""A participant's progress as SVG, as wide as a phone's screen: mood day by day, then distress before and after."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from html import escape
from itertools import pairwise
from math import ceil

from bot.telegram.pictures import marks
from bot.telegram.pictures.lettering import FAMILY, shortened, width, wrapped
from bot.telegram.pictures.marks import AFTER, BEFORE, GROUND, INK, QUIET_INK
from bot.telegram.pictures.progress import (
    MOST_SKILLS,
    Progress,
    ProgressWords,
    SkillProgress,
    alt_text,
    place_of,
    said,
    skills_heading,
)

WIDTH = 1080
EDGE, PADDING, GAP = 40, 44, 32
LEFT, RIGHT = EDGE + PADDING, WIDTH - EDGE - PADDING
TITLE, HEADING, BODY, SMALL = 54, 40, 34, 29
"""Letter sizes: a phone shows the picture at about a third."""
HIGHEST = 10
MOST_TICKS = 6
PLOT_HEIGHT, PLOT_LEFT, PLOT_RIGHT = 270, LEFT + 66, RIGHT - 78
ROW = 112
TITLE_LEFT = LEFT + 52
TRACK_LEFT, TRACK_RIGHT = TITLE_LEFT + 46, LEFT + 510


@dataclass(frozen=True, slots=True)
class Section:
    """Part of the picture and how high it is."""

    marks: tuple[str, ...]
    height: float


def progress_svg(progress: Progress, words: ProgressWords) -> str:
    """Return the picture; its description says the same in words."""
    top = 192.0
    drawn = list(_head(progress, words))
    for section in (_mood, _skills):
        laid = section(progress, words, top)
        drawn += [marks.card(EDGE, top, WIDTH - 2 * EDGE, laid.height), *laid.marks]
        top += laid.height + GAP
    height = round(top - GAP + EDGE)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
        f' role="img" font-family="{FAMILY}">'
        f"<title>{escape(words.title)}</title><desc>{escape(alt_text(progress, words))}</desc>"
        f'<rect width="{WIDTH}" height="{height}" fill="{GROUND}"/>{"".join(drawn)}</svg>'
    )


def _head(progress: Progress, words: ProgressWords) -> Iterator[str]:
    period = said(words.period, since=words.day(progress.since), until=words.day(progress.until))
    room = RIGHT - EDGE
    yield marks.text(EDGE + 8, 100, shortened(words.title, room, TITLE, bold=True), TITLE, bold=True)
    yield marks.text(EDGE + 8, 152, shortened(period, room, BODY), BODY, fill=QUIET_INK)


def _mood(progress: Progress, words: ProgressWords, top: float) -> Section:
    if not progress.days:
        return _nothing(words.mood, words.no_mood, top)
    plot_top = top + 158
    drawn = [
        *_headings(words.mood, words.mood_scale, top),
        *_grid(progress, words, plot_top),
        *_curve(progress, words, plot_top),
    ]
    return Section(tuple(drawn), 158 + PLOT_HEIGHT + 52 + 34)


def _grid(progress: Progress, words: ProgressWords, top: float) -> Iterator[str]:
    for mood in (0, 5, HIGHEST):
        y = _height_of(mood, top)
        yield marks.line(PLOT_LEFT - 14, y, PLOT_RIGHT + 14, y)
        yield marks.text(PLOT_LEFT - 28, y + 10, str(mood), SMALL, fill=QUIET_INK, anchor="end")
    bottom = top + PLOT_HEIGHT
    for day in _ticks(progress.since, progress.until):
        x = _place_of(day, progress)
        yield marks.line(x, bottom, x, bottom + 10)
        yield marks.text(x, bottom + 50, words.day(day), SMALL, fill=QUIET_INK, anchor="middle")


def _ticks(since: date, until: date) -> tuple[date, ...]:
    """Return the days written under the mood: the last one and so many weeks before it, each time."""
    days = (until - since).days
    weeks = max(1, ceil(days / 7 / (MOST_TICKS - 1)))
    return tuple(until - timedelta(days=back) for back in range(0, days + 1, 7 * weeks))


def _curve(progress: Progress, words: ProgressWords, top: float) -> Iterator[str]:
    days = sorted(progress.days)
    spread = (progress.until - progress.since).days + 1
    radius = max(5.5, min(11.0, 300 / spread))
    points = [(_place_of(day, progress), _height_of(mood, top)) for day, mood in days]
    for run in _unbroken(days):
        yield marks.path(points[run], width=radius / 2, stroke=AFTER)
    yield from (marks.dot(x, y, radius, AFTER) for x, y in points)
    last_x, last_y = points[-1]
    yield marks.text(last_x + 22, last_y + 12, words.number(days[-1][1]), BODY, bold=True, fill=AFTER, halo=True)


def _unbroken(days: Sequence[tuple[date, float]]) -> Iterator[slice]:
    """Yield where days follow each other without a gap: a line over a gap would show what nobody said."""
    breaks = [at for at, (one, other) in enumerate(pairwise(days), start=1) if (other[0] - one[0]).days > 1]
    yield from (slice(start, end) for start, end in pairwise([0, *breaks, len(days)]))


def _skills(progress: Progress, words: ProgressWords, top: float) -> Section:
    heading = skills_heading(progress, words)
    if not progress.skills:
        return _nothing(heading, words.no_skills, top)
    ranked = progress.ranked
    shown = ranked[:MOST_SKILLS]
    drawn = [*_headings(heading, words.distress_scale, top), *_legend(words, top + 160)]
    for row, skill in enumerate(shown):
        drawn += _row(place_of(row, skill), skill, words, top + 182 + ROW * row)
    height = 182 + ROW * len(shown) + 26
    if len(ranked) > len(shown):
        more = said(words.more, n=str(len(ranked) - len(shown)))
        drawn.append(marks.text(LEFT, top + height + 22, more, SMALL, fill=QUIET_INK))
        height += 52
    return Section(tuple(drawn), height)


def _legend(words: ProgressWords, y: float) -> Iterator[str]:
    before, after = (shortened(word, 300, SMALL) for word in (words.before, words.after))
    then = LEFT + 40 + width(before, SMALL) + 28
    yield marks.ring(LEFT + 14, y - 10, 14, BEFORE)
    yield marks.text(LEFT + 40, y, before, SMALL, fill=QUIET_INK)
    yield marks.arrow(then, then + 50, y - 10, AFTER)
    yield marks.dot(then + 68, y - 10, 12, AFTER)
    yield marks.text(then + 92, y, after, SMALL, fill=QUIET_INK)


def _row(place: str, skill: SkillProgress, words: ProgressWords, top: float) -> Iterator[str]:
    first, second = top + 52, top + 92
    times = said(words.times, n=str(skill.times))
    yield marks.line(LEFT, top + 4, RIGHT, top + 4)
    yield marks.text(LEFT, first, place, BODY, fill=QUIET_INK)
    yield marks.text(
        TITLE_LEFT, first, shortened(skill.title, RIGHT - TITLE_LEFT - 150, BODY, bold=True), BODY, bold=True
    )
    if skill.before is None or skill.after is None:
        yield marks.text(TITLE_LEFT, second, words.not_rated, SMALL, fill=QUIET_INK)
        yield marks.text(RIGHT, second, times, SMALL, fill=QUIET_INK, anchor="end")
        return
    fill = AFTER if (skill.eased or 0) > 0 else INK
    yield marks.text(RIGHT, first, _change(skill, words), HEADING, bold=True, fill=fill, anchor="end")
    yield from _dumbbell(skill.before, skill.after, second - 10)
    numbers = f"{words.number(skill.before)} → {words.number(skill.after)} · {times}"
    room = RIGHT - TRACK_RIGHT - 90
    yield marks.text(RIGHT, second, shortened(numbers, room, SMALL), SMALL, fill=QUIET_INK, anchor="end")


def _change(skill: SkillProgress, words: ProgressWords) -> str:
    eased = skill.eased or 0
    sign = "−" if eased > 0 else "+" if eased < 0 else "±"
    return f"{sign}{words.number(abs(eased))}"


def _dumbbell(before: float, after: float, y: float) -> Iterator[str]:
    """Draw a ring before, a smaller full point after, and an arrow where there is room for one between them."""
    start, end = (TRACK_LEFT + _share(number) * (TRACK_RIGHT - TRACK_LEFT) for number in (before, after))
    yield marks.text(TRACK_LEFT - 27, y + 10, "0", SMALL, fill=QUIET_INK, anchor="end")
    yield marks.line(TRACK_LEFT, y, TRACK_RIGHT, y, width=6)
    yield marks.text(TRACK_RIGHT + 27, y + 10, str(HIGHEST), SMALL, fill=QUIET_INK)
    if abs(end - start) > 52:
        way = 1 if end > start else -1
        yield marks.arrow(start + 14 * way, end - 14 * way, y, AFTER)
    yield marks.ring(start, y, 14, BEFORE)
    yield marks.dot(end, y, 12, AFTER)


def _headings(heading: str, below: str, top: float) -> Iterator[str]:
    room = RIGHT - LEFT
    yield marks.text(LEFT, top + 70, shortened(heading, room, HEADING, bold=True), HEADING, bold=True)
    yield marks.text(LEFT, top + 114, shortened(below, room, SMALL), SMALL, fill=QUIET_INK)


def _nothing(heading: str, why: str, top: float) -> Section:
    """Say in a few lines that there is nothing to show yet."""
    lines = wrapped(why, RIGHT - LEFT, BODY, lines=3)
    drawn = [marks.text(LEFT, top + 70, shortened(heading, RIGHT - LEFT, HEADING, bold=True), HEADING, bold=True)]
    drawn += [marks.text(LEFT, top + 128 + 46 * row, words, BODY, fill=QUIET_INK) for row, words in enumerate(lines)]
    return Section(tuple(drawn), 128 + 46 * len(lines))


def _place_of(day: date, progress: Progress) -> float:
    days = max(1, (progress.until - progress.since).days)
    return PLOT_LEFT + (day - progress.since).days / days * (PLOT_RIGHT - PLOT_LEFT)


def _height_of(mood: float, top: float) -> float:
    return top + (1 - _share(mood)) * PLOT_HEIGHT


def _share(number: float) -> float:
    return min(1.0, max(0.0, number / HIGHEST))
