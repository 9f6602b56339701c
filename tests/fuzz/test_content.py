"""Whatever becomes of a shipped content file: it is read, or found at its place, without error or hang."""

import os
import time
from pathlib import Path

import pytest
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.content.check import check
from bot.content.library import load

EXAMPLES = 30 * int(os.environ.get("FUZZ", "1"))
LONGEST_S = 30
"""Far above what a file takes on a busy machine, far below for ever."""

ALL = sorted((ROOT / "content").rglob("*.md"))
SHIPPED = [path for path in ALL if path.stat().st_size < 12_000]
"""Most are tried of these: the messages and risk rules are long, and slow to check."""
PIECES = [
    "---\n", "\n", "\n\n", "## ", "{#", "}", "[", "](", ")", "- ", "|", ": ", "#", "&a ", "*a", "<<: ",
    "!!python/name:os ",     '"', "'", "\\", "`", "> ", "    ", "\t", "\0", "\u2028", "\ufeff", "é", "🙂", "-1",
    "99999999999999999999",
    "2026-02-30", "25:99", "(a+)+$", "[" * 200, "> " * 200, "{name}", "{", "next=#a", "ask=", "NaN", "~", "null", "\r",
]  # fmt: skip

spans = st.tuples(st.floats(0, 1), st.floats(0, 1))
mutations = st.lists(
    st.tuples(spans, st.sampled_from(["cut", "double", "swap", "piece", "upper"]), st.sampled_from(PIECES)), max_size=4
)


def mutated(text: str, changes: list) -> str:
    """The text after parts of it were cut, doubled, moved, written over or shouted."""
    for (first, second), how, piece in changes:
        low, high = sorted((int(first * len(text)), int(second * len(text))))
        before, part, after = text[:low], text[low:high], text[high:]
        match how:
            case "cut":
                text = before + after
            case "double":
                text = before + part + part[:2000] + after
            case "swap":
                text = part + before + after
            case "upper":
                text = before + part.upper() + after
            case _:
                text = before + piece + part + after
    return text


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("skills", "measures", "programmes", "messages", "risk", "contacts"):
        (tmp_path / name).mkdir()
    return tmp_path


def test_any_change_of_a_shipped_file_is_read_or_found_at_its_place(folder: Path) -> None:
    @settings(max_examples=EXAMPLES)
    @given(st.sampled_from(SHIPPED) | st.sampled_from(SHIPPED) | st.sampled_from(ALL), mutations)
    def read(shipped: Path, changes: list) -> None:
        file = folder / shipped.relative_to(ROOT / "content")
        original = shipped.with_name(shipped.name.partition(".")[0] + ".md")
        (file.parent / original.name).write_bytes(original.read_bytes())
        file.write_text(mutated(shipped.read_text(encoding="utf-8"), changes), encoding="utf-8", newline="")
        began = time.monotonic()
        findings = check(folder)
        load(folder)
        assert time.monotonic() - began < LONGEST_S
        lines = len(file.read_text(encoding="utf-8").splitlines())
        for finding in findings:
            assert finding.message
            assert finding.column >= 1
            if finding.file.endswith(file.name) and finding.file.startswith(file.parent.name):
                assert 1 <= finding.line <= lines + 1, finding
        for one in {file, file.parent / original.name}:
            one.unlink()

    read()
