"""Pieces of words and pairs of words as numbers: what the model, which is English, cannot see in other languages."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from zlib import crc32

from bot.domain.risk.normalise import evened

LETTERS = (3, 4, 5)
WORDS = (1, 2)
_PARTS = re.compile(r"\w+|[^\w\s]")


def ngrams(text: str) -> Mapping[int, float]:
    """Return a vector of length 1: the weight of each piece of the text by the piece's hash (CRC-32)."""
    counts = Counter(crc32(piece.encode()) for piece in _pieces(_PARTS.findall(evened(text).text)))
    length = sum(count * count for count in counts.values()) ** 0.5
    return {key: count / length for key, count in counts.items()}


def _pieces(words: list[str]) -> Iterator[str]:
    line = f" {' '.join(words)} "
    for size in LETTERS:
        for start in range(len(line) - size + 1):
            yield f"c{line[start : start + size]}"
    for size in WORDS:
        for start in range(len(words) - size + 1):
            yield f"w{' '.join(words[start : start + size])}"
