"""The second opinion on one text: how alike it is to what people wrote who were at risk, and to which examples."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import structlog

from bot.semantic.encoder import CannotRead, Encoder, load_encoder, missing
from bot.semantic.meaning import alike_by_meaning, meaning, restored
from bot.semantic.ngrams import ngrams
from bot.semantic.trained import Trained, read_trained

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

RULE = "second-opinion"
"""What a flag names as its rule when the second opinion raised it."""
Mode = Literal["auto", "on", "off"]
PIECE, STEP = 60, 45
"""Words: a longer text is read in pieces of so many, each beginning so many after the one before."""
MOST_PIECES = 6
"""Of a text with more pieces than this the first and the last are read, so that its length costs no more."""
SHOWN = 3
"""Examples named with an opinion."""
log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Similar:
    """An example that a text is like; `likeness` is the cosine of their meanings, at most 1."""

    id: str
    likeness: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """What the second opinion says of a text. `score` and `threshold` are log-odds; `similar` begins with the nearest.

    `category` is a guess, right in every second case: it says where to look first, not what is the matter.
    """

    score: float
    threshold: float
    category: str
    version: str
    similar: tuple[Similar, ...]

    @property
    def worth_a_look(self) -> bool:
        return self.score >= self.threshold


def load_second_opinion(content: Path, mode: Mode) -> "SecondOpinion | None":
    """Return the second opinion, None where it is off, or is not installed and need not be.

    Raises CannotRead when it must be on and cannot.
    """
    if mode == "off" or (mode == "auto" and missing()):
        return None
    try:
        return SecondOpinion(load_encoder(), read_trained(content))
    except CannotRead as error:
        if mode == "on":
            raise
        log.warning("there is no second opinion, the rules stand alone", why=str(error))
        return None


class SecondOpinion:
    """The model with what it learned. Holds nothing of the texts that it considers; may be used by several threads."""

    def __init__(self, encoder: Encoder, trained: Trained) -> None:
        self._encoder = encoder
        self._trained = trained
        self._known = restored(trained.known, trained.scale)

    def consider(self, text: str) -> Opinion:
        """Return what it says of a text, in a long one of the most worrying piece."""
        score, row = max((self._scored(piece) for piece in pieces(text)), key=lambda scored: scored[0])
        return Opinion(
            score=score,
            threshold=self._trained.threshold,
            category=self._category(row),
            version=self._trained.version,
            similar=self._similar(row),
        )

    def _scored(self, text: str) -> "tuple[float, Floats]":
        import numpy as np

        known = self._trained
        (row,) = meaning(self._encoder.encode([text]), known.centre)
        found = ngrams(text)
        keys = np.fromiter(found.keys(), dtype=np.uint32, count=len(found))
        values = np.fromiter(found.values(), dtype=np.float64, count=len(found))
        places = np.minimum(np.searchsorted(known.keys, keys), len(known.keys) - 1)
        held = known.keys[places] == keys
        by_pieces = values[held] @ known.pieces[places[held]].astype(np.float64)
        by_meaning = alike_by_meaning(self._known @ row) @ known.share
        return float(by_pieces + by_meaning + known.added), row

    def _category(self, row: "Floats") -> str:
        return self._trained.categories[int((self._trained.about @ row).argmax())]

    def _similar(self, row: "Floats") -> tuple[Similar, ...]:
        import numpy as np

        known = self._trained
        likeness = self._known[known.risky] @ row
        nearest = np.argsort(-likeness, kind="stable")[:SHOWN]
        return tuple(Similar(id=known.examples[at], likeness=round(float(likeness[at]), 3)) for at in nearest.tolist())


def pieces(text: str) -> Iterator[str]:
    """Yield the pieces that a text is read in: the whole of it when it is short."""
    words = [word.span() for word in re.finditer(r"\S+", text)]
    starts = list(range(0, max(len(words) - PIECE + STEP, 1), STEP))
    if len(starts) > MOST_PIECES:
        starts = [*starts[: MOST_PIECES // 2], *starts[-(MOST_PIECES // 2) :]]
    if len(words) <= PIECE:
        yield text
        return
    for start in starts:
        inside = words[start : start + PIECE]
        yield text[inside[0][0] : inside[-1][1]]
