"""Logistic regression on how alike the sentences are to each other: few sentences, many features, always the same."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Doubles = NDArray[np.float64]
    Bools = NDArray[np.bool_]
    Numbers = NDArray[np.int64]

STEPS = 25
PRECISE = 1e-3
TRIES = 400
"""Steps of the conjugate gradients in one of Newton's."""
NEARLY = 1e-2
"""How near to its solution each of Newton's steps is solved, as a part of where it began: the next one mends it."""
COMMON = 64
"""Pieces that so many sentences have are multiplied as a whole, thousands at once; rarer ones one by one."""
AT_ONCE = 2048


def fit(alike: "Doubles", positive: "Bools", weight: "Doubles", penalty: float) -> tuple["Doubles", float]:
    """Return each sentence's share in the score, and what is added: the score is log-odds.

    `alike` holds the products of each two sentences' features. Newton's method on the L2-penalised likelihood.
    """
    import numpy as np

    share, level, added = np.zeros(len(positive)), np.zeros(len(positive)), 0.0
    for _ in range(STEPS):
        score = np.clip(alike @ share + added, -30, 30)
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


def _solved(alike: "Doubles", loose: "Doubles", target: "Doubles", guess: "Doubles") -> "Doubles":
    """Return nearly x for (alike + diag(loose)) x = target, by conjugate gradients from a guess."""
    found = guess.copy()
    left = target - alike @ found - loose * found
    eased = left / (loose + 1)
    way, size = eased.copy(), float(left @ eased)
    enough = NEARLY**2 * float(target @ (target / (loose + 1))) * PRECISE
    for _ in range(TRIES):
        if size <= enough:
            break
        turned = alike @ way + loose * way
        far = size / float(way @ turned)
        found += far * way
        left -= far * turned
        eased = left / (loose + 1)
        size, before = float(left @ eased), size
        way = eased + (size / before) * way
    return found


def held_out(
    alike: "Doubles", positive: "Bools", weight: "Doubles", penalty: float, folds: "Numbers"
) -> Iterator[tuple["Numbers", "Doubles"]]:
    """Yield the sentences of each fold with the scores that they get from the others."""
    import numpy as np

    for fold in range(int(folds.max()) + 1):
        known, held = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        share, added = fit(alike[np.ix_(known, known)], positive[known], weight[known], penalty)
        yield held, alike[np.ix_(held, known)] @ share + added


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


def alike_by_pieces(pieces: Sequence[Mapping[int, float]]) -> "Doubles":
    """Return the products of each two sparse vectors."""
    import numpy as np

    holders: dict[int, list[int]] = {}
    for number, vector in enumerate(pieces):
        for key in vector:
            holders.setdefault(key, []).append(number)
    products = np.diag([sum(value * value for key, value in vector.items()) for vector in pieces])
    common = [key for key, numbers in holders.items() if len(numbers) >= COMMON]
    for key, numbers in holders.items():
        if 1 < len(numbers) < COMMON:
            values = np.array([pieces[number][key] for number in numbers])
            products[np.ix_(numbers, numbers)] += np.outer(values, values) * (1 - np.eye(len(numbers)))
    for first in range(0, len(common), AT_ONCE):
        block = np.zeros((len(pieces), AT_ONCE))
        for column, key in enumerate(common[first : first + AT_ONCE]):
            for number in holders[key]:
                block[number, column] = pieces[number][key]
        both = block @ block.T
        np.fill_diagonal(both, 0.0)
        products += both
    return products
