"""The pattern language of risk rules: reads a pattern into elements that are looked for one after another."""

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import chain, product

from bot.domain.risk.normalise import plain_words
from bot.domain.risk.rules import PatternError

Phrase = tuple[str, ...]
"""Words that follow each other directly; one that ends in "~" is the beginning of a word."""

GAP = 4
"""How many words `*` lets pass at most, when no number follows it."""
LONGEST_PHRASE = 10
MOST_PHRASES = 3000
SHORTEST_PREFIX = 3
_PARTS = re.compile(r"\*\d?|[()\[\]{}|~]|[^\s()\[\]{}|*~]+")
_GROUPS = re.compile(r"[(\[][^()\[\]{}*]+[)\]]")
"""Alternatives in brackets with nothing but words in them, as most are."""
_CLOSING = {"(": ")", "[": "]"}
_NOTHING: frozenset[Phrase] = frozenset([()])


@dataclass(frozen=True, kw_only=True)
class Element:
    """One of the phrases, after at most `gap` other words; an optional element may be missing."""

    phrases: frozenset[Phrase]
    gap: int = 0
    optional: bool = False

    @cached_property
    def lengths(self) -> tuple[int, ...]:
        """Return how many words the phrases have, the longest first."""
        return tuple(sorted({len(phrase) for phrase in self.phrases}, reverse=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """A pattern as elements in order; the first has no gap, the first and the last are not optional."""

    source: str
    elements: tuple[Element, ...]


class WordClasses:
    """The word lists of the files, each read when a pattern first names it."""

    def __init__(self, classes: Mapping[str, Sequence[str]]) -> None:
        self._classes = classes
        self._read: dict[str, frozenset[Phrase]] = {}
        self._reading: list[str] = []

    def phrases(self, name: str, pattern: str, position: int) -> frozenset[Phrase]:
        """Return the phrases of a class; `pattern` and `position` say where it was named."""
        if name in self._reading:
            raise PatternError(pattern, position, f"{{{name}}} is made of itself: take it out of its own words")
        if name not in self._classes:
            raise PatternError(pattern, position, f"no words are defined for {{{name}}}{self._nearest(name)}")
        if name not in self._read:
            self._reading.append(name)
            try:
                read = [phrase for entry in self._classes[name] for phrase in _Reader(entry, self).phrases()]
            finally:
                self._reading.pop()
            self._read[name] = frozenset(read)
        return self._read[name]

    def _nearest(self, name: str) -> str:
        close = difflib.get_close_matches(name, self._classes, n=1)
        return f": did you mean {{{close[0]}}}?" if close else ": add them to the file's words"


def parse_pattern(pattern: str, classes: Mapping[str, Sequence[str]] | WordClasses) -> Pattern:
    """Read a pattern. Raise PatternError where it cannot be read, or names words that are not in `classes`."""
    known = classes if isinstance(classes, WordClasses) else WordClasses(classes)
    return Pattern(source=pattern, elements=_Reader(pattern, known).elements())


class _Reader:
    """Reads one pattern from left to right."""

    def __init__(self, pattern: str, classes: WordClasses) -> None:
        self._pattern = pattern
        self._classes = classes
        self._parts = list(_parts(pattern))
        self._next = 0

    def elements(self) -> tuple[Element, ...]:
        elements = _without_optional_ends(tuple(self._top_level()))
        if not elements:
            raise self._error(0, "nothing that must be there: write the words to look for")
        return _gaps_reach_past_optional(_joined(elements))

    def phrases(self) -> frozenset[Phrase]:
        """Read the whole pattern as alternatives without gaps, as the words of a class are."""
        found = self._sequence()
        if self._next < len(self._parts):
            raise self._unexpected()
        return self._checked(found, 0)

    def _top_level(self) -> Iterator[Element]:
        gap = 0
        while self._next < len(self._parts):
            part, position = self._parts[self._next]
            if part.startswith("*"):
                gap = self._gap(part, position)
                continue
            phrases, optional = self._item()
            yield Element(phrases=self._checked(phrases - {()}, position), gap=gap, optional=optional)
            gap = 0

    def _gap(self, part: str, position: int) -> int:
        self._next += 1
        if position == self._parts[0][1] or self._next == len(self._parts):
            raise self._error(position, "a gap stands between words: leave out * at the beginning or the end")
        if self._parts[self._next][0].startswith("*"):
            raise self._error(position, "two gaps in a row: write one, such as *8")
        words = int(part[1:] or GAP)
        after, where = self._parts[self._next]
        if not 1 <= words <= 8 or (after.isdigit() and where == position + len(part)):
            raise self._error(position, "a gap is 1 to 8 words: write * or *1 to *8")
        return words

    def _item(self) -> tuple[frozenset[Phrase], bool]:
        part, position = self._parts[self._next]
        self._next += 1
        if known := _known_group(part):
            return (known | {()}, True) if part[0] == "[" else (known, False)
        if part == "(":
            return self._alternatives(position, part), False
        if part == "[":
            return self._alternatives(position, part) | {()}, True
        if part == "{":
            return self._class(position), False
        if part in ")]}|~":
            self._next -= 1
            raise self._unexpected()
        return frozenset([self._word(part, position)]), False

    def _alternatives(self, position: int, opening: str) -> frozenset[Phrase]:
        found: frozenset[Phrase] = frozenset()
        while True:
            if self._peek() in {"|", _CLOSING[opening]}:
                raise self._error(self._place(), "an alternative is empty: write a word, or use [ ] for optional words")
            found |= self._sequence()
            closing = self._peek()
            self._next += 1
            if closing == _CLOSING[opening]:
                return found
            if closing != "|":
                raise self._error(position, f"{opening} is never closed: add {_CLOSING[opening]}")

    def _sequence(self) -> frozenset[Phrase]:
        """Read words up to the next | or closing bracket."""
        found = _NOTHING
        while self._peek() not in {"", "|", ")", "]", "}"}:
            place = self._place()
            if self._peek().startswith("*"):
                raise self._error(place, "a gap cannot stand inside of brackets or word lists: take it outside")
            phrases, _ = self._item()
            found = frozenset(one + other for one, other in product(found, phrases)) if found != _NOTHING else phrases
            self._checked(found, place)
        return found

    def _class(self, position: int) -> frozenset[Phrase]:
        name, closing = self._peek(), self._peek(1)
        if closing != "}":
            raise self._error(position, "{ is never closed: write a name such as {wish}")
        self._next += 2
        return self._classes.phrases(name, self._pattern, position)

    def _word(self, part: str, position: int) -> Phrase:
        words = plain_words(part)
        if not words:
            raise self._error(position, f"'{part}' holds no letter, digit or emoji: leave it out")
        if self._peek() != "~":
            return words
        self._next += 1
        if len(words[-1]) < SHORTEST_PREFIX:
            raise self._error(position, f"'{part}~' is too short: write at least {SHORTEST_PREFIX} letters before ~")
        return (*words[:-1], words[-1] + "~")

    def _checked(self, phrases: frozenset[Phrase], position: int) -> frozenset[Phrase]:
        if len(phrases) > MOST_PHRASES:
            raise self._error(position, f"more than {MOST_PHRASES} combinations: split the pattern")
        if max(map(len, phrases), default=0) > LONGEST_PHRASE:
            raise self._error(position, f"more than {LONGEST_PHRASE} words in a row: shorten, or use a gap")
        return phrases

    def _peek(self, ahead: int = 0) -> str:
        place = self._next + ahead
        return self._parts[place][0] if place < len(self._parts) else ""

    def _place(self) -> int:
        return self._parts[self._next][1] if self._next < len(self._parts) else len(self._pattern)

    def _unexpected(self) -> PatternError:
        part, position = self._parts[self._next]
        return self._error(position, f"'{part}' has no beginning here: remove it, or open it before")

    def _error(self, position: int, message: str) -> PatternError:
        return PatternError(self._pattern, position, message)


def _parts(pattern: str) -> Iterator[tuple[str, int]]:
    """Return the parts of a pattern with their places; alternatives that can be read at once are one part."""
    done = 0
    for group in _GROUPS.finditer(pattern):
        if _known_group(group.group()):
            yield from ((found.group(), found.start()) for found in _PARTS.finditer(pattern, done, group.start()))
            yield group.group(), group.start()
            done = group.end()
    yield from ((found.group(), found.start()) for found in _PARTS.finditer(pattern, done))


@lru_cache(maxsize=1 << 14)
def _known_group(part: str) -> frozenset[Phrase]:
    """Return the phrases of alternatives such as "(die|be dead)"; empty for another part, or where something is wrong.

    Then it is read part by part, and what is wrong is told with its place.
    """
    if len(part) < 3 or _CLOSING.get(part[0]) != part[-1]:
        return frozenset()
    phrases = [_plain_phrase(alternative) for alternative in part[1:-1].split("|")]
    return frozenset(phrases) if all(0 < len(phrase) <= LONGEST_PHRASE for phrase in phrases) else frozenset()


def _plain_phrase(words: str) -> Phrase:
    """Return the words as they stand in an evened text, () when one cannot be read at once."""
    parts = [_plain_part(written) for written in words.split()]
    if len(parts) == 1:
        return parts[0]
    return tuple(chain.from_iterable(parts)) if all(parts) else ()


@lru_cache(maxsize=1 << 14)
def _plain_part(written: str) -> Phrase:
    """Return the words of one part of a pattern, with a "~" behind it perhaps; () when something is wrong."""
    part = written.removesuffix("~")
    words = plain_words(part)
    if part == written or not words:
        return words
    return (*words[:-1], words[-1] + "~") if "~" not in part and len(words[-1]) >= SHORTEST_PREFIX else ()


def _without_optional_ends(elements: Sequence[Element]) -> Sequence[Element]:
    """Leave out what may be missing at both ends: it would find nothing more."""
    needed = [place for place, element in enumerate(elements) if not element.optional]
    if not needed:
        return ()
    first, *rest = elements[needed[0] : needed[-1] + 1]
    return (replace(first, gap=0) if first.gap else first, *rest)


def _joined(elements: Sequence[Element]) -> tuple[Element, ...]:
    """Make plain words that follow each other one phrase, which is quicker to look for."""
    joined: list[Element] = []
    for element in elements:
        before = joined[-1] if joined else None
        if before and not element.gap and _plain(before) and _plain(element):
            (one,), (other,) = before.phrases, element.phrases
            if len(one + other) <= LONGEST_PHRASE:
                joined[-1] = replace(before, phrases=frozenset([one + other]))
                continue
        joined.append(element)
    return tuple(joined)


def _plain(element: Element) -> bool:
    return len(element.phrases) == 1 and not element.optional


def _gaps_reach_past_optional(elements: Sequence[Element]) -> tuple[Element, ...]:
    """Where an optional word is missing, the gap before it stands before what follows it."""
    reached: list[Element] = []
    for element in elements:
        before = reached[-1] if reached else None
        inherited = before.gap if before and before.optional else 0
        reached.append(replace(element, gap=inherited) if inherited > element.gap else element)
    return tuple(reached)
