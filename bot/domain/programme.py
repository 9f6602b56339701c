"""A programme of care as its file describes it: sessions, streams of prompts, curriculum, alerts, contacts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from types import MappingProxyType
from typing import Literal

from bot.domain.activity import Level
from bot.domain.words import Words

ChainRole = Literal["on-call", "primary", "backup", "supervisor", "group"]

HIGH_DISTRESS = 8
"""A skill left at this distress or above, of 10, is worth a look where a programme says nothing else."""

LATELY = timedelta(days=14)
"""Within this after a red or orange case missed check-ins are orange, where a programme says nothing else."""

AFTER_CASE: Mapping[Level, timedelta] = MappingProxyType({"red": timedelta(hours=4), "orange": timedelta(days=1)})
"""How long after a flag of this level the participant is asked how they are now; a programme's to say."""

SEEN_TO: Mapping[Level, timedelta] = MappingProxyType({"red": timedelta(minutes=15), "orange": timedelta(hours=2)})
"""So long after it was raised an acknowledged case is taken to be seen to: a later flag of this level alerts again.

Our own times, and a programme's to say. A yellow one never does: it is told of in a digest.
"""

EVERY_DAY = frozenset(range(7))
"""Weekdays as `date.weekday` counts them: Monday is 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """From `start` until `end`, local time, `end` not included; an `end` not after `start` is the next day's."""

    start: time
    end: time


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A meeting that repeats weekly; nothing is sent while it lasts."""

    days: frozenset[int]
    hours: Hours
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Every:
    """How often a stream's days count: every `count` days or weeks from the day the person began."""

    count: int = 1
    unit: Literal["days", "weeks"] = "days"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """One kind of prompt on its timetable.

    Exactly one of `measure`, `skill` (an id) or `adaptive` says what is sent. Exactly one of `between` (a moment drawn
    at random, `times` a day, at least `apart` from each other) and `at` (exact times) says when.
    """

    id: str
    measure: str = ""
    skill: str = ""
    adaptive: bool = False
    days: frozenset[int] = EVERY_DAY
    every: Every = field(default_factory=Every)
    between: Hours | None = None
    at: tuple[time, ...] = ()
    times: int = 1
    apart: timedelta = timedelta(0)
    answer_within: timedelta = timedelta(hours=6)
    remind_after: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """Which skills are taught in the weeks `first` to `last` (1 is the first week; None: until the end).

    `skills` None means all of them.
    """

    first: int
    last: int | None
    skills: tuple[str, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """So many missed prompts of `stream` in a row raise a flag, orange within `orange_within` of a grave case."""

    stream: str
    in_a_row: int
    level: Level
    orange_within: timedelta = LATELY


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """A length of time: `elapsed` around the clock, or `working_days` that only working hours count towards."""

    elapsed: timedelta = timedelta(0)
    working_days: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRule:
    """Who is told of a case of one level, in which order, and how soon somebody must acknowledge it.

    A flag `new_after` the case was raised alerts again, although it was acknowledged (None: never). `follow_up` is how
    long after a flag the participant is asked how they are now (None: not at all).
    """

    acknowledge_within: Delay
    chain: tuple[ChainRole, ...]
    again_every: Delay
    new_after: timedelta | None = None
    follow_up: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkingHours:
    """When clinicians are at work, in the programme's zone."""

    days: frozenset[int]
    hours: Hours


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Somebody to turn to in a crisis: numbers to call and to text, an address to open; at least one of them.

    `hours` says when, as people read it, `languages` in which they answer; empty where the file does not say. `hints`
    tell, by language, how who speaks it gets to be answered in it.
    """

    name: str
    call: str = ""
    text: str = ""
    url: str = ""
    hours: str = ""
    languages: tuple[str, ...] = ()
    hints: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class CrisisLines:
    """The crisis lines of a country (ISO 3166, two letters), and the day on which each was last checked."""

    country: str
    contacts: tuple[Contact, ...]
    checked: tuple[date, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long a programme keeps what; None: for ever.

    Answers from when they were given, cases from when they were resolved, participants from when they left.
    """

    answers: timedelta | None = None
    closed_cases: timedelta | None = None
    ended_members: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """A programme's file in one language; `streams` of each level of care are complete, nothing left to inherit.

    The texts are those of the file's sections. `welcome` greets, `consent` is accepted by version, `not_monitored`
    says what nobody reads, `urgent` stands before the contacts. It is closed on the public holidays of `country` (ISO
    3166, two letters; empty: none) and its `region`, and on the days `closed`. A skill that is left at
    `high_distress` or above, of 10, is worth a look.
    """

    id: str
    language: str
    title: str
    timezone: str
    languages: tuple[str, ...]
    quiet: Hours | None
    most_per_day: int
    sessions: tuple[Session, ...]
    levels: Mapping[str, Mapping[str, Stream]]
    curriculum: tuple[Phase, ...]
    missed: Missed | None
    alerts: Mapping[Level, AlertRule]
    working_hours: WorkingHours
    contacts: tuple[Contact, ...]
    consent_version: int
    welcome: Words
    consent: Words
    not_monitored: Words
    urgent: Words
    country: str = ""
    region: str = ""
    closed: tuple[date, ...] = ()
    retention: Retention = Retention()
    high_distress: int = HIGH_DISTRESS

    @property
    def first_level(self) -> str:
        return next(iter(self.levels))


def without_file(id: str) -> Programme:  # noqa: A002 - the id of a programme
    """Return what is left of a programme while no file describes it: nothing is sent, and alerts go on.

    The times are those that a programme has unless it says otherwise. Nobody knows its chain, so each alert goes to all
    who look after its participants; nobody knows its zone, so what waits for working days goes by UTC.
    """
    waits: Mapping[Level, tuple[Delay, Delay]] = {
        "red": (Delay(elapsed=timedelta(minutes=5)), Delay(elapsed=timedelta(minutes=5))),
        "orange": (Delay(elapsed=timedelta(hours=1)), Delay(elapsed=timedelta(minutes=30))),
        "yellow": (Delay(working_days=1), Delay(working_days=1)),
    }
    return Programme(
        id=id,
        language="en",
        title=id,
        timezone="UTC",
        languages=("en",),
        quiet=Hours(start=time(21, 30), end=time(8)),
        most_per_day=1,
        sessions=(),
        levels=MappingProxyType({"iop": MappingProxyType({})}),
        curriculum=(),
        missed=None,
        alerts=MappingProxyType(
            {
                level: AlertRule(
                    acknowledge_within=within,
                    chain=("group",),
                    again_every=again,
                    new_after=SEEN_TO.get(level),
                    follow_up=AFTER_CASE.get(level),
                )
                for level, (within, again) in waits.items()
            }
        ),
        working_hours=WorkingHours(days=frozenset(range(5)), hours=Hours(start=time(9), end=time(17))),
        contacts=(),
        consent_version=0,
        welcome=(),
        consent=(),
        not_monitored=(),
        urgent=(),
    )
