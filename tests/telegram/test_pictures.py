"""The progress picture: what it says, what it leaves out, and that nothing leaves its place."""

import base64
import re
from dataclasses import replace
from datetime import date, timedelta
from struct import unpack_from
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.telegram.pictures import Progress, ProgressWords, SkillProgress, alt_text, progress_png, progress_svg
from bot.telegram.pictures.lettering import shortened, width, wrapped
from bot.telegram.pictures.progress import MOST_SKILLS

UNTIL = date(2026, 11, 24)
WORDS = ProgressWords(
    title="How it is going",
    period="{since} – {until}",
    mood="Mood",
    mood_scale="0 = very low, 10 = very good",
    no_mood="No check-ins yet.",
    helped_most="What helped most",
    distress="Distress before and after",
    distress_scale="0 = none, 10 = the most ever",
    before="before",
    after="after",
    times="{n}×",
    not_rated="not rated",
    more="and {n} more",
    no_skills="No skills yet.",
    alt_mood="Mood on {days} days, {lowest} to {highest}, last {last}.",
    alt_skill="{skill} ({times}): {before} → {after}",
    alt_unrated="{skill} ({times}): not rated",
    day=lambda day: f"{day.day}.{day.month}.",
    number=lambda number: f"{number:.1f}".removesuffix(".0"),
)
BOX = SkillProgress(title="Box breathing", times=5, before=7.0, after=3.64)
WATER = SkillProgress(title="Cold water", times=2, before=8.0, after=7.5)
TAPE = SkillProgress(title="Play the tape", times=9)
WORSE = SkillProgress(title="Thought record", times=1, before=4.0, after=5.0)

numbers = st.one_of(st.none(), st.floats(0, 10))
skills = st.builds(
    SkillProgress, title=st.text(st.characters(exclude_categories=["C"]), max_size=90), times=st.integers(1, 400),
    before=numbers, after=numbers,
)  # fmt: skip


@st.composite
def progresses(draw: st.DrawFn) -> Progress:
    days = draw(st.integers(1, 90))
    since = UNTIL - timedelta(days=days - 1)
    answered = draw(st.lists(st.integers(0, days - 1), unique=True))
    moods = tuple((since + timedelta(days=day), draw(st.floats(0, 10))) for day in answered)
    return Progress(days=moods, skills=draw(st.lists(skills, max_size=30).map(tuple)), since=since, until=UNTIL)


def progress(*skills: SkillProgress, moods: dict[int, float] | None = None, days: int = 28) -> Progress:
    """Make progress with moods by the number of days ago."""
    told = sorted((UNTIL - timedelta(days=ago), mood) for ago, mood in (moods or {}).items())
    return Progress(days=tuple(told), skills=skills, since=UNTIL - timedelta(days=days - 1), until=UNTIL)


