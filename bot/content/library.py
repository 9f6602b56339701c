"""The content folder as one library: what can be read and asked, in each language, without what is broken."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Literal, TypeVar

from bot.content import crosscheck
from bot.content.findings import Finding
from bot.content.messages import Messages
from bot.content.reading import Reading, Value, rarely_collected, read_all
from bot.content.risk_file import RiskFile, detector
from bot.content.sources import ORIGINAL_LANGUAGE
from bot.domain.activity import Measure, Skill
from bot.domain.programme import Contact, CrisisLines, Programme, without_file
from bot.domain.risk import Detector, PatternError
from bot.domain.words import Words
from bot.semantic.opinion import SecondOpinion

Localised = TypeVar("Localised", Skill, Measure, Programme)


class UnknownContent(LookupError):
    """No file describes this."""


@dataclass(frozen=True, kw_only=True, repr=False)
class Content:
    """All that can be read and asked, by id and language; the detector knows the rules of all languages.

    `crisis_lines` are by country (ISO 3166). `second_opinion` is None unless a LiveLibrary was told to have one.
    """

    root: Path
    skills: Mapping[str, Mapping[str, Skill]]
    measures: Mapping[str, Mapping[str, Measure]]
    programmes: Mapping[str, Mapping[str, Programme]]
    messages: Mapping[str, Mapping[str, Words]]
    detector: Detector
    crisis_lines: Mapping[str, tuple[Contact, ...]] = field(default_factory=dict)
    second_opinion: SecondOpinion | None = None

    def __repr__(self) -> str:
        return f"Content({str(self.root)!r})"  # all of it would be megabytes, in a traceback too

    def skill(self, id: str, language: str) -> Skill:  # noqa: A002 - the id of a skill
        """Return a skill in the language, or else in the original's. Raises UnknownContent."""
        return _in_language(self.skills, id, language)

    def measure(self, id: str, language: str) -> Measure:  # noqa: A002 - the id of a measure
        """Return a measure in the language, or else in the original's. Raises UnknownContent."""
        return _in_language(self.measures, id, language)

    def programme(self, id: str, language: str) -> Programme:  # noqa: A002 - the id of a programme
        """Return a programme in the language, or else in the original's. Raises UnknownContent."""
        return _in_language(self.programmes, id, language)

    def standing_programme(self, id: str, language: str) -> Programme:  # noqa: A002 - the id of a programme
        """Return a programme; while no file describes it any more, what is left of it: alerts, and nothing else."""
        return self.programme(id, language) if id in self.programmes else without_file(id)

    def activity(self, kind: Literal["skill", "measure"], id: str, language: str) -> Skill | Measure:  # noqa: A002
        """Return a skill or a measure. Raises UnknownContent."""
        return self.skill(id, language) if kind == "skill" else self.measure(id, language)

    def message(self, language: str, key: str) -> Words:
        """Return a message in the language, or else in the original's. Raises UnknownContent."""
        for tongue in (*_tongues(language), *self.messages):
            if key in self.messages.get(tongue, {}):
                return self.messages[tongue][key]
        raise UnknownContent(key)


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """What could be read of a folder, what is wrong with it, in order, and what each sound file holds."""

    content: Content
    findings: tuple[Finding, ...]
    values: Mapping[str, Value] = field(default_factory=dict)


def load(folder: Path, *, before: Loaded | None = None) -> Loaded:
    """Read a content folder. A broken file is left out, or keeps what it held in `before`.

    Risk rules of which only an example fails are used all the same where no earlier version is held.
    """
    with rarely_collected():
        return _load(folder, before)


def _load(folder: Path, before: Loaded | None) -> Loaded:
    readings, unread = read_all(folder)
    crosscheck.check(readings)
    reports = [*unread, *(reading.report for reading in readings)]
    held = before.values if before else {}
    values = {report.file: held[report.file] for report in reports if report.broken and report.file in held}
    if not readings:
        values = dict(held)  # the folder is just being replaced
    for reading in readings:
        if reading.value and (not reading.report.broken or _better_than_none(reading, held)):
            values[reading.source.file] = reading.value
    findings = sorted(finding for report in reports for finding in report.findings)
    return Loaded(content=_content(folder, values), findings=tuple(findings), values=values)


def _better_than_none(reading: Reading, held: Mapping[str, Value]) -> bool:
    """Tell whether rules of which only an example fails are all that there is: a detector must not be missing."""
    only_examples = all(finding.code == "C070" for finding in reading.report.findings if finding.is_error)
    return isinstance(reading.value, RiskFile) and only_examples and reading.source.file not in held


def _content(folder: Path, values: Mapping[str, Value]) -> Content:
    messages = [value for value in values.values() if isinstance(value, Messages)]
    return Content(
        root=folder,
        skills=_by_language(value for value in values.values() if isinstance(value, Skill)),
        measures=_by_language(value for value in values.values() if isinstance(value, Measure)),
        programmes=_by_language(value for value in values.values() if isinstance(value, Programme)),
        messages=MappingProxyType({each.language: each.words for each in messages}),
        crisis_lines=MappingProxyType(
            {value.country: value.contacts for value in values.values() if isinstance(value, CrisisLines)}
        ),
        detector=_compiled(tuple(value for value in values.values() if isinstance(value, RiskFile))),
    )


def _compiled(files: tuple[RiskFile, ...]) -> Detector:
    """Compile the rules of as many languages as go together; for the others `crosscheck` has a finding."""
    try:
        return detector(files)
    except PatternError:
        return _compiled(files[:-1])


def _by_language(values: Iterable[Localised]) -> Mapping[str, Mapping[str, Localised]]:
    found: dict[str, dict[str, Localised]] = {}
    for value in values:
        found.setdefault(value.id, {})[value.language] = value
    return MappingProxyType({name: MappingProxyType(languages) for name, languages in found.items()})


def _in_language(values: Mapping[str, Mapping[str, Localised]], name: str, language: str) -> Localised:
    languages: Mapping[str, Localised] = values.get(name, {})
    for tongue in (*_tongues(language), *languages):
        if tongue in languages:
            return languages[tongue]
    raise UnknownContent(name)


def _tongues(language: str) -> tuple[str, ...]:
    """Return the languages to try, in order: "es-MX", then "es", then the original's."""
    return language, language.partition("-")[0], ORIGINAL_LANGUAGE
