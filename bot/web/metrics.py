"""What Prometheus reads: numbers about the work, none that points to a person."""

from collections.abc import Iterable, Mapping
from typing import TypeVar

from bot.headway import Part
from bot.storage.figures import Acknowledging, Figures
from bot.web.counting import DayFigures
from bot.web.exposition import Gauge, Sample

Key = TypeVar("Key", bound=tuple[str, ...])
"""The values of a sample's labels, in the labels' order."""


def gauges(figures: Figures, days: DayFigures, headway: Mapping[Part, float]) -> tuple[Gauge, ...]:
    """Return all that is exported; labels hold programmes, lanes, statuses, levels and parts only."""
    return (
        *_updates(figures),
        *_messages(figures),
        *_pages(figures),
        *_prompts(days),
        *_cases(figures, days),
        *_counting(days),
        _headway(headway),
    )


def _updates(figures: Figures) -> Iterable[Gauge]:
    waiting = figures.updates
    yield _one("interlude_updates_waiting", "Updates from Telegram that wait to be handled.", waiting.count)
    yield _one("interlude_updates_oldest_seconds", "Age of the oldest waiting update; 0 if none.", waiting.oldest)
    yield _one("interlude_updates_set_aside", "Updates set aside because they failed again and again.", figures.aside)


def _messages(figures: Figures) -> Iterable[Gauge]:
    lanes = {lane.name.lower(): waiting for lane, waiting in figures.messages.items()}
    count = {(lane,): waiting.count for lane, waiting in lanes.items()}
    oldest = {(lane,): waiting.oldest for lane, waiting in lanes.items()}
    settled = {(state,): number for state, number in figures.settled.items()}
    yield _by(("lane",), "interlude_messages_waiting", "Messages that wait to be sent.", count)
    yield _by(("lane",), "interlude_messages_oldest_seconds", "Age of the oldest waiting message; 0 if none.", oldest)
    yield _by(("state",), "interlude_messages_settled", "Messages of the last hour, sent, failed or dropped.", settled)


def _pages(figures: Figures) -> Iterable[Gauge]:
    waiting, settled = figures.pages, {(state,): number for state, number in figures.paged.items()}
    yield _one("interlude_pages_waiting", "Pages by other channels that should have gone out.", waiting.count)
    yield _one("interlude_pages_oldest_seconds", "Age of the oldest of them; 0 if none.", waiting.oldest)
    yield _by(("state",), "interlude_pages_settled", "Pages of the last hour, sent, failed or dropped.", settled)


def _prompts(days: DayFigures) -> Iterable[Gauge]:
    by_status = ("programme", "status")
    ratio = {(programme,): share for programme, share in days.figures.compliance.items()} if days.figures else {}
    prompts = days.figures.prompts if days.figures else {}
    yield _by(by_status, "interlude_prompts", "Prompts due in the last 24 hours.", prompts)
    yield _by(
        ("programme",),
        "interlude_compliance_ratio",
        "Answered among the prompts of the last 7 days that were answered or missed.",
        ratio,
    )


def _cases(figures: Figures, days: DayFigures) -> Iterable[Gauge]:
    seconds: Mapping[tuple[str, str], Acknowledging] = days.figures.acknowledging if days.figures else {}
    count = {key: found.count for key, found in seconds.items()}
    median = {key: found.median for key, found in seconds.items()}
    longest = {key: found.longest for key, found in seconds.items()}
    by_level = ("programme", "level")
    yield _by(("programme", "level", "state"), "interlude_cases", "Cases not resolved.", figures.cases)
    yield _by(by_level, "interlude_acknowledged", "Acknowledgements of cases in the last 7 days.", count)
    yield _by(
        by_level,
        "interlude_acknowledge_median_seconds",
        "Median time from the raising of a case to its acknowledgement in the last 7 days.",
        median,
    )
    yield _by(
        by_level,
        "interlude_acknowledge_max_seconds",
        "Longest time from the raising of a case to its acknowledgement in the last 7 days.",
        longest,
    )


def _counting(days: DayFigures) -> Iterable[Gauge]:
    age = {(): days.age.total_seconds()} if days.figures else {}
    says = "Age of the figures over 24 hours and 7 days; absent while there are none."
    yield _by((), "interlude_day_figures_age_seconds", says, age)
    says = "1 when those figures could not be counted at the last try, or else 0."
    yield _one("interlude_day_figures_failed", says, days.failed)


def _headway(headway: Mapping[Part, float]) -> Gauge:
    says = "Time since each part of this process last made headway."
    return _by(("part",), "interlude_headway_seconds", says, {(part,): past for part, past in headway.items()})


def _one(name: str, says: str, value: float) -> Gauge:
    return Gauge(name=name, says=says, samples=(Sample(value=value, labels={}),))


def _by(labels: tuple[str, ...], name: str, says: str, values: Mapping[Key, float]) -> Gauge:
    rows = sorted(values.items())
    samples = (Sample(value=value, labels=dict(zip(labels, key, strict=True))) for key, value in rows)
    return Gauge(name=name, says=says, samples=tuple(samples))
