"""Skills as they are read from their files."""

from datetime import date, timedelta

import pytest

from bot.content.check import check
from bot.content.library import load
from bot.domain.activity import (
    Breath,
    Choice,
    Finish,
    FreeText,
    Goto,
    Many,
    Number,
    Option,
    Pace,
    Picture,
    Route,
    Scale,
    Switch,
    TimeOfDay,
)
from bot.domain.words import Span, plain, say


@pytest.fixture
def steps(folder, write):
    def read(text: str):
        write("skills/stop.md", text)
        write("skills/walk.md", "## Walk {#walk}\n\nWalk.\n")
        loaded = load(folder)
        assert loaded.findings == ()
        return loaded.content.skill("stop", "en").steps

    return read


def test_front_matter(folder, write):
    write(
        "skills/stop.md",
        """---
title: Stop
summary: A short stop.
approach: relapse-prevention
for: [anger, no]
minutes: 3
level: steady
status: draft
avoid_if: driving
prompt: [Stop for a moment?, "19:30"]
source: Linehan (2015)
reviewed: 2026-11-02, clinical lead
---

Before you act.

## Stop {#stop}
""",
    )
    skill = load(folder).content.skill("stop", "en")
    assert (skill.title, skill.summary, skill.approach) == ("Stop", "A short stop.", "relapse-prevention")
    assert skill.helps_with == ("anger", "no")
    assert skill.prompts == ("Stop for a moment?", "19:30")
    assert (skill.minutes, skill.level, skill.status, skill.avoid_if) == (3, "steady", "draft", ("driving",))
    assert (skill.reviewed, skill.reviewer) == (date(2026, 11, 2), "clinical lead")
    assert skill.intro == say("Before you act.")
    assert skill.steps["stop"].heading == (Span(text="Stop", styles=frozenset({"bold"})),)


def test_steps_follow_each_other_and_the_last_one_ends(steps):
    read = steps("## One\n\n## Two\n\n## Three\n")
    assert [step.target for step in read.values()] == [Goto(step="two"), Goto(step="three"), Finish()]


def test_next_jumps_and_end_stops_with_an_outcome(steps):
    read = steps(
        "## One {#one next=#three}\n\n## Two {#two end=helped}\n\n"
        "## Three {#three}\n\n- [Back](#two)\n- [On](#four)\n\n## Four {#four next=walk.md}\n"
    )
    assert read["one"].target == Goto(step="three")
    assert read["two"].target == Finish(outcome="helped")
    assert read["four"].target == Switch(skill="walk")


@pytest.mark.parametrize(
    ("heading", "identifier"),
    [
        ("How tense are you?", "how-tense-are-you"),
        ("¿Qué día?", "qué-día"),
        ("**Stop** & go", "stop--go"),
        ("Snake_case and-hyphens", "snake_case-and-hyphens"),
    ],
)
def test_a_step_without_an_id_has_the_anchor_of_its_heading(steps, heading, identifier):
    assert list(steps(f"## {heading}\n")) == [identifier]


@pytest.mark.parametrize(
    ("attributes", "ask"),
    [
        ("ask=text", FreeText()),
        ("ask=time", TimeOfDay()),
        ("ask=scale", Scale()),
        (
            'ask=scale min=1 max=5 low="calm" high=“the most ever”',
            Scale(low=1, high=5, low_label="calm", high_label="the most ever"),
        ),
        ("ask=number", Number()),
        ("ask=number min=-2.5 max=24 unit=hours", Number(low=-2.5, high=24, unit="hours")),
    ],
)
def test_asks_without_a_list(steps, attributes, ask):
    assert steps(f"## One {{#one {attributes}}}\n")["one"].ask == ask


def test_a_choice_keeps_its_list_out_of_the_text(steps):
    step = steps("## One {#one ask=choice}\n\nLook:\n\n- not\n- these\n\nWell?\n\n- Yes\n- [No](#end)\n")["one"]
    assert step.ask == Choice(options=(Option(label="Yes"), Option(label="No", target=Finish())))
    assert plain(step.body) == "Look:\n\n• not\n• these\n\nWell?"


def test_a_list_of_links_is_a_choice_by_itself(steps):
    step = steps("## One {#one}\n\n- [*Again*](#one)\n- [Walk](walk.md)\n- [Enough](#end)\n")["one"]
    options = (
        Option(label="Again", target=Goto(step="one")),
        Option(label="Walk", target=Switch(skill="walk")),
        Option(label="Enough", target=Finish()),
    )
    assert step.ask == Choice(options=options, routing=True)
    assert step.body == ()


