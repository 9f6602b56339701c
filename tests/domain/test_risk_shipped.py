"""The shipped rules: how many, their own examples, and how well they do on sentences in tests/data.

risk_explicit.csv and a part of risk_everyday.csv were written after the rules, without looking at them, and read once
before anything was changed for them; that first reading flattered them. By now the rules know them, so these
bounds keep what was reached. risk_tuning.csv, with many implied sentences, is what the rules were written against.
"""

import csv
from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.content.library import Content
from bot.content.risk_file import RiskFile, read_risk
from bot.content.sources import Source
from bot.domain.activity import Level
from bot.domain.risk import CATEGORIES, Finding, RiskRule, compile_rules

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data"
RANK = {"none": 0, "yellow": 1, "orange": 2, "red": 3}
AT_LEAST = {"en": 120, "es": 100, "pt": 20, "fr": 20}


def sentences(name: str) -> Sequence[tuple[str, str]]:
    with (DATA / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return [(row["text"], row["level"]) for row in csv.DictReader(file)]


def gravest(findings: Sequence[Finding]) -> str:
    return max((finding.level for finding in findings), key=RANK.__getitem__, default="none")


def rules_in(language: str) -> RiskFile:
    path = ROOT / "content" / "risk" / f"{language}.md"
    source = Source(
        root=ROOT / "content",
        path=path,
        file=path.name,
        kind="risk",
        id=language,
        language=language,
        translates=False,
        text=path.read_text(encoding="utf-8"),
    )
    file, findings = read_risk(source)
    assert findings == ()
    return file


def missed(content: Content, name: str) -> list[str]:
    return [text for text, _ in sentences(name) if not content.detector.examine(text)]


@pytest.mark.parametrize(("language", "number"), AT_LEAST.items())
def test_each_language_has_its_rules_with_examples(language: str, number: int) -> None:
    rules = rules_in(language).rules
    assert len(rules) >= number
    assert [rule.id for rule in rules if len(rule.flags) < 3 or len(rule.passes) < 2] == []


@pytest.mark.parametrize("language", ["en", "es"])
def test_english_and_spanish_cover_every_category(language: str) -> None:
    assert {rule.category for rule in rules_in(language).rules} == set(CATEGORIES)


def test_no_two_languages_share_the_id_of_a_rule() -> None:
    ids = [rule.id for language in AT_LEAST for rule in rules_in(language).rules]
    assert len(ids) == len(set(ids))


def test_explicit_statements_are_found(content: Content) -> None:
    assert len(missed(content, "risk_explicit")) <= 0.05 * len(sentences("risk_explicit"))


def test_explicit_statements_are_found_at_their_level_or_above(content: Content) -> None:
    rows = sentences("risk_explicit")
    below = [text for text, level in rows if RANK[gravest(content.detector.examine(text))] < RANK[level]]
    assert len(below) <= 0.07 * len(rows)


def test_most_of_the_sentences_with_implied_ones_are_found(content: Content) -> None:
    assert len(missed(content, "risk_tuning")) <= 0.1 * len(sentences("risk_tuning"))


def test_everyday_chat_is_hardly_ever_flagged(content: Content) -> None:
    levels = [gravest(content.detector.examine(text)) for text, _ in sentences("risk_everyday")]
    assert sum(level in {"orange", "red"} for level in levels) <= 0.005 * len(levels)
    assert sum(level != "none" for level in levels) <= 0.02 * len(levels)


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("I don't want to die, but tonight I will take all my pills", "red"),
        ("k!ll mys3lf", "orange"),
        ("k.m.s.", "orange"),
        ("s u i c i d e", "orange"),
        ("sucide", "orange"),
        ("ｉ ｗａｎｔ ｔｏ ｄｉｅ", "orange"),
        ("i wanna 🪦", "orange"),
        ("my friend wants to die", "yellow"),
        ("last year I wanted to die", "yellow"),
        ("I don't want to die", "yellow"),
        ("quiero morirme, i can't anymore", "orange"),
        ("I want to die tonight", "red"),
        ("i wanna die this weekend", "red"),
        ("I want to die when my mum leaves", "red"),
        ("quiero morirme esta noche", "red"),
        ("je veux mourir ce soir", "red"),
        ("quero morrer hoje", "red"),
        ("I want to die", "orange"),
        ("I don't want to die tonight", "yellow"),
        ("this traffic is killing me", "none"),
        ("dying to see it", "none"),
        ("I practised urge surfing", "none"),
        ("my grandmother died", "none"),
    ],
)
def test_what_the_project_promises_of_the_rules(content: Content, text: str, level: Level) -> None:
    assert gravest(content.detector.examine(text)) == level


def test_the_example_in_the_guide_holds(content: Content) -> None:
    example = (ROOT / "docs" / "RISK_RULES.md").read_text(encoding="utf-8").split("```markdown\n")[1].split("```")[0]
    parts = {part.split("\n")[0]: part.split("\n- ")[1:] for part in example.split("### ")[1:]}
    lists = {name: tuple(line.split("\n")[0] for line in lines) for name, lines in parts.items()}
    rule = RiskRule(
        id="guide",
        title="Wish to be dead",
        level="orange",
        category="ideation",
        version="1",
        language="en",
        says=lists["Says"],
        unless=lists["Unless"],
    )
    detector = compile_rules([rule], {})
    assert all(detector.examine(text) for text in lists["Flags"])
    assert not any(detector.examine(text) for text in lists["Passes"])
