"""Logistic regression on how alike the sentences are to each other: few sentences, many features, always the same."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Doubles = NDArray[np.float64]
    Floats = NDArray[np.float32]
    Bools = NDArray[np.bool_]
    Numbers = NDArray[np.int64]

STEPS = 25
PRECISE = 1e-3
TRIES = 400
"""Steps of the conjugate gradients in one of Newton's."""
NEARLY = 1e-7
"""The square of what may be left of a step's target, as a part of it: the next step mends that."""
COMMON = 64
"""Pieces that so many sentences have are multiplied as a whole, thousands at once; rarer ones one by one."""
AT_ONCE = 2048


def fit(alike: "Floats", positive: "Bools", weight: "Doubles", penalty: float) -> tuple["Doubles", float]:
    """Return each sentence's share in the score, and what is added: the score is log-odds.

    `alike` holds the products of each two sentences' features. Newton's method on the L2-penalised likelihood.
    """
    import numpy as np

    share, level, added = np.zeros(len(positive)), np.zeros(len(positive)), 0.0
    for _ in range(STEPS):
        score = np.clip(_times(alike, share) + added, -30, 30)
        chance = 1 / (1 + np.exp(-score))
        bend = np.maximum(weight * chance * (1 - chance), 1e-9)
        loose = penalty * weight.sum() / bend
        wanted = _solved(alike, loose, score + weight * (positive - chance) / bend, share + added * level)
        level = _solved(alike, loose, np.ones(len(positive)), level)
        added = float(wanted.sum() / level.sum())
        before, share = share, wanted - added * level
        if np.abs(share - before).max() < PRECISE * np.abs(share).max():
            break
    return share, added


def _times(alike: "Floats", vector: "Doubles") -> "Doubles":
    """Return the product in single precision: the table is the square of the number of sentences, and fills memory."""
    product: Doubles = (alike @ vector.astype(alike.dtype)).astype(vector.dtype)
    return product


def _solved(alike: "Floats", loose: "Doubles", target: "Doubles", guess: "Doubles") -> "Doubles":
    """Return nearly x for (alike + diag(loose)) x = target, by conjugate gradients from a guess."""
    found = guess.copy()
    left = target - _times(alike, found) - loose * found
    eased = left / (loose + 1)
    way, size = eased.copy(), float(left @ eased)
    enough = NEARLY * float(target @ (target / (loose + 1)))
    for _ in range(TRIES):
        if size <= enough:
            break
        turned = _times(alike, way) + loose * way
        far = size / float(way @ turned)
        found += far * way
        left -= far * turned
        eased = left / (loose + 1)
        size, before = float(left @ eased), size
        way = eased + (size / before) * way
    return found


def held_out(
    alike: "Floats", positive: "Bools", weight: "Doubles", penalty: float, folds: "Numbers"
) -> Iterator[tuple["Numbers", "Doubles"]]:
    """Yield the sentences of each fold with the scores that they get from the others."""
    import numpy as np

    for fold in range(int(folds.max()) + 1):
        known, held = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        share, added = fit(alike[np.ix_(known, known)], positive[known], weight[known], penalty)
        yield held, _times(alike[np.ix_(held, known)], share) + added


def in_folds(groups: Sequence[str], number: int, seed: int) -> "Numbers":
    """Return a fold for each sentence, such that each group is spread evenly over the folds."""
    import numpy as np

    chance = np.random.default_rng(seed)
    folds = np.zeros(len(groups), dtype=np.int64)
    names = np.array(groups)
    for name in sorted(set(groups)):
        members = np.flatnonzero(names == name)
        chance.shuffle(members)
        folds[members] = np.arange(len(members)) % number
    return folds


def add_alike_by_pieces(alike: "Floats", pieces: Sequence[Mapping[int, float]], weight: float) -> None:
    """Add to a table the products of each two sparse vectors, so many times."""
    import numpy as np

    holders: dict[int, list[int]] = {}
    for number, vector in enumerate(pieces):
        for key in vector:
            holders.setdefault(key, []).append(number)
    own = np.array([sum(value * value for value in vector.values()) for vector in pieces], dtype=alike.dtype)
    own = weight * own + np.diagonal(alike)
    common = [key for key, numbers in holders.items() if len(numbers) >= COMMON]
    for key, numbers in holders.items():
        if 1 < len(numbers) < COMMON:
            values = np.array([pieces[number][key] for number in numbers], dtype=alike.dtype)
            alike[np.ix_(numbers, numbers)] += np.outer(weight * values, values)
    for first in range(0, len(common), AT_ONCE):
        block = np.zeros((len(pieces), AT_ONCE), dtype=alike.dtype)
        for column, key in enumerate(common[first : first + AT_ONCE]):
            for number in holders[key]:
                block[number, column] = pieces[number][key]
        for rows in range(0, len(pieces), AT_ONCE):
            alike[rows : rows + AT_ONCE] += weight * (block[rows : rows + AT_ONCE] @ block.T)
    np.fill_diagonal(alike, own)
