"""How alike sentences are in what they mean."""

from typing import TYPE_CHECKING

from bot.semantic.encoder import WIDTHS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Bytes = NDArray[np.int8]

NARROW = 3.0
"""How fast likeness fades with distance; chosen by trying on people whose sentences were not learned from."""


def meaning(rows: "Floats", centre: "Floats") -> "Floats":
    """Return rows as they count: less what all sentences share, each model's part of one length, the whole of 1."""
    import numpy as np

    own = rows - centre
    parts = np.split(own, np.cumsum(WIDTHS)[:-1], axis=1)
    scaled = [part / np.maximum(np.linalg.norm(part, axis=1, keepdims=True), 1e-9) for part in parts]
    whole: Floats = (np.hstack(scaled) / len(WIDTHS) ** 0.5).astype(np.float32)
    return whole


def alike_by_meaning(products: "Floats") -> "Floats":
    """Return likeness, from 0 to 1 for the same, by the products of rows of length 1: a Gaussian of their distance."""
    import numpy as np

    likeness: Floats = products - np.float32(1)
    likeness *= NARROW
    return np.exp(likeness, out=likeness)


def rounded(rows: "Floats") -> "tuple[Bytes, Floats]":
    """Return rows as bytes, and by what each is to be multiplied again."""
    import numpy as np

    scale = np.abs(rows).max(axis=1) / 127
    return np.rint(rows / scale[:, np.newaxis]).astype(np.int8), scale.astype(np.float32)


def restored(stored: "Bytes", scale: "Floats") -> "Floats":
    """Return rows from bytes."""
    return stored.astype(scale.dtype) * scale[:, None]
