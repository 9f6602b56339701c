"""Text with styles and with fields to fill, as content holds it before any messenger sees it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

Style = Literal["bold", "italic", "underline", "strikethrough", "spoiler", "code", "pre", "blockquote"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A run of text in one style. `url` makes it a link; `field` makes it a place that `fill` fills.

    A field span's `text` is what stands there until then, `{name}`.
    """

    text: str
    styles: frozenset[Style] = frozenset()
    url: str = ""
    field: str = ""


Words = tuple[Span, ...]


def plain(words: Words) -> str:
    """Return the text without its styles."""
    return "".join(span.text for span in words)


def say(text: str) -> Words:
    """Return plain text as words."""
    return (Span(text=text),) if text else ()


def units(text: str) -> int:
    """Return the length of a text as the messenger counts it: in UTF-16 units."""
    return len(text) + sum(ord(char) > 0xFFFF for char in text)


def fields(words: Words) -> tuple[str, ...]:
    """Return the names of the fields, in order, each once."""
    return tuple(dict.fromkeys(span.field for span in words if span.field))


def fill(words: Words, values: Mapping[str, str]) -> Words:
    """Put each field's value in its place, in the field's own style; a field without a value stays as it is."""
    return tuple(replace(span, text=values[span.field], field="") if span.field in values else span for span in words)


def join(parts: tuple[Words, ...], between: str = "\n\n") -> Words:
    """Return the parts that say something, one after another."""
    joined: list[Span] = []
    for part in parts:
        if not part:
            continue
        if joined:
            joined.append(Span(text=between))
        joined.extend(part)
    return tuple(joined)
