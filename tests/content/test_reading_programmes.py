"""Programmes as they are read from their files."""

import subprocess
import sys
from datetime import date, time, timedelta
from pathlib import Path

import pytest

from bot.content.library import Content, load
from bot.content.public_holidays import days_closed
from bot.domain.programme import (
    EVERY_DAY,
    AlertRule,
    Contact,
    Delay,
    Every,
    Hours,
    Missed,
    Phase,
    Retention,
    Session,
    Stream,
    WorkingHours,
)
from bot.domain.words import plain

ROOT = Path(__file__).parent.parent.parent
SECTIONS = """
## Welcome

Hello.

## Consent {#consent version=2}

You may stop at any time.

## Not monitored {#not-monitored}

Nobody reads along.

## When it is urgent {#urgent}

Call.
"""
EVENING = (
    """---
title: Adult IOP, evening track
timezone: America/New_York
languages: [en, es]
sessions:
  - {days: [mon, wed, thu], from: "18:00", to: "21:00", kind: group}
quiet: {from: "21:30", to: "08:00"}
most_per_day: 3
streams:
  check-in: {measure: mood, days: daily, between: ["09:00", "10:30"], answer_within: 6h, remind_after: 2h}
  skill: {choose: adaptive, days: [tue, fri, sat, sun], between: ["11:00", "20:00"], times: 2, apart: 3h}
  walk: {skill: walk, every: 2 weeks, days: [sun], at: "16:00", answer_within: 2d, remind_after: 1d}
curriculum:
  - {weeks: 1-2, skills: [walk]}
  - {weeks: 3, skills: []}
  - {weeks: 4-, skills: all}
missed: {stream: check-in, in_a_row: 3, level: yellow}
levels:
  iop: {}
  step-down: {streams: {skill: {days: [tue, sat], times: 1}, check-in: off, walk: {at: ["10:00", "15:00"]}}}
  after: {streams: {walk: {between: ["10:00", "12:00"], measure: mood}, skill: ~}}
alerts:
  red: {acknowledge_within: 10m, chain: [on-call, supervisor], again_every: 5m}
  yellow: {acknowledge_within: 2 working days, chain: [primary], again_every: 1 working day}
working_hours: {days: [mon, tue], from: "10:00", to: "16:00"}
contacts:
  - {name: 988 Suicide & Crisis Lifeline, call: "988", text: "988"}
  - {name: Emergency, call: 911, url: https://example.org}
---
"""
    + SECTIONS
)
PLAIN = (
    "---\ntitle: Evening\ntimezone: Europe/Madrid\nstreams: {}\ncontacts: [{name: Emergency, call: 112}]\n---\n"
    + SECTIONS
)
MOOD = """---
title: Mood
summary: A question.
source: invented
reviewed: 2026-11-02, clinical lead
---

## How are you? {#mood ask=scale}
"""


def evening(folder, write):
    write("programmes/evening.md", EVENING)
    write("measures/mood.md", MOOD)
    write("skills/walk.md", "## Walk {#walk}\n")
    loaded = load(folder)
    assert loaded.findings == ()
    return loaded.content.programme("evening", "en")


def test_a_programme(folder, write):
    programme = evening(folder, write)
    assert (programme.title, programme.timezone) == ("Adult IOP, evening track", "America/New_York")
    assert programme.languages == ("en", "es")
    assert programme.quiet == Hours(start=time(21, 30), end=time(8))
    assert programme.most_per_day == 3
    hours = Hours(start=time(18), end=time(21))
    assert programme.sessions == (Session(days=frozenset({0, 2, 3}), hours=hours, kind="group"),)
    assert programme.curriculum == (
        Phase(first=1, last=2, skills=("walk",)),
        Phase(first=3, last=3, skills=()),
        Phase(first=4, last=None, skills=None),
    )
    assert programme.missed == Missed(stream="check-in", in_a_row=3, level="yellow")
    working = Hours(start=time(10), end=time(16))
    assert programme.working_hours == WorkingHours(days=frozenset({0, 1}), hours=working)
    assert programme.contacts == (
        Contact(name="988 Suicide & Crisis Lifeline", call="988", text="988"),
        Contact(name="Emergency", call="911", url="https://example.org"),
    )


def test_streams(folder, write):
    streams = evening(folder, write).levels["iop"]
    assert list(streams) == ["check-in", "skill", "walk"]
    assert streams["check-in"] == Stream(
        id="check-in",
        measure="mood",
        between=Hours(start=time(9), end=time(10, 30)),
        answer_within=timedelta(hours=6),
        remind_after=timedelta(hours=2),
    )
    assert streams["skill"].adaptive
    assert (streams["skill"].days, streams["skill"].times) == (frozenset({1, 4, 5, 6}), 2)
    assert streams["skill"].apart == timedelta(hours=3)
    assert (streams["walk"].skill, streams["walk"].at) == ("walk", (time(16),))
    assert streams["walk"].every == Every(count=2, unit="weeks")


def test_a_level_changes_streams_key_by_key_and_leaves_some_out(folder, write):
    levels = evening(folder, write).levels
    assert list(levels) == ["iop", "step-down", "after"]
    assert list(levels["step-down"]) == ["skill", "walk"]
    skill = levels["step-down"]["skill"]
    assert (skill.days, skill.times, skill.apart) == (frozenset({1, 5}), 1, timedelta(hours=3))
    assert levels["step-down"]["walk"].at == (time(10), time(15))
    assert list(levels["after"]) == ["check-in", "walk"]


