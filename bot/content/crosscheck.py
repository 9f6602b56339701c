"""Checks files against each other: translations, messages, rules, and what programmes name."""

from collections.abc import Iterator, Sequence

from bot.content.findings import START
from bot.content.measures import check_offers
from bot.content.messages import Messages, compare, reference
from bot.content.programmes import check_names
from bot.content.reading import Reading
from bot.content.risk_file import RiskFile, tried
from bot.content.sources import Kind
from bot.content.translations import compare_activities
from bot.domain.activity import Measure, Skill
from bot.domain.programme import Programme


def check(readings: Sequence[Reading]) -> None:
    """Add to each file's report what only the other files can tell."""
    _check_translations(readings)
    _check_messages(readings)
    _check_rule_ids(readings)
    _try_rules(readings)
    _check_names(readings)


def _check_translations(readings: Sequence[Reading]) -> None:
    originals = {(r.source.kind, r.source.id): r.value for r in readings if not r.source.translates}
    for reading in readings:
        original = originals.get((reading.source.kind, reading.source.id))
        own = reading.value
        if reading.source.translates and isinstance(own, Skill | Measure) and isinstance(original, Skill | Measure):
            compare_activities(own, original, reading.document, reading.report)


def _check_messages(readings: Sequence[Reading]) -> None:
    languages = {r.value.language: r.value for r in readings if isinstance(r.value, Messages)}
    for reading in readings:
        if isinstance(reading.value, Messages):
            original = languages[reference(languages)]
            compare(reading.value, original, reading.report)


def _check_rule_ids(readings: Sequence[Reading]) -> None:
    seen: dict[str, str] = {}
    for reading in readings:
        rules = reading.value.rules if isinstance(reading.value, RiskFile) else ()
        for rule in rules:
            if rule.id in seen:
                at = reading.document.section(rule.id)
                where = at.place if at else START
                reading.report.add("C010", where, f"{seen[rule.id]} has a rule with the id '{rule.id}' already")
            seen[rule.id] = reading.source.file


def _try_rules(readings: Sequence[Reading]) -> None:
    """Try the rules of all files that are sound so far on their examples."""
    sound = {r.source.file: r for r in readings if isinstance(r.value, RiskFile) and not r.report.broken}
    for finding in tried(tuple(r.value for r in sound.values() if isinstance(r.value, RiskFile))):
        sound[finding.file].report.take([finding])


def _check_names(readings: Sequence[Reading]) -> None:
    """Check the skills and measures that other files name."""
    skills, measures = frozenset(_ids(readings, "skill")), frozenset(_ids(readings, "measure"))
    for reading in readings:
        if isinstance(reading.value, Programme) and reading.document.front and not reading.source.translates:
            check_names(reading.document.front, reading.value, skills, measures, reading.report)
        if isinstance(reading.value, Measure) and not reading.source.translates:
            check_offers(reading.document, reading.value, measures, reading.report)


def _ids(readings: Sequence[Reading], kind: Kind) -> Iterator[str]:
    return (reading.source.id for reading in readings if reading.source.kind == kind)
