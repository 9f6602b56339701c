"""Explicit words are found however they are spelt, lowered by a level where that is fair, and never lost."""

import sys

import pytest
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.content.library import load
from bot.domain.risk import Detector, PatternError, RiskRule, compile_rules, parse_pattern

ORDER = ["-", "yellow", "orange", "red"]


@pytest.fixture(scope="module")
def detector() -> Detector:
    return load(ROOT / "content").content.detector


def level(detector: Detector, text: str) -> str:
    return max((found.level for found in detector.examine(text)), key=ORDER.index, default="-")


def rule(**given) -> RiskRule:
    known = {"id": "die", "title": "Die", "level": "orange", "category": "ideation", "version": "1", "language": "en"}
    return RiskRule(**{**known, "says": ("want to die",), "unless": (), "flags": (), "passes": (), **given})


@pytest.mark.parametrize(
    "text",
    [
        "I want to kill myself",
        "i wanna kms",
        "k1ll myself tonight",
        "K I L L  M Y S E L F tonight",
        "I want to kiiiill myself",
        "I want to k\u200bill myself",
        "Ｉ ｗａｎｔ ｔｏ ｋｉｌｌ ｍｙｓｅｌｆ",
        "I took all my pills",
        "I overdosed an hour ago",
        "gonna end it tonight",
        "me quiero matar",
        "quero me matar",
        "I want to die. No really, tonight I will kill myself",
    ],
)
def test_explicit_words_are_red_however_they_are_spelt(detector: Detector, text: str) -> None:
    assert level(detector, text) == "red"


@pytest.mark.parametrize("text", ["I want to die", "quiero morirme", "je veux mourir", "I cut myself again last night"])
def test_a_wish_to_be_dead_and_self_harm_are_orange(detector: Detector, text: str) -> None:
    assert level(detector, text) == "orange"


@pytest.mark.parametrize("text", ["my friend wants to die", "last year I wanted to die", "I don't want to die"])
def test_what_is_another_persons_past_or_denied_is_lowered_but_never_lost(detector: Detector, text: str) -> None:
    (found, *_) = detector.examine(text)
    assert found.level == "yellow"
    assert found.lowered_by


@pytest.mark.parametrize(
    "text",
    [
        "this traffic is killing me",
        "I'm dying to see that film",
        "I could murder a pizza",
        "I took my pills this morning as prescribed",
        "had a good day, practised urge surfing",
        "my grandmother died last week",
        "estoy muerto de cansancio",
        "I'm going to bed, good night",
    ],
)
def test_everyday_words_pass(detector: Detector, text: str) -> None:
    assert level(detector, text) == "-"


def test_a_denial_does_not_cover_what_comes_after_it(detector: Detector) -> None:
    assert level(detector, "I don't want to die, but tonight I will take all my pills") == "red"


def test_a_finding_names_its_rule_its_version_and_the_very_words(detector: Detector) -> None:
    text = "well, honestly: I want to k1ll myself!"
    found = next(one for one in detector.examine(text) if one.rule == "want-to-kill-myself")
    assert text[found.start : found.end] == "want to k1ll myself"
    assert found.version


def test_unless_takes_back_only_what_it_stands_at() -> None:
    made = compile_rules([rule(unless=("not want to die",))], {})
    assert made.examine("I do not want to die") == ()
    assert len(made.examine("I do not want to die today. Yesterday I did want to die")) == 1


def test_an_error_inside_is_itself_worth_a_look(monkeypatch) -> None:
    made = compile_rules([rule()], {})
    monkeypatch.setattr(made, "_reading", None)
    (found,) = made.examine("I had a nice day")
    assert found.level == "orange"
    assert found.rule == "could-not-be-examined"


@pytest.mark.parametrize("pattern", ["(want|wish", "want)", "{nowhere} die", "", "*", "want ** ("])
def test_a_pattern_that_is_wrong_says_where(pattern: str) -> None:
    with pytest.raises(PatternError) as caught:
        parse_pattern(pattern, {})
    assert 0 <= caught.value.position <= len(pattern)


@given(st.text(max_size=300))
def test_no_text_makes_it_fail(text: str) -> None:
    for found in compile_rules([rule()], {}).examine(text):
        assert found.rule != "could-not-be-examined"
        assert 0 <= found.start < found.end <= len(text)


WORDS = st.sampled_from(["want", "to", "die", "not", "kill", "myself", ".", "k", "i", "the"])


def calls(detector: Detector, text: str) -> int:
    """Count the calls that examining a text takes: its work, without a clock."""
    made = 0

    def count(_frame, _event, _given) -> None:
        nonlocal made
        made += 1

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        detector.examine(text)
    finally:
        sys.setprofile(before)
    return made


@settings(max_examples=40)
@given(words=st.lists(WORDS, min_size=1, max_size=30))
def test_the_work_grows_with_the_length_and_no_faster(detector: Detector, words: list[str]) -> None:
    text = " ".join(words) + " "
    assert calls(detector, text * 80) <= calls(detector, text * 20) * 4 * 1.5 + 2000
