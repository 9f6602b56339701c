"""The model multilingual-e5-small, in four bits a weight: read from its package and run with numpy alone."""

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from tokenizers import Tokenizer

    Bytes = NDArray[np.uint8]
    Floats = NDArray[np.float32]

FILE = "e5-small-q4.bin"
MAGIC = b"E5S1"
ASKS = "query: "
"""What the model expects before a text that is compared with others."""
MOST_TOKENS = 160
"""About 100 words. Of a longer text the beginning is read; who asks cuts long texts into pieces."""
TOGETHER = 32
"""Texts of as many tokens that are read at once."""
BLOCK = 32
BLOCK_BYTES = 18
"""A block of weights: a half-precision scale, then 16 bytes of two weights each."""
EPSILON = 1e-12


class E5:
    """Tokens, twelve layers of attention, the mean over the tokens. The same text has the same vector."""

    WIDTH = 384

    def __init__(self, folder: Path) -> None:
        """Map the model's file. Raises ValueError or OSError when it cannot be read."""
        import numpy as np

        model = _Reader(np.memmap(folder / FILE, dtype=np.uint8, mode="r"))
        model.demand(MAGIC)
        _, self._layers, self._heads, self._wide, *_ = model.numbers("i" * 7)
        self._epsilon, _ = model.numbers("fi")
        pieces, self._begin, self._end, _, unknown = model.numbers("i" * 5)
        self._tokenizer = _tokenizer(model.pieces(pieces), unknown)
        self._evened = model.replacements()
        stored = dict(model.arrays())
        self._words = stored.pop("emb.word").stored.reshape(-1, self.WIDTH // BLOCK * BLOCK_BYTES)
        self._weights = {name: self._matrix(name, array.floats()) for name, array in stored.items()}

    def encode(self, texts: Sequence[str]) -> "Floats":
        """Return a row of 384 numbers of length 1 for each text. Takes about 30 ms for 20 words on one core."""
        import numpy as np

        tokens = [self._tokens(text) for text in texts]
        meant = np.empty((len(texts), self.WIDTH), dtype=np.float32)
        for alike in _of_one_length(tokens):
            meant[alike] = self._read(np.array([tokens[number] for number in alike]))
        unit: Floats = meant / np.linalg.norm(meant, axis=1, keepdims=True)
        return unit

    def _tokens(self, text: str) -> list[int]:
        line = " ".join((ASKS + text).translate(self._evened).split())
        inside: list[int] = self._tokenizer.encode(line, add_special_tokens=False).ids
        return [self._begin, *inside[: MOST_TOKENS - 2], self._end]

    def _read(self, tokens: "NDArray[np.int64]") -> "Floats":
        words = _weights_of(self._words[tokens].reshape(-1, BLOCK_BYTES)).reshape(*tokens.shape, self.WIDTH)
        places, kind = self._weights["emb.pos"][: tokens.shape[1]], self._weights["emb.type"][0]
        hidden = self._normalised("emb.ln", words + places + kind)
        for number in range(self._layers):
            hidden = self._layer(f"l{number}", hidden)
        meant: Floats = hidden.mean(axis=1)
        return meant

    def _layer(self, name: str, hidden: "Floats") -> "Floats":
        hidden = self._normalised(f"{name}.aln", hidden + self._linear(f"{name}.ao", self._attention(name, hidden)))
        wide = _gelu(self._linear(f"{name}.fi", hidden))
        return self._normalised(f"{name}.oln", hidden + self._linear(f"{name}.fo", wide))

    def _attention(self, name: str, hidden: "Floats") -> "Floats":
        query, key, value = (self._split(self._linear(f"{name}.{part}", hidden)) for part in ("q", "k", "v"))
        scores = _softmax(query @ key.transpose(0, 1, 3, 2) / (self.WIDTH / self._heads) ** 0.5)
        mixed: Floats = (scores @ value).transpose(0, 2, 1, 3).reshape(hidden.shape)
        return mixed

    def _split(self, values: "Floats") -> "Floats":
        texts, tokens, _ = values.shape
        return values.reshape(texts, tokens, self._heads, -1).transpose(0, 2, 1, 3)

    def _linear(self, name: str, values: "Floats") -> "Floats":
        flat = values.reshape(-1, values.shape[-1]) @ self._weights[f"{name}.w"].T + self._weights[f"{name}.b"]
        return flat.reshape(*values.shape[:-1], -1)

    def _normalised(self, name: str, values: "Floats") -> "Floats":
        centred = values - values.mean(axis=-1, keepdims=True)
        spread = (centred * centred).mean(axis=-1, keepdims=True)
        scaled: Floats = centred / (spread + self._epsilon) ** 0.5
        return scaled * self._weights[f"{name}.w"] + self._weights[f"{name}.b"]

    def _matrix(self, name: str, values: "Floats") -> "Floats":
        """Return weights in rows, where they are more than one row."""
        if name.endswith((".b", "ln.w")):
            return values
        return values.reshape(-1, self._wide if name.endswith("fo.w") else self.WIDTH)


class _Reader:
    """Takes one thing after the other from the model's file."""

    def __init__(self, content: "Bytes") -> None:
        self._content = content
        self._at = 0

    def demand(self, magic: bytes) -> None:
        if self._bytes(len(magic)) != magic:
            raise ValueError(f"{FILE} is no such model")
        self.numbers("I")

    def numbers(self, kinds: str) -> tuple[int, ...]:
        return struct.unpack(f"<{kinds}", self._bytes(struct.calcsize(f"<{kinds}")))

    def pieces(self, count: int) -> Iterator[tuple[str, float]]:
        """Return the pieces of words with their log-probabilities."""
        import numpy as np

        (length,) = self.numbers("Q")
        starts = np.frombuffer(self._bytes(4 * (count + 1)), dtype=np.uint32).tolist()
        likely = np.frombuffer(self._bytes(4 * count), dtype=np.float32).tolist()
        whole = self._bytes(length)
        words = (whole[start:end].decode() for start, end in pairwise(starts))
        return zip(words, likely, strict=True)

    def replacements(self) -> Mapping[int, str]:
        """Return what letters are written as instead: full-width as plain ones, and so on."""
        count, _ = self.numbers("iI")
        found = {}
        for _ in range(count):
            letter, size = self.numbers("IB")
            found[letter] = "".join(map(chr, self.numbers("I" * size)))
        return found

    def arrays(self) -> "Iterator[tuple[str, _Array]]":
        """Yield the weights by name."""
        (count,) = self.numbers("i")
        for _ in range(count):
            name = self._bytes(self.numbers("H")[0]).decode()
            in_blocks, _, start, size = self.numbers("BIQQ")
            yield name, _Array(self._content[start : start + size], bool(in_blocks))

    def _bytes(self, size: int) -> bytes:
        found = self._content[self._at : self._at + size].tobytes()
        if len(found) < size:
            raise ValueError(f"{FILE} is cut off")
        self._at += size
        return found


@dataclass(frozen=True, slots=True, eq=False)
class _Array:
    """Weights as they are stored: in blocks, or as floats."""

    stored: "Bytes"
    in_blocks: bool

    def floats(self) -> "Floats":
        import numpy as np

        return (
            _weights_of(self.stored.reshape(-1, BLOCK_BYTES)).ravel()
            if self.in_blocks
            else self.stored.view(np.float32)
        )


def _tokenizer(pieces: Iterator[tuple[str, float]], unknown: int) -> "Tokenizer":
    from tokenizers import Tokenizer, models, pre_tokenizers

    made = Tokenizer(models.Unigram(list(pieces), unk_id=unknown, byte_fallback=False))
    made.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    return made


def _of_one_length(tokens: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """Yield the numbers of texts that have as many tokens, so many at a time that they are read at once."""

    def length(number: int) -> int:
        return len(tokens[number])

    for _, alike in groupby(sorted(range(len(tokens)), key=length), key=length):
        numbers = list(alike)
        yield from (numbers[first : first + TOGETHER] for first in range(0, len(numbers), TOGETHER))


def _weights_of(blocks: "Bytes") -> "Floats":
    """Return the 32 weights of each block: low halves of the bytes first, then the high ones, from -8 to 7 scales."""
    import numpy as np

    scale = blocks[:, :2].copy().view(np.float16).astype(np.float32)
    halves = np.concatenate([blocks[:, 2:] & 15, blocks[:, 2:] >> 4], axis=1)
    return scale * (halves.astype(np.float32) - 8)


def _softmax(scores: "Floats") -> "Floats":
    import numpy as np

    raised: Floats = np.exp(scores - scores.max(axis=-1, keepdims=True))
    raised /= raised.sum(axis=-1, keepdims=True)
    return raised


def _gelu(values: "Floats") -> "Floats":
    """Return x Φ(x), the normal distribution's Φ by Abramowitz and Stegun 7.1.26 (off by 1.5e-7 at most)."""
    import numpy as np

    size = np.abs(values) * np.float32(0.5**0.5)
    t = 1 / (1 + np.float32(0.3275911) * size)
    series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    error: Floats = np.copysign(1 - series * np.exp(-size * size), values)
    return values * (1 + error) * np.float32(0.5)
