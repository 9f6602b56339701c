"""A content folder to write files into."""

from collections.abc import Callable
from pathlib import Path

import pytest

FRONT = """---
title: Stop
summary: A short stop.
approach: DBT
for: [anger]
minutes: 3
prompt: Stop for a moment?
source: Linehan (2015)
reviewed: 2026-11-02, clinical lead
---
"""

Write = Callable[[str, str], Path]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("skills", "measures", "programmes", "messages", "risk"):
        (tmp_path / name).mkdir()
    return tmp_path


@pytest.fixture
def write(folder: Path) -> Write:
    """Write a file; a skill gets its front matter."""

    def written(name: str, text: str) -> Path:
        path = folder / name
        front = FRONT if name.startswith("skills/") and not text.startswith("---") else ""
        path.write_text(front + text, encoding="utf-8")
        return path

    return written