def test_a_list_of_links_to_pages_is_text(steps):
    step = steps("## One {#one}\n\n- [Page](https://example.org)\n")["one"]
    assert step.ask is None
    assert plain(step.body) == "• Page"


def test_many_is_a_task_list(steps):
    assert steps("## One {#one ask=many}\n\n- [ ] tea\n- [ ] a walk\n")["one"].ask == Many(
        options=(Option(label="tea"), Option(label="a walk"))
    )


def test_a_step_called_end_is_what_end_leads_to(steps):
    read = steps("## One {#one ask=choice}\n\n- [Enough](#end)\n- More\n\n## Two {#two}\n\n## The end {#end}\n")
    assert read["one"].ask == Choice(options=(Option(label="Enough", target=Goto(step="end")), Option(label="More")))


def test_ranges_of_a_scale_lead_on(steps):
    read = steps("## One {#one ask=scale}\n\n- [0–3](#end)\n- [4 - 9](#two)\n- [10](walk.md)\n\n## Two {#two}\n")
    assert read["one"].ask == Scale(
        routes=(
            Route(low=0, high=3, target=Finish()),
            Route(low=4, high=9, target=Goto(step="two")),
            Route(low=10, high=10, target=Switch(skill="walk")),
        )
    )


def test_ranges_of_a_number_lead_fractions_on_too(steps):
    read = steps("## One {#one ask=number min=0}\n\n- [0–3](#end)\n- [4+](#two)\n\n## Two {#two}\n")
    ask = read["one"].ask
    assert [[route.covers(number) for route in ask.routes] for number in (3, 3.5, 4, 900)] == [
        [True, False],
        [True, False],
        [False, True],
        [False, True],
    ]


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("90s", timedelta(seconds=90)),
        ("10m", timedelta(minutes=10)),
        ("1h30m", timedelta(minutes=90)),
        ("2d", timedelta(days=2)),
    ],
)
def test_waits(steps, text, length):
    assert steps(f"## One {{#one wait={text}}}\n")["one"].wait == length


def test_pace(steps):
    read = steps('## One {#one pace="in 4, hold it 7, out 8" rounds=3}\n\n## Two {#two pace="in 4, out 6"}\n')
    phases = (Breath(word="in", seconds=4), Breath(word="hold it", seconds=7), Breath(word="out", seconds=8))
    assert read["one"].pace == Pace(phases=phases, rounds=3)
    assert read["two"].pace.rounds == 4


def test_a_picture_is_found_from_the_content_folder(steps, folder):
    (folder / "media").mkdir()
    (folder / "media" / "stop.png").write_bytes(b"x")
    step = steps("## One {#one}\n\n![A **red** sign](../media/stop.png)\n\nStop.\n")["one"]
    assert step.picture == Picture(path="media/stop.png", alt="A red sign")
    assert step.body == say("Stop.")


def test_a_lone_word_in_braces_at_the_end_of_a_heading_is_a_name(steps):
    read = steps("## How tense? {#before ask=scale}\n\n## From {before}\n\n## Well? {optional}\n")
    assert plain(read["from-before"].heading) == "From {before}"
    assert read["well"].optional


def test_a_translation_inherits_what_it_leaves_out(folder, write):
    write("skills/stop.md", "## Stop {#stop}\n")
    write(
        "skills/stop.es.md",
        "---\ntitle: Alto\nsummary: Un alto.\nprompt: ¿Un alto?\nreviewed: 2026-11-03, traductora\n---\n\n"
        "## Alto {#stop}\n",
    )
    loaded = load(folder)
    assert loaded.findings == ()
    skill = loaded.content.skill("stop", "es")
    assert (skill.title, skill.language, skill.approach, skill.minutes) == ("Alto", "es", "DBT", 3)
    assert (skill.prompts, skill.reviewer) == (("¿Un alto?",), "traductora")


def test_the_version_changes_with_anything_that_is_shown(folder, write):
    def version(text: str) -> str:
        write("skills/stop.md", text)
        return load(folder).content.skill("stop", "en").version

    first = version("## Stop {#stop}\n\nStop.\n")
    assert first == version("## Stop {#stop}\n\nStop.\n\n")
    assert first != version("## Stop {#stop}\n\nStop!\n")
    assert len(first) == 12


def test_windows_line_ends_and_byte_order_mark_change_nothing(folder, write):
    path = write("skills/stop.md", "## Stop {#stop}\n\nOne  \ntwo.\n")
    plain_version = load(folder).content.skill("stop", "en")
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert load(folder).content.skill("stop", "en") == plain_version
    assert check(folder, today=date(2026, 11, 24)) == ()
