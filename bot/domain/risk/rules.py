"""What a risk rule and a finding are, before and after the text is examined."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bot.domain.activity import Level

CATEGORIES: tuple[str, ...] = (
    "ideation",
    "intent",
    "plan-or-means",
    "preparation-and-farewell",
    "burden",
    "hopelessness",
    "self-harm",
    "overdose-or-poisoning",
    "harm-to-others",
    "abuse-or-unsafe-home",
    "relapse-and-craving",
    "eating-disorder",
    "psychosis-and-disorientation",
    "medical-emergency",
)
COULD_NOT_BE_EXAMINED = "could-not-be-examined"
"""The rule and the category of the orange finding that an error inside the detector becomes."""


class PatternError(ValueError):
    """A pattern cannot be read. `position` is the column in `pattern`, counted from 0; the message says what to do."""

    def __init__(self, pattern: str, position: int, message: str) -> None:
        super().__init__(message)
        self.pattern = pattern
        self.position = position


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskRule:
    """A rule as its file has it. `says` finds, `unless` takes a find back; `flags` and `passes` are its examples."""

    id: str
    title: str
    level: Level
    category: str
    version: str
    language: str
    says: tuple[str, ...]
    unless: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    passes: tuple[str, ...] = ()
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One rule's find. `start` and `end` bound the evidence in the text as it was written, `end` not included.

    `lowered_by` names what took `level` one below the rule's own ("negation", "past, idiom"); empty when nothing did.
    """

    rule: str
    version: str
    level: Level
    category: str
    start: int
    end: int
    lowered_by: str = ""


def together(files: Iterable[Mapping[str, Sequence[str]]]) -> dict[str, tuple[str, ...]]:
    """Return the word lists of several files as one; a list that two files share has the words of both."""
    joined: dict[str, tuple[str, ...]] = {}
    for classes in files:
        for name, words in classes.items():
            joined[name] = (*joined.get(name, ()), *words)
    return joined
