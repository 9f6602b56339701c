"""The content folder as a library: languages, what is left out, and that nothing raises."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.content.check import check
from bot.content.library import UnknownContent, load
from bot.domain.words import plain

SPANISH = "---\ntitle: Alto\nsummary: Un alto.\nprompt: ¿Un alto?\nreviewed: 2026-11-03, traductora\n---\n"


@pytest.fixture
def bilingual(folder, write):
    write("skills/stop.md", "## Stop {#stop}\n")
    write("skills/stop.es.md", SPANISH + "## Alto {#stop}\n")
    write("skills/walk.md", "## Walk {#walk}\n")
    write("messages/en.md", "## hello\n\nHello.\n")
    write("messages/es.md", "## hello\n\nHola.\n")
    return load(folder).content


def test_a_skill_in_its_languages(bilingual):
    assert bilingual.skill("stop", "en").title == "Stop"
    assert bilingual.skill("stop", "es").title == "Alto"
    assert set(bilingual.skills["stop"]) == {"en", "es"}


def test_a_region_gets_its_language(bilingual):
    assert bilingual.skill("stop", "es-MX").title == "Alto"
    assert plain(bilingual.message("es-MX", "hello")) == "Hola."


def test_what_is_not_translated_comes_in_the_original(bilingual):
    assert bilingual.skill("walk", "es").language == "en"
    assert plain(bilingual.message("fr", "hello")) == "Hello."


def test_what_no_file_describes_is_unknown(bilingual):
    with pytest.raises(UnknownContent):
        bilingual.skill("run", "en")
    with pytest.raises(UnknownContent):
        bilingual.measure("stop", "en")
    with pytest.raises(UnknownContent):
        bilingual.activity("measure", "stop", "en")
    with pytest.raises(UnknownContent):
        bilingual.message("en", "good-bye")


def test_a_broken_file_is_left_out_and_the_others_stay(folder, write):
    write("skills/stop.md", "## Stop {#stop next=#nowhere}\n")
    write("skills/walk.md", "## Walk {#walk}\n\n- [Stop](stop.md)\n- [Enough](#end)\n")
    loaded = load(folder)
    assert [finding.code for finding in loaded.findings] == ["C020"]
    assert set(loaded.content.skills) == {"walk"}


def test_a_broken_translation_leaves_the_original(folder, write):
    write("skills/stop.md", "## Stop {#stop}\n")
    write("skills/stop.es.md", SPANISH + "## Alto {#alto}\n")
    assert load(folder).content.skill("stop", "es").language == "en"


def test_a_folder_without_content_is_said(tmp_path):
    (finding,) = load(tmp_path / "nowhere").findings
    assert (finding.code, finding.line, finding.column) == ("C021", 1, 1)


def test_what_a_translation_inherits_is_reported_where_it_stands(folder, write):
    path = write("skills/stop.md", "## Stop {#stop}\n")
    path.write_text(path.read_text().replace("minutes: 3", "minutes: many").replace("approach: DBT\n", ""))
    write("skills/stop.es.md", SPANISH + "## Alto {#stop}\n")
    assert [(Path(f.file).name, f.code) for f in load(folder).findings] == [("stop.md", "C004"), ("stop.md", "C005")]


@pytest.mark.parametrize("text", ["[" * 3000, "{a: " * 3000, "- " * 3000, "a:\n" + "  - " * 3000])
def test_yaml_nested_too_deeply_is_a_finding(folder, write, text):
    write("skills/stop.md", f"---\n{text}\n---\n## Stop {{#stop}}\n")
    assert [finding.code for finding in load(folder).findings] == ["C002"]


@pytest.mark.parametrize(
    "text", ["> " * 3000, "[" * 3000, "*" * 3000, "- " * 3000, "{#" * 3000, "![" * 3000 + "](" * 3000]
)
def test_markdown_nested_too_deeply_does_no_harm(folder, write, text):
    write("skills/stop.md", f"## Stop {{#stop}}\n\n{text}\n")
    load(folder)


def test_files_in_folders_of_their_own_are_found(folder, write):
    (folder / "skills" / "breathing").mkdir()
    write("skills/breathing/box.md", "## Box {#box}\n\n- [Stop](../stop.md)\n- [Enough](#end)\n")
    write("skills/stop.md", "## Stop {#stop}\n")
    loaded = load(folder)
    assert loaded.findings == ()
    assert set(loaded.content.skills) == {"box", "stop"}


def test_importing_the_linter_loads_neither_the_messenger_nor_the_watcher():
    code = (
        "import sys, bot.content.check; print([m for m in ('aiogram', 'watchfiles', 'sqlalchemy') if m in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


FILES = ["skills/a.md", "skills/b.es.md", "measures/a.md", "programmes/a.md", "messages/en.md", "risk/en.md"]
PIECES = [
    "---\n", "title: ", "summary: ", "- ", "\n## ", "{#a ", "ask=", "scale", "many", "}\n", "#end", "[", "](#",
    "](b.md)", "- [ ] ", ": ", "]", "{", "}", '"', "'", "&a ", "*a ", "<<: ", "\n", "\n\n", "> ", "\n```\n", "<b>",
    "![", "](x.png)", "0–3", "7+", "wait=10m", 'pace="in 4"', "* ", "é", "\0", "\u2028", "\t", 'between: ["09:00", ',
    "streams: {a: {", "levels:\n", "### Says\n- ", "(a|", "{words}", "*3", "0-4: ", "\\", "next=#a", "end",
    "optional", "%YAML 1.1\n", "!!python/name:os ", "1. ", "😀", "\r\n",
]  # fmt: skip


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(FILES),
    text=st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=40).map("".join),
    front=st.booleans(),
)
def test_whatever_a_file_holds_is_no_exception(name: str, text: str, front: bool, folder: Path, write):
    for path in folder.rglob("*.md"):
        path.unlink()
    whole = f"---\n{text[: len(text) // 2]}\n---\n{text[len(text) // 2 :]}" if front else text
    write("skills/b.md", "## Stop {#a}\n")
    (folder / name).write_text(whole, encoding="utf-8", errors="replace")
    findings = check(folder)
    assert all(finding.line >= 1 and finding.column >= 1 for finding in findings)
    load(folder)
