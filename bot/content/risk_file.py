"""The files of risk rules: word lists, rules, and the examples that each rule carries and must keep."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
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
    """The rules and word lists of one language. `lists` are each rule's lists as they stand in the file."""

    file: str
    language: str
    rules: tuple[RiskRule, ...] = ()
    classes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    lists: Mapping[str, Lists] = field(default_factory=dict)


@lru_cache(maxsize=16)
def read_risk(source: Source) -> tuple[RiskFile, tuple[Finding, ...]]:
    """Read the rules of one language; return them and what is wrong with how they are written."""
    document, report = take_apart(source), Report(source.file)
    classes: Lists = {}
    rules: dict[str, RiskRule] = {}
    lists: dict[str, Lists] = {}
    for section in document.sections:
        if section.id == WORDS:
            classes = _lists(section, report)
        elif section.id in rules:
            report.add("C010", section.place, f"another rule has the id '{section.id}' already")
        else:
            lists[section.id] = _parts(section, report)
            rules[section.id] = _rule(section, lists[section.id], source.language, report)
    words = {name: tuple(item.raw for item in items) for name, items in classes.items()}
    _check_words(classes, words, report)
    listed = repr(sorted(words.items()))
    versioned = tuple(replace(rule, version=_version(rule, listed)) for rule in rules.values())
    read = RiskFile(file=source.file, language=source.language, rules=versioned, classes=words, lists=lists)
    return read, report.findings


def _version(rule: RiskRule, words: str) -> str:
    """Return what changes whenever the rule may find something else: its patterns, or the file's word lists."""
    own = ", ".join(map(repr, (rule.id, rule.level, rule.category, rule.says, rule.unless)))
    text = f"({own}, {words})"
    return hashlib.sha256(text.encode()).hexdigest()[:12]


@lru_cache(maxsize=8)
def detector(files: tuple[RiskFile, ...]) -> Detector:
    """Compile the rules of all languages. Raises PatternError when a pattern cannot be read."""
    return compile_rules([rule for file in files for rule in file.rules], together(file.classes for file in files))


@lru_cache(maxsize=8)
def tried(files: tuple[RiskFile, ...]) -> tuple[Finding, ...]:
    """Return the patterns of the files that cannot be read, and the examples that the rules do not keep.

    The rules of all languages are tried together, as they are used. Those of a file that cannot be read are left out.
    """
    try:
        compiled = detector(files)
    except PatternError as error:
        unread = [finding for file in files for finding in _unreadable(file)]
        last = Finding(files[-1].file, 1, 1, "C071", f"'{error.pattern}' does not go with the other languages: {error}")
        broken = {finding.file for finding in unread or [last]}
        return (*(unread or [last]), *tried(tuple(file for file in files if file.file not in broken)))
    return tuple(finding for file in files for finding in _failing(file, compiled))


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
    return RiskRule(
        id=section.id,
        title=section.title,
        level=next((known for known in LEVELS if known == level), "red"),
        category=category,
        version="",
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


def _check_words(classes: Lists, words: Mapping[str, tuple[str, ...]], report: Report) -> None:
    for name, items in classes.items():
        for item in items:
            try:
                check_word(name, item.raw, words)
            except PatternError as error:
                report.add("C071", _within(item, error), str(error))


def _unreadable(file: RiskFile) -> tuple[Finding, ...]:
    """Return what is wrong with the patterns of a file by itself."""
    report, known = Report(file.file), WordClasses(file.classes)
    for lists in file.lists.values():
        for item in (*lists.get("Says", ()), *lists.get("Unless", ())):
            try:
                parse_pattern(item.raw, known)
            except PatternError as error:
                report.add("C071", _within(item, error), str(error))
    return report.findings


def _within(item: Item, error: PatternError) -> Place:
    """Return the place of an error; one inside of a word list that the pattern names is shown at the pattern."""
    if error.pattern != item.raw:
        return item.place
    return item.place._replace(column=item.place.column + error.position)


def _failing(file: RiskFile, compiled: Detector) -> tuple[Finding, ...]:
    """Return the examples under Flags that their rule misses, and those under Passes that a rule of the file flags."""
    report = Report(file.file)
    for rule, lists in file.lists.items():
        for item in lists.get("Flags", ()):
            if rule not in _flagging(item, file, compiled):
                report.add("C070", item.place, f"'{rule}' does not flag this example")
        for item in lists.get("Passes", ()):
            if found := _flagging(item, file, compiled):
                report.add("C070", item.place, f"this example is flagged by '{found[0]}'")
    return report.findings


def _flagging(item: Item, file: RiskFile, compiled: Detector) -> list[str]:
    return [finding.rule for finding in compiled.examine(item.raw) if finding.rule in file.lists]
