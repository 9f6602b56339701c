"""Text as Telegram counts and marks it: UTF-16 lengths, commands and links found, simple HTML and Markdown read."""

import re
from html.parser import HTMLParser

from bot.sandbox.world import Json, Refusal

_FOUND = re.compile(
    r"(?P<bot_command>(?<![\w/])/[A-Za-z0-9_]{1,32}(?:@\w+)?)"
    r"|(?P<url>https?://[^\s<>\"]+)"
    r"|(?P<mention>(?<!\w)@\w{4,32})"
)
_TAGS = {
    "b": "bold", "strong": "bold", "i": "italic", "em": "italic", "u": "underline", "ins": "underline",
    "s": "strikethrough", "strike": "strikethrough", "del": "strikethrough", "tg-spoiler": "spoiler",
    "code": "code", "pre": "pre", "blockquote": "blockquote",
}  # fmt: skip
_MARKS = {"*": "bold", "_": "italic", "__": "underline", "~": "strikethrough", "||": "spoiler", "`": "code"}
_MARKDOWN = re.compile(r"\\(?P<escaped>.)|\[(?P<label>[^\]]*)\]\((?P<link>[^)]*)\)|(?P<mark>__|\|\||[*_~`])", re.DOTALL)


def units(text: str) -> int:
    """Return the length in UTF-16 units."""
    return len(text.encode("utf-16-le")) // 2


def pieces(text: str, most: int) -> list[str]:
    """Cut a text into pieces of so many UTF-16 units at most."""
    cut, length = [""], 0
    for character in text:
        length += units(character)
        if length > most:
            cut.append("")
            length = units(character)
        cut[-1] += character
    return cut


def found_in(text: str) -> list[Json]:
    """Return the commands, links and mentions that Telegram marks by itself."""
    return [
        {"type": match.lastgroup, "offset": units(text[: match.start()]), "length": units(match.group())}
        for match in _FOUND.finditer(text)
    ]


def read(text: str, parse_mode: str, entities: list[Json] | None) -> tuple[str, list[Json]]:
    """Return the text without markup, and its entities in order. Raises Refusal."""
    match parse_mode.lower():
        case "html":
            text, entities = _html(text)
        case "markdown" | "markdownv2":
            text, entities = _markdown(text)
        case "":
            entities = entities or []
        case _:
            raise Refusal(400, "Bad Request: unsupported parse_mode")
    _check(text, entities)
    links = [one for one in entities if one["type"] == "text_link"]
    own = [one for one in found_in(text) if not any(_overlap(one, link) for link in links)]
    unique = {(one["type"], one["offset"], one["length"]): one for one in [*own, *entities]}
    return text, sorted(unique.values(), key=lambda one: (one["offset"], -one["length"]))


def _check(text: str, entities: list[Json]) -> None:
    """Refuse entities that are not within the text, or cut a character that takes two units. Raises Refusal."""
    encoded = text.encode("utf-16-le")
    length = len(encoded) // 2
    for entity in entities:
        start, end = int(entity["offset"]), int(entity["offset"]) + int(entity["length"])
        if start < 0 or end <= start:
            raise Refusal(400, f"Bad Request: entity at UTF-16 offset {start} has no length")
        if start > length:
            raise Refusal(400, f"Bad Request: entity begins after the end of the text at UTF-16 offset {start}")
        if end > length:
            after = f"ends after the end of the text at UTF-16 offset {end}"
            raise Refusal(400, f"Bad Request: entity beginning at UTF-16 offset {start} {after}")
        if any(_HALF <= encoded[2 * place - 1] < _OTHER_HALF for place in (start, end) if place):
            raise Refusal(400, f"Bad Request: entity at UTF-16 offset {start} cuts a UTF-16 symbol")


_HALF, _OTHER_HALF = 0xD8, 0xDC
"""How the first half of a character of two UTF-16 units begins, and the second one."""


def _overlap(one: Json, other: Json) -> bool:
    return bool(one["offset"] < other["offset"] + other["length"] and other["offset"] < one["offset"] + one["length"])


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""
        self.entities: list[Json] = []
        self._open: list[tuple[str, int, Json]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        if tag == "a":
            self._open.append((tag, units(self.text), {"type": "text_link", "url": known.get("href") or ""}))
        elif tag in _TAGS:
            self._open.append((tag, units(self.text), {"type": _TAGS[tag]}))
        else:
            raise Refusal(400, f'Bad Request: can\'t parse entities: Unsupported start tag "{tag}"')

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1][0] != tag:
            raise Refusal(400, f'Bad Request: can\'t parse entities: Unexpected end tag "{tag}"')
        _, start, entity = self._open.pop()
        if length := units(self.text) - start:
            self.entities.append({**entity, "offset": start, "length": length})

    def handle_data(self, data: str) -> None:
        self.text += data

    def finish(self) -> None:
        if self._open:
            raise Refusal(400, f"Bad Request: can't parse entities: Can't find end tag of \"{self._open[-1][0]}\"")


def _html(text: str) -> tuple[str, list[Json]]:
    reader = _Reader()
    reader.feed(text)
    reader.close()
    reader.finish()
    return reader.text, reader.entities


def _markdown(text: str) -> tuple[str, list[Json]]:
    plain, entities, opened, last = "", [], dict[str, int](), 0
    for match in _MARKDOWN.finditer(text):
        plain += text[last : match.start()]
        last = match.end()
        if match["escaped"]:
            plain += match["escaped"]
        elif match["mark"]:
            start = opened.pop(match["mark"], None)
            if start is None:
                opened[match["mark"]] = units(plain)
            elif units(plain) > start:
                entity = {"type": _MARKS[match["mark"]], "offset": start, "length": units(plain) - start}
                entities.append(entity)
        else:
            start = units(plain)
            plain += match["label"]
            entities.append(
                {"type": "text_link", "url": match["link"], "offset": start, "length": units(plain) - start}
            )
    if opened:
        raise Refusal(400, "Bad Request: can't parse entities: Can't find end of an entity")
    return plain + text[last:], entities
