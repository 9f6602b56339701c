"""Messages and risk rules as they are read from their files."""

import re
from pathlib import Path

import pytest

from bot.content import document, risk_file
from bot.content.findings import Finding, Report
from bot.content.library import load
from bot.content.rendering import parse
from bot.content.risk_file import RiskFile, read_risk
from bot.content.sources import read_source
from bot.domain.words import Span, fields, plain

SHIPPED = Path(__file__).parent.parent.parent / "content"

RULES = """# Risk rules

## Words {#words}

### wish
- want to
- wish to

## Wish to be dead {#wish-to-be-dead level=orange category=ideation}

Passive ideation.

No plan.

### Says
- {wish} * (die|be dead)
- (better|easier) *2 off dead
### Unless
- (not|never) {wish} * die
### Flags
- i want to be dead
### Passes
- I'm dying to see that film
"""


def test_messages_keep_their_paragraphs_styles_and_fields(folder, write):
    write("messages/en.md", "## welcome-back\n\nHello **{name}**.\n\n- one\n- two\n\n## short\n\n```\n{code}\n```\n")
    loaded = load(folder)
    assert loaded.findings == ()
    words = loaded.content.message("en", "welcome-back")
    assert plain(words) == "Hello {name}.\n\n• one\n• two"
    assert Span(text="{name}", styles=frozenset({"bold"}), field="name") in words
    assert fields(loaded.content.message("en", "short")) == ("code",)


def test_rules_keep_their_patterns_and_examples_as_they_are_written(folder, write):
    write("risk/en.md", RULES)
    loaded = load(folder)
    assert loaded.findings == ()
    (file,) = (value for value in loaded.values.values() if isinstance(value, RiskFile))
    (rule,) = file.rules
    assert (rule.id, rule.title, rule.level, rule.category) == (
        "wish-to-be-dead",
        "Wish to be dead",
        "orange",
        "ideation",
    )
    assert rule.says == ("{wish} * (die|be dead)", "(better|easier) *2 off dead")
    assert rule.unless == ("(not|never) {wish} * die",)
    assert rule.flags == ("i want to be dead",)
    assert rule.passes == ("I'm dying to see that film",)
    assert rule.description == "Passive ideation.\n\nNo plan."
    assert file.classes == {"wish": ("want to", "wish to")}


def test_the_detector_knows_the_rules_of_all_languages(folder, write):
    write("risk/en.md", RULES)
    write("risk/es.md", RULES.replace("wish-to-be-dead", "querer-morir").replace("die|be dead", "morir|be dead"))
    detector = load(folder).content.detector
    assert [finding.rule for finding in detector.examine("i want to die")] == ["wish-to-be-dead"]
    assert [finding.rule for finding in detector.examine("i want to morir")] == ["querer-morir"]


def test_a_rule_of_another_language_with_the_same_id_is_refused(folder, write):
    write("risk/en.md", RULES)
    write("risk/es.md", RULES)
    loaded = load(folder)
    assert [(f.code, f.file.rpartition("/")[2], f.line) for f in loaded.findings] == [("C010", "es.md", 9)]
    assert loaded.content.detector.examine("i want to die")


def test_the_version_of_a_rule_changes_with_its_patterns(folder, write):
    def version(text: str) -> str:
        write("risk/en.md", text)
        return load(folder).content.detector.examine("i want to be dead")[0].version

    first = version(RULES)
    assert first == version(RULES.replace("No plan.", "Without a plan."))
    assert first != version(RULES.replace("(better|easier)", "(better|easier|good)"))


def test_a_list_of_words_that_fits_alone_but_not_with_another_language_leaves_the_first_in_force(folder, write):
    write("risk/en.md", RULES.replace("- wish to\n", "- {long} to\n\n### long\n- wish\n"))
    write(
        "risk/es.md",
        RULES.replace("wish-to-be-dead", "querer-morir").replace("- wish to\n", "- hope\n\n### long\n- {wish} so\n"),
    )
    loaded = load(folder)
    assert [(f.code, f.file.rpartition("/")[2]) for f in loaded.findings] == [("C071", "es.md")]
    assert loaded.content.detector.examine("i want to die")


def test_rules_of_which_only_an_example_fails_are_better_than_none(folder, write):
    write("risk/en.md", RULES.replace("- i want to be dead", "- i want to be dead\n- good morning"))
    loaded = load(folder)
    assert [finding.code for finding in loaded.findings] == ["C070"]
    assert loaded.content.detector.examine("i want to be dead")


def test_rules_of_which_an_example_fails_do_not_replace_sound_ones(folder, write):
    write("risk/en.md", RULES)
    before = load(folder)
    write("risk/en.md", RULES.replace("(die|be dead)", "die"))
    after = load(folder, before=before)
    assert [finding.code for finding in after.findings] == ["C070"]
    assert after.content.detector.examine("i want to be dead")


@pytest.mark.parametrize("name", ["en.md", "es.md", "fr.md", "pt.md"])
def test_the_shipped_rules_say_the_same_when_their_lists_are_read_as_markdown(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = read_source(SHIPPED, "risk", SHIPPED / "risk" / name, Report(name))
    assert source
    plainly = read_risk.__wrapped__(source)
    monkeypatch.setattr(document, "take_apart", document.take_apart.__wrapped__)
    monkeypatch.setattr(document, "parse_plain", parse)
    monkeypatch.setattr(risk_file, "take_apart", document.take_apart)
    as_markdown = read_risk.__wrapped__(source)
    assert told(*plainly) == told(*as_markdown)
    assert plainly[0].rules


def told(file: RiskFile, findings: tuple[Finding, ...]) -> object:
    lists = {
        (rule, part): [(item.raw, item.place) for item in items]
        for rule, parts in file.lists.items()
        for part, items in parts.items()
    }
    return file.rules, file.classes, lists, findings


@pytest.mark.parametrize(
    "written",
    [
        "- {wish} * (die|be dead)\n- (better|easier) *2 off dead",
        "- {wish} * (die|be dead)\n\n- (better|easier) *2 off dead",
        "- {wish}\n  * (die|be dead)\n- (better|easier)\n*2 off dead",
        "- {wish}\n* (die|be dead)\n- (better|easier) *2\noff dead",
        "* {wish} * (die|be dead)\n* (better|easier) *2 off dead",
        "1. {wish} * (die|be dead)\n2. (better|easier) *2 off dead",
    ],
)
def test_a_list_may_be_written_in_each_way_that_markdown_has(folder, write, written: str) -> None:
    write("risk/en.md", RULES.replace("- {wish} * (die|be dead)\n- (better|easier) *2 off dead", written))
    (file,) = (value for value in load(folder).values.values() if isinstance(value, RiskFile))
    parsed = [pattern.replace("  ", " ") for pattern in file.rules[0].says]
    assert parsed == read_as_markdown(written)


def read_as_markdown(written: str) -> list[str]:
    """Return the items that Markdown has in a text; a line that begins with another mark begins another list."""
    lines = written.split("\n")
    items = [item for block in parse(written) for item in block.children]
    raw = [" ".join(line.strip() for line in lines[slice(*item.lines)]) for item in items]
    return [re.sub(r"^([-*]|\d\.) ", "", text).strip() for text in raw]
