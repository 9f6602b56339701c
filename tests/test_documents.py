"""What is written down holds: settings, words of the interface, migrations."""

import ast
import re
from pathlib import Path

import pytest

from bot.config import Settings
from bot.content.library import Content
from bot.storage.migrate import differences, wanted
from bot.storage.store import Store

ROOT = Path(__file__).parent.parent
KEY = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


def test_the_example_names_every_setting_with_its_default() -> None:
    written = dict(
        line.removeprefix("# ").split("=", 1)
        for line in (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
        if "INTERLUDE_" in line and "=" in line
    )
    for name, field in Settings.model_fields.items():
        default = field.default
        plain = default.get_secret_value() if hasattr(default, "get_secret_value") else default
        assert written.pop(f"INTERLUDE_{name.upper()}") == str(plain)
    assert not written


def used_keys() -> tuple[set[str], set[str]]:
    """Return the message keys that the program asks for, and the beginnings of those that it puts together."""
    whole, beginnings = set(), set()
    for file in [*(ROOT / "bot" / "services").glob("*.py"), *(ROOT / "bot" / "handlers").glob("*.py")]:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
                continue
            if node.func.attr not in ("words", "label", "message", "button"):
                continue
            key = node.args[0]
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                whole.add(key.value)
            if isinstance(key, ast.JoinedStr) and isinstance(key.values[0], ast.Constant):
                beginnings.add(str(key.values[0].value))
    return whole, beginnings


def test_every_message_that_the_program_asks_for_is_written(content: Content) -> None:
    whole, beginnings = used_keys()
    for language, messages in content.messages.items():
        assert whole - messages.keys() == set(), language
        for beginning in beginnings:
            assert any(key.startswith(beginning) for key in messages), (language, beginning)


def test_every_risk_category_has_a_name_for_clinicians(content: Content) -> None:
    from bot.domain.risk import CATEGORIES

    for language, messages in content.messages.items():
        for category in CATEGORIES:
            assert f"category-{category}" in messages, (language, category)


async def test_the_migrations_make_exactly_the_tables(store: Store) -> None:
    assert await differences(store) == []
    assert wanted()


def test_no_address_of_a_registry_and_no_path_of_a_machine_is_kept() -> None:
    unwanted = re.compile("py" + "pi.org|/ro" + "ot/|/wo" + "rk/|registry.np" + "mjs")
    for file in [*ROOT.glob("*.lock"), *ROOT.glob("*.toml"), *ROOT.glob("*.md"), *(ROOT / "bot").rglob("*.py")]:
        assert not unwanted.search(file.read_text(encoding="utf-8")), file


def hazards() -> list[list[str]]:
    lines = (ROOT / "docs" / "HAZARDS.md").read_text(encoding="utf-8").splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if re.match(r"\| H\d\d ", line)]


def test_the_hazard_log_has_forty_hazards_or_more_each_rated_and_none_above_what_is_released() -> None:
    found = hazards()
    assert len(found) >= 40
    assert [row[0] for row in found] == [f"H{number:02d}" for number in range(1, len(found) + 1)]
    for identifier, *words, severity, before, after, residual, control, proof in found:
        assert all([*words, control, proof]), identifier
        assert 1 <= int(after) <= int(before) <= 5, identifier
        assert 1 <= int(severity) <= 5, identifier
        assert int(residual) == int(severity) * int(after) <= 10, identifier


@pytest.mark.parametrize("document", ["HAZARDS.md", "CLINICAL.md", "FAULTS.md", "SECURITY.md"])
def test_every_test_that_a_document_names_exists(document: str) -> None:
    text = (ROOT / "docs" / document).read_text(encoding="utf-8")
    named = re.findall(r"`([\w/]+\.py)::(test_\w+)`", text)
    assert named
    for file, test in named:
        assert f"def {test}(" in (ROOT / "tests" / file).read_text(encoding="utf-8"), f"{document}: {file}::{test}"


def rows_below(document: str, heading: str) -> list[list[str]]:
    """The rows of the table of a section, without its head."""
    text = (ROOT / "docs" / document).read_text(encoding="utf-8")
    section = text.partition(f"\n## {heading}")[2].partition("\n## ")[0]
    table = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line[1:-1].split(" | ")] for line in table[2:]]


@pytest.mark.parametrize(
    ("heading", "columns", "named", "covers"),
    [
        ("Threats by STRIDE", 6, r"^([STRIDE])\d+$", set("STRIDE")),
        ("HIPAA", 4, r"^\(([a-e])\)", set("abcde")),
        ("OWASP ASVS", 4, r"(?:^|V)(\d+)", {str(number) for number in range(1, 18)}),
    ],
)
def test_every_row_of_the_security_tables_names_a_test_or_says_honestly_that_there_is_none(
    heading: str, columns: int, named: str, covers: set[str]
) -> None:
    rows = rows_below("SECURITY.md", heading)
    for row in rows:
        assert len(row) == columns, row
        proved = re.fullmatch(r"`[\w/]+\.py::test_\w+`(, `[\w/]+\.py::test_\w+`)*", row[-1])
        told = re.search(r"\b(Gap: \S|Does not apply)", row[-2]) and not row[-1]
        assert proved or told, row
    assert {one for row in rows for one in re.findall(named, row[0])} == covers


def test_what_telegram_and_interlude_cannot_promise_is_said_first() -> None:
    first = (ROOT / "docs" / "SECURITY.md").read_text(encoding="utf-8").partition("\n## ")[0]
    for said in ("signs no business associate agreement", "not end-to-end encrypted", "compliant by itself"):
        assert said in first


def test_the_clinical_file_has_the_numbers_that_the_program_has() -> None:
    from bot.domain import follow_up, programme, selection
    from bot.services import conversation, follow_ups, prompts

    text = (ROOT / "docs" / "CLINICAL.md").read_text(encoding="utf-8")
    hours = {level: wait.total_seconds() / 3600 for level, wait in programme.AFTER_CASE.items()}
    months = ", ".join(map(str, follow_up.CARING_MONTHS))
    seen = (programme.SEEN_TO["red"].total_seconds() / 60, programme.SEEN_TO["orange"].total_seconds() / 3600)
    for said in (
        f"{hours['red']:g} h after red, {hours['orange']:g} h after orange",
        f"more than {follow_ups.WAITS_AT_MOST.days} days",
        f"{follow_up.PLAN_OFFERED_AFTER.days} days after a red or orange flag",
        f"next day, months {months}",
        f"between {follow_ups.CARING_AT:%H:%M} and {follow_ups.CARING_UNTIL:%H:%M}",
        f"| {seen[0]:g} min, {seen[1]:g} h |",
        f"within {programme.LATELY.days} days",
        f"up to {prompts.MOST_COUNTED * 3}",
        f"for {conversation.ANSWER_TAKEN_FOR // 3600} h;",
        f"{programme.HIGH_DISTRESS} or more of 10",
        f"takes {selection.EXPECTED_DROP:g} point off",
        f"the last {prompts.REMEMBERED.days} days count",
    ):
        assert said in text, said
