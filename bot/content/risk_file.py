"""The files of risk rules: word lists, rules, and the examples that each rule carries and must keep."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import get_args

from bot.content.document import Block, Item, Section, take_apart
from bot.content.findings import Finding, Place, Report, did_you_mean
from bot.content.sources import Source, is_kebab
from bot.domain.activity import Level
from bot.domain.risk import (
    CATEGORIES,
    Detector,
    PatternError,
    RiskRule,
    check_word,
    compile_rules,
    parse_pattern,
    together,
)
from bot.domain.risk.pattern import WordClasses
from bot.domain.words import plain

WORDS = "words"
PARTS = ("Says", "Unless", "Flags", "Passes")
LEVELS: tuple[Level, ...] = get_args(Level)
Lists = Mapping[str, tuple[Item, ...]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RiskFile:
    """The rules and word lists of one language, and where each rule stands."""

    language: str
    rules: tuple[RiskRule, ...] = ()
    classes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    places: Mapping[str, Place] = field(default_factory=dict)


@lru_cache(maxsize=8)
def detector(files: tuple[RiskFile, ...]) -> Detector:
    """Compile the rules of all languages. Raises PatternError when their word lists do not go together."""
    return compile_rules([rule for file in files for rule in file.rules], together(file.classes for file in files))


@lru_cache(maxsize=16)
def read_risk(source: Source) -> tuple[RiskFile, tuple[Finding, ...]]:
    """Read the rules of one language and try each on the examples of the file; return them and what is wrong.

    The same text is tried once, since that takes a while.
    """
    document, report = take_apart(source), Report(source.file)
    classes: Lists = {}
    read: list[tuple[RiskRule, Lists]] = []
    for section in document.sections:
        if section.id == WORDS:
            classes = _lists(section, report)
        else:
            lists = _parts(section, report)
            rule = _rule(section, lists, source.language, report)
            if rule.id in {other.id for other, _ in read}:
                report.add("C010", section.place, f"another rule has the id '{rule.id}' already")
            else:
                read.append((rule, lists))
    words = {name: tuple(item.raw for item in items) for name, items in classes.items()}
    sound = _check_words(classes, words, report) & _check_patterns(read, words, report)
    rules = tuple(rule for rule, _ in read)
    if sound:
        _check_examples(read, compile_rules(rules, words), report)
    places = {section.id: section.place for section in document.sections}
    file = RiskFile(language=source.language, rules=rules, classes=words, places=places)
    return file, report.findings


def _lists(section: Section, report: Report) -> dict[str, tuple[Item, ...]]:
    """Return the lists of a section by the `###` above each."""
    lists: dict[str, tuple[Item, ...]] = {}
    name = ""
    for part in section.blocks:
        if part.subheading:
            name = part.subheading
            if name in lists:
                report.add("C010", part.place, f"'{name}' stands twice in '{section.id}'")
            lists.setdefault(name, ())
        elif part.items and name:
            lists[name] = (*lists[name], *part.items)
    return lists


def _parts(section: Section, report: Report) -> dict[str, tuple[Item, ...]]:
    lists = _lists(section, report)
    places = {part.subheading: part.place for part in section.blocks if part.subheading}
    for name in lists.keys() - set(PARTS):
        hint = did_you_mean(name, PARTS) or f"a rule has {', '.join(PARTS)}"
        report.add("C003", places[name], f"unknown part '{name}' of a rule", hint)
    for name in ("Says", "Flags"):
        if name not in lists:
            report.add("C004", section.place, f"the rule '{section.id}' has no '### {name}'")
        elif not lists[name]:
            report.add("C013", places[name], f"'{name}' needs a list", "write lines such as '- want to die'")
    return lists


def _rule(section: Section, lists: Lists, language: str, report: Report) -> RiskRule:
    attributes = section.attributes
    if not is_kebab(section.id):
        report.add("C006", section.place, f"'{section.id}' is not a kebab-case id", "add {#the-rules-id}")
    attributes.only({"level", "category"}, report)
    level, category = attributes.values.get("level", ""), attributes.values.get("category", "")
    _check_known("level", level, LEVELS, section, report)
    _check_known("category", category, CATEGORIES, section, report)
    says, unless, flags, passes = (tuple(item.raw for item in lists.get(part, ())) for part in PARTS)
    text = repr((section.id, level, category, says, unless))
    return RiskRule(
        id=section.id,
        title=section.title,
        level=next((known for known in LEVELS if known == level), "red"),
        category=category,
        version=hashlib.sha256(text.encode()).hexdigest()[:12],
        language=language,
        says=says,
        unless=unless,
        flags=flags,
        passes=passes,
        description="\n\n".join(plain(part.words) for part in _before_parts(section)),
    )


def _before_parts(section: Section) -> Iterable[Block]:
    for part in section.blocks:
        if part.subheading:
            return
        yield part


def _check_known(key: str, value: str, known: Iterable[str], section: Section, report: Report) -> None:
    names = tuple(known)
    if not value:
        report.add("C004", section.place, f"the rule '{section.id}' has no {key}", f"write {key}={names[0]}")
    elif value not in names:
        hint = did_you_mean(value, names) or f"one of {', '.join(names)}"
        report.add("C005", section.attributes.place(key), f"unknown {key} '{value}'", hint)


def _check_words(classes: Lists, words: Mapping[str, tuple[str, ...]], report: Report) -> bool:
    sound = True
    for name, items in classes.items():
        for item in items:
            try:
                check_word(name, item.raw, words)
            except PatternError as error:
                sound = False
                report.add("C071", _within(item, error), str(error))
    return sound


def _check_patterns(
    read: Iterable[tuple[RiskRule, Lists]], words: Mapping[str, tuple[str, ...]], report: Report
) -> bool:
    sound, known = True, WordClasses(words)
    for _, lists in read:
        for item in (*lists.get("Says", ()), *lists.get("Unless", ())):
            try:
                parse_pattern(item.raw, known)
            except PatternError as error:
                sound = False
                report.add("C071", _within(item, error), str(error))
    return sound


def _within(item: Item, error: PatternError) -> Place:
    """Return the place of an error; one inside of a word list that the pattern names is shown at the pattern."""
    if error.pattern != item.raw:
        return item.place
    return item.place._replace(column=item.place.column + error.position)


def _check_examples(read: Iterable[tuple[RiskRule, Lists]], compiled: Detector, report: Report) -> None:
    for rule, lists in read:
        for item in lists.get("Flags", ()):
            if rule.id not in {finding.rule for finding in compiled.examine(item.raw)}:
                report.add("C070", item.place, f"'{rule.id}' does not flag this example")
        for item in lists.get("Passes", ()):
            if found := [finding.rule for finding in compiled.examine(item.raw)]:
                report.add("C070", item.place, f"this example is flagged by '{found[0]}'")
