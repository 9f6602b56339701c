"""What answers to a measure come to: totals, bands, missing items, change, and the flags they raise."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from bot.domain.activity import Ask, Choice, FlagRule, Goto, Level, Many, Measure, Number, Scale, Step, Target

MISSING_ALLOWED: Mapping[str, int] = MappingProxyType({"phq-9": 2})
"""How many items may be missing for the rest to be prorated; a measure that is not named here allows none.

PHQ-9: one or two, each replaced by the mean of those answered (Kroenke, Spitzer, Williams & Loewe 2010, General
Hospital Psychiatry 32, 345-359). For the GAD-7 we know of no such rule by its authors.
"""

REMISSION_BELOW = 5
"""PHQ-9: a total under 5 counts as remission (Kroenke, Spitzer & Williams 2001)."""

RATED_BY = frozenset({"phq-9"})
"""Measures whose authors say what response and remission are."""

Change = Literal["better", "worse", "no reliable change"]
Triage = Literal["low", "moderate", "high"]
TRIAGE_ITEMS = ("q1", "q2", "q3", "q4", "q5", "q6", "q6-recent")
"""The steps that a measure with `score: c-ssrs` has, in the order of the screener."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A measure's total and band, and how many of the items that count were answered."""

    total: float
    band: str
    answered: int
    missing: int
    prorated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """A flag that answers raise: its level, the rule in words, and the item it looks at (empty for the score).

    `offer` is the measure to offer at once, empty for none.
    """

    level: Level
    rule: str
    item: str = ""
    offer: str = ""


def score(measure: Measure, numbers: Mapping[str, float]) -> Score | None:
    """Return the sum of the answered items; None when the measure has no sum or too much is missing.

    `numbers` maps item to number, without those that were not answered. A prorated total is rounded half up. An item
    that the answers lead past adds nothing and is not missing.
    """
    if measure.scoring != "sum":
        return None
    asked = _asked(measure, numbers)
    items = [item for item in scored_items(measure) if item in numbers or item in asked]
    answered = [numbers[item] for item in items if item in numbers]
    missing = len(items) - len(answered)
    if not answered or missing > MISSING_ALLOWED.get(measure.id, 0):
        return None
    total = sum(answered) * len(items) / len(answered)
    total = math.floor(total + 0.5) if missing else total
    return Score(
        total=total, band=band_of(measure, total), answered=len(answered), missing=missing, prorated=missing > 0
    )


def scored_items(measure: Measure) -> tuple[str, ...]:
    """Return the items that count: scales, and those whose options have scores."""
    return tuple(step.id for step in measure.steps.values() if _counts(step.ask))


def band_of(measure: Measure, total: float) -> str:
    """Return the band's name, empty when no band holds the total."""
    return next((band.name for band in measure.bands if band.low <= total <= band.high), "")


def raised(
    measure: Measure, numbers: Mapping[str, float], score: Score | None, previous: float | None
) -> tuple[Raised, ...]:
    """Return the flags that these items, this score, and its change since the previous one raise.

    An item that was not answered raises nothing, and no answer takes back what another raises.
    """
    found = ((rule, _looked_at(rule, numbers, score, previous)) for rule in measure.flags)
    return tuple(
        Raised(level=rule.level, rule=_in_words(measure, rule)[:64], item=rule.item, offer=rule.offer)
        for rule, number in found
        if number is not None and rule.holds(number)
    )


def change(before: float, after: float, measure: Measure) -> Change:
    """Return whether the total changed by at least what the measure calls a reliable change (lower is better)."""
    least = measure.reliable_change
    if least is None or abs(after - before) < least:
        return "no reliable change"
    return "better" if after < before else "worse"


def responded(before: float, after: float) -> bool:
    """Return whether a total fell by at least half, which counts as response (PHQ-9)."""
    return before > 0 and after <= before / 2


def remitted(total: float) -> bool:
    """Return whether a PHQ-9 total counts as remission."""
    return total < REMISSION_BELOW


def triage(numbers: Mapping[str, float]) -> Triage | None:
    """Return the risk that the C-SSRS screener's answers mean (items q1 to q6 and q6-recent, 1 is yes).

    High: 4 or 5, or 6 within three months. Moderate: 3, or 6 longer ago. Low: 1 or 2. None: all no.
    (Columbia Lighthouse Project, screener with triage points.) Item 4 alone is high.
    """
    yes = {item for item, number in numbers.items() if number >= 1}
    if yes & {"q4", "q5", "q6-recent"}:
        return "high"
    if yes & {"q3", "q6"}:
        return "moderate"
    return "low" if yes & {"q1", "q2"} else None


def _asked(measure: Measure, numbers: Mapping[str, float]) -> frozenset[str]:
    """Return the steps that these answers lead to; a step without an answer leads where skipping it does."""
    passed: set[str] = set()
    target: Target = Goto(step=measure.first)
    while isinstance(target, Goto) and target.step not in passed:
        passed.add(target.step)
        target = _way_on(measure.steps[target.step], numbers.get(target.step))
    return frozenset(passed)


def _way_on(step: Step, number: float | None) -> Target:
    led: list[Target | None] = []
    if number is not None and isinstance(step.ask, Choice):
        led = [option.target for option in step.ask.options if option.score == number]
    elif number is not None and isinstance(step.ask, Scale | Number):
        led = [route.target for route in step.ask.routes if route.covers(number)]
    return next((target for target in led if target), step.target)


def _counts(ask: Ask | None) -> bool:
    if isinstance(ask, Choice | Many):
        return any(option.score is not None for option in ask.options)
    return isinstance(ask, Scale)


def _looked_at(
    rule: FlagRule, numbers: Mapping[str, float], score: Score | None, previous: float | None
) -> float | None:
    match rule.on:
        case "item":
            return numbers.get(rule.item)
        case "score":
            return score.total if score else None
        case "rise":
            return score.total - previous if score and previous is not None else None
        case "fall":
            return previous - score.total if score and previous is not None else None


def _in_words(measure: Measure, rule: FlagRule) -> str:
    bounds = [
        f"{sign} {bound:g}"
        for sign, bound in (("≥", rule.at_least), ("≤", rule.at_most), ("=", rule.equals))
        if bound is not None
    ]
    return f"{measure.id} {rule.item or rule.on} {' and '.join(bounds)}"
