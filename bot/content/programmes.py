"""The file of a programme, made into a Programme: what is missing gets its default, levels of care inherit."""

from collections.abc import Iterable, Mapping
from datetime import time, timedelta
from types import MappingProxyType
from typing import Annotated, Literal, Self, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from bot.content import ranges, timing
from bot.content.activities import Text, inherited
from bot.content.document import Document, Section
from bot.content.findings import START, Place, Report, did_you_mean
from bot.content.front_matter import FrontMatter, Path, Value, checked
from bot.content.lengths import TEXT_LIMIT, units
from bot.content.sources import ORIGINAL_LANGUAGE, Source, is_kebab, is_language
from bot.content.timing import Malformed
from bot.domain.activity import Level
from bot.domain.programme import (
    EVERY_DAY,
    AlertRule,
    ChainRole,
    Contact,
    Delay,
    Every,
    Hours,
    Missed,
    Phase,
    Programme,
    Session,
    Stream,
    WorkingHours,
)
from bot.domain.words import Words, join

SECTIONS = ("welcome", "consent", "not-monitored", "urgent")
AT_ONCE = ("welcome", "consent", "not-monitored")
"""The sections that a newcomer reads in one message, before the question whether they agree."""
ROOM_FOR_THE_QUESTION = 300
DAY = 24 * 60
"""Minutes."""
DEFAULT_LEVEL = "iop"
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
INSTEAD = (frozenset({"between", "at"}), frozenset({"measure", "skill", "choose"}))
"""Keys of a stream of which a level of care that sets one does not inherit the other."""


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


Days = Annotated[frozenset[int], BeforeValidator(_days)]
Clock = Annotated[time, BeforeValidator(lambda value: timing.clock(str(value)))]
Duration = Annotated[timedelta, BeforeValidator(lambda value: timing.duration(str(value)))]
Waiting = Annotated[Delay, BeforeValidator(lambda value: timing.delay(str(value)))]
StreamKeys = dict[str, object]
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


class AlertFront(Keys):
    """Who is told of a case, and how soon."""

    acknowledge_within: Waiting
    chain: Annotated[tuple[Annotated[ChainRole, BeforeValidator(_role)], ...], Field(min_length=1)]
    again_every: Waiting

    def rule(self) -> AlertRule:
        return AlertRule(acknowledge_within=self.acknowledge_within, chain=self.chain, again_every=self.again_every)


class ContactFront(Keys):
    """Somebody to turn to."""

    name: Text
    call: Text | None = None
    text: Text | None = None
    url: Annotated[str, Field(pattern=r"^https://")] | None = None

    @model_validator(mode="after")
    def _can_be_reached(self) -> Self:
        if not (self.call or self.text or self.url):
            raise Malformed("a contact has a number to call or text, or a url", code="C005")
        return self

    def contact(self) -> Contact:
        return Contact(name=self.name, call=self.call or "", text=self.text or "", url=self.url or "")


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


def read_programme(source: Source, document: Document, original: Document | None, report: Report) -> Programme | None:
    """Read a programme; `original` is the document that this file translates. None when there is too little of it."""
    texts = _sections(document, original, report)
    front = _front(document, original, report)
    if front is None or document.front is None:
        return None
    levels = _levels(front, document.front, report)
    _check_front(front, document.front, report)
    if original is None:
        _check_windows(front, levels, document.front, report)
    return Programme(
        id=source.id,
        language=source.language,
        title=front.title,
        timezone=front.timezone,
        languages=front.languages,
        quiet=front.quiet.hours if front.quiet else None,
        most_per_day=front.most_per_day,
        sessions=tuple(session.session() for session in front.sessions),
        levels=MappingProxyType(levels),
        curriculum=tuple(phase.phase() for phase in front.curriculum),
        missed=Missed(**front.missed.model_dump()) if front.missed else None,
        alerts=MappingProxyType({level: alert.rule() for level, alert in front.alerts.items()}),
        working_hours=WorkingHours(days=front.working_hours.days, hours=front.working_hours.hours),
        contacts=tuple(contact.contact() for contact in front.contacts),
        consent_version=_consent_version(original or document),
        welcome=texts["welcome"],
        consent=texts["consent"],
        not_monitored=texts["not-monitored"],
        urgent=texts["urgent"],
    )


