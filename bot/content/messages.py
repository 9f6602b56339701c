"""The files of messages: one `## key` and its text for every sentence of the interface."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.content.document import Document
from bot.content.findings import START, Place, Report, did_you_mean
from bot.content.lengths import TEXT_LIMIT, units
from bot.content.sources import ORIGINAL_LANGUAGE, Source, is_kebab
from bot.domain.words import Words, fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Messages:
    """The messages of one language by key, and where each stands."""

    language: str
    words: Mapping[str, Words]
    places: Mapping[str, Place]


def read_messages(source: Source, document: Document, report: Report) -> Messages:
    """Read the messages of one language."""
    words: dict[str, Words] = {}
    places: dict[str, Place] = {}
    for section in document.sections:
        key = section.title
        if not is_kebab(key):
            report.add("C006", section.place, f"'{key}' is not a kebab-case key", "use small letters and hyphens")
        elif key in words:
            report.add("C010", section.place, f"another message has the key '{key}' already")
        section.attributes.only((), report)
        if not section.body:
            report.add("C005", section.place, f"the message '{key}' says nothing")
        if units(section.body) > TEXT_LIMIT:
            report.add("C030", section.place, f"{units(section.body)} characters are too many: {TEXT_LIMIT} at most")
        words.setdefault(key, section.body)
        places.setdefault(key, section.place)
    return Messages(language=source.language, words=words, places=places)


def reference(languages: Mapping[str, Messages]) -> str:
    """Return the language that the others are compared with: the original's, or else the one with the most messages."""
    if ORIGINAL_LANGUAGE in languages:
        return ORIGINAL_LANGUAGE
    return max(languages, key=lambda language: len(languages[language].words))


def compare(messages: Messages, original: Messages, report: Report) -> None:
    """Report keys and names of fields that differ from the original's."""
    for key in original.words.keys() - messages.words.keys():
        report.add("C041", START, f"the message '{key}' is missing")
    for key in messages.words.keys() - original.words.keys():
        absent = original.words.keys() - messages.words.keys()
        report.add("C041", messages.places[key], f"unknown message '{key}'", did_you_mean(key, absent))
    for key in messages.words.keys() & original.words.keys():
        wanted, found = set(fields(original.words[key])), set(fields(messages.words[key]))
        for name in found - wanted:
            hint = did_you_mean(name, wanted)
            report.add("C040", messages.places[key], f"'{key}' has {{{name}}}, which the original has not", hint)
        for name in wanted - found:
            report.add("C040", messages.places[key], f"'{key}' lacks {{{name}}}, which the original has")
