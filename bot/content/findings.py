"""What the linter says about a file, and the report that collects it while the file is read."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple


class Place(NamedTuple):
    """A place in a file; both count from 1."""

    line: int
    column: int


START = Place(1, 1)


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing to mend, or with a W code to think about. They sort by file, line and column."""

    file: str
    line: int
    column: int
    code: str
    message: str
    hint: str = ""

    @property
    def is_error(self) -> bool:
        return self.code.startswith("C")


class Report:
    """Collects the findings of one file."""

    def __init__(self, file: str) -> None:
        self.file = file
        self._findings: set[Finding] = set()

    def add(self, code: str, place: Place, message: str, hint: str = "") -> None:
        self._findings.add(Finding(self.file, place.line, place.column, code, message, hint))

    def take(self, findings: Iterable[Finding]) -> None:
        self._findings.update(findings)

    @property
    def broken(self) -> bool:
        return any(finding.is_error for finding in self._findings)

    @property
    def findings(self) -> tuple[Finding, ...]:
        return tuple(sorted(self._findings))


def closest(word: str, known: Iterable[str]) -> str:
    """Return the known word that was probably meant, or nothing."""
    meant = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return meant[0] if meant else ""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return the hint for a word that is not known."""
    meant = closest(word, known)
    return f"did you mean '{meant}'?" if meant else ""
