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
        self._known = automaton.vocabulary()
        self._spelling = spelling
        self._contrast = frozenset(contrast)

    def words(self, text: str) -> list[Word]:
        """Return the words of the text in order."""
        words: list[Word] = []
        before: Raw | None = None
        for raw in raw_words(evened(text)):
            whole = self._spelling.joined(before.word, raw.word) if before and not raw.spaced else ()
            if before and whole:
                words[-1] = self._word(whole[0], words[-1].start, raw.end, words[-1].cut)
            else:
                words.extend(self._read(raw))
            before = None if whole else raw
        return words

    def _read(self, raw: Raw) -> Iterator[Word]:
        if raw.spaced:
            yield from self._read_spaced(raw)
            return
        meant = self._spelling.words(raw.word)
        if meant == (raw.word,) and not raw.word[0].isalnum() and raw.word not in self._known:
            return
        yield from self._at(meant, raw)

    def _read_spaced(self, raw: Raw) -> Iterator[Word]:
        """Letters written apart are a word or several, or else just letters; their places are told roughly."""
        before, meant, after = self._spelling.letters(raw.word)
        alone = len(raw.word) if not meant else before
        last = raw.word[len(raw.word) - after :] if after else ""
        for place, word in enumerate((*raw.word[:alone], *meant, *last)):
            yield self._word(word, raw.start, raw.end, 0 if place else raw.cut)

    def _at(self, meant: Phrase, raw: Raw) -> Iterator[Word]:
        for place, word in enumerate(meant):
            yield self._word(word, raw.start, raw.end, 0 if place else raw.cut)

    def _word(self, word: str, start: int, end: int, cut: int) -> Word:
        strength = max(cut, LINE) if word in self._contrast else cut
        crossed = cut < SENTENCE
        return Word(symbols=self._symbols(word), start=start, end=end, cut=strength, gap_may_cross=crossed)
