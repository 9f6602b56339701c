"""Reads each file of a content folder by itself: what it holds and what is wrong with it."""

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.content.crisis_lines import read_crisis_lines
from bot.content.document import Document, take_apart
from bot.content.findings import START, Report
from bot.content.measures import read_measure
from bot.content.messages import Messages, read_messages
from bot.content.programmes import read_programme
from bot.content.risk_file import RiskFile, read_risk
from bot.content.skills import read_skill
from bot.content.sources import Kind, Source, paths, read_source
from bot.domain.activity import Measure, Skill
from bot.domain.programme import CrisisLines, Programme

Value = Skill | Measure | Programme | Messages | RiskFile | CrisisLines
Name = tuple[str, str, str]
ONE_NAMESPACE: Mapping[Kind, str] = {"skill": "activity", "measure": "activity"}
"""Skills and measures share their ids."""
RARELY = 30_000
"""New objects between two looks for garbage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One file as read; `value` is None when there is too little of it. A broken report means: do not use it."""

    source: Source
    document: Document
    report: Report
    value: Value | None


def read_all(folder: Path) -> tuple[list[Reading], list[Report]]:
    """Return the readings of a folder's files, and the reports on files that could not be read at all."""
    with rarely_collected():
        return _read_all(folder)


@contextmanager
def rarely_collected() -> Iterator[None]:
    """Look for garbage less often: reading makes much that stays and little that goes in circles."""
    usual = gc.get_threshold()
    gc.set_threshold(RARELY, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)


def _read_all(folder: Path) -> tuple[list[Reading], list[Report]]:
    sources: list[Source] = []
    named: dict[Name, Source] = {}
    reports: dict[str, Report] = {}
    for kind, path in paths(folder):
        report = reports[path.as_posix()] = Report(path.as_posix())
        source = read_source(folder, kind, path, report)
        if source and _is_first(source, named, report):
            sources.append(source)
    originals = {(source.kind, source.id): source for source in sources if not source.translates}
    readings = [_read(source, originals.get((source.kind, source.id)), reports[source.file]) for source in sources]
    read = {source.file for source in sources}
    unread = [report for file, report in reports.items() if file not in read]
    return readings, [*unread, *_nothing(folder, reports)]


def _nothing(folder: Path, reports: Mapping[str, Report]) -> list[Report]:
    if reports:
        return []
    report = Report(folder.as_posix())
    report.add("C021", START, "there is no content in this folder", "it holds skills/, measures/, programmes/ …")
    return [report]


def _is_first(source: Source, named: dict[Name, Source], report: Report) -> bool:
    """Report a second file with one id."""
    space = ONE_NAMESPACE.get(source.kind, source.kind)
    other = named.setdefault((space, source.id, source.language if source.translates else ""), source)
    if other is not source:
        report.add("C006", START, f"{other.file} has the id '{source.id}' already")
    return other is source


def _read(source: Source, original: Source | None, report: Report) -> Reading:
    document = take_apart(source)
    report.take(document.findings)
    base = take_apart(original) if original and source.translates else None
    if source.translates and original is None:
        report.add("C040", START, f"there is no {source.id}.md that this file translates")
    return Reading(source=source, document=document, report=report, value=_value(source, document, base, report))


def _value(source: Source, document: Document, original: Document | None, report: Report) -> Value | None:
    match source.kind:
        case "skill":
            return read_skill(source, document, original, report)
        case "measure":
            return read_measure(source, document, original, report)
        case "programme":
            return read_programme(source, document, original, report)
        case "messages":
            return read_messages(source, document, report)
        case "contacts":
            return read_crisis_lines(source, document, report)
        case "risk":
            file, findings = read_risk(source)
            report.take(findings)
            return file
