"""The pattern language: what is read, and what is refused with words that help."""

from collections.abc import Mapping, Sequence

import pytest

from bot.domain.risk import PatternError, check_word, parse_pattern
from bot.domain.risk.pattern import Element

CLASSES: Mapping[str, Sequence[str]] = {
    "wish": ["want [to]", "wish"],
    "die": ["die", "be (dead|gone)"],
    "both": ["{wish} {die}"],
    "round": ["{trip}"],
    "trip": ["{round}"],
}


def phrases(element: Element) -> set[str]:
    return {" ".join(phrase) for phrase in element.phrases}


def test_plain_words_are_one_phrase() -> None:
    (element,) = parse_pattern("want to die", {}).elements
    assert phrases(element) == {"want to die"}


def test_alternatives_may_be_of_several_words_and_nest() -> None:
    (element,) = parse_pattern("(want|would (like|love) to)", {}).elements
    assert phrases(element) == {"want", "would like to", "would love to"}


@pytest.mark.parametrize(("opening", "closing"), [("(", ")"), ("[", "]")])
@pytest.mark.parametrize("words", ["die", "be  dead|die", "suicid~|kill my self", "Café|don't", "a b c|x", "i'm-done~"])
def test_alternatives_of_plain_words_are_read_like_those_that_hold_brackets(
    opening: str, closing: str, words: str
) -> None:
    plain = parse_pattern(f"so {opening}{words}{closing} now", {})
    around_all = parse_pattern(f"so {opening}({words}){closing} now", {})
    around_each = parse_pattern(f"so {opening}({words.replace('|', ')|(')}){closing} now", {})
    assert plain.elements == around_all.elements == around_each.elements


def test_optional_words_inside_of_brackets_may_be_missing() -> None:
    (element,) = parse_pattern("(want [so badly] to|wish)", {}).elements
    assert phrases(element) == {"want so badly to", "want to", "wish"}


def test_a_class_stands_for_its_words_and_may_use_others() -> None:
    (element,) = parse_pattern("{both}", CLASSES).elements
    assert phrases(element) == {
        f"{wish} {die}" for wish in ("want", "want to", "wish") for die in ("die", "be dead", "be gone")
    }


def test_a_gap_is_four_words_or_as_many_as_it_says() -> None:
    _, four, two = parse_pattern("want * die *2 soon", {}).elements
    assert (four.gap, two.gap) == (4, 2)


def test_a_gap_before_an_optional_word_also_stands_after_it() -> None:
    _, optional, last = parse_pattern("want * [really] (die|go)", {}).elements
    assert optional.optional
    assert last.gap == 4


def test_optional_words_at_the_ends_change_nothing() -> None:
    assert parse_pattern("[really] want [to] die [soon]", {}).elements == parse_pattern("want [to] die", {}).elements


def test_words_are_evened_out_as_texts_are() -> None:
    (element,) = parse_pattern("Día dón’t self-harm", {}).elements
    assert phrases(element) == {"dia dont self harm"}


def test_a_tilde_makes_the_beginning_of_a_word() -> None:
    (element,) = parse_pattern("suicid~", {}).elements
    assert phrases(element) == {"suicid~"}


@pytest.mark.parametrize(
    ("pattern", "position", "words"),
    [
        ("", 0, "must be there"),
        ("[really]", 0, "must be there"),
        ("* die", 0, "between words"),
        ("die *", 4, "between words"),
        ("want * *2 die", 5, "two gaps"),
        ("want *9 die", 5, "1 to 8"),
        ("want *12 die", 5, "1 to 8"),
        ("(want|wish", 0, "never closed"),
        ("[want", 0, "never closed"),
        ("(want|) die", 6, "empty"),
        ("(|want) die", 1, "empty"),
        ("want) die", 4, "no beginning"),
        ("want | die", 5, "no beginning"),
        ("(want * to) die", 6, "inside of brackets"),
        ("{wish die", 0, "never closed"),
        ("{wihs} die", 0, "did you mean {wish}"),
        ("{nothing-like-it}", 0, "add them"),
        ("su~ die", 0, "too short"),
        ("want % die", 5, "no letter"),
    ],
)
def test_what_cannot_be_read_is_refused_where_it_stands(pattern: str, position: int, words: str) -> None:
    with pytest.raises(PatternError) as error:
        parse_pattern(pattern, CLASSES)
    assert (error.value.pattern, error.value.position) == (pattern, position)
    assert words in str(error.value)


def test_a_class_made_of_itself_is_refused() -> None:
    with pytest.raises(PatternError, match="made of itself"):
        parse_pattern("{round}", CLASSES)


def test_too_many_combinations_are_refused() -> None:
    ten = "(a|b|c|d|e|f|g|h|i|j)"
    with pytest.raises(PatternError, match="combinations"):
        parse_pattern(f"({ten} {ten} {ten} {ten})", {})


def test_too_many_words_in_a_row_are_refused() -> None:
    with pytest.raises(PatternError, match="words in a row"):
        parse_pattern("(a b c d e f g h i j k)", {})


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        ("spelling", "kms, kmself = kill myself"),
        ("forgiven", "suicide"),
        ("contrast", "but"),
        ("lowered-by-past", "years * ago"),
        ("wish", "would (like|love) [to]"),
    ],
)
def test_entries_of_word_lists_are_checked_by_their_kind(name: str, entry: str) -> None:
    check_word(name, entry, CLASSES)


@pytest.mark.parametrize(
    ("name", "entry"),
    [("spelling", "kms"), ("forgiven", "two words"), ("lowered-by-past", "ago *"), ("wish", "would * like")],
)
def test_entries_that_cannot_be_read_are_refused(name: str, entry: str) -> None:
    with pytest.raises(PatternError) as error:
        check_word(name, entry, CLASSES)
    assert error.value.pattern == entry
