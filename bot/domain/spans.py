"""Sets of moments as spans of whole seconds since 1970: joined, cut, and moments drawn from them fairly."""

from bisect import bisect_right
from collections.abc import Iterable
from functools import lru_cache
from itertools import accumulate
from operator import neg

MINUTE = 60

Span = tuple[int, int]
"""From the first second until the last, which is not included."""

Spans = tuple[Span, ...]
"""In order, none touching the next."""


def union(spans: Iterable[Span]) -> Spans:
    """Return all moments of the spans, which may be in any order and overlap."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        elif start < end:
            joined.append((start, end))
    return tuple(joined)


def within(spans: Spans, since: int, until: int) -> Spans:
    """Return the moments from `since` until `until`, `until` not included."""
    cut = ((max(start, since), min(end, until)) for start, end in spans)
    return tuple((start, end) for start, end in cut if start < end)


def less(spans: Spans, away: Iterable[Span]) -> Spans:
    """Return the moments that are in none of `away`."""
    left = spans
    for start, end in away:
        if left and start < left[-1][1] and end > left[0][0]:
            left = tuple(part for a, b in left for part in ((a, min(b, start)), (max(a, end), b)) if part[0] < part[1])
    return left


def span_at(spans: Spans, moment: int) -> Span | None:
    """Return the span that holds the moment."""
    return next((span for span in spans if span[0] <= moment < span[1]), None)


def draw(spans: Spans, count: int, *, apart: int, chance: int, phase: int = 0) -> tuple[int, ...]:
    """Return `count` moments in order, at least `apart` seconds from each other, or as many as there is room for.

    Every such choice of moments is equally likely when `chance` is a large random number. Moments lie on a grid of
    minutes, `phase` seconds after the full one.
    """
    runs = [(-((phase - start) // MINUTE), -((phase - end) // MINUTE)) for start, end in spans]
    runs = [(start, end) for start, end in runs if start < end]
    if not runs or count < 1:
        return ()
    first = runs[0][0]
    shape = tuple((start - first, end - first) for start, end in runs)
    places = (_one(shape, chance),) if count == 1 else _several(shape, count, max(1, -(-apart // MINUTE)), chance)
    return tuple((first + place) * MINUTE + phase for place in places)


def _one(runs: Spans, chance: int) -> int:
    left = chance % sum(end - start for start, end in runs)
    for start, end in runs:
        if left < end - start:
            return start + left
        left -= end - start
    raise AssertionError("the remainder is less than the sum")


def _several(runs: Spans, count: int, apart: int, chance: int) -> tuple[int, ...]:
    ways = _ways(runs, count, apart)
    count = max(n for n in range(count + 1) if ways[n][0])
    places: list[int] = []
    rank, place = chance % ways[count][0], 0
    for still in range(count, 0, -1):
        here = ways[still]
        least = here[place] - rank
        chosen = bisect_right(here, -least, key=neg) - 1
        rank -= here[place] - here[chosen]
        places.append(chosen)
        place = min(chosen + apart, len(here) - 1)
    return tuple(places)


@lru_cache(maxsize=128)
def _ways(runs: Spans, count: int, apart: int) -> list[list[int]]:
    """Return in how many ways 0 to `count` moments can be placed at each place of the grid or later."""
    length = runs[-1][1]
    ways = [[1] * (length + 1)]
    for _ in range(count):
        rest = ways[-1] + [ways[-1][-1]] * apart
        here = [0] * length
        for start, end in runs:
            here[start:end] = rest[start + apart : end + apart]
        ways.append(list(accumulate(reversed(here), initial=0))[::-1])
    return ways
