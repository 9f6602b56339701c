"""Learning from labelled sentences: always the same, told in figures, kept in one file that can be trusted."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from small import EVERYDAY, sentences, write_csv

from bot.content.library import Content
from bot.semantic.encoder import CannotRead, load_encoder
from bot.semantic.opinion import SecondOpinion, load_second_opinion
from bot.semantic.sentences import BadSentences, fingerprint, read_sentences, training_sentences
from bot.semantic.trained import ARRAYS, FILE, Trained, learned_from, packed, read_trained
from bot.semantic.training import TooFew, train

pytestmark = pytest.mark.xdist_group("models")  # they are read once
ROOT = Path(__file__).parents[2]


def test_what_is_like_the_examples_scores_higher_than_everyday_chat(opinion: SecondOpinion) -> None:
    said = opinion.consider("gave my guitar to my brother and said goodbye to everybody")
    assert said.worth_a_look
    assert said.category == "preparation-and-farewell"
    assert {one.id for one in said.similar} <= {one.id for one in sentences() if one.level != "none"}
    assert [one.likeness for one in said.similar] == sorted((one.likeness for one in said.similar), reverse=True)
    assert not opinion.consider("had pasta for lunch, it was good").worth_a_look


def test_spanish_is_learned_too(opinion: SecondOpinion) -> None:
    assert opinion.consider("regalé mis cosas y escribí una carta").score > opinion.consider("hoy comí sopa").score


def test_what_stands_at_the_end_of_a_long_message_is_seen(opinion: SecondOpinion) -> None:
    long = " ".join(EVERYDAY * 12)
    worrying = f"{long} they would all be so much lighter without me, it would be easier"
    assert opinion.consider(worrying).score > opinion.consider(long).score


def test_the_same_sentences_give_the_same_bytes(trained: Trained, content: Content) -> None:
    again = train(sentences(), content.detector, load_encoder(), rules="r").trained
    assert packed(again) == packed(trained)


def test_the_figures_count_every_sentence(content: Content) -> None:
    seen: list[int] = []
    learned = train(sentences(), content.detector, load_encoder(), "r", seen.append)
    assert sum(seen) == sum(one.sentences for one in learned.figures) == len(sentences())
    assert all(one.by_rules <= one.by_either <= one.sentences for one in learned.figures)
    everyday = next(one for one in learned.figures if one.kind == "everyday")
    assert everyday.by_either == 0


def test_too_little_to_learn_from_is_told(content: Content) -> None:
    with pytest.raises(TooFew, match="too few"):
        train(sentences()[:4], content.detector, load_encoder(), "r")


def test_the_file_holds_what_was_learned(tmp_path: Path, trained: Trained) -> None:
    (tmp_path / "risk").mkdir()
    (tmp_path / FILE).write_bytes(packed(trained))
    read = read_trained(tmp_path)
    for one in fields(Trained):
        if one.name in ARRAYS:
            assert np.array_equal(getattr(read, one.name), getattr(trained, one.name))
        elif one.name != "version":
            assert getattr(read, one.name) == getattr(trained, one.name)
    assert len(read.version) == 12
    assert learned_from(tmp_path) == trained.sentences == fingerprint(sentences())


@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "other"])
def test_a_file_that_cannot_be_used_is_told_of(tmp_path: Path, trained: Trained, damage: str) -> None:
    (tmp_path / "risk").mkdir()
    whole = packed(trained)
    bad = {"empty": b"", "cut": whole[:-1000], "other": b"PK\x05\x06" + bytes(18)}
    if damage != "missing":
        (tmp_path / FILE).write_bytes(bad[damage])
    with pytest.raises(CannotRead, match="interlude risk train"):
        read_trained(tmp_path)
    assert load_second_opinion(tmp_path, "auto") is None


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("text\nhello\n", ":1: no column 'level'"),
        ("", ":1: no column 'text'"),
        ("text,level\nhello,none\nbye,purple\n", ":3: unknown level 'purple'"),
        ("text,level\n ,none\n", ":2: the text is empty"),
        ("text,level\nwell, hello,none\n", ":2: more or fewer cells"),
        ("text,level\nhello\n", ":2: more or fewer cells"),
        ('text,level\n"two\nlines",none\nhello,nun\n', ":4: unknown level"),
        ("text,level,category\nhello,red,joy\n", ":2: unknown category 'joy'"),
        ("text,level,kind\nhello,red,odd\n", ":2: unknown kind 'odd'"),
        ('text,level\n"hello,none\n', "no sound CSV"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "x.csv").write_text(content, encoding="utf-8")
    with pytest.raises(BadSentences, match=said):
        read_sentences(tmp_path / "x.csv")


def test_a_file_that_is_missing_or_not_utf8_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadSentences, match="cannot be read"):
        read_sentences(tmp_path / "no.csv")
    (tmp_path / "x.csv").write_bytes(b"text,level\n\xff\xfe,none\n")
    with pytest.raises(BadSentences, match="not UTF-8"):
        read_sentences(tmp_path / "x.csv")


def test_sentences_know_their_place_and_language(tmp_path: Path) -> None:
    write_csv(tmp_path)
    read = training_sentences(tmp_path)
    assert (read[0].id, read[0].language, read[0].text) == ("en-all:2", "en", sentences()[0].text)


def test_what_is_learned_in_english_is_known_in_spanish(content: Content) -> None:
    english = [one for one in sentences() if one.language == "en" and not set(one.text) & set("áéíóúñ")]
    learned = train(english, content.detector, load_encoder(), "r").trained
    opinion = SecondOpinion(load_encoder(), learned)
    assert (
        opinion.consider("le di el gato a mi vecina y me despedí de todos").score > opinion.consider("hoy sopa").score
    )
