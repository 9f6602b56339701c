"""What rules find, take back and lower, on small rules made for the test."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from bot.domain.activity import Level
from bot.domain.risk import COULD_NOT_BE_EXAMINED, Detector, Finding, PatternError, RiskRule, compile_rules, together

CLASSES: Mapping[str, Sequence[str]] = {
    "wish": ["want [to]", "wish to", "wanted to", "wants to"],
    "die": ["die", "be dead", "not wake up"],
    "spelling": ["dont = do not", "im = i am", "wanna = want to", "kms = kill myself", "🪦 = die"],
    "forgiven": ["suicide", "myself"],
    "contrast": ["but"],
    "lowered-by-negation": ["do not", "never", "never really", "not"],
    "lowered-by-third-person": ["my friend (wants|says he wants|said she)", "he wants"],
    "lowered-by-past": ["years ago", "used to"],
    "lowered-by-quotation": ["the song (says|goes)"],
    "lowered-by-idiom": ["lol"],
}


def rule(name: str, says: Sequence[str], *, level: Level = "orange", category: str = "ideation", **more) -> RiskRule:
    return RiskRule(
        id=name, title=name, level=level, category=category, version="v1", language="en", says=tuple(says), **more
    )


WISH = rule("wish", ["{wish} * {die}"], unless=("die laughing", "ready to die"))
PLAN = rule("plan", ["(take|swallow) *4 pills"], level="red", category="plan-or-means", unless=("as prescribed",))
HITS = rule("hits", ["(hits|beats) me"], category="abuse-or-unsafe-home")
LOW = rule("low", ["no hope"], level="yellow", category="hopelessness")


@pytest.fixture(scope="module")
def detector() -> Detector:
    return compile_rules([WISH, PLAN, HITS, LOW], CLASSES)


def only(findings: tuple[Finding, ...]) -> Finding:
    assert len(findings) == 1
    return findings[0]


def test_a_finding_names_rule_version_level_category_and_the_words(detector: Detector) -> None:
    text = "Honestly, I WANT to just die."
    found = only(detector.examine(text))
    assert (found.rule, found.version, found.level, found.category) == ("wish", "v1", "orange", "ideation")
    assert text[found.start : found.end] == "WANT to just die"
    assert found.lowered_by == ""


@pytest.mark.parametrize(
    "text",
    [
        "i wanna die",
        "I don’t know... want to die",
        "ｗａｎｔ ｔｏ ｄｉｅ",
        "w\u200bant to d\u200bie",
        "w\u0336a\u0336n\u0336t\u0336 to die",
        "wаnt to diе",
        "want to d1e",
        "want to d!e",
        "want to d*e",
        "want to diiiiie",
        "want to d i e",
        "want to d.i.e.",
        "wanttodie",
        "want. to. die.",
        "want\nto\ndie",
        "want to 🪦",
        "𝔴𝔞𝔫𝔱 to 🅓🅘🅔",
    ],
)
def test_disguises_and_spellings_are_seen_through(detector: Detector, text: str) -> None:
    assert only(detector.examine(text)).rule == "wish"


@pytest.mark.parametrize("text", ["the razor's in my hand", "the razors in my hand", "the razor in my hand"])
def test_the_word_that_an_s_was_put_to_is_found(text: str) -> None:
    found = only(compile_rules([rule("means", ["razor in my hand"])], {}).examine(text))
    assert text[found.start : found.end].endswith("in my hand")


def test_a_word_that_patterns_know_with_its_s_keeps_it() -> None:
    rules = [rule("one", ["razor in my hand"]), rule("more", ["razors everywhere"])]
    assert compile_rules(rules, {}).examine("razors in my hand") == ()


def test_the_evidence_is_where_it_stands_in_the_text_as_written(detector: Detector) -> None:
    text = "Ⓢo… ¿ﬁne? I ｗａｎｔ to die ✨"
    found = only(detector.examine(text))
    assert text[found.start : found.end] == "ｗａｎｔ to die"


def test_a_gap_does_not_reach_across_the_end_of_a_sentence(detector: Detector) -> None:
    assert detector.examine("I want a dog. We die of joy.") == ()


def test_a_gap_lets_no_more_words_pass_than_it_says(detector: Detector) -> None:
    assert only(detector.examine("want one two three four die")).rule == "wish"
    assert detector.examine("want one two three four five die") == ()


def test_unless_takes_a_find_back_in_its_own_clause_only(detector: Detector) -> None:
    assert detector.examine("I want to die laughing") == ()
    assert only(detector.examine("I nearly had to die laughing, I want to die")).rule == "wish"


def test_unless_of_one_rule_leaves_the_finds_of_another(detector: Detector) -> None:
    text = "I don't want to die, but tonight I will take all my pills"
    plan, wish = detector.examine(text)
    assert (plan.rule, plan.level, plan.lowered_by) == ("plan", "red", "")
    assert (wish.rule, wish.level, wish.lowered_by) == ("wish", "yellow", "negation")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("I do not want to die", "negation"),
        ("I never really want to die", "negation"),
        ("I want to never die", "negation"),
        ("my friend wants to die", "third-person"),
        ("years ago I wanted to die", "past"),
        ("the song says I want to die", "quotation"),
        ("I want to die lol", "idiom"),
        ("I do not want to die lol", "negation, idiom"),
    ],
)
def test_what_speaks_against_a_find_lowers_it_by_one_level(detector: Detector, text: str, reason: str) -> None:
    found = only(detector.examine(text))
    assert (found.level, found.lowered_by) == ("yellow", reason)


@pytest.mark.parametrize(
    "text",
    [
        "I do not know what else to say I want to die",
        "No, not now. I want to die",
        "I am not, want to die",
        "my friend is kind but I want to die",
        "years ago I was happy. I want to die",
        "I used to laugh but I want to die",
        "lol\nI want to die",
    ],
)
def test_what_belongs_to_other_words_does_not_lower(detector: Detector, text: str) -> None:
    found = only(detector.examine(text))
    assert (found.level, found.lowered_by) == ("orange", "")


def test_yellow_is_never_lowered_to_nothing(detector: Detector) -> None:
    found = only(detector.examine("years ago I had no hope"))
    assert (found.level, found.lowered_by) == ("yellow", "past")


def test_harm_by_another_person_is_not_lowered_for_being_about_another_person() -> None:
    hits = rule("hits", ["wants to hit me"], category="abuse-or-unsafe-home")
    assert only(compile_rules([hits], CLASSES).examine("he wants to hit me")).level == "orange"


def test_the_gravest_place_counts_when_a_rule_finds_several(detector: Detector) -> None:
    text = "I do not want to die. Well. I want to die."
    found = only(detector.examine(text))
    assert found.level == "orange"
    assert found.start == text.rindex("want")


def test_the_gravest_finding_comes_first(detector: Detector) -> None:
    found = detector.examine("no hope, he hits me, I will swallow the pills")
    assert [finding.level for finding in found] == ["red", "orange", "yellow"]


def test_a_text_that_repeats_itself_without_end_is_not_lowered(detector: Detector) -> None:
    assert only(detector.examine("I do not want to die. " * 600)).level == "orange"


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("me quiero morir, I want to die", {"wish": "orange", "deseo": "orange"}),
        ("years ago quiero morir", {"deseo": "yellow"}),
        ("lol want to die, quiero morir de risa", {"wish": "yellow"}),
    ],
)
def test_languages_may_be_mixed_and_what_lowers_is_of_all(text: str, levels: Mapping[str, Level]) -> None:
    spanish = replace(rule("deseo", ["quiero [hoy] morir"], unless=("de risa",)), language="es")
    found = compile_rules([WISH, spanish], CLASSES).examine(text)
    assert {one.rule: one.level for one in found} == levels


def test_nothing_is_found_in_nothing(detector: Detector) -> None:
    for text in ("", " ", "\n", "...", "👍", "\u200b", "\ud800"):
        assert detector.examine(text) == ()


def test_an_error_inside_is_an_orange_finding(detector: Detector, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(text: str) -> None:
        raise MemoryError

    monkeypatch.setattr(detector, "_examined", fails)
    found = only(detector.examine("anything"))
    assert (found.rule, found.level, found.start, found.end) == (COULD_NOT_BE_EXAMINED, "orange", 0, 8)


def test_lists_of_several_files_are_put_together() -> None:
    assert together([{"a": ["x"]}, {"a": ["y"], "b": ["z"]}]) == {"a": ("x", "y"), "b": ("z",)}


@pytest.mark.parametrize("entry", ["kms", "kms =", "= kill myself", "two words = one"])
def test_a_spelling_that_cannot_be_read_is_refused(entry: str) -> None:
    with pytest.raises(PatternError) as error:
        compile_rules([LOW], {"spelling": [entry]})
    assert error.value.pattern == entry
