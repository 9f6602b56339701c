"""A pacer's frames: in order, never too quick for Telegram, and a bar that follows the breath."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.activity import Breath, Pace
from bot.telegram.pacer import CELLS, frames

WORDS = "Round {n} of {of}"

breaths = st.builds(Breath, word=st.sampled_from(["in", "hold", "out", "sostén"]), seconds=st.integers(1, 20))
paces = st.builds(Pace, phases=st.lists(breaths, min_size=1, max_size=6).map(tuple), rounds=st.integers(1, 10))


def pace_of(*phases: tuple[str, int], rounds: int = 1) -> Pace:
    return Pace(phases=tuple(Breath(word=word, seconds=seconds) for word, seconds in phases), rounds=rounds)


def filled(pace: Pace) -> list[int]:
    return [frame.text.count("●") for frame in frames(pace, WORDS)]


@given(paces)
def test_frames_begin_at_once_and_end_before_the_pace_does(pace: Pace):
    shown = frames(pace, WORDS)

    assert shown[0].at_seconds == 0
    assert shown[-1].at_seconds < pace.seconds


@given(paces)
def test_frames_are_at_least_a_second_apart_and_in_order(pace: Pace):
    assert all(later.at_seconds - earlier.at_seconds >= 1 for earlier, later in pairwise(frames(pace, WORDS)))


@given(paces)
def test_every_phase_of_every_round_begins_with_a_frame_of_its_own(pace: Pace):
    by_time = {frame.at_seconds: frame.text for frame in frames(pace, WORDS)}
    at = 0
    for number in range(1, pace.rounds + 1):
        for breath in pace.phases:
            assert by_time[at].casefold().startswith(f"{breath.word} · {breath.seconds}\n")
            assert by_time[at].endswith(f"Round {number} of {pace.rounds}")
            at += breath.seconds


@given(paces)
def test_the_bar_always_has_all_its_cells(pace: Pace):
    assert all(frame.text.count("●") + frame.text.count("○") == CELLS for frame in frames(pace, WORDS))


def test_box_breathing_fills_holds_empties_and_holds():
    box = pace_of(("in", 4), ("hold", 4), ("out", 4), ("hold", 4))

    assert filled(box) == [6, 12, 12, 12, 6, 0, 0, 0]


def test_two_phases_fill_and_empty():
    assert filled(pace_of(("in", 4), ("out", 6))) == [6, 12, 8, 4, 0]


def test_three_phases_fill_hold_and_empty():
    assert filled(pace_of(("in", 4), ("hold", 7), ("out", 8))) == [6, 12, 12, 12, 12, 12, 9, 6, 3, 0]


@pytest.mark.parametrize(
    ("seconds", "times"), [(1, [0]), (3, [0, 1, 2]), (4, [0, 2]), (5, [0, 2, 4]), (7, [0, 2, 4, 6])]
)
def test_long_phases_change_every_two_seconds_and_short_ones_every_second(seconds, times):
    assert [frame.at_seconds for frame in frames(pace_of(("in", seconds)), WORDS)] == times


def test_the_words_come_first_then_the_bar_then_the_round():
    shown = frames(pace_of(("inhala", 4), ("exhala", 6), rounds=8), "Ronda {n} de {of}")

    assert shown[0].text == "Inhala · 4\n●●●●●●○○○○○○\nRonda 1 de 8"
    assert shown[-1].text == "Exhala · 2\n○○○○○○○○○○○○\nRonda 8 de 8"
