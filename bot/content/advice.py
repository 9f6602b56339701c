"""Warnings: hard to read, reviewed long ago, not translated, sent by no programme."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta

from bot.content.findings import START
from bot.content.messages import Messages
from bot.content.readability import grade
from bot.content.reading import Reading, Value
from bot.domain.activity import Measure, Skill
from bot.domain.programme import CrisisLines, Programme, Stream
from bot.domain.words import Words, plain

HARDEST = 8
"""School grade that a text should not exceed."""
REVIEW_AFTER = timedelta(days=365)


def advise(readings: Sequence[Reading], today: date) -> None:
    """Add the warnings that take more than the file's own steps to see."""
    for reading in readings:
        _advise_on_language(reading)
        _advise_on_review(reading, today)
    described = [r for r in readings if r.source.kind == "programme" and not r.source.translates]
    programmes = [r.value for r in described if isinstance(r.value, Programme)]
    all_sound = all(r.value and not r.report.broken for r in described)
    for reading in readings:
        if not reading.source.translates:
            _advise_on_translations(reading, readings, programmes)
            if all_sound:
                _advise_on_use(reading, programmes)


def _advise_on_language(reading: Reading) -> None:
    years = grade(_shown(reading.value), reading.source.language)
    if years is not None and years > HARDEST:
        message = f"takes {years:.0f} years of school to read, {HARDEST} at most"
        reading.report.add("W101", START, message, "shorter sentences and plainer words")


def _shown(value: Value | None) -> Iterator[str]:
    match value:
        case Skill() | Measure():
            yield from (value.summary, *value.prompts, plain(value.intro))
            for step in value.steps.values():
                yield from _plain(step.heading, step.body)
        case Programme():
            yield from _plain(value.welcome, value.consent, value.not_monitored, value.urgent)
        case Messages():
            yield from _plain(*value.words.values())


def _plain(*words: Words) -> Iterable[str]:
    return (plain(each) for each in words)


def _advise_on_review(reading: Reading, today: date) -> None:
    value, front = reading.value, reading.document.front
    if isinstance(value, Skill | Measure) and front and today - value.reviewed > REVIEW_AFTER:
        message = f"last reviewed on {value.reviewed}, more than a year ago"
        reading.report.add("W102", front.place(("reviewed",)), message)
    if isinstance(value, CrisisLines) and front:
        for number, day in enumerate(value.checked):
            if today - day > REVIEW_AFTER:
                place = front.place(("lines", number, "checked"))
                reading.report.add("W102", place, f"last checked on {day}, more than a year ago")


def _advise_on_translations(reading: Reading, readings: Sequence[Reading], programmes: Sequence[Programme]) -> None:
    there = _languages(reading, readings)
    users = [programme for programme in programmes if _uses(programme, reading.value)]
    for language in dict.fromkeys(language for programme in users for language in programme.languages):
        if language not in there:
            names = ", ".join(programme.id for programme in users if language in programme.languages)
            reading.report.add("W103", START, f"no translation into '{language}', a language of {names}")


def _languages(reading: Reading, readings: Sequence[Reading]) -> frozenset[str]:
    """Return the languages that a text is there in; a programme speaks through the messages too."""
    kind, name = reading.source.kind, reading.source.id
    own = frozenset(r.source.language for r in readings if (r.source.kind, r.source.id) == (kind, name))
    spoken = frozenset(r.source.language for r in readings if r.source.kind == "messages")
    return own & spoken if kind == "programme" and spoken else own


def _advise_on_use(reading: Reading, programmes: Sequence[Programme]) -> None:
    value, front = reading.value, reading.document.front
    if not isinstance(value, Skill | Measure) or front is None or not value.prompts or not programmes:
        return
    live = not isinstance(value, Skill) or value.status == "live"
    if live and not any(_uses(programme, value) for programme in programmes):
        reading.report.add("W104", front.key(("prompt",)), "no programme sends this prompt", "name it in one")


def _uses(programme: Programme, value: Value | None) -> bool:
    match value:
        case Programme(id=name):
            return name == programme.id
        case Measure(id=name):
            return any(stream.measure == name for stream in _streams(programme))
        case Skill(id=name):
            taught = [phase.skills for phase in programme.curriculum]
            adaptive = any(stream.adaptive for stream in _streams(programme))
            everything = value.status == "live" and (None in taught or (adaptive and not taught))
            named = any(name in (skills or ()) for skills in taught)
            return everything or named or any(stream.skill == name for stream in _streams(programme))
        case _:
            return False


def _streams(programme: Programme) -> Iterator[Stream]:
    return (stream for streams in programme.levels.values() for stream in streams.values())
