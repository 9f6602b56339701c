"""The files of crisis lines: whom one can turn to in a country, each with where its number comes from."""

from datetime import date
from typing import Annotated

from babel import Locale
from pydantic import Field

from bot.content.document import Document
from bot.content.findings import START, Report, did_you_mean
from bot.content.front_matter import checked
from bot.content.programme_front import ContactFront, Keys
from bot.content.sources import Source
from bot.domain.programme import CrisisLines

TERRITORY = 2
"""Letters of a country's code (ISO 3166)."""


class LineFront(ContactFront):
    """One line: a number nobody can vouch for is worse than none."""

    source: Annotated[str, Field(min_length=1)]
    checked: date


class LinesFront(Keys):
    """The front matter of a country's crisis lines."""

    lines: tuple[LineFront, ...]


def read_crisis_lines(source: Source, document: Document, report: Report) -> CrisisLines | None:
    """Read the lines of one country, whose code is the file's name."""
    country = source.id.upper()
    known = sorted(code for code in map(str, Locale("en").territories) if len(code) == TERRITORY and code.isalpha())
    if country not in known:
        hint = did_you_mean(country, known) or "name the file by the country's code, such as us.md"
        report.add("C006", START, f"'{source.id}' is no country's code", hint)
        return None
    if document.front is None:
        return None
    front = checked(LinesFront, document.front.data, document.front, report, inherits=False)
    if front is None:
        return None
    return CrisisLines(
        country=country,
        contacts=tuple(line.contact() for line in front.lines),
        checked=tuple(line.checked for line in front.lines),
    )
