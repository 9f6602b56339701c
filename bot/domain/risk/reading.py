"""Reads a text into words ready to be looked up: each as it was meant, with its place in the text as written."""

from collections.abc import Iterable, Iterator

from bot.domain.risk.automaton import Automaton, Word
from bot.domain.risk.normalise import LINE, SENTENCE, Raw, evened, raw_words
from bot.domain.risk.pattern import Phrase
from bot.domain.risk.spelling import Spelling


class Reading:
    """How texts are read for one set of patterns. A word of `contrast` ("but") begins something new."""

    def __init__(self, automaton: Automaton, spelling: Spelling, contrast: Iterable[str]) -> None:
        self._symbols = automaton.symbols
        self._spelling = spelling
        self._contrast = frozenset(contrast)

    def words(self, text: str) -> list[Word]:
        """Return the words of the text in order."""
        words: list[Word] = []
        seen: dict[str, Phrase] = {}
        before: Raw | None = None
        for raw in raw_words(evened(text)):
            beside = before and words and words[-1].start == before.start
            whole = self._spelling.joined(before.word, raw.word) if before and beside else ()
            if whole:
                words[-1] = self._word(whole[0], words[-1].start, raw.end, words[-1].cut)
            elif raw.spaced:
                words.extend(self._read_spaced(raw))
            else:
                if raw.word not in seen:
                    seen[raw.word] = self._meant(raw.word)
                words += self._at(seen[raw.word], raw)
            before = None if whole else raw
        return words

    def _meant(self, written: str) -> Phrase:
        """Return what a written word or sign stands for; nothing when it is a sign that no pattern knows."""
        if written[0].isalnum() or written[0] in "@$":
            return self._spelling.words(written)
        return self._spelling.sign(written)

    def _read_spaced(self, raw: Raw) -> Iterator[Word]:
        """Letters written apart are a word or several, or else just letters; their places are told roughly."""
        before, meant, after = self._spelling.letters(raw.word)
        alone = len(raw.word) if not meant else before
        last = raw.word[len(raw.word) - after :] if after else ""
        for place, word in enumerate((*raw.word[:alone], *meant, *last)):
            yield self._word(word, raw.start, raw.end, 0 if place else raw.cut)

    def _at(self, meant: Phrase, raw: Raw) -> list[Word]:
        if len(meant) == 1:
            return [self._word(meant[0], raw.start, raw.end, raw.cut)]
        return [self._word(word, raw.start, raw.end, 0 if place else raw.cut) for place, word in enumerate(meant)]

    def _word(self, word: str, start: int, end: int, cut: int) -> Word:
        strength = max(cut, LINE) if word in self._contrast else cut
        return Word(self._symbols(word), start, end, strength, cut < SENTENCE)
