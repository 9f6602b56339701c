"""Learns the second opinion from labelled sentences, and tells how it does on those that it did not learn from."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.domain.risk import Detector
from bot.semantic.encoder import Encoder
from bot.semantic.meaning import alike_by_meaning, meaning, restored, rounded
from bot.semantic.ngrams import ngrams
from bot.semantic.regression import add_alike_by_pieces, fit, held_out, in_folds
from bot.semantic.sentences import Sentence, fingerprint
from bot.semantic.trained import Trained

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Bytes = NDArray[np.int8]
    Floats = NDArray[np.float32]
    Doubles = NDArray[np.float64]
    Bools = NDArray[np.bool_]

FOLDS, SEED = 5, 20261102
PENALTY = 3e-7
COUNTS = {"near": 0.5, "everyday": 3.0}
"""How much a sentence of a kind counts; any other counts 1. A false alarm must be far rarer than a miss, so what is
everyday counts more. These and the penalty were chosen by trying on people whose sentences were left out."""
BY_PIECES = 0.2
"""How much likeness in pieces of words counts beside that in meaning."""
TOGETHER = 256
"""Sentences that are encoded at once."""
FALSE_ALARMS = 0.010
"""The share of everyday sentences that it may flag beyond the rules where they were held out. The rules know these
sentences, and flag two or three times as many of those that they do not know: 2.5 % is the bound for both together."""
RIDGE = 1.0
"""The penalty on guessing what a sentence is about."""
KEPT = 30_000
"""Pieces of words whose weight is kept, the weightiest; all the others count nothing."""


class TooFew(Exception):
    """There is too little to learn from. The message says what is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """How many sentences of one language and kind there are, and how many are flagged when they were held out."""

    language: str
    kind: str
    sentences: int
    by_rules: int
    by_either: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What came of a training: the regression, and how well it does on sentences that were held out.

    `category_right` is how often the category guessed of a text at risk is right, from 0 to 1.
    """

    trained: Trained
    figures: tuple[Figure, ...]
    category_right: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Data:
    """The sentences with all that is known of each, in their order."""

    sentences: Sequence[Sentence]
    centre: "Floats"
    known: "Bytes"
    scale: "Floats"
    pieces: Sequence[Mapping[int, float]]
    alike: "Floats"
    positive: "Bools"
    by_rules: "Bools"
    weight: "Doubles"

    @property
    def rows(self) -> "Floats":
        """The sentences' meanings, as they are kept."""
        return restored(self.known, self.scale)


def train(
    sentences: Sequence[Sentence],
    detector: Detector,
    encoder: Encoder,
    rules: str,
    progress: Callable[[int], None] = lambda _: None,
) -> Learned:
    """Learn from the sentences; the same sentences give the same. `progress` is told of how many were read.

    Raises TooFew. Takes about 40 ms a sentence, and some minutes more for thousands.
    """
    _demand_enough(sentences)
    data = _prepared(sentences, detector, encoder, progress)
    scores = _held_out(data)
    threshold = _threshold(data, scores)
    flagged = data.by_rules | (scores >= threshold)
    trained, category_right = _trained(data, threshold, rules)
    return Learned(trained=trained, figures=tuple(_figures(data, flagged)), category_right=category_right)


def _demand_enough(sentences: Sequence[Sentence]) -> None:
    risky = sum(sentence.level != "none" for sentence in sentences)
    everyday = sum(sentence.kind == "everyday" for sentence in sentences)
    if risky < FOLDS or everyday < FOLDS:
        raise TooFew(f"{risky} sentences at risk and {everyday} everyday ones are too few: {FOLDS} of each at least")


def _prepared(
    sentences: Sequence[Sentence], detector: Detector, encoder: Encoder, progress: Callable[[int], None]
) -> _Data:
    import numpy as np

    encoded, by_rules = [], []
    for first in range(0, len(sentences), TOGETHER):
        texts = [sentence.text for sentence in sentences[first : first + TOGETHER]]
        encoded.append(encoder.encode(texts))
        by_rules += [bool(detector.examine(text)) for text in texts]
        progress(len(texts))
    meant = np.concatenate(encoded)
    centre: Floats = meant.mean(axis=0)
    known, scale = rounded(meaning(meant, centre))
    own, pieces = restored(known, scale), [ngrams(sentence.text) for sentence in sentences]
    alike = alike_by_meaning(own @ own.T)
    add_alike_by_pieces(alike, pieces, BY_PIECES)
    return _Data(
        sentences=sentences,
        centre=centre,
        known=known,
        scale=scale,
        pieces=pieces,
        alike=alike,
        positive=np.array([sentence.level != "none" for sentence in sentences]),
        by_rules=np.array(by_rules),
        weight=np.array([COUNTS.get(sentence.kind, 1.0) for sentence in sentences]),
    )


