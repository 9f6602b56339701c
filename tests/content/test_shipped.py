"""What is shipped is as the linter wants it, warnings included."""

from datetime import date
from pathlib import Path

from bot.content.check import check, render

CONTENT = Path(__file__).parent.parent.parent / "content"
LAST_READ_THROUGH = date(2026, 11, 24)
"""Reviews grow old without a change to the code; the command line tells of those."""


def test_shipped_content_has_no_findings():
    findings = check(CONTENT, today=LAST_READ_THROUGH)
    assert not findings, render(findings)
