"""What skills and measures share: their front matter's common keys, translations that inherit, and versions."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from bot.content.document import Document
from bot.content.findings import START, Report
from bot.content.front_matter import FrontMatter, Value
from bot.content.frozen import freeze
from bot.content.rendering import FIELD
from bot.content.timing import Malformed
from bot.domain.activity import Measure, Skill

TRANSLATED = ("title", "summary", "prompt", "reviewed")
"""What a translation has of its own wherever the original has it."""
MAY_DIFFER = frozenset({*TRANSLATED, "source", "avoid_if", "options", "bands"})
"""What a translation may say in other words; whatever else it states must agree with the original."""
MOST_MINUTES = 120
Practised = TypeVar("Practised", Skill, Measure)
_REVIEWED = re.compile(r"(\d{4}-\d\d-\d\d),\s*(\S.*)")


@dataclass(frozen=True, slots=True)
class Review:
    """When and by whom a text was last reviewed."""

    day: date
    by: str


def _several(value: object) -> object:
    """Let one stand for a list of one."""
    return [value] if isinstance(value, str) else value


def _without_fields(text: str) -> str:
    if found := FIELD.search(text):
        raise Malformed(f"nothing is answered yet that could fill {found[0]}", code="C025")
    return text


def _review(value: object) -> Review:
    found = _REVIEWED.fullmatch(str(value).strip())
    try:
        day = date.fromisoformat(found[1]) if found else None
    except ValueError:
        day = None
    if not found or not day:
        raise Malformed(f"'{value}' is not a date and a name", "write such as 2026-11-02, clinical lead", code="C005")
    return Review(day=day, by=found[2])


Text = Annotated[str, Field(min_length=1)]
Several = Annotated[tuple[Text, ...], BeforeValidator(_several)]
Prompt = Annotated[str, Field(min_length=1, max_length=300), AfterValidator(_without_fields)]
Prompts = Annotated[tuple[Prompt, ...], BeforeValidator(_several)]
Reviewed = Annotated[Review, BeforeValidator(_review)]
Minutes = Annotated[int, Field(ge=1, le=MOST_MINUTES)]


class Front(BaseModel):
    """The keys that every skill and measure has."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    title: Annotated[str, Field(min_length=1, max_length=60)]
    summary: Annotated[str, Field(min_length=1, max_length=200)]
    source: Text
    reviewed: Reviewed


def inherited(document: Document, original: Document | None) -> Mapping[str, Value]:
    """Return the keys of a file, with those of the original below where it is a translation."""
    own = document.front.data if document.front else {}
    base = original.front.data if original and original.front else {}
    return {**base, **own}


def check_translated(front: FrontMatter, original: FrontMatter, report: Report) -> None:
    """Report what a translation must have of its own, and what it must not change."""
    for key in TRANSLATED:
        if key in original.data and key not in front.data:
            report.add("C004", START, f"required key '{key}' is missing")
    for key in front.data.keys() & original.data.keys() - MAY_DIFFER:
        if front.data[key] != original.data[key]:
            report.add("C040", front.place((key,)), f"'{key}' differs from the original", "leave it out to inherit it")


def has_steps(document: Document, report: Report) -> bool:
    """Report a file without any step."""
    if not document.sections:
        report.add("C004", START, "there is no step", "begin one with a line '## What is asked or said'")
    return bool(document.sections)


def versioned(activity: Practised) -> Practised:
    """Give an activity the version that names its exact text."""
    bare = freeze(replace(activity, version=""))
    return replace(activity, version=hashlib.sha256(bare.encode()).hexdigest()[:12])
