"""Evens out how a text is written — case, accents, look-alike and invisible characters — and splits it into words."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

CLAUSE, LINE, SENTENCE = 1, 2, 3
"""How strongly a word is cut off from the one before it; 0 is not at all."""

_ALIKE = {
    "a": "аαɑᴀ",
    "b": "ьʙ",
    "c": "сᴄϲ",
    "d": "ԁᴅɗ",
    "e": "еєεᴇǝ",
    "f": "ꜰƒ",
    "g": "ɡɢ",
    "h": "һʜн",
    "i": "іιıɪӏ",
    "j": "јᴊ",
    "k": "кκᴋ",
    "l": "ⅼʟłǀ",
    "m": "мᴍ",
    "n": "пηɴ",
    "o": "оοσᴏø",
    "p": "рρᴘ",
    "q": "ԛǫ",
    "r": "гʀ",
    "s": "ѕꜱ",
    "t": "тτᴛ",
    "u": "υᴜц",
    "v": "ѵνᴠ",
    "w": "ԝωᴡш",
    "x": "хχ",
    "y": "уүʏγ",
    "z": "ᴢ",
    "'": "’‘ʼ′`´＇‛",
    '"': "“”«»„",
    "-": "‐‑‒–—―−",
}
_LETTERS_OF_SYMBOLS = (0x1F150, 0x1F170, 0x1F1E6)
"""Where runs of 26 framed letters begin that Unicode does not decompose."""

_PARTS = re.compile(
    r"(?P<spaced>(?<![^\W_])[^\W_](?:[ .\-_*/·]{1,3}[^\W_](?![^\W_'])){2,39})"
    r"|(?P<word>[^\W_@$](?:(?:[^\W_@$]|[@$!*|'])*[^\W_@$])?|[@$][^\W_]+)"
    r"|(?P<stop>[.!?,;:()\n\"\-]+)"
    r"|(?P<symbol>[^\w\s\x00-\x7f])"
)
_SENTENCE_OF_ONE_WORD = 2


class Raw(NamedTuple):
    """A word as it stands in the evened text. `start` and `end` are places in the text as it was written.

    `cut` is how strongly it is cut off from the word before; `spaced` when its letters stood apart.
    """

    word: str
    start: int
    end: int
    cut: int = 0
    spaced: bool = False


@dataclass(frozen=True, slots=True)
class Evened:
    """A text in plain small letters. `places` leads each character to its place as written; None when they agree."""

    text: str
    places: Sequence[int] | None


class _Characters(dict[int, str]):
    """What each character becomes, worked out when it is first met; bounded by the size of Unicode."""

    def __missing__(self, code: int) -> str:
        plain = self[code] = _plain_character(chr(code))
        return plain


def _plain_character(character: str) -> str:
    for start in _LETTERS_OF_SYMBOLS:
        if start <= ord(character) < start + 26:
            return chr(ord("a") + ord(character) - start)
    parts = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", character).casefold())
    return "".join(_ALIKE_TO.get(part, part) for part in parts if not _silent(part))


def _silent(character: str) -> bool:
    """Return whether a character says nothing itself: accents, zero-width characters, skin tones."""
    return unicodedata.category(character) in {"Mn", "Me", "Cf", "Cs"} or "\U0001f3fb" <= character <= "\U0001f3ff"


_ALIKE_TO = {look: letter for letter, looks in _ALIKE.items() for look in looks}
_CHARACTERS = _Characters()


def evened(text: str) -> Evened:
    """Return the text in small letters without accents, look-alikes and invisible characters."""
    if text.isascii():
        return Evened(text.lower(), None)
    pieces = [_CHARACTERS[ord(character)] for character in text]
    places = [place for place, piece in enumerate(pieces) for _ in piece]
    return Evened("".join(pieces), places)


def raw_words(text: Evened) -> Iterator[Raw]:
    """Split an evened text into words, runs of spaced letters and symbols, in order."""
    cut, since_stop, places = 0, 0, text.places
    for found in _PARTS.finditer(text.text):
        part, kind = found.group(), found.lastgroup
        if kind == "stop":
            cut = max(cut, _strength(text.text, found))
            continue
        start, end = found.span()
        if places:
            start, end = places[start], places[end - 1] + 1
        if cut == SENTENCE and since_stop < _SENTENCE_OF_ONE_WORD:
            cut = CLAUSE
        since_stop = 1 if cut >= LINE else since_stop + 1
        spaced = kind == "spaced"
        yield Raw(re.sub(r"[\W_]", "", part) if spaced else part.replace("'", ""), start, end, cut, spaced)
        cut = 0


def _strength(text: str, stop: re.Match[str]) -> int:
    """Return how strongly a run of stops separates; "..." and a decimal point hardly do."""
    signs = stop.group()
    if signs == "-" or signs == '"':
        before, after = text[stop.start() - 1 : stop.start()], text[stop.end() : stop.end() + 1]
        return 0 if signs == '"' or (before.isalnum() and after.isalnum()) else CLAUSE
    if "!" in signs or "?" in signs or (signs.count(".") == 1 and not _in_a_number(text, stop)):
        return SENTENCE
    return LINE if "\n" in signs else CLAUSE


def _in_a_number(text: str, stop: re.Match[str]) -> bool:
    return text[stop.start() - 1 : stop.start()].isdigit() and text[stop.end() : stop.end() + 1].isdigit()


@lru_cache(maxsize=1 << 14)
def plain_words(text: str) -> tuple[str, ...]:
    """Return the words of a part of a pattern or a word list, where the same words stand again and again.

    Not for what people write: it remembers.
    """
    even = evened(text)
    return (even.text,) if even.text.isalnum() else tuple(raw.word for raw in raw_words(even))
