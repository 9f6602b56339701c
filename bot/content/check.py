"""The linter: all findings of a content folder, and how they are written for people, programs and GitHub."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal

from bot.content import crosscheck
from bot.content.advice import advise
from bot.content.findings import START, Finding, Report
from bot.content.reading import read_all

Format = Literal["text", "json", "github"]


def check(folder: Path, paths: Sequence[Path] = (), *, today: date | None = None) -> tuple[Finding, ...]:
    """Return the findings of a folder in order; with `paths` those of these files and folders in it only.

    `today` decides which reviews are too old; without it the clock is asked.
    """
    folder = Path(folder)
    readings, unread = read_all(folder)
    crosscheck.check(readings)
    advise(readings, today or datetime.now(UTC).date())
    reports = [*unread, *(reading.report for reading in readings)]
    wanted = [Path(path) for path in paths]
    for path in wanted:
        if not any(_within(report.file, [path]) for report in reports):
            reports.append(_stranger(path, folder))
    return tuple(
        sorted(
            finding for report in reports if not wanted or _within(report.file, wanted) for finding in report.findings
        )
    )


def exit_code(findings: Iterable[Finding]) -> int:
    """Return 1 when there is an error, 0 with nothing but warnings."""
    return int(any(finding.is_error for finding in findings))


def render(findings: Iterable[Finding], format: Format = "text") -> str:  # noqa: A002 - the name of the option
    """Write findings as lines for people, as a JSON list, or as GitHub's workflow commands."""
    match format:
        case "json":
            return json.dumps([asdict(finding) for finding in findings], ensure_ascii=False, indent=2)
        case "github":
            return "\n".join(_command(finding) for finding in findings)
        case "text":
            return "\n".join(_line(finding) for finding in findings)


def _line(finding: Finding) -> str:
    place = f"{finding.file}:{finding.line}:{finding.column}"
    return f"{place}: {finding.code} {_sentence(finding)}"


def _sentence(finding: Finding) -> str:
    return f"{finding.message} ({finding.hint})" if finding.hint else finding.message


def _command(finding: Finding) -> str:
    kind = "error" if finding.is_error else "warning"
    place = f"file={_property(finding.file)},line={finding.line},col={finding.column},title={finding.code}"
    return f"::{kind} {place}::{_data(_sentence(finding))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _within(file: str, paths: Sequence[Path]) -> bool:
    return any(Path(file).resolve().is_relative_to(path.resolve()) for path in paths)


def _stranger(path: Path, folder: Path) -> Report:
    report = Report(path.as_posix())
    report.add("C021", START, f"no content of {folder.as_posix()} is here", "name a file or a folder of the content")
    return report