def check_names(
    front: FrontMatter, programme: Programme, skills: Iterable[str], measures: Iterable[str], report: Report
) -> None:
    """Report skills and measures that no file describes; `skills` and `measures` are all the ids there are."""
    known = {"measure": frozenset(measures), "skill": frozenset(skills)}
    for path in front.values:
        if len(path) >= 3 and path[-3] == "streams" and path[-1] in known:
            _check_name(str(path[-1]), _value(front, path), known, front.place(path), report)
    for number, phase in enumerate(programme.curriculum):
        for index, skill in enumerate(phase.skills or ()):
            _check_name("skill", skill, known, front.place(("curriculum", number, "skills", index)), report)


def _check_name(kind: str, name: object, known: Mapping[str, frozenset[str]], place: Place, report: Report) -> None:
    if name and name not in known[kind]:
        report.add("C060", place, f"there is no {kind} '{name}'", did_you_mean(str(name), known[kind]))


def _value(front: FrontMatter, path: Path) -> object:
    value: object = front.data
    for part in path:
        value = value[part] if isinstance(value, Mapping) else None
    return value


def _sections(document: Document, original: Document | None, report: Report) -> dict[str, Words]:
    texts: dict[str, Words] = {}
    for section in document.sections:
        _check_section(section, texts, report)
        if section.id == "consent" and original is None and _version(section) is None:
            report.add("C004", section.place, "the consent has no version", "write {#consent version=1}")
        texts[section.id] = join((section.heading, section.body))
    for name in SECTIONS:
        if name not in texts:
            report.add("C004", START, f"the section '{name}' is missing", f"add '## … {{#{name}}}' and its text")
    together = units(join(tuple(texts.get(name, ()) for name in AT_ONCE)))
    if together + ROOM_FOR_THE_QUESTION > TEXT_LIMIT:
        message = f"{', '.join(AT_ONCE)} are shown in one message and have {together} characters together"
        at = next((section.place for section in document.sections if section.id in AT_ONCE), START)
        report.add("C030", at, message, f"{TEXT_LIMIT - ROOM_FOR_THE_QUESTION} at most")
    return {name: texts.get(name, ()) for name in SECTIONS}


def _check_section(section: Section, seen: Mapping[str, Words], report: Report) -> None:
    if section.id in seen:
        report.add("C010", section.place, f"another section has the id '{section.id}' already")
    if section.id not in SECTIONS:
        hint = did_you_mean(section.id, SECTIONS) or f"the sections are {', '.join(SECTIONS)}"
        report.add("C003", section.place, f"unknown section '{section.id}'", hint)
    elif not section.body:
        report.add("C004", section.place, f"the section '{section.id}' says nothing")
    section.attributes.only({"version"} if section.id == "consent" else (), report)
    for name, place in section.fields.items():
        report.add("C025", place, f"nothing fills {{{name}}} in a programme")
    if units(section.body) > TEXT_LIMIT:
        report.add("C030", section.place, f"{units(section.body)} characters are too many: {TEXT_LIMIT} at most")


def _consent_version(document: Document) -> int:
    section = document.section("consent")
    return (_version(section) if section else None) or 0


def _version(section: Section) -> int | None:
    text = section.attributes.values.get("version", "")
    return int(text) if text.isdecimal() and int(text) else None


def _front(document: Document, original: Document | None, report: Report) -> ProgrammeFront | None:
    if document.front is None:
        return None
    if original and original.front:
        _check_translated(document.front, original.front, report)
    data = {**DEFAULTS, **inherited(document, original)}
    alerts = data.get("alerts", {})
    data["alerts"] = {**ALERTS, **alerts} if isinstance(alerts, dict) else alerts
    return checked(ProgrammeFront, data, document.front, report)


