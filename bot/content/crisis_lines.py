"""The files of crisis lines: whom one can turn to in a country, each with where its number comes from."""

from dataclasses import replace
from types import MappingProxyType
from typing import Annotated

from babel import Locale
from pydantic import Field

from bot.content.activities import Reviewed, Several, Text
from bot.content.document import Document
from bot.content.findings import START, Report, did_you_mean
from bot.content.front_matter import FrontMatter, checked
from bot.content.lengths import MOST_CRISIS_LINES, contact_length
from bot.content.programme_front import ContactFront, Keys
from bot.content.sources import Source, is_language
from bot.domain.programme import Contact, CrisisLines

TERRITORY = 2
"""Letters of a country's code (ISO 3166)."""

NO_COUNTRIES = frozenset({"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"})
"""Codes of two letters that stand for groups of countries, for none, or for tests."""


class LineFront(ContactFront):
    """One line: a number nobody can vouch for is worse than none. `checked` says when and how: "2026-11-02, called"."""

    hours: Annotated[str, Field(min_length=1, max_length=40)] | None = None
    languages: Several = ()
    hints: dict[str, Annotated[str, Field(min_length=1, max_length=60)]] = Field(default_factory=dict)
    source: Text
    checked: Reviewed

    def contact(self) -> Contact:
        hints = MappingProxyType(self.hints)
        return replace(super().contact(), hours=self.hours or "", languages=self.languages, hints=hints)


class LinesFront(Keys):
    """The front matter of a country's crisis lines."""

    lines: tuple[LineFront, ...]


def is_country(code: str) -> bool:
    """Return whether a code of two letters is that of a country or territory (ISO 3166)."""
    return len(code) == TERRITORY and code in Locale("en").territories and code not in NO_COUNTRIES


def read_crisis_lines(source: Source, document: Document, report: Report) -> CrisisLines | None:
    """Read the lines of one country, whose code is the file's name."""
    country = source.id.upper()
    if not is_country(country):
        known = [str(code) for code in Locale("en").territories if is_country(str(code))]
        hint = did_you_mean(country, known) or "name the file by the country's code, such as us.md"
        report.add("C006", START, f"'{source.id}' is no country's code", hint)
        return None
    if document.front is None:
        return None
    front = checked(LinesFront, document.front.data, document.front, report, inherits=False)
    if front is None:
        return None
    contacts = tuple(line.contact() for line in front.lines)
    _check(contacts, document.front, report)
    return CrisisLines(country=country, contacts=contacts, checked=tuple(line.checked.day for line in front.lines))


def _check(contacts: tuple[Contact, ...], front: FrontMatter, report: Report) -> None:
    for number, contact in enumerate(contacts):
        said: list[tuple[tuple[str | int, ...], str]]
        said = [(("languages", index), language) for index, language in enumerate(contact.languages)]
        said += [(("hints", language), language) for language in contact.hints]
        for where, language in said:
            if not is_language(language):
                place = front.place(("lines", number, *where))
                report.add("C005", place, f"'{language}' is not a language code", "write such as en")
    if (together := sum(map(contact_length, contacts))) > MOST_CRISIS_LINES:
        message = f"about {together} characters are too many: {MOST_CRISIS_LINES} at most"
        report.add("C030", front.key(("lines",)), message, "keep the lines that help most")
