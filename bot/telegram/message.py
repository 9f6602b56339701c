"""A message as it waits in the outbox: text with entities, keyboard, picture; nothing of aiogram in it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby

from pydantic import TypeAdapter

from bot.domain.activity import Pace
from bot.domain.words import Style, Words, units

TEXT_LIMIT, CAPTION_LIMIT = 4096, 1024
"""UTF-16 units, as Telegram counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """A style or link over part of a text, in UTF-16 units."""

    type: str
    offset: int
    length: int
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A button under a message: sends `data` (up to 64 bytes) back, opens `url`, or copies a text."""

    text: str
    data: str = ""
    url: str = ""
    copy: str = ""


Keyboard = tuple[tuple[Key, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pacer:
    """A breath to lead in this message once it is sent. `words` is the line "round {n} of {of}"."""

    pace: Pace
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What one chat gets.

    `card` names the place that this message takes: the next message of the same card changes it in place, unless
    `fresh`, which sends a new one below and takes the buttons off the old. `picture` is a path in the content folder,
    `drawn` a PNG in base64; `alt` says what either shows. `document` is a file in base64, called `file_name`.
    """

    text: str
    entities: tuple[Entity, ...] = ()
    keyboard: Keyboard = ()
    card: str = ""
    fresh: bool = False
    picture: str = ""
    drawn: str = ""
    document: str = ""
    file_name: str = ""
    alt: str = ""
    protect: bool = False
    silent: bool = False
    pacer: Pacer | None = None


_ADAPTER: TypeAdapter[Message] = TypeAdapter(Message)


def packed(message: Message) -> str:
    """Return the message as JSON."""
    return _ADAPTER.dump_json(message, exclude_defaults=True).decode()


def unpacked(text: str) -> Message:
    """Return the message that `packed` wrote."""
    return _ADAPTER.validate_json(text)


def written(words: Words, keyboard: Keyboard = (), *, limit: int = TEXT_LIMIT) -> Message:
    """Return a message of these words; past the limit the text ends in an ellipsis."""
    text = "".join(span.text for span in words)
    entities = tuple(_entities(words))
    if units(text) > limit:
        text = _shortened(text, limit - 1) + "…"
        entities = tuple(_within(entities, limit - 1))
    return Message(text=text, entities=entities, keyboard=keyboard)


def _entities(words: Words) -> Iterator[Entity]:
    kinds = {kind for span in words for kind in _kinds(span.styles, span.url)}
    for kind, url in sorted(kinds):
        offset = 0
        for held, run in groupby(words, key=lambda span: (kind, url) in _kinds(span.styles, span.url)):
            length = sum(units(span.text) for span in run)
            if held and length:
                yield Entity(type=kind, offset=offset, length=length, url=url or None)
            offset += length


def _kinds(styles: frozenset[Style], url: str) -> set[tuple[str, str]]:
    kinds: set[tuple[str, str]] = {(style, "") for style in styles}
    return kinds | {("text_link", url)} if url else kinds


def _shortened(text: str, limit: int) -> str:
    return text.encode("utf-16-le")[: limit * 2].decode("utf-16-le", errors="ignore")


def _within(entities: tuple[Entity, ...], limit: int) -> Iterator[Entity]:
    for entity in entities:
        if entity.offset < limit:
            yield replace(entity, length=min(entity.length, limit - entity.offset))
