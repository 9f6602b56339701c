"""What a person can be led through: skills and measures, made of steps that say something and may ask."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal

from bot.domain.words import Words

Approach = Literal["CBT", "DBT", "ACT", "MI", "BA", "mindfulness", "relapse-prevention", "interpersonal"]
Status = Literal["live", "draft", "retired"]
Level = Literal["red", "orange", "yellow"]
When = Literal["first", "steady", "later"]

LEVELS: tuple[Level, ...] = ("red", "orange", "yellow")
"""The gravest first."""

END = "end"
"""The step that may be linked to without being written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Goto:
    """Leads to a step of the same activity."""

    step: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """Ends the practice, with what came of it (empty when the content names no outcome)."""

    outcome: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """Offers to go on with another skill."""

    skill: str


Target = Goto | Finish | Switch


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One answer to choose. `score` only in measures; without `target` the step's own way goes on."""

    label: str
    score: int | None = None
    target: Target | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Where the numbers from `low` to `high`, both included, lead. `high` None: no upper end."""

    low: float
    high: float | None
    target: Target

    def covers(self, number: float) -> bool:
        return number >= self.low and (self.high is None or number <= self.high)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Whole numbers from `low` to `high`, both included, shown as buttons, with words for the ends."""

    low: int = 0
    high: int = 10
    low_label: str = ""
    high_label: str = ""
    routes: tuple[Route, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A typed number within `low` and `high`, both included (None: no limit)."""

    low: float | None = None
    high: float | None = None
    unit: str = ""
    routes: tuple[Route, ...] = ()


@dataclass(frozen=True, slots=True)
class FreeText:
    """Whatever the person writes."""


@dataclass(frozen=True, slots=True)
class TimeOfDay:
    """A time of day, hours and minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One of the options. `routing` when the options are links: how to go on rather than what is kept as data."""

    options: tuple[Option, ...]
    routing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Many:
    """Any number of the options, none included."""

    options: tuple[Option, ...]


Ask = Scale | Number | FreeText | TimeOfDay | Choice | Many


@dataclass(frozen=True, slots=True, kw_only=True)
class Breath:
    """One phase of a pace: a word of the person's language ("in", "hold", "out") and how long, in seconds."""

    word: str
    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """A rhythm to follow: the phases, so many rounds."""

    phases: tuple[Breath, ...]
    rounds: int

    @property
    def seconds(self) -> int:
        return self.rounds * sum(phase.seconds for phase in self.phases)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture of a step: a path relative to the content folder, and the words for who cannot see it."""

    path: str
    alt: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One screen of a practice. `heading` and `body` are shown together.

    `target` is where the step leads when no option or route says otherwise; the reader of the content resolves
    "the next step in the file" to a Goto, and the last step to Finish. `wait` is how long to pause before going on.
    `loinc` is the item's code in a measure. `flag` is raised for whoever comes to this step.
    """

    id: str
    heading: Words
    body: Words = ()
    ask: Ask | None = None
    optional: bool = False
    target: Target = field(default_factory=Finish)
    wait: timedelta | None = None
    pace: Pace | None = None
    picture: Picture | None = None
    loinc: str = ""
    flag: Level | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """What skills and measures share. `version` names the exact text; `language` is a BCP 47 code.

    `steps` keeps the order of the file; there is always at least one.
    """

    id: str
    language: str
    version: str
    title: str
    summary: str
    intro: Words
    steps: Mapping[str, Step]
    source: str
    reviewed: date
    reviewer: str
    prompts: tuple[str, ...] = ()

    @property
    def first(self) -> str:
        return next(iter(self.steps))


@dataclass(frozen=True, slots=True, kw_only=True)
class Skill(Activity):
    """A coping skill. `minutes` is about how long it takes; `helps_with` are topics such as "anxiety"."""

    approach: Approach
    helps_with: tuple[str, ...]
    minutes: int
    status: Status = "live"
    level: When = "first"
    avoid_if: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A name for the scores from `low` to `high`, both included."""

    low: int
    high: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagRule:
    """Raises a flag of `level` when an item's number, the score, or its change since the last time is in range.

    Exactly one of `item`, or `on` in {"score", "rise", "fall"}, says what is looked at. Bounds are included. `offer` is
    the measure that is offered at once to whoever is flagged by an item.
    """

    level: Level
    on: Literal["item", "score", "rise", "fall"]
    item: str = ""
    at_least: float | None = None
    at_most: float | None = None
    equals: float | None = None
    offer: str = ""

    def holds(self, number: float) -> bool:
        if self.equals is not None:
            return number == self.equals
        above = self.at_least is None or number >= self.at_least
        below = self.at_most is None or number <= self.at_most
        return above and below


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure(Activity):
    """A questionnaire with a score. `scoring` "none" is a check-in, "c-ssrs" a triage. Codes are LOINC."""

    scoring: Literal["sum", "c-ssrs", "none"] = "none"
    bands: tuple[Band, ...] = ()
    flags: tuple[FlagRule, ...] = ()
    reliable_change: int | None = None
    loinc: str = ""
    score_loinc: str = ""
    minutes: int = 3
