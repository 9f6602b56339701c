"""Every code of the linter, by a bad example and a good one: see cases/, where ⟦CODE⟧ marks the place of a finding."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from bot.content.check import check
from bot.content.findings import Finding

CASES = sorted((Path(__file__).parent / "cases").glob("*.txt"))
TODAY = date(2026, 11, 24)
CODES = [
    *(f"C{number:03}" for number in (*range(1, 7), *range(10, 15), *range(20, 26), 30, 31, 32, 40, 41, 50, 60, 70, 71)),
    *(f"W{number}" for number in range(101, 107)),
]
MARK = re.compile(r"⟦(\w+)⟧")
SHORTHAND = {
    "<skill>": """---
title: Stop
summary: A short stop.
approach: DBT
for: [anger]
minutes: 3
prompt: Stop for a moment?
source: Linehan (2015)
reviewed: 2026-11-02, clinical lead
---""",
    "<translation>": """---
title: Alto
summary: Un alto breve.
prompt: ¿Un alto?
reviewed: 2026-11-02, clinical lead
---""",
    "<measure>": """---
title: Mood
summary: A question.
source: invented
reviewed: 2026-11-02, clinical lead
---""",
    "<sections>": """## Welcome

Hello.

## Consent {#consent version=1}

You may stop at any time.

## Nobody reads along {#not-monitored}

Nobody does.

## When it is urgent {#urgent}

Call.""",
    "<sections in spanish>": """## Hola {#welcome}

Hola.

## Acuerdo {#consent}

Puedes parar.

## Nadie lee {#not-monitored}

Nadie.

## Si es urgente {#urgent}

Llama.""",
}


@dataclass
class Example:
    """Files to write, and the findings that are marked in them."""

    files: dict[str, bytes]
    marked: list[tuple[str, int, int, str]]


def examples(case: Path) -> tuple[Example, Example, list[str]]:
    text = case.read_text(encoding="utf-8")
    bad, good = text.split("\nGOOD\n")
    expected = re.findall(r"^expect: (.*)$", bad, re.MULTILINE)
    return example(bad), example(good), expected


def example(text: str) -> Example:
    files: dict[str, bytes] = {}
    marked: list[tuple[str, int, int, str]] = []
    for head, body in re.findall(r"^@ (.*)\n((?:(?!@ ).*\n?)*)", text, re.MULTILINE):
        path, _, special = head.partition(" ")
        written = spelt_out(body)
        marked += [(path, line, column, code) for line, column, code in marks(written)]
        if size := re.fullmatch(r"of (\d+) bytes", special):
            files[path] = b" " * int(size[1])
        elif path not in files:
            files[path] = MARK.sub("", written).encode(special.removeprefix("in ") or "utf-8")
    return Example(files, marked)


def spelt_out(body: str) -> str:
    for short, long in SHORTHAND.items():
        body = body.replace(short, long)
    return body


def marks(body: str) -> Iterator[tuple[int, int, str]]:
    for number, line in enumerate(body.split("\n"), start=1):
        for found in MARK.finditer(line):
            yield number, len(MARK.sub("", line[: found.start()])) + 1, found[1]


def findings(files: dict[str, bytes], folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Finding, ...]:
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    monkeypatch.chdir(folder)
    return check(Path(), today=TODAY)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_bad_example_has_its_findings_at_their_places(case, tmp_path, monkeypatch):
    bad, _, expected = examples(case)
    found = findings(bad.files, tmp_path, monkeypatch)
    assert sorted((f.file, f.line, f.column, f.code) for f in found) == sorted(bad.marked)
    assert sorted(f"{f.message} ({f.hint})" if f.hint else f.message for f in found) == sorted(expected)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_good_example_has_no_findings(case, tmp_path, monkeypatch):
    _, good, _ = examples(case)
    assert findings(good.files, tmp_path, monkeypatch) == ()


@pytest.mark.parametrize("code", CODES)
def test_each_code_has_a_case_that_shows_it(code):
    assert any(marked == code for case in CASES for *_, marked in examples(case)[0].marked)
