"""What the second opinion learned, as one small file in the content folder: weights, threshold, and from what."""

import hashlib
import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bot.semantic.encoder import CannotRead

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FILE = Path("risk", "second-opinion.npz")
FORMAT = 2
LONGEST = 64 * 1024 * 1024
"""Bytes: about 60,000 sentences."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trained:
    """A regression as it was learned. The score of a text is log-odds; from `threshold` on it is worth a look.

    `centre` is taken from a text's vectors before they are compared with those of the sentences learned from: `known`,
    a row each, to be multiplied by `scale`. Each has its `share` in the score. `keys` (ascending) and `pieces` are the
    weights of pieces of words. `about` guesses the category of what is worth a look. `risky` are the rows of the
    sentences at risk, and `examples` their ids. `sentences` and `rules` say what it was learned from: their hashes.
    """

    centre: "NDArray[np.float32]"
    known: "NDArray[np.int8]"
    scale: "NDArray[np.float32]"
    share: "NDArray[np.float32]"
    keys: "NDArray[np.uint32]"
    pieces: "NDArray[np.float16]"
    about: "NDArray[np.float32]"
    risky: "NDArray[np.uint32]"
    categories: tuple[str, ...]
    examples: tuple[str, ...]
    added: float
    threshold: float
    sentences: str
    rules: str
    version: str = ""


ARRAYS = ("centre", "known", "scale", "share", "keys", "pieces", "about", "risky")
_ALWAYS = (1980, 1, 1, 0, 0, 0)


def rules_fingerprint(content: Path) -> str:
    """Return what tells one state of a content folder's risk rules from another."""
    whole = hashlib.sha256()
    for file in sorted((content / "risk").glob("*.md")):
        whole.update(file.name.encode() + b"\0" + file.read_bytes().replace(b"\r\n", b"\n"))
    return whole.hexdigest()


def packed(trained: Trained) -> bytes:
    """Return the bytes of the file: the same for the same weights, whenever and wherever it is written."""
    import numpy as np

    told = {
        "format": FORMAT,
        "added": trained.added,
        "threshold": trained.threshold,
        "sentences": trained.sentences,
        "rules": trained.rules,
        "categories": trained.categories,
        "examples": trained.examples,
    }
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        _add(archive, "about.json", json.dumps(told, ensure_ascii=False).encode())
        for name in ARRAYS:
            array = io.BytesIO()
            np.save(array, getattr(trained, name), allow_pickle=False)
            _add(archive, f"{name}.npy", array.getvalue())
    return whole.getvalue()


def read_trained(content: Path) -> Trained:
    """Read the file of a content folder. Raises CannotRead."""
    import numpy as np

    file = content / FILE
    try:
        raw = _bytes(file)
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            told = json.loads(archive.read("about.json"))
            arrays = {name: np.load(io.BytesIO(archive.read(f"{name}.npy")), allow_pickle=False) for name in ARRAYS}
        _demand_format(told["format"])
        return Trained(
            **arrays,
            categories=tuple(told["categories"]),
            examples=tuple(told["examples"]),
            added=float(told["added"]),
            threshold=float(told["threshold"]),
            sentences=told["sentences"],
            rules=told["rules"],
            version=hashlib.sha256(raw).hexdigest()[:12],
        )
    except FileNotFoundError:
        raise CannotRead(f"there is no {file}: run `interlude risk train`") from None
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise CannotRead(f"{file} cannot be used ({error}): run `interlude risk train`") from None


def learned_from(content: Path) -> str:
    """Return the hash of the sentences that the file of a content folder was learned from. Needs no numpy."""
    with zipfile.ZipFile(content / FILE) as archive:
        sentences: str = json.loads(archive.read("about.json"))["sentences"]
    return sentences


def _demand_format(found: int) -> None:
    if found != FORMAT:
        raise ValueError(f"its format is {found}, not {FORMAT}")


def _bytes(file: Path) -> bytes:
    if file.stat().st_size > LONGEST:
        raise ValueError("it is too large")
    return file.read_bytes()


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    info = zipfile.ZipInfo(name, date_time=_ALWAYS)
    info.create_system, info.external_attr = 3, 0o644 << 16
    archive.writestr(info, content, compress_type=zipfile.ZIP_DEFLATED, compresslevel=9)
