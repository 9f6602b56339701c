"""No text makes the detector slow: work is counted in calls, which no busy machine changes."""

import sys
from collections.abc import Callable
from types import FrameType

from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.content.library import Content
from bot.domain.risk import COULD_NOT_BE_EXAMINED, Detector

CALLS_FOR_A_CHARACTER = 60
CALLS_AT_LEAST = 60_000
"""What the 500 finds may cost that are weighed in one text, however short it is."""

WORDS = st.sampled_from(
    [
        *("i", "want", "to", "die", "kill", "myself", "not", "never", "but", "all", "my", "pills", "take", "would"),
        *("sui", "cide", "k*ll", "s*i*ide", "xq*z*t", "k1ll", "d!e", "wanttodie", "imimimim", "diiiie", "w.a.n.t"),
        *("💊", "🔪😀", "к", "k̶", "’", "ß", ".", ",", "!", "?", "\n", "-", "...", "a b c", "k i l l", "@$!", "***"),
        *("x" * 33, "ha" * 15),
    ]
)
GLUE = st.sampled_from([" ", "", "  ", "\n", ". ", ", ", "-", "*", "\u200b"])


def calls(examine: Callable[[], object]) -> int:
    """Count the calls of Python and C functions that `examine` makes."""
    count = 0

    def seen(frame: FrameType, event: str, arg: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(seen)
    try:
        examine()
    finally:
        sys.setprofile(before)
    return count


@st.composite
def repeated(draw: st.DrawFn) -> str:
    """A short piece many times over, as whoever attacks a pattern matcher would write."""
    words = draw(st.lists(WORDS, min_size=1, max_size=8))
    piece = draw(GLUE).join(words) + draw(GLUE)
    return piece * draw(st.sampled_from([1, 20, 200]))


@settings(max_examples=60)
@given(text=repeated())
@example(text="i want to " * 200)
@example(text="i don't want to die. " * 100)
@example(text="a b c d " * 250)
@example(text="💊" * 1000)
def test_work_grows_with_the_length_of_the_text_only(content: Content, text: str) -> None:
    allowed = CALLS_AT_LEAST + CALLS_FOR_A_CHARACTER * len(text)
    assert calls(lambda: content.detector.examine(text)) < allowed


def test_ten_times_the_text_is_about_ten_times_the_work(content: Content) -> None:
    piece = "today was long and i want to rest, my sister took all the boxes to the car. "
    once, tenfold = (calls(lambda n=n: content.detector.examine(piece * n)) for n in (40, 400))
    assert tenfold < 11 * once


@settings(max_examples=200)
@given(text=st.text(max_size=300) | repeated())
def test_no_text_is_too_odd_to_be_examined(content: Content, text: str) -> None:
    for finding in content.detector.examine(text):
        assert finding.rule != COULD_NOT_BE_EXAMINED
        assert 0 <= finding.start < finding.end <= len(text)


def test_a_detector_examines_the_same_text_the_same_way_twice(content: Content) -> None:
    detector: Detector = content.detector
    text = "i don't want to die but i took all my pills, k1ll m3"
    assert detector.examine(text) == detector.examine(text)