def _check_translated(front: FrontMatter, original: FrontMatter, report: Report) -> None:
    if "title" not in front.data:
        report.add("C004", START, "required key 'title' is missing")
    for key in front.data.keys() - {"title"}:
        if front.data[key] != original.data.get(key):
            report.add("C040", front.place((key,)), f"'{key}' differs from the original", "leave it out to inherit it")


def _levels(front: ProgrammeFront, matter: FrontMatter, report: Report) -> dict[str, Mapping[str, Stream]]:
    levels = front.levels or {DEFAULT_LEVEL: None}
    return {
        level: MappingProxyType(_streams(front.streams, level, changes.streams if changes else {}, matter, report))
        for level, changes in levels.items()
    }


def _streams(
    base: Mapping[str, StreamKeys],
    level: str,
    changes: Mapping[str, StreamKeys | None],
    matter: FrontMatter,
    report: Report,
) -> dict[str, Stream]:
    """Return a level's streams: the programme's, with what the level changes key by key, without what it turns off."""
    streams: dict[str, Stream] = {}
    for name in [*base, *(name for name in changes if name not in base)]:
        change = changes.get(name, {})
        if change is None:
            continue
        left_out = {key for group in INSTEAD if group & change.keys() for key in group}
        kept = {key: value for key, value in base.get(name, {}).items() if key not in left_out}
        places = matter.below(("streams", name)).under(matter.below(("levels", level, "streams", name)))
        if stream := checked(StreamFront, {**kept, **change}, places, report):
            streams[name] = stream.stream(name)
    return streams


def _check_front(front: ProgrammeFront, matter: FrontMatter, report: Report) -> None:
    for number, language in enumerate(front.languages):
        if not is_language(language):
            report.add("C005", matter.place(("languages", number)), f"'{language}' is not a language code")
    for key, names in (("levels", front.levels), ("streams", front.streams)):
        for name in names:
            if not is_kebab(name):
                report.add("C006", matter.key((key, name)), f"'{name}' is not a kebab-case id")
    if front.missed and front.missed.stream not in front.streams:
        hint = did_you_mean(front.missed.stream, front.streams)
        report.add("C060", matter.place(("missed", "stream")), f"there is no stream '{front.missed.stream}'", hint)


def _check_windows(
    front: ProgrammeFront, levels: Mapping[str, Mapping[str, Stream]], matter: FrontMatter, report: Report
) -> None:
    """Report windows and times that lie wholly in quiet or session hours on all of their days."""
    silent = _silent(front)
    for level, streams in levels.items():
        for name, stream in streams.items():
            places = matter.below(("streams", name)).under(matter.below(("levels", level, "streams", name)))
            if stream.between and _minutes(stream.days, stream.between) <= silent:
                what = f"the window of '{name}' lies wholly in quiet or session hours"
                report.add("C060", places.place(("between",)), what)
            for index, at in enumerate(stream.at):
                if {day * DAY + at.hour * 60 + at.minute for day in stream.days} <= silent:
                    what = f"{at:%H:%M} of '{name}' lies in quiet or session hours"
                    report.add("C060", places.place(("at", index)), what)


def _silent(front: ProgrammeFront) -> frozenset[int]:
    quiet = _minutes(EVERY_DAY, front.quiet.hours) if front.quiet else frozenset()
    return quiet.union(*(_minutes(session.days, session.hours) for session in front.sessions))


def _minutes(days: frozenset[int], hours: Hours) -> frozenset[int]:
    """Return the minutes of the week that the hours cover, from Monday's first on."""
    start, end = (part.hour * 60 + part.minute for part in (hours.start, hours.end))
    length = (end - start) % DAY or DAY
    return frozenset((day * DAY + start + minute) % (7 * DAY) for day in days for minute in range(length))
