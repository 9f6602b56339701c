"""What is shipped is as the linter wants it, warnings included."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from bot.content.check import check, render
from bot.content.library import Content
from bot.domain.activity import Choice, Goto
from bot.domain.programme import Delay
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


CODES = {
    "phq-9": (
        "44249-1 44261-6",
        "44250-9 44255-8 44259-0 44254-1 44251-7 44258-2 44252-5 44253-3 44260-8 69722-7",
        {0: "minimal", 5: "mild", 10: "moderate", 15: "moderately severe", 20: "severe"},
        27,
        {("score", 20), ("rise", 6), ("item", 1), ("item", 2)},
    ),
    "gad-7": (
        "69737-5 70274-6",
        "69725-0 68509-9 69733-4 69734-2 69735-9 69689-8 69736-7",
        {0: "minimal", 5: "mild", 10: "moderate", 15: "severe"},
        21,
        {("rise", 4)},
    ),
}
"""The LOINC codes of a measure and its score, of its items in order, where bands begin and end, and what is flagged."""


@pytest.mark.parametrize("name", CODES)
def test_the_shipped_measures_have_the_codes_bands_and_flags_of_the_clinical_file(content: Content, name: str) -> None:
    own, items, bands, most, flags = CODES[name]
    for language in ("en", "es"):
        measure = content.measure(name, language)
        assert f"{measure.loinc} {measure.score_loinc}" == own
        assert " ".join(step.loinc for step in measure.steps.values() if step.loinc) == items
        assert {(rule.on, rule.at_least) for rule in measure.flags} == flags
        assert [band.low for band in measure.bands] == list(bands)
        assert [band.high for band in measure.bands] == [*(low - 1 for low in list(bands)[1:]), most]
    assert {band.low: band.name for band in content.measure(name, "en").bands} == bands
    assert content.measure(name, "en").reliable_change == {"phq-9": 6, "gad-7": 4}[name]


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_shipped_c_ssrs_has_its_codes_and_leads_past_what_is_not_asked(content: Content, language: str) -> None:
    screener = content.measure("c-ssrs", language)
    codes = [step.loinc for step in screener.steps.values() if step.loinc]
    assert codes == ["93246-7", "93247-5", "93248-3", "93249-1", "93250-9", "93267-3", "93269-9"]
    assert (screener.loinc, screener.score_loinc) == ("93373-9", "93374-7")
    led = {}
    for step in screener.steps.values():
        for option in step.ask.options if isinstance(step.ask, Choice) else ():
            assert isinstance(option.target, Goto)
            led[step.id, option.score] = option.target.step
    ways = {"q1": "q2 q2", "q2": "q6 q3", "q3": "q4 q4", "q4": "q5 q5", "q5": "q6 q6", "q6": "thanks q6-recent"}
    ways["q6-recent"] = "thanks thanks"
    assert led == {(step, score): way for step, pair in ways.items() for score, way in enumerate(pair.split())}


@pytest.mark.parametrize("programme", ["adult-day", "adult-evening"])
def test_the_shipped_programmes_alert_as_the_clinical_file_says(content: Content, programme: str) -> None:
    minutes, a_day = (lambda count: Delay(elapsed=timedelta(minutes=count))), Delay(working_days=1)
    alerts = content.programme(programme, "en").alerts
    assert {level: (rule.acknowledge_within, rule.again_every, rule.chain) for level, rule in alerts.items()} == {
        "red": (minutes(5), minutes(5), ("on-call", "backup", "supervisor")),
        "orange": (minutes(60), minutes(30), ("primary", "on-call", "supervisor")),
        "yellow": (a_day, a_day, ("primary", "supervisor")),
    }