def texts(svg: str) -> list[str]:
    return ["".join(one.itertext()) for one in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


def test_the_picture_is_a_png_as_wide_as_a_phone():
    picture = base64.b64decode(progress_png(progress(BOX, moods={0: 5, 1: 6}), WORDS))

    assert picture.startswith(b"\x89PNG")
    assert unpack_from(">L", picture, 16) == (1080,)


def test_letters_are_really_drawn_with_the_bundled_font_alone():
    assert progress_png(progress(BOX), WORDS) != progress_png(progress(BOX), replace(WORDS, title="¿Cómo va? ↑"))


@given(progresses())
def test_any_progress_is_drawn_within_the_picture(given_progress):
    root = ET.fromstring(progress_svg(given_progress, WORDS))
    height = float(root.attrib["height"])

    for mark in root.iter():
        for name in ("x", "cx", "x1", "x2"):
            assert 0 <= float(mark.attrib.get(name, 0)) <= 1080
        for name in ("y", "cy", "y1", "y2"):
            assert 0 <= float(mark.attrib.get(name, 0)) <= height


@given(progresses())
def test_no_line_of_text_runs_over_the_edge(given_progress):
    for mark in ET.fromstring(progress_svg(given_progress, WORDS)).iter("{http://www.w3.org/2000/svg}text"):
        wide = width("".join(mark.itertext()), float(mark.attrib["font-size"]), bold="font-weight" in mark.attrib)
        start = float(mark.attrib["x"]) - wide * {"start": 0, "middle": 0.5, "end": 1}[mark.attrib["text-anchor"]]
        assert start >= 40
        assert start + wide <= 1040


def test_skills_are_ranked_by_how_much_they_eased_and_the_unrated_come_last():
    shown = texts(progress_svg(progress(TAPE, WATER, WORSE, BOX), WORDS))

    titles = [skill.title for skill in (BOX, WATER, WORSE, TAPE)]
    assert [line for line in shown if line in titles] == titles
    assert [line for line in shown if re.fullmatch(r"\d\.|–", line)] == ["1.", "2.", "–", "–"]


def test_a_change_is_written_with_its_sign_and_numbers():
    shown = texts(progress_svg(progress(BOX, WORSE), WORDS))

    assert {"−3.4", "7 → 3.6 · 5×", "+1", "4 → 5 · 1×"} <= set(shown)


def test_nothing_is_said_to_have_helped_when_nothing_eased():
    shown = texts(progress_svg(progress(WORSE, TAPE), WORDS))

    assert "What helped most" not in shown
    assert "Distress before and after" in shown


def test_without_data_the_picture_says_so():
    shown = texts(progress_svg(progress(), WORDS))

    assert {"No check-ins yet.", "No skills yet."} <= set(shown)


def test_only_the_most_helpful_skills_are_shown_and_the_rest_counted():
    many = [SkillProgress(title=f"Skill {n}", times=1, before=9, after=n / 10) for n in range(30)]
    shown = texts(progress_svg(progress(*many), WORDS))

    assert sum(line.startswith("Skill ") for line in shown) == MOST_SKILLS
    assert "and 22 more" in shown


def test_days_without_an_answer_leave_a_gap_in_the_line():
    svg = progress_svg(progress(moods={9: 3, 8: 4, 5: 5, 1: 6, 0: 7}), WORDS)

    runs = [line.attrib["points"].split() for line in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}polyline")]
    assert [len(run) for run in runs] == [2, 1, 2]


@pytest.mark.parametrize("days", [28, 60, 90])
def test_a_few_days_are_written_below_the_mood_the_last_one_among_them(days):
    shown = [line for line in texts(progress_svg(progress(moods={0: 5}, days=days), WORDS)) if line.endswith(".11.")]

    assert "24.11." in shown
    assert len(shown) <= 6


def test_titles_are_written_as_they_are_not_as_markup():
    assert "<b>Rest & go</b>" in texts(progress_svg(progress(SkillProgress(title="<b>Rest & go</b>", times=1)), WORDS))


def test_alt_text_says_what_the_picture_shows():
    assert alt_text(progress(TAPE, WATER, BOX, moods={3: 2, 0: 6.5}), WORDS) == (
        "How it is going\n"
        "28.10. – 24.11.\n"
        "Mood on 2 days, 2 to 6.5, last 6.5.\n"
        "What helped most:\n"
        "1. Box breathing (5×): 7 → 3.6\n"
        "2. Cold water (2×): 8 → 7.5\n"
        "– Play the tape (9×): not rated"
    )


def test_alt_text_without_data_says_so():
    assert alt_text(progress(), WORDS).splitlines()[2:] == ["No check-ins yet.", "No skills yet."]


def test_a_change_is_the_difference_of_the_numbers_shown():
    assert SkillProgress(title="", times=1, before=7.04, after=3.96).eased == 3.0


def test_a_long_line_ends_in_an_ellipsis_and_fits():
    line = shortened("Respiración en caja con los cuatro lados, despacio", 300, 30, bold=True)

    assert line.endswith("…")
    assert width(line, 30, bold=True) <= 300


def test_text_is_broken_into_lines_that_fit():
    lines = wrapped("una línea bastante larga que no cabe de ninguna manera en el ancho dado", 260, 30, lines=3)

    assert len(lines) == 3
    assert all(width(line, 30) <= 260 for line in lines)


def test_widths_are_those_of_the_font():
    assert width("H", 2048) == 1540
    assert width("i", 2048) == 569
    assert width("ñ→", 2048) == 1298 + 1716
