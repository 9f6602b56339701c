"""The front matter of a programme: its keys, their defaults, and how each value is read."""

import re
from collections.abc import Mapping
from datetime import date, time, timedelta
from types import MappingProxyType
from typing import Annotated, Literal, Self, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from bot.content import public_holidays, ranges, timing
from bot.content.activities import Text
from bot.content.findings import did_you_mean
from bot.content.front_matter import Value
from bot.content.sources import ORIGINAL_LANGUAGE
from bot.content.timing import Malformed
from bot.domain.activity import Level
from bot.domain.programme import (
    AFTER_CASE,
    EVERY_DAY,
    HIGH_DISTRESS,
    LATELY,
    SEEN_TO,
    AlertRule,
    ChainRole,
    Contact,
    Delay,
    Every,
    Hours,
    Missed,
    Phase,
    Retention,
    Session,
    Stream,
)

_PHONE_NUMBER = re.compile(r"\+?\d[\d .()-]{0,22}\d")
DEFAULTS: Mapping[str, Value] = MappingProxyType(
    {
        "languages": [ORIGINAL_LANGUAGE],
        "most_per_day": "4",
        "quiet": {"from": "21:30", "to": "08:00"},
        "working_hours": {"days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "to": "17:00"},
    }
)
"""What a programme has that its file leaves open; alerts are in ALERTS."""
ALERTS: Mapping[str, Value] = MappingProxyType(
    {
        "red": {"acknowledge_within": "5m", "chain": ["on-call", "backup", "supervisor"], "again_every": "5m"},
        "orange": {"acknowledge_within": "1h", "chain": ["primary", "on-call", "supervisor"], "again_every": "30m"},
        "yellow": {
            "acknowledge_within": "1 working day",
            "chain": ["primary", "supervisor"],
            "again_every": "1 working day",
        },
    }
)


def _clocks(value: object) -> object:
    return tuple(timing.clock(str(part)) for part in (value if isinstance(value, list) else [value]))


def _window(value: object) -> Hours:
    if not isinstance(value, list) or len(value) != 2:
        raise Malformed("a window has two times", 'write such as ["09:00", "10:30"]')
    return timing.hours(str(value[0]), str(value[1]))


def _days(value: object) -> frozenset[int]:
    if isinstance(value, list):
        return timing.weekdays([str(name) for name in value])
    return timing.weekdays(str(value))


def _role(value: object) -> object:
    if value not in get_args(ChainRole):
        hint = did_you_mean(str(value), get_args(ChainRole)) or f"one of {', '.join(get_args(ChainRole))}"
        raise Malformed(f"'{value}' is no role of an alert chain", hint, code="C060")
    return value


def _weeks(value: object) -> ranges.Range:
    text = str(value)
    span = ranges.read_range(text[:-1] + "+" if text.endswith(("-", "–")) else text)
    if span is None or span.low < 1:
        raise Malformed(f"'{text}' are no weeks", "write such as 1-2, or 3- for all that follow", code="C005")
    return span


def _all_or_some(value: object) -> object:
    return None if value == "all" else value


def _on_or_off(value: object) -> object:
    return None if value == "off" else value


def _phone_number(value: object) -> str:
    """Read a number as it is dialled: with words or letters in it, nobody could tap or copy it."""
    text = str(value).strip()
    if not _PHONE_NUMBER.fullmatch(text):
        raise Malformed(f"'{text}' is not a number to dial", 'write such as "988" or "+1-800-222-1222"', code="C005")
    return text


PhoneNumber = Annotated[str, BeforeValidator(_phone_number)]
Days = Annotated[frozenset[int], BeforeValidator(_days)]
Clock = Annotated[time, BeforeValidator(lambda value: timing.clock(str(value)))]
Duration = Annotated[timedelta, BeforeValidator(lambda value: timing.duration(str(value)))]
Period = Annotated[timedelta, BeforeValidator(lambda value: timing.period(str(value)))]
Waiting = Annotated[Delay, BeforeValidator(lambda value: timing.delay(str(value)))]
StreamKeys = dict[str, object]
Country = Annotated[str, BeforeValidator(lambda value: public_holidays.country_code(str(value)))]
Day = Annotated[date, BeforeValidator(lambda value: timing.day(str(value)))]
Zone = Annotated[str, BeforeValidator(lambda value: timing.zone(str(value)))]


class Keys(BaseModel):
    """Keys and values of which no other key is known."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Between(Keys):
    """Two times of day."""

    start: Annotated[Clock, Field(alias="from")]
    end: Annotated[Clock, Field(alias="to")]

    @property
    def hours(self) -> Hours:
        return Hours(start=self.start, end=self.end)


class SessionFront(Between):
    """One weekly session."""

    days: Days
    kind: Text

    def session(self) -> Session:
        return Session(days=self.days, hours=self.hours, kind=self.kind)


class WorkingFront(Between):
    """When clinicians are at work."""

    days: Days


class StreamFront(Keys):
    """One stream, as it is once a level of care has inherited what it leaves open."""

    measure: Text | None = None
    skill: Text | None = None
    choose: Literal["adaptive"] | None = None
    days: Days = EVERY_DAY
    every: Annotated[Every, BeforeValidator(lambda value: timing.every(str(value)))] = Field(default_factory=Every)
    between: Annotated[Hours, BeforeValidator(_window)] | None = None
    at: Annotated[tuple[time, ...], BeforeValidator(_clocks)] = ()
    times: Annotated[int, Field(ge=1, le=24)] = 1
    apart: Duration = timedelta(0)
    answer_within: Duration = timedelta(hours=6)
    remind_after: Duration | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if sum(part is not None for part in (self.measure, self.skill, self.choose)) != 1:
            raise Malformed("a stream has one of measure, skill and choose", code="C005")
        if (self.between is None) == (not self.at):
            raise Malformed("a stream has one of between and at", code="C005")
        if self.at and self.times != 1:
            raise Malformed("times goes with between", "list the times under at", code="C005")
        if self.remind_after and self.remind_after >= self.answer_within:
            raise Malformed("remind_after comes before answer_within is over", code="C005")
        return self

    def stream(self, name: str) -> Stream:
        return Stream(
            id=name,
            measure=self.measure or "",
            skill=self.skill or "",
            adaptive=self.choose == "adaptive",
            days=self.days,
            every=self.every,
            between=self.between,
            at=self.at,
            times=self.times,
            apart=self.apart,
            answer_within=self.answer_within,
            remind_after=self.remind_after,
        )


class PhaseFront(Keys):
    """One part of the curriculum: "1-2", "3-" or "4" weeks."""

    weeks: Annotated[ranges.Range, BeforeValidator(_weeks)]
    skills: Annotated[tuple[Text, ...] | None, BeforeValidator(_all_or_some)]

    def phase(self) -> Phase:
        return Phase(first=self.weeks.low, last=self.weeks.high, skills=self.skills)


class MissedFront(Keys):
    """How many missed prompts in a row raise a flag."""

    stream: Text
    in_a_row: Annotated[int, Field(ge=1)]
    level: Level
    orange_within: Duration = LATELY

    def missed(self) -> Missed:
        return Missed(stream=self.stream, in_a_row=self.in_a_row, level=self.level, orange_within=self.orange_within)


class AlertFront(Keys):
    """Who is told of a case, and how soon."""

    acknowledge_within: Waiting
    chain: Annotated[tuple[Annotated[ChainRole, BeforeValidator(_role)], ...], Field(min_length=1)]
    again_every: Waiting
    new_after: Duration | None = None
    follow_up: Duration | None = None

    def rule(self, level: Level) -> AlertRule:
        """Return the rule; what is left out, and only for red and orange, is as everywhere."""
        return AlertRule(
            acknowledge_within=self.acknowledge_within,
            chain=self.chain,
            again_every=self.again_every,
            new_after=self.new_after or SEEN_TO.get(level),
            follow_up=self.follow_up or AFTER_CASE.get(level),
        )


class ContactFront(Keys):
    """Somebody to turn to. The lengths keep all contacts together within one message, so that none is ever cut off."""

    name: Annotated[str, Field(min_length=1, max_length=60)]
    call: PhoneNumber | None = None
    text: PhoneNumber | None = None
    url: Annotated[str, Field(pattern=r"^https://", max_length=200)] | None = None

    @model_validator(mode="after")
    def _can_be_reached(self) -> Self:
        if not (self.call or self.text or self.url):
            raise Malformed("a contact has a number to call or text, or a url", code="C005")
        return self

    def contact(self) -> Contact:
        return Contact(name=self.name, call=self.call or "", text=self.text or "", url=self.url or "")


class RetentionFront(Keys):
    """How long what is kept; what is left out is kept for ever."""

    answers: Period | None = None
    closed_cases: Period | None = None
    ended_members: Period | None = None

    def retention(self) -> Retention:
        return Retention(answers=self.answers, closed_cases=self.closed_cases, ended_members=self.ended_members)


class LevelFront(Keys):
    """What a level of care has other than the programme. The streams are read once they are whole."""

    streams: dict[str, Annotated[StreamKeys | None, BeforeValidator(_on_or_off)]] = Field(default_factory=dict)


class ProgrammeFront(Keys):
    """The front matter of a programme."""

    title: Annotated[str, Field(min_length=1, max_length=60)]
    timezone: Zone
    languages: Annotated[tuple[Text, ...], Field(min_length=1)]
    sessions: tuple[SessionFront, ...] = ()
    quiet: Between | None
    most_per_day: Annotated[int, Field(ge=1, le=50)]
    streams: dict[str, StreamKeys]
    curriculum: tuple[PhaseFront, ...] = ()
    missed: MissedFront | None = None
    levels: dict[str, LevelFront | None] = Field(default_factory=dict)
    alerts: dict[Level, AlertFront]
    working_hours: WorkingFront
    contacts: Annotated[tuple[ContactFront, ...], Field(min_length=1)]
    country: Country = ""
    region: Text = ""
    closed: tuple[Day, ...] = ()
    retention: RetentionFront = Field(default_factory=RetentionFront)
    high_distress: Annotated[int, Field(ge=1, le=10)] = HIGH_DISTRESS

    @field_validator("alerts")
    @classmethod
    def _yellow_waits(cls, alerts: dict[Level, AlertFront]) -> dict[Level, AlertFront]:
        yellow = alerts.get("yellow")
        if yellow and (yellow.new_after or yellow.follow_up):
            raise Malformed("new_after and follow_up go with red and orange", "leave them out of yellow", code="C005")
        return alerts

    @field_validator("region")
    @classmethod
    def _is_of_the_country(cls, region: str, others: ValidationInfo) -> str:
        if "country" not in others.data:  # there is a finding for it already
            return region
        return public_holidays.region_code(str(others.data["country"]), region)