def _held_out(data: _Data) -> "Doubles":
    import numpy as np

    folds = in_folds([f"{one.kind} {one.language}" for one in data.sentences], FOLDS, SEED)
    scores = np.zeros(len(data.sentences))
    for held, scored in held_out(data.alike, data.positive, data.weight, PENALTY, folds):
        scores[held] = scored
    return scores


def _threshold(data: _Data, scores: "Doubles") -> float:
    """Return the lowest score at which everyday sentences are flagged as seldom as they must be."""
    import numpy as np

    everyday = np.array([sentence.kind == "everyday" for sentence in data.sentences])
    allowed = int(FALSE_ALARMS * everyday.sum())
    passed = np.sort(scores[everyday & ~data.by_rules])[::-1]
    if allowed >= len(passed):
        return float(passed[-1])
    return float((passed[allowed] + passed[allowed - 1]) / 2) if allowed else float(passed[0]) + 1e-6


def _trained(data: _Data, threshold: float, rules: str) -> tuple[Trained, float]:
    import numpy as np

    share, added = fit(data.alike, data.positive, data.weight, PENALTY)
    keys, pieces = _pieces(data, share)
    categories, about, category_right = _about(data)
    risky = [number for number, sentence in enumerate(data.sentences) if sentence.level != "none"]
    trained = Trained(
        centre=data.centre,
        known=data.known,
        scale=data.scale,
        share=share.astype(np.float32),
        keys=keys,
        pieces=pieces,
        about=about,
        categories=categories,
        risky=np.array(risky, dtype=np.uint32),
        examples=tuple(data.sentences[number].id for number in risky),
        added=round(added, 6),
        threshold=round(threshold, 6),
        sentences=fingerprint(data.sentences),
        rules=rules,
    )
    return trained, category_right


def _pieces(data: _Data, share: "Doubles") -> "tuple[NDArray[np.uint32], NDArray[np.float16]]":
    """Return the weightiest pieces of words, ascending by key, and their weights."""
    import numpy as np

    weights: dict[int, float] = {}
    for pieces, own in zip(data.pieces, share.tolist(), strict=True):
        for key, value in pieces.items():
            weights[key] = weights.get(key, 0.0) + BY_PIECES * own * value
    kept = sorted(sorted(weights, key=lambda key: (-abs(weights[key]), key))[:KEPT])
    return np.array(kept, dtype=np.uint32), np.array([weights[key] for key in kept], dtype=np.float16)


def _figures(data: _Data, flagged: "Bools") -> Iterator[Figure]:
    groups = sorted({(sentence.language, sentence.kind) for sentence in data.sentences})
    for language, kind in groups:
        members = [n for n, one in enumerate(data.sentences) if (one.language, one.kind) == (language, kind)]
        yield Figure(
            language=language,
            kind=kind,
            sentences=len(members),
            by_rules=int(data.by_rules[members].sum()),
            by_either=int(flagged[members].sum()),
        )


def _about(data: _Data) -> "tuple[tuple[str, ...], Floats, float]":
    """Learn what a text at risk is about: ridge regression on its meaning, a row of weights for each category.

    The last value is how often the guess is right about a sentence that was left out.
    """
    import numpy as np

    risky = np.flatnonzero(data.positive)
    categories = [data.sentences[number].category for number in risky.tolist()]
    names = tuple(sorted(set(categories)))
    is_of = np.array([[category == name for name in names] for category in categories], dtype=np.float64)
    own = data.rows[risky].astype(np.float64)
    inverse = np.linalg.inv(own @ own.T + RIDGE * np.eye(len(risky)))
    share = inverse @ (is_of - is_of.mean(axis=0))
    left_out = is_of - share / np.diag(inverse)[:, np.newaxis]
    right = np.mean([names[guess] == category for guess, category in zip(left_out.argmax(1), categories, strict=True)])
    weights: Floats = (share.T @ own).astype(np.float32)
    return names, weights, float(right)
