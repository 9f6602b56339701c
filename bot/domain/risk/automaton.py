"""Looks for all patterns in one pass, in time that grows with the text alone, whatever the text is.

Each element of each pattern is one bit of a large number; a set bit means that the elements before it were found. A
word moves all patterns on at once (the bit-parallel Shift-And of Baeza-Yates and Gonnet, with gaps and optional
elements after Navarro and Raffinot). Nothing is ever tried again, so there is no text that makes it slow.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import product
from typing import NamedTuple

from bot.domain.risk.pattern import Element, Pattern, Phrase

Symbols = tuple[str, ...]
"""What a word counts as: itself, the beginnings ("suicid~") that patterns look for, and "razor" for "razors"."""
SHORTEST_WITHOUT_S = 3
REMEMBERED = 2000
"""Places in the tree whose elements are kept as a number of thousands of bits; people use few of the many words."""


class Word(NamedTuple):
    """A word of a text, ready to be looked up. `start` and `end` are places in the text as written."""

    symbols: Symbols
    start: int
    end: int
    cut: int
    gap_may_cross: bool = True


@dataclass(slots=True, eq=False)
class _Node:
    """A place in the tree; `ending` are the lists of elements of which a phrase ends here, by their numbers."""

    ending: list[int] = field(default_factory=list)
    onward: dict[str, "_Node"] = field(default_factory=dict)

    def words(self) -> set[str]:
        """Return all words that lead from here on."""
        found = set(self.onward)
        for node in self.onward.values():
            if node.onward:
                found |= node.words()
        return found


@dataclass(frozen=True, slots=True)
class Place:
    """Where a pattern was found: the words from `start` to `end`, and the runs of words that its elements took."""

    start: int
    end: int
    taken: tuple[tuple[int, int], ...]

    def in_a_gap(self, start: int, end: int) -> bool:
        """Return whether the words from `start` to `end` all lie between what the elements took."""
        within = self.start <= start and end <= self.end
        return within and all(end <= first or start >= after for first, after in self.taken)


class Automaton:
    """All patterns as one. A pattern is named by its number in the order given."""

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        self._patterns = tuple(patterns)
        self._root = _Node()
        self._first = 0
        self._optional = 0
        self._finals = 0
        self._gaps: list[tuple[int, int]] = []
        self._holders: list[list[int]] = []
        self._pattern_of: dict[int, int] = {}
        self._final_bit = [0] * len(self._patterns)
        self._lay_out()
        self._ending = lru_cache(maxsize=REMEMBERED)(self._elements_ending_at)
        self._known = frozenset(self._root.words())
        self._prefixes = frozenset(word for word in self._known if word.endswith("~"))
        self._prefix_lengths = sorted({len(prefix) - 1 for prefix in self._prefixes})
        self._symbols = {word: self._worked_out(word) for word in self._known}

    def vocabulary(self) -> frozenset[str]:
        """Return the words of all patterns, beginnings with their "~"."""
        return self._known

    def final_bits(self, patterns: Sequence[int]) -> int:
        """Return the bits that `scan` sets where one of the patterns ends."""
        return _mask(self._final_bit[number] for number in patterns)

    def patterns_in(self, finals: int) -> Iterator[int]:
        """Return the numbers of the patterns whose final bits are set."""
        while finals:
            bit = finals & -finals
            yield self._pattern_of[bit.bit_length() - 1]
            finals ^= bit

    def symbols(self, word: str) -> Symbols:
        """Return what a word counts as."""
        return self._symbols.get(word) or self._worked_out(word)

    def _worked_out(self, word: str) -> Symbols:
        beginnings = [word[:length] + "~" for length in self._prefix_lengths if length <= len(word)]
        found = tuple(beginning for beginning in beginnings if beginning in self._prefixes)
        return (word, *found, *self._without_s(word))

    def _without_s(self, word: str) -> Symbols:
        """Return the word that an unknown "razor's" or "razors" is of: written as "razors" in either case."""
        stem = word[:-1]
        counts = word.endswith("s") and word not in self._known and len(stem) >= SHORTEST_WITHOUT_S
        return (stem,) if counts and stem in self._known else ()

    def scan(self, words: Sequence[Word]) -> list[int]:
        """Return, for each place between words, the final bits of the patterns that end there.

        A pattern's last element moves on to the first of the next one, which is active in any case.
        """
        found = [0] * (len(words) + 1)
        entered = [0] * len(words)
        since, ending = -1, self._ending
        for place, word in enumerate(words):
            if not word.gap_may_cross:
                since = place
            if found[place]:
                entered[place] = self._skipping_optional(found[place] << 1)
            if phrases := self._phrases_from(place, words):
                active = self._active(place, since, entered)
                for after, node in phrases:
                    found[after] |= active & ending(node)
        return [bits & self._finals for bits in found]

    def find(self, pattern: int, end: int, words: Sequence[Word]) -> Place | None:
        """Return where the pattern stands that ends before the word `end`: small gaps first, then long phrases."""
        reached: dict[int, tuple[tuple[int, int], ...]] = {end: ()}
        for element in reversed(self._patterns[pattern].elements):
            earlier = dict(reached) if element.optional else {}
            for place, taken in reached.items():
                for start in _starts(element, place, words):
                    run = ((start, place), *taken)
                    for before in _before_gap(start, element.gap, words):
                        earlier.setdefault(before, run)
            reached = earlier
        if not reached:
            return None
        start, taken = next(iter(reached.items()))
        return Place(start, end, taken)

    def _lay_out(self) -> None:
        """Give each element its bit; those of the widest gaps are the lowest, since small masks are used sooner.

        Many elements have the same phrases: each set of phrases is laid out once, for all of them.
        """
        bit = 0
        first, optional, gaps = list[int](), list[int](), defaultdict[int, list[int]](list)
        holders = defaultdict[frozenset[Phrase], list[int]](list)
        for number in sorted(range(len(self._patterns)), key=self._breadth, reverse=True):
            elements = self._patterns[number].elements
            first.append(bit)
            self._final_bit[number] = bit + len(elements) - 1
            for element in elements:
                holders[element.phrases].append(bit)
                if element.optional:
                    optional.append(bit)
                for words in range(1, element.gap + 1):
                    gaps[words].append(bit)
                bit += 1
        self._pattern_of = {final: number for number, final in enumerate(self._final_bit)}
        self._first, self._optional, self._finals = _mask(first), _mask(optional), _mask(self._final_bit)
        self._gaps = sorted((words, _mask(bits)) for words, bits in gaps.items())
        for phrases, bits in holders.items():
            self._add(phrases, bits)

    def _breadth(self, number: int) -> tuple[int, bool]:
        elements = self._patterns[number].elements
        return max(element.gap for element in elements), any(element.optional for element in elements)

    def _add(self, phrases: frozenset[Phrase], bits: list[int]) -> None:
        for phrase in phrases:
            node = self._root
            for word in phrase:
                onward = node.onward.get(word)
                if onward is None:
                    onward = node.onward[word] = _Node()
                node = onward
            node.ending.append(len(self._holders))
        self._holders.append(bits)

    def _elements_ending_at(self, node: _Node) -> int:
        return _mask(bit for phrases in node.ending for bit in self._holders[phrases])

    def _skipping_optional(self, entered: int) -> int:
        """Return also the elements after those that may be missing.

        Adding a bit at the foot of a run of optional bits carries through the run to the element after it (as in
        Myers's bit-vector algorithm), however long the run is. A run never leaves its pattern: no pattern ends in one.
        """
        skipped = entered & self._optional
        return entered | ((skipped + self._optional) ^ self._optional) if skipped else entered

    def _phrases_from(self, place: int, words: Sequence[Word]) -> list[tuple[int, _Node]]:
        """Return the phrases that begin with the word at `place`: the word after each, and its place in the tree."""
        phrases: list[tuple[int, _Node]] = []
        onward = self._root.onward
        nodes = [onward[symbol] for symbol in words[place].symbols if symbol in onward]
        after = place + 1
        while nodes:
            phrases += [(after, node) for node in nodes if node.ending]
            going_on = [node.onward for node in nodes if node.onward]
            if not going_on or after == len(words):
                break
            symbols = words[after].symbols
            nodes = [onward[symbol] for onward in going_on for symbol in symbols if symbol in onward]
            after += 1
        return phrases

    def _active(self, place: int, since: int, entered: Sequence[int]) -> int:
        """Return the elements that the word at `place` may belong to; no gap reaches back over the word `since`."""
        active = entered[place] | self._first
        for count, gaps in self._gaps:
            if place - count <= since:
                break
            if before := entered[place - count]:
                active |= before & gaps
        return active


def _mask(bits: Iterable[int]) -> int:
    """Return the number in which these bits are set."""
    places = list(bits)
    octets = bytearray(max(places, default=0) // 8 + 1)
    for bit in places:
        octets[bit // 8] |= 1 << bit % 8
    return int.from_bytes(octets, "little")


def _starts(element: Element, end: int, words: Sequence[Word]) -> list[int]:
    """Return where the phrases of an element begin that end before the word `end`, the longest first."""
    phrases = element.phrases
    return [end - long for long in element.lengths if long <= end and _stands(phrases, words[end - long : end])]


def _stands(phrases: frozenset[Phrase], words: Sequence[Word]) -> bool:
    return not phrases.isdisjoint(product(*[word.symbols for word in words]))


def _before_gap(start: int, gap: int, words: Sequence[Word]) -> Iterator[int]:
    """Return where the element before may end: at `start`, or up to `gap` words earlier in the same sentence."""
    yield start
    if not gap or not words[start].gap_may_cross:
        return
    for place in range(start - 1, max(-1, start - gap - 1), -1):
        if not words[place].gap_may_cross:
            return
        yield place
