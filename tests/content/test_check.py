"""The linter's output: order, formats, selection, exit code."""

import json
from datetime import date
from pathlib import Path

import pytest

from bot.content.check import check, exit_code, render
from bot.content.findings import Finding

ERROR = Finding("content/skills/a.md", 3, 7, "C003", "unknown key 'minuts'", "did you mean 'minutes'?")
WARNING = Finding("content/skills/b, c.md", 1, 1, "W101", "100% too hard\nreally")


def test_text():
    assert render([ERROR, WARNING]).split("\n")[0] == (
        "content/skills/a.md:3:7: C003 unknown key 'minuts' (did you mean 'minutes'?)"
    )


def test_json():
    assert json.loads(render([ERROR], "json")) == [
        {
            "file": "content/skills/a.md",
            "line": 3,
            "column": 7,
            "code": "C003",
            "message": "unknown key 'minuts'",
            "hint": "did you mean 'minutes'?",
        }
    ]
    assert json.loads(render([], "json")) == []


def test_github():
    assert render([ERROR, WARNING], "github").split("\n") == [
        "::error file=content/skills/a.md,line=3,col=7,title=C003::unknown key 'minuts' (did you mean 'minutes'?)",
        "::warning file=content/skills/b%2C c.md,line=1,col=1,title=W101::100%25 too hard%0Areally",
    ]


def test_nothing_found_is_nothing_said():
    assert render([]) == render([], "github") == ""


@pytest.mark.parametrize(("findings", "code"), [([], 0), ([WARNING], 0), ([WARNING, ERROR], 1)])
def test_exit_code(findings, code):
    assert exit_code(findings) == code


def test_findings_come_in_the_order_of_files_and_lines(folder, write):
    write("skills/b.md", "## B {#b next=#x}\n\n## C {#c ask=x}\n")
    write("skills/a.md", "## A {#a next=#x}\n")
    found = check(folder, today=date(2026, 11, 24))
    assert found == tuple(sorted(found))
    assert [(Path(f.file).name, f.line, f.code) for f in found] == [
        ("a.md", 11, "C020"),
        ("b.md", 11, "C020"),
        ("b.md", 13, "C012"),
    ]


def test_only_the_paths_that_are_named_are_reported_but_all_are_known(folder, write):
    write("skills/b.md", "## B {#b next=#x}\n")
    write("skills/a.md", "## A {#a}\n\n- [B](b.md)\n- [Enough](#end)\n")
    assert check(folder, [folder / "skills" / "a.md"]) == ()
    assert [Path(f.file).name for f in check(folder, [folder / "skills"])] == ["b.md"]


def test_a_path_outside_of_the_content_is_an_error(folder, write, tmp_path):
    write("skills/a.md", "## A {#a}\n")
    (finding,) = check(folder, [tmp_path / "notes.md"])
    assert (finding.code, finding.file) == ("C021", (tmp_path / "notes.md").as_posix())
