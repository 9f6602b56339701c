"""What people type where a button was asked is understood where it is clear, and never guessed where it is not."""

from datetime import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.programme import Hours
from bot.domain.understanding import folded, hours_in, number_in, option_in, options_in, time_in

ANYTHING = st.text(max_size=60)
LABELS = st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=6)


def test_case_accents_and_punctuation_do_not_matter() -> None:
    assert folded("  ¡SÍ,  mañana!  ") == "si, manana"


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("7", 7),
        ("7.", 7),
        ("seven", 7),
        ("Siete", 7),
        ("about 7/10", 7),
        ("10/10", 10),
        ("I'd say a 7", 7),
        ("7, seven", 7),
        ("6.5", 6.5),
        ("6,5", 6.5),
        ("-3", -3),
        ("zero", 0),
        ("nada", 0),
    ],
)
def test_a_number_is_understood_in_figures_and_words(said: str, meant: float) -> None:
    assert number_in(said) == meant


@pytest.mark.parametrize(
    "said", ["", "a lot", "7 or 8", "between six and seven", "7 8", "when I was 7 my father left us alone"]
)
def test_a_number_that_is_not_clear_is_not_guessed(said: str) -> None:
    assert number_in(said) is None


FREQUENCY = ("Not at all", "Several days", "More than half the days", "Nearly every day")


@pytest.mark.parametrize(
    ("said", "labels", "index"),
    [
        ("several days", FREQUENCY, 1),
        ("NEARLY", FREQUENCY, 3),
        ("2", FREQUENCY, 1),
        ("yeah", ("Yes, and it helped", "Not yet"), 0),
        ("si", ("Sí", "No"), 0),
        ("nope", ("Yes", "No"), 1),
        ("nunca", ("Sí", "No"), 1),
        ("7", ("5", "6", "7"), 2),
        ("other", ("Another", "Other", "Other people"), 1),
    ],
)
def test_an_option_is_understood_by_name_beginning_place_and_yes_or_no(said, labels, index) -> None:
    assert option_in(said, labels) == index


@pytest.mark.parametrize(
    ("said", "labels"),
    [
        ("", FREQUENCY),
        ("5", FREQUENCY),
        ("0", FREQUENCY),
        ("yes", FREQUENCY),
        ("no", FREQUENCY),
        ("yes", ("Yes, and it helped", "Yes, a bit")),
        ("walk", ("walk alone", "walk with someone")),
        ("not several days", FREQUENCY),
    ],
)
def test_an_option_that_is_not_clear_is_not_guessed(said, labels) -> None:
    assert option_in(said, labels) is None


def test_several_options_are_understood_in_any_order_and_once_each() -> None:
    kit = ("A walk", "Tea", "Music and dancing")
    assert options_in("tea, a walk and tea", kit) == (0, 1)
    assert options_in("1 y 3", kit) == (0, 2)
    assert options_in("music and dancing", kit) == (2,)


def test_a_list_with_an_unknown_part_is_not_half_understood() -> None:
    assert options_in("tea and shouting", ("A walk", "Tea")) is None
    assert options_in(" , ", ("A walk", "Tea")) is None


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("7:30", time(7, 30)),
        ("19.30", time(19, 30)),
        ("7 pm", time(19)),
        ("7 p. m.", time(19)),
        ("12 am", time(0)),
        ("12 pm", time(12)),
        ("at 22h", time(22)),
        ("a las 8", time(8)),
        ("0:00", time(0)),
    ],
)
def test_a_time_is_understood_as_people_write_it(said: str, meant: time) -> None:
    assert time_in(said) == meant


@pytest.mark.parametrize("said", ["", "late", "24:00", "7:60", "13 pm", "0 am", "730", "7 or 8", "9 to 11"])
def test_a_time_that_is_not_one_is_not_guessed(said: str) -> None:
    assert time_in(said) is None


def test_hours_are_understood_and_may_pass_midnight() -> None:
    assert hours_in("8:30-10") == Hours(start=time(8, 30), end=time(10))
    assert hours_in("21:30–08:00") == Hours(start=time(21, 30), end=time(8))
    assert hours_in("9pm to 8am") == Hours(start=time(21), end=time(8))


@pytest.mark.parametrize(
    ("said", "start", "end"),
    [
        ("from 9 to 11 pm", 21, 23),
        ("9 to 5 pm", 9, 17),
        ("10 to 12 pm", 10, 12),
        ("de 9 a 11 de la noche", 21, 23),
        ("de las 8 de la mañana a las 5 de la tarde", 8, 17),
        ("de 10 de la noche a 7 de la mañana", 22, 7),
        ("de 9 a 11 de la mañana", 9, 11),
        ("from 10 at night to 8 in the morning", 22, 8),
    ],
)
def test_hours_are_understood_with_the_part_of_the_day_in_words(said: str, start: int, end: int) -> None:
    assert hours_in(said) == Hours(start=time(start), end=time(end))


@pytest.mark.parametrize(
    ("said", "hour"),
    [
        ("a las 7 de la tarde", 19),
        ("11 de la noche", 23),
        ("12 de la noche", 0),
        ("2 de la noche", 2),
        ("3 de la madrugada", 3),
        ("12 de la mañana", 12),
        ("7 p. m.", 19),
        ("12 at night", 0),
    ],
)
def test_a_time_is_understood_with_the_part_of_the_day_in_words(said: str, hour: int) -> None:
    assert time_in(said) == time(hour)


@pytest.mark.parametrize("said", ["", "9", "9 - 9", "9-25", "8, 9 and 10"])
def test_hours_that_are_not_clear_are_not_guessed(said: str) -> None:
    assert hours_in(said) is None


@given(ANYTHING, LABELS)
def test_whatever_is_typed_is_understood_within_what_was_asked_or_not_at_all(said: str, labels: list[str]) -> None:
    number_in(said), time_in(said), hours_in(said)
    assert option_in(said, labels) in {None, *range(len(labels))}
    several = options_in(said, labels)
    assert several is None or (several and set(several) <= set(range(len(labels))) and list(several) == sorted(several))


@given(st.integers(0, 999_999_999))
def test_every_whole_number_is_itself(number: int) -> None:
    assert number_in(str(number)) == number


@given(st.times())
def test_every_time_of_day_is_itself(moment: time) -> None:
    assert time_in(f"{moment:%H:%M}") == moment.replace(second=0, microsecond=0)


@given(LABELS)
def test_every_label_names_an_option_of_that_name(labels: list[str]) -> None:
    for label in labels:
        index = option_in(label, labels)
        assert index is not None
        assert folded(labels[index]) == folded(label)
