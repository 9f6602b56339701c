"""Ranges such as `0–3`, `5` and `7+`: reading them, and whether they cover what they should exactly once."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

_RANGE = re.compile(r"(-?\d+)(?:\s*[–—-]\s*(-?\d+)|(\+))?")


@dataclass(frozen=True, slots=True)
class Range:
    """Whole numbers from `low` to `high`, both included; `high` None: no upper end."""

    low: int
    high: int | None

    def __str__(self) -> str:
        if self.high is None:
            return f"{self.low}+"
        return str(self.low) if self.low == self.high else f"{self.low}–{self.high}"


def read_range(text: str) -> Range | None:
    """Read a range, or return None."""
    found = _RANGE.fullmatch(text.strip())
    if not found:
        return None
    low = int(found[1])
    high = None if found[3] else int(found[2] or low)
    return Range(low, high) if high is None or high >= low else None


def misfit(ranges: Sequence[Range], low: int | None, high: int | None) -> str:
    """Return what keeps the ranges from covering `low` to `high` (None: no end) exactly once, or nothing."""
    ordered = sorted(ranges, key=lambda one: one.low)
    for one, other in pairwise(ordered):
        if one.high is None or other.low <= one.high:
            return f"{one} and {other} overlap"
        if other.low > one.high + 1:
            return f"nothing covers {Range(one.high + 1, other.low - 1)}"
    first, last = ordered[0], ordered[-1]
    if low is not None and first.low > low:
        return f"nothing covers {Range(low, first.low - 1)}"
    if last.high is not None and (high is None or last.high < high):
        return f"nothing covers {Range(last.high + 1, high)}"
    return ""


def beyond(ranges: Sequence[Range], low: int | None, high: int | None) -> str:
    """Return which range lies outside of `low` to `high`, or nothing."""
    for one in ranges:
        if (low is not None and one.low < low) or (high is not None and one.high is not None and one.high > high):
            return f"{one} reaches beyond {Range(low or 0, high)}"
    return ""
