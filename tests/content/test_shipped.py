"""What is shipped is as the linter wants it, warnings included."""

from datetime import date
from pathlib import Path

import pytest

from bot.content.check import check, render
from bot.content.library import Content
from bot.domain.words import plain

CONTENT = Path(__file__).parent.parent.parent / "content"
LAST_READ_THROUGH = date(2026, 11, 24)
"""Reviews grow old without a change to the code; the command line tells of those."""


def test_shipped_content_has_no_findings():
    findings = check(CONTENT, today=LAST_READ_THROUGH)
    assert not findings, render(findings)


CONSENT = {
    "en": (
        "not an emergency service",
        "Please don't rely on me",
        "share it",
        "working day",
        "12 hours",
        "can fail",
        "/help_now",
    ),
    "es": ("servicio de emergencias", "no dependas", "compart", "día laborable", "12 horas", "fall", "/help_now"),
}
"""What consent must say (Delphi consensus, 10.1176/appi.prcp.20200029), in the words of the shipped programmes."""


@pytest.mark.parametrize("language", CONSENT)
@pytest.mark.parametrize("programme", ["adult-day", "adult-evening"])
def test_consent_says_what_it_must_say(content: Content, programme: str, language: str) -> None:
    said = plain(content.programme(programme, language).consent)
    assert [part for part in CONSENT[language] if part not in said] == []
