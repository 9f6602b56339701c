"""What is longer than a message of Telegram's is cut so that nothing is lost and nothing is torn."""

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.pieces import LONGEST_MESSAGE, pieces


def test_what_a_person_can_send_stays_whole() -> None:
    assert list(pieces("word " * 819)) == ["word " * 819]
    assert list(pieces("")) == [""]


def test_words_without_a_blank_are_cut_all_the_same() -> None:
    cut = list(pieces("x" * 100_000))
    assert max(map(len, cut)) <= LONGEST_MESSAGE
    assert len(cut) < 100_000 / (LONGEST_MESSAGE - 1024) + 2


@given(st.integers(0, 12_000), st.integers(0, 3_000))
def test_a_sentence_stands_whole_in_a_piece_wherever_it_is(before: int, after: int) -> None:
    cry = "I want to kill myself tonight"
    text = "ab cde fgh " * (before // 11) + "x" * (before % 11) + " " + cry + " and so on" * (after // 10)
    assert any(cry in piece for piece in pieces(text))
