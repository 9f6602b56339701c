"""Which skill is offered next, with its probability: what helped this person before is likelier, nothing is ruled out.

The rule is Thompson sampling with a floor, as in micro-randomised trials (Liao et al. 2020, "Personalized HeartSteps"):
a skill is offered with the probability that it is the one that lowers this person's distress most, as far as what they
rated so far can tell. Part of the chance is shared evenly, so that every candidate stays possible and the recorded
probabilities can carry an analysis.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import blake2b
from itertools import accumulate
from math import ceil, prod
from statistics import NormalDist

from bot.domain.activity import Skill, When
from bot.domain.programme import Phase

EXPLORING = 0.2
"""The part of the chance that all candidates share evenly."""

EXPECTED_DROP = 1.0
"""What is expected of a skill never rated: points less distress, of ten."""

SPREAD_OF_SKILLS = 1.5
"""How much skills differ in what they do for one person (standard deviation, in points)."""

SPREAD_OF_TIMES = 2.5
"""How much one skill differs from time to time (standard deviation, in points)."""

LEVEL_FROM: Mapping[When, int] = {"first": 1, "steady": 3, "later": 5}
"""The week from which skills of a level are offered where the curriculum says "all"."""

_REACH = 5.0
"""How many standard deviations count."""

_STEP = 0.5
"""How far apart, in the smallest standard deviation, a sum over a smooth curve may look at it and still be exact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Practice:
    """One practice that came to an end, with the distress (0 to 10) before and after where it was rated."""

    skill: str
    before: float | None
    after: float | None
    ended_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What is offered, and how likely that was."""

    skill: str
    probability: float


def candidates(curriculum: Sequence[Phase], skills: Sequence[Skill], began: date, day: date) -> tuple[str, ...]:
    """Return the skills that may be offered on a day, by id.

    Where the curriculum names skills, those; where it says all, or nothing of this week, those whose level has come.
    After its last week the last phase goes on.
    """
    week = max(1, (day - began).days // 7 + 1)
    live = {skill.id: skill for skill in skills if skill.status == "live"}
    named: set[str] = set()
    for phase in _phases(curriculum, week):
        if phase.skills is None:
            named.update(name for name, skill in live.items() if LEVEL_FROM[skill.level] <= week)
        else:
            named.update(name for name in phase.skills if name in live)
    return tuple(sorted(named))


def choose(offered: Sequence[str], history: Sequence[Practice], *, seed: str) -> Chosen:
    """Return one of the skills offered. The same seed and history give the same one.

    The one practised last is passed over unless it is the only one. Raises ValueError when none is offered.
    """
    chances = probabilities(offered, history)
    point = int.from_bytes(blake2b(seed.encode(), digest_size=8).digest()) / 2**64
    reached = zip(chances, accumulate(chances.values()), strict=True)
    skill = next((skill for skill, until in reached if point < until), max(chances))
    return Chosen(skill=skill, probability=chances[skill])


def probabilities(offered: Sequence[str], history: Sequence[Practice]) -> dict[str, float]:
    """Return how likely each skill is to be offered, in order of their ids; they add up to 1.

    Raises ValueError when none is offered.
    """
    if not offered:
        raise ValueError("there is no skill to choose from")
    last = max(history, key=lambda practice: practice.ended_at).skill if history else ""
    skills = [skill for skill in sorted(set(offered)) if skill != last] or [last]
    beliefs = [_belief(skill, history) for skill in skills]
    best = _chances_to_be_best(beliefs)
    even = EXPLORING / len(skills)
    return {skill: (1 - EXPLORING) * chance + even for skill, chance in zip(skills, best, strict=True)}


def _phases(curriculum: Sequence[Phase], week: int) -> list[Phase]:
    """Return the phases of a week; past the end the one that ended last, before or without any all skills."""
    now = [phase for phase in curriculum if phase.first <= week and (phase.last is None or week <= phase.last)]
    over = [phase for phase in curriculum if phase.last is not None and phase.last < week]
    everything = Phase(first=1, last=None, skills=None)
    return now or [max(over, key=lambda phase: phase.last or 0, default=everything)]


def _belief(skill: str, history: Sequence[Practice]) -> NormalDist:
    """Return by how much a skill may lower the person's distress, from its rated practices (normal prior)."""
    drops = [
        practice.before - practice.after
        for practice in history
        if practice.skill == skill and practice.before is not None and practice.after is not None
    ]
    prior, each = SPREAD_OF_SKILLS**-2, SPREAD_OF_TIMES**-2
    precision = prior + each * len(drops)
    return NormalDist((prior * EXPECTED_DROP + each * sum(drops)) / precision, precision**-0.5)


def _chances_to_be_best(beliefs: Sequence[NormalDist]) -> list[float]:
    """Return how likely each is the greatest, summed over what it may be; they add up to 1."""
    kinds = Counter(beliefs)
    low = min(belief.mean - _REACH * belief.stdev for belief in kinds)
    high = max(belief.mean + _REACH * belief.stdev for belief in kinds)
    weights = dict.fromkeys(kinds, 0.0)
    step = _STEP * min(belief.stdev for belief in kinds)
    for count in range(ceil((high - low) / step) + 1):
        relief = low + count * step
        below = {belief: belief.cdf(relief) for belief in kinds}
        all_below = prod(below[belief] ** many for belief, many in kinds.items())
        for belief in kinds:
            if below[belief]:
                weights[belief] += belief.pdf(relief) * all_below / below[belief]
    total = sum(weights[belief] for belief in beliefs)
    return [weights[belief] / total for belief in beliefs]
