"""Finds the word that was meant: text-speak, leet, censored, stretched, spaced, run-together and misspelt words."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, product

from bot.domain.risk.normalise import plain_words
from bot.domain.risk.pattern import Phrase
from bot.domain.risk.rules import PatternError

_LEET = (
    str.maketrans("0134578@$!|", "oieastbasil"),
    str.maketrans("0134578@$!|", "oleastbasll"),
)
_STRETCHED = re.compile(r"(.)\1{2,}")
_ONLY_LETTERS = re.compile(r"[^\W\d_]+")
_LONGEST_SPELT = 32
"""Longer words are nobody's misspelling."""
_LONGEST_PIECE = 14
_SHORTEST_RUN_TOGETHER = 6
_SHORT_PIECES = frozenset(["a", "i", "y", "im", "my", "me", "to", "be", "it", "is", "no", "do", "in", "yo", "mi", "ya"])
_MOST_CENSORED = 2
_SHORTEST_FORGIVEN = 5


def read_spellings(entries: Iterable[str]) -> dict[str, Phrase]:
    """Read entries such as "kms, kys = kill myself" into what each word stands for."""
    meant: dict[str, Phrase] = {}
    for entry in entries:
        written, equals, means = entry.partition("=")
        words = plain_words(means)
        if not equals or not words:
            raise PatternError(entry, 0, "a spelling is written as: word, word = what it means")
        for form in written.split(","):
            key = form_key(form)
            if not key:
                raise PatternError(entry, 0, f"'{form.strip()}' is not one word: write a single word before =")
            meant[key] = words
    return meant


def form_key(form: str) -> str:
    """Return a single word as it stands in an evened text, "" when it is none or several."""
    words = plain_words(form)
    return words[0] if len(words) == 1 else ""


class Spelling:
    """What written words mean. `known` are the words of the patterns; `forgiven` may have one letter wrong."""

    def __init__(self, meant: Mapping[str, Phrase], known: Iterable[str], forgiven: Iterable[str]) -> None:
        self._meant = meant
        self._known = frozenset(known)
        self._nearly = {form: word for word in forgiven for form in (word, *_one_less(word))}
        self._forgiven = frozenset(forgiven)
        pieces = filter(self._is_piece, chain(self._known, self._meant))
        self._beginnings = frozenset(piece[:end] for piece in pieces for end in range(1, len(piece) + 1))

    def words(self, written: str) -> Phrase:
        """Return the words that a written word stands for; itself when nothing is known of it."""
        if written in self._meant:
            return self._meant[written]
        if written in self._known or len(written) > _LONGEST_SPELT:
            return (written,)
        return self._repaired(written) or (written,)

    def sign(self, written: str) -> Phrase:
        """Return what an emoji stands for, empty when nothing is known of it."""
        return self._understood(written)

    def letters(self, run: str) -> tuple[int, Phrase, int]:
        """Return the words that letters written apart make up, and how many letters before and after are left over."""
        ends = ((0, 0), (1, 0), (0, 1), (1, 1)) if len(run) <= _LONGEST_PIECE else ((0, 0),)
        for before, after in ends:
            middle = run[before : len(run) - after]
            if words := self._understood(middle) or self._pieces(middle) or self._forgiving(middle):
                return before, words, after
        return len(run), (), 0

    def joined(self, one: str, other: str) -> Phrase:
        """Return the word that two pieces make up ("sui cide"), empty when none."""
        whole = one + other
        return (whole,) if whole in self._forgiven else ()

    def _repaired(self, written: str) -> Phrase:
        if not _ONLY_LETTERS.fullmatch(written):
            return self._without_disguise(written)
        return self._misspelt(written) or self._run_together(written)

    def _misspelt(self, word: str) -> Phrase:
        return self._unstretched(word) or self._forgiving(word)

    def _understood(self, word: str) -> Phrase:
        if word in self._meant:
            return self._meant[word]
        return (word,) if word in self._known else ()

    def _unstretched(self, word: str) -> Phrase:
        if not _STRETCHED.search(word):
            return ()
        twice, once = _STRETCHED.sub(r"\1\1", word), _STRETCHED.sub(r"\1", word)
        return self._understood(twice) or self._understood(once) or self._forgiving(once)

    def _forgiving(self, word: str) -> Phrase:
        if len(word) < _SHORTEST_FORGIVEN:
            return ()
        near = (self._nearly[form] for form in (word, *_one_less(word)) if form in self._nearly)
        return next(((found,) for found in near if abs(len(found) - len(word)) <= 1), ())

    def _without_disguise(self, word: str) -> Phrase:
        if not any(character.isalpha() for character in word):
            return ()
        censored = "*" in word
        for plain in _undisguised(word):
            if found := self._understood(plain) or (not censored and self._misspelt(plain)):
                return found
        parts = tuple(part for part in re.split(r"[@$!*|]+", word) if part)
        return tuple(meant for part in parts for meant in self.words(part)) if len(parts) > 1 else ()

    def _run_together(self, word: str) -> Phrase:
        return self._pieces(word) if len(word) >= _SHORTEST_RUN_TOGETHER else ()

    def _pieces(self, run: str) -> Phrase:
        """Return the known words that a run of letters is made of, the fewest, empty when it is not."""
        fewest: list[tuple[int, int] | None] = [(0, 0), *[None] * len(run)]
        for start in range(len(run)):
            here = fewest[start]
            if here is None:
                continue
            for end in range(start + 1, min(start + _LONGEST_PIECE, len(run)) + 1):
                if run[start:end] not in self._beginnings:
                    break
                present = fewest[end]
                if (present is None or here[0] + 1 < present[0]) and self._is_piece(run[start:end]):
                    fewest[end] = (here[0] + 1, start)
        pieces = _traced(run, fewest)
        return tuple(word for piece in pieces for word in self._understood(piece)) if len(pieces) > 1 else ()

    def _is_piece(self, piece: str) -> bool:
        if len(piece) < 3 and piece not in _SHORT_PIECES:
            return False
        return piece in self._known or piece in self._meant


def _traced(run: str, fewest: Sequence[tuple[int, int] | None]) -> list[str]:
    """Return the pieces from the end back to the beginning, in order; none when the end was not reached."""
    pieces: list[str] = []
    end = len(run)
    while end and (step := fewest[end]):
        pieces.append(run[step[1] : end])
        end = step[1]
    return pieces[::-1]


def _one_less(word: str) -> Iterator[str]:
    return (word[:place] + word[place + 1 :] for place in range(len(word)))


def _undisguised(word: str) -> Iterator[str]:
    """Return what a word with digits and signs among its letters may have been meant to be."""
    stars = word.count("*")
    if stars > _MOST_CENSORED:
        return
    for plain in dict.fromkeys(word.translate(leet) for leet in _LEET):
        for vowels in product("aeiou", repeat=stars):
            yield _filled(plain, vowels)


def _filled(word: str, letters: Sequence[str]) -> str:
    for letter in letters:
        word = word.replace("*", letter, 1)
    return word
