"""School grades and syllables."""

import pytest

from bot.content.readability import english_syllables, grade, spanish_syllables


@pytest.mark.parametrize(
    ("word", "count"),
    [
        ("make", 1), ("breathe", 1), ("table", 2), ("wanted", 2), ("helped", 1), ("boxes", 2), ("faces", 2),
        ("breathing", 2), ("area", 3), ("being", 2), ("people", 2), ("quiet", 2), ("radio", 3), ("somewhere", 2),
        ("nation", 2), ("various", 3), ("you'll", 1), ("emergency", 4), ("anxiety", 4), ("changes", 2), ("every", 2),
        ("trying", 2), ("the", 1), ("x", 1),
    ],
)  # fmt: skip
def test_english_syllables(word, count):
    assert english_syllables(word) == count


@pytest.mark.parametrize(
    ("word", "count"),
    [
        ("agua", 2), ("guerra", 2), ("quieres", 2), ("ahora", 3), ("aún", 2), ("día", 2), ("país", 2), ("cuídate", 3),
        ("rey", 1), ("muy", 1), ("ciudad", 2), ("lingüística", 4), ("y", 1), ("aeropuerto", 5), ("leer", 2),
        ("ayuda", 3), ("emergencias", 4), ("estás", 2), ("idea", 3), ("averigüé", 4), ("playa", 2), ("ruido", 2),
    ],
)  # fmt: skip
def test_spanish_syllables(word, count):
    assert spanish_syllables(word) == count


PLAIN = ["The cat sat on the mat. It was warm and the sun was up. Then the dog came in and sat by the cat too."]
HARD = ["Physiological deactivation presupposes deliberate interruption of cardiovascular activation. "] * 6
SPANISH = ["El gato está en la casa. Hace calor y el sol sale temprano. Luego entra el perro y come su pan con agua."]
SPANISH_HARD = [
    """La desactivación fisiológica presupone interrupciones deliberadas de patrones cardiovasculares e
    interpretaciones catastróficas, institucionalmente predeterminadas, metodológicamente incontrovertibles,
    internacionalmente generalizadas, epidemiológicamente significativas y extraordinariamente consecuenciales,
    particularmente descontextualizadas, independientemente administradas, responsablemente fundamentadas,
    deliberadamente sobredimensionadas.""".replace("\n", " ")
]


def test_plain_english_takes_few_years_and_hard_english_many():
    assert grade(PLAIN * 2, "en") < 3
    assert grade(HARD, "en") > 12


def test_plain_spanish_takes_few_years_and_hard_spanish_many():
    assert grade(SPANISH * 2, "es") < 4
    assert grade(SPANISH_HARD, "es") > 8


def test_the_grade_is_that_of_the_formula():
    """Ten words in two sentences, each of one syllable: 0.39 x 5 + 11.8 - 15.59."""
    assert grade(["The cat sat on mats. The dog ran to cats."] * 3, "en") == pytest.approx(-1.84)


def test_headings_and_items_end_a_sentence():
    assert grade(["one two three\n" * 12], "en") == grade(["one two three. " * 12], "en")


def test_too_few_words_and_other_languages_have_no_grade():
    assert grade(["Hello there."], "en") is None
    assert grade(PLAIN * 3, "fr") is None
