"""A participant's safety plan: six steps in their own words, what is missing, and changes that somebody suggests.

The six steps and their order are those of Stanley & Brown (2012), Safety Planning Intervention: A Brief Intervention to
Mitigate Suicide Risk, Cognitive and Behavioral Practice 19(2), 256-264. The words are our own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, TypeGuard, get_args

from bot.domain.words import units

Step = Literal["warning-signs", "by-myself", "distraction", "people", "professionals", "surroundings"]
STEPS: tuple[Step, ...] = get_args(Step)
"""From what one can do alone to what others do."""

AT_HIGH_DISTRESS: tuple[Step, ...] = ("by-myself", "people", "distraction", "professionals", "surroundings")
"""What is shown, in this order, to somebody for whom it is hard now. The warning signs are over by then."""

LONGEST = 1000
"""UTF-16 units of one step, as the messenger counts: an old and a new text stand in one message."""


class TooLong(ValueError):
    """A text does not fit into a step."""


class Outdated(Exception):
    """The step was changed after the suggestion was made: it is to be shown again beside what stands there now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SafetyPlan:
    """The text of each step that has one."""

    texts: Mapping[Step, str] = field(default_factory=lambda: MappingProxyType({}))

    def __bool__(self) -> bool:
        return bool(self.texts)

    @property
    def missing(self) -> tuple[Step, ...]:
        """The steps without a text."""
        return tuple(step for step in STEPS if step not in self.texts)

    def text(self, step: Step) -> str:
        """Return the text of a step, empty where there is none."""
        return self.texts.get(step, "")


def is_step(name: str) -> TypeGuard[Step]:
    """Return whether there is a step of this name."""
    return name in STEPS


def plan_of(texts: Mapping[Step, str]) -> SafetyPlan:
    """Return the plan with these texts, in order; blank ones and names of no step are left out."""
    return SafetyPlan(texts=MappingProxyType({step: texts[step] for step in STEPS if texts.get(step, "").strip()}))


def changed(plan: SafetyPlan, step: Step, text: str) -> SafetyPlan:
    """Return the plan with another text in one step; a blank text clears it. Raises TooLong."""
    text = text.strip()
    if units(text) > LONGEST:
        raise TooLong(step)
    return plan_of({**plan.texts, step: text})


def next_missing(plan: SafetyPlan, after: Step | None = None) -> Step | None:
    """Return the first step without a text, of those after a given one."""
    ahead = STEPS[STEPS.index(after) + 1 :] if after else STEPS
    return next((step for step in ahead if step in plan.missing), None)


def go_on_at(plan: SafetyPlan, last: Step | None) -> Step | None:
    """Return the step to go on at when `last` was the last one changed: what comes after it, then what was skipped."""
    return next_missing(plan, last) or next_missing(plan)


def merged(base: SafetyPlan, newest: SafetyPlan, step: Step, text: str) -> SafetyPlan:
    """Return the newest plan with what was suggested for one step of `base`. Raises Outdated, TooLong."""
    if newest.text(step) != base.text(step):
        raise Outdated(step)
    return changed(newest, step, text)


def at_high_distress(plan: SafetyPlan) -> tuple[tuple[Step, str], ...]:
    """Return the steps that help now, what the person can do alone first."""
    return tuple((step, plan.texts[step]) for step in AT_HIGH_DISTRESS if step in plan.texts)


def cut_to(text: str, room: int) -> str:
    """Return what fits into so many UTF-16 units: whole, or else cut after a word with an ellipsis, or nothing."""
    if units(text) <= room:
        return text
    kept = text.encode("utf-16-le", "surrogatepass")[: max(0, room - 1) * 2].decode("utf-16-le", "ignore")
    end = max(kept.rfind(" "), kept.rfind("\n"))
    return f"{kept[:end].rstrip()}…" if kept[: max(0, end)].strip() else ""