def test_a_level_that_sets_one_of_two_does_not_inherit_the_other(folder, write):
    walk = evening(folder, write).levels["after"]["walk"]
    assert (walk.at, walk.between) == ((), Hours(start=time(10), end=time(12)))
    assert (walk.skill, walk.measure) == ("", "mood")


def test_alerts_of_a_level_that_the_file_leaves_out_have_their_defaults(folder, write):
    alerts = evening(folder, write).alerts
    assert alerts["red"].acknowledge_within == Delay(elapsed=timedelta(minutes=10))
    assert alerts["yellow"].acknowledge_within == Delay(working_days=2)
    assert alerts["orange"] == AlertRule(
        acknowledge_within=Delay(elapsed=timedelta(hours=1)),
        chain=("primary", "on-call", "supervisor"),
        again_every=Delay(elapsed=timedelta(minutes=30)),
        new_after=timedelta(hours=2),
        follow_up=timedelta(days=1),
    )


def test_what_a_programme_leaves_open_has_its_default(folder, write):
    write("programmes/evening.md", PLAIN)
    loaded = load(folder)
    assert loaded.findings == ()
    programme = loaded.content.programme("evening", "en")
    assert programme.languages == ("en",)
    assert programme.quiet == Hours(start=time(21, 30), end=time(8))
    assert (programme.most_per_day, programme.missed, programme.curriculum) == (4, None, ())
    assert dict(programme.levels) == {"iop": {}}
    assert set(programme.alerts) == {"red", "orange", "yellow"}
    assert programme.working_hours.days == frozenset(range(5))


def test_no_quiet_hours_are_said_as_nothing(folder, write):
    write("programmes/evening.md", PLAIN.replace("streams: {}", "quiet: ~\nstreams: {}"))
    assert load(folder).content.programme("evening", "en").quiet is None


def test_sections_are_shown_below_their_headings(folder, write):
    programme = evening(folder, write)
    assert plain(programme.welcome) == "Welcome\n\nHello."
    assert plain(programme.urgent) == "When it is urgent\n\nCall."
    assert programme.welcome[0].styles == {"bold"}
    assert programme.consent_version == 2


def test_a_translation_has_a_title_and_the_sections(folder, write):
    evening(folder, write)
    spanish = SECTIONS.replace("## Welcome\n\nHello", "## Hola {#welcome}\n\nHola").replace(" version=2", "")
    write("programmes/evening.es.md", "---\ntitle: Tarde\n---\n" + spanish)
    loaded = load(folder)
    assert loaded.findings == ()
    programme = loaded.content.programme("evening", "es")
    assert (programme.title, programme.language, programme.consent_version) == ("Tarde", "es", 2)
    assert plain(programme.welcome) == "Hola\n\nHola."
    assert programme.levels == loaded.content.programme("evening", "en").levels


def test_days_default_to_all(folder, write):
    assert evening(folder, write).levels["iop"]["check-in"].days == EVERY_DAY


def test_a_programme_is_closed_on_public_holidays_and_on_days_of_its_own(folder, write):
    keys = "country: US\nregion: NY\nclosed: [2026-12-24]\n"
    write("programmes/evening.md", PLAIN.replace("streams:", f"{keys}streams:"))
    programme = load(folder).content.programme("evening", "en")
    closed = days_closed(programme.country, programme.region, programme.closed)
    assert date(2026, 12, 24) in closed
    assert date(2026, 2, 12) in closed
    assert date(2031, 7, 4) in closed
    assert date(2026, 12, 23) not in closed


def test_without_a_country_only_the_days_that_are_listed_are_closed():
    closed = days_closed("", "", (date(2026, 12, 24),))
    assert date(2026, 12, 24) in closed
    assert date(2026, 12, 25) not in closed


def test_the_calendar_is_not_loaded_for_programmes_without_a_country(folder, write):
    write("programmes/evening.md", PLAIN)
    program = (
        "import sys; from pathlib import Path; from bot.content.library import load\n"
        f"assert load(Path({str(folder)!r})).content.programmes\n"
        "assert 'holidays' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_a_programme_keeps_things_as_long_as_its_file_says_and_the_rest_for_ever(folder, write):
    write(
        "programmes/evening.md",
        PLAIN.replace("streams:", "retention: {answers: 1 year, ended_members: 30 days}\nstreams:"),
    )
    loaded = load(folder)
    assert loaded.findings == ()
    kept = loaded.content.programme("evening", "en").retention
    assert kept == Retention(answers=timedelta(days=366), ended_members=timedelta(days=30))
    write("programmes/evening.md", PLAIN)
    assert load(folder).content.programme("evening", "en").retention == Retention()


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ('{name: Emergencias, call: "112"}', 0),
        ('{name: Emergencias, call: "122"}', 1),
        ('{name: Emergencias, text: "112"}', 1),
        ('{name: Emergencias, call: "112"}, {name: Otro, call: "113"}', 1),
    ],
)
def test_a_translated_contact_with_another_number_is_found(folder, write, line: str, wrong: int) -> None:
    write("programmes/evening.md", PLAIN)
    write("programmes/evening.es.md", f"---\ntitle: Tarde\ncontacts: [{line}]\n---\n" + SECTIONS)
    found = [one.message for one in load(folder).findings if one.code == "C040"]
    assert found == ["'contacts' differs from the original"] * wrong


def test_a_translation_names_the_contacts_in_its_language_and_keeps_every_number(content: Content) -> None:
    for versions in content.programmes.values():
        english, spanish = versions["en"].contacts, versions["es"].contacts
        assert [(one.call, one.text, one.url) for one in english] == [(one.call, one.text, one.url) for one in spanish]
        assert [one.name for one in english] != [one.name for one in spanish]
