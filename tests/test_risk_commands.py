"""The risk commands: what is said of sentences, of one text, and of what rules would have made of the past."""

import csv
import io
import os
import re
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cast import Cast
from click.testing import Result
from conftest import NOW
from small import write_csv
from typer.testing import CliRunner

from bot.cli import app
from bot.content.library import Content
from bot.domain.risk import RiskRule, compile_rules
from bot.replay import Replayed, replay, table, told
from bot.risk_trial import wilson
from bot.semantic.trained import FILE
from bot.storage import looking_back
from bot.storage.store import Store
from bot.storage.tables import answers, audit, cases, flags

ROOT = Path(__file__).parent.parent
SENTENCES = """text,level,category,kind
I want to die,orange,ideation,explicit
"tonight I will take all my pills, all of them",red,plan-or-means,explicit
the heron stood quite still,yellow,hopelessness,implied
this soup is to die for,none,,near
ok thanks,none,,everyday
I want to die,none,,everyday
"""
KEYS = f"k1:{'A' * 43}="


def interlude(*given: str, stdin: str = "") -> Result:
    return CliRunner().invoke(app, ["risk", *given], input=stdin)


@pytest.fixture
def sentences(tmp_path: Path) -> str:
    (tmp_path / "some.csv").write_text(SENTENCES, encoding="utf-8")
    return str(tmp_path / "some.csv")


def test_a_test_tells_shares_with_intervals_and_the_lines_that_went_wrong(sentences: str) -> None:
    done = interlude("test", sentences, "--rules-only", "--content", str(ROOT / "content"))
    assert done.exit_code == 0
    said = " ".join(done.stdout.split())
    assert "all 3 2 66.7 % (20.8–93.9)" in said
    assert "level red 1 1 100.0 % (20.7–100.0)" in said
    assert "category hopelessness 1 0 0.0 % (0.0–79.3)" in said
    assert "kind implied 1 0 0.0 %" in said
    assert "kind everyday 2 1 50.0 %" in said
    assert "missed: 1 some:4 yellow the heron stood quite still" in said
    assert re.search(r"false alarms: 1 some:7 orange [a-z, -]*wish-to-be-dead[a-z, -]* I want to die", said)


def test_the_lines_themselves_can_be_left_out(sentences: str) -> None:
    done = interlude("test", sentences, "--rules-only", "--figures-only", "--content", str(ROOT / "content"))
    assert "66.7 %" in done.stdout
    assert "heron" not in done.output


def test_a_test_can_be_read_by_programs(sentences: str) -> None:
    done = interlude("test", sentences, "--rules-only", "--format", "csv", "--content", str(ROOT / "content"))
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert list(rows[0]) == ["text", "level", "found", "rules"]
    assert [row["found"] for row in rows] == ["orange", "red", "none", "none", "none", "orange"]
    assert rows[1]["text"] == "tonight I will take all my pills, all of them"
    assert "plan-overdose" in rows[1]["rules"].split()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("test", "no.csv"), "no.csv: cannot be read"),
        (("test", "bad.csv"), "bad.csv:2: unknown level 'amber'"),
        (("test", "bad.csv", "--format", "xml"), "choose text or csv"),
        (("explain", "hello", "--content", "nowhere"), "nowhere is no folder"),
        (("train", "--content", "."), "there are no sentences to learn from"),
        (("replay", "--since", "yesterday"), "write it as YYYY-MM-DD"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    given: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.csv").write_text("text,level\nhello,amber\n", encoding="utf-8")
    done = interlude(*given)
    assert done.exit_code == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_an_explanation_shows_each_rule_its_words_and_what_lowered_it() -> None:
    text = "I don't want to die, but tonight I will take all my pills"
    done = interlude("explain", text, "--rules-only", "--content", str(ROOT / "content"))
    plan, wish = done.stdout.index("red: plan-overdose"), done.stdout.index("yellow: wish-to-be-dead")
    assert plan < wish
    assert "I don't [want to die], but" in done.stdout
    assert "lowered from orange to yellow by negation" in done.stdout


def small_content(folder: Path) -> Path:
    """A content folder with one rule and what it takes to learn from."""
    write_csv(folder)
    rule = "## Wish {#wish level=orange category=ideation}\n\n### Says\n- want to die\n### Flags\n- i want to die\n"
    (folder / "risk" / "en.md").write_text(rule, encoding="utf-8")
    return folder


def test_training_tells_how_it_does_and_the_explanation_shows_the_nearest_examples(tmp_path: Path) -> None:
    folder = str(small_content(tmp_path))
    before = interlude("explain", "-", "--content", folder, stdin="hello there")
    assert "not trained" in before.stdout
    learned = interlude("train", "--content", folder)
    assert learned.exit_code == 0
    assert "en everyday" in learned.stdout
    assert (tmp_path / FILE).stat().st_size < 200_000
    done = interlude("explain", "gave the dog to my sister for good", "--content", folder)
    assert "second opinion:" in done.stdout
    assert "gave my sister the dog and all his things" in done.stdout
    assert "en-all:2" in done.stdout


def test_wilsons_interval_is_as_published() -> None:
    low, high = wilson(1, 29)  # Newcombe (1998), table I
    assert (round(low, 4), round(high, 4)) == (0.0061, 0.1718)
    assert wilson(0, 0) == (0.0, 1.0)


def with_rules(content: Content, **says: str) -> Content:
    """The content with these rules only, a level and words each: plan="red:take pills"."""
    rules = [
        RiskRule(
            id=name,
            title=name,
            level=words.partition(":")[0],  # type: ignore[arg-type]
            category="ideation",
            version="1",
            language="en",
            says=(words.partition(":")[2],),
        )
        for name, words in says.items()
    ]
    return replace(content, detector=compile_rules(rules, {}))


async def again(store: Store, content: Content, *, keep_texts: bool = False) -> Replayed:
    since = NOW - timedelta(days=1)
    ids = await looking_back.text_ids(store, since)
    return await replay(store, content, since, ids, keep_texts=keep_texts, progress=lambda _: None)


@pytest.fixture
async def past(store: Store, content: Content) -> Cast:
    """Three people wrote under two rules: Ada of pills (red), Ben of sleep (yellow), Cleo of nothing that they know."""
    cast = Cast(store=store, content=with_rules(content, plan="red:take pills", tired="yellow:sleep for ever"))
    for name, text in (("Ada", "i will take pills"), ("Ben", "let me sleep for ever"), ("Cleo", "so very hollow")):
        await cast.joined(name)
        await cast.writes(name, text)
        cast.later(seconds=1)
    return cast


def counted(replayed: Replayed) -> dict[str, list[int]]:
    """The rows of the table: the numbers of each."""
    lines = [line.rsplit("  ", 1)[0] and line for line in table(replayed) if line]
    return {
        " ".join(word for word in line.split() if not word.isdigit()): [int(w) for w in line.split() if w.isdigit()]
        for line in lines[1:]
    }


async def test_the_same_rules_change_nothing(past: Cast, store: Store) -> None:
    shown = counted(await again(store, past.content))
    assert shown["as before"] == [2, 1, 0, 1]
    assert shown["new"] == shown["gone"] == shown["raised"] == shown["lowered"] == [0, 0, 0, 0]
    assert shown["2026-11-02"] == shown["in all"] == [1, 0, 1, 1, 0, 1]


async def test_other_rules_make_cases_new_gone_raised_and_lowered(past: Cast, store: Store) -> None:
    other = with_rules(past.content, plan="orange:take pills", hollow="yellow:so very hollow")
    shown = counted(await again(store, other))
    assert shown["new"] == [1, 0, 0, 1]
    assert shown["gone"] == [1, 0, 0, 1]
    assert shown["lowered"] == [1, 0, 1, 0]
    assert shown["in all"] == [1, 0, 1, 0, 1, 1]
    graver = with_rules(past.content, plan="red:take pills", tired="orange:sleep for ever")
    assert counted(await again(store, graver))["raised"] == [1, 0, 1, 0]


async def test_what_would_be_found_joins_the_case_that_was_open(past: Cast, store: Store) -> None:
    past.later(hours=1)
    await past.writes("Ada", "so very hollow again")
    other = with_rules(past.content, plan="red:take pills", tired="yellow:sleep for ever", x="red:hollow again")
    shown = counted(await again(store, other))
    assert shown["new"] == [0, 0, 0, 0]
    assert shown["as before"] == [2, 1, 0, 1]


async def test_flags_that_rest_on_no_text_stay(past: Cast, store: Store) -> None:
    async with store.begin() as tx:
        await tx.run(flags.update().values(category="measure"))
    assert counted(await again(store, with_rules(past.content)))["as before"][0] == 2


async def test_a_replay_writes_nothing_and_shows_words_only_when_asked(past: Cast, store: Store) -> None:
    async def state() -> list:
        return [await past.kept(one) for one in (answers, cases, flags, audit)]

    before = await state()
    silent = await again(store, with_rules(past.content))
    assert silent.changes == ()
    assert not any("pills" in line for line in table(silent))
    loud = await again(store, with_rules(past.content), keep_texts=True)
    assert [told(change).split("  ", 1)[1] for change in loud.changes] == [
        "red -> none  (no rule)  i will take pills",
        "yellow -> none  (no rule)  let me sleep for ever",
    ]
    assert await state() == before


def test_the_command_replays_a_database_and_keeps_that_words_were_shown(
    tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(sqlite_template, tmp_path / "x.db")
    for name in [name for name in os.environ if name.startswith("INTERLUDE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("INTERLUDE_DATABASE_URL", f"sqlite+aiosqlite:///{tmp_path / 'x.db'}")
    monkeypatch.setenv("INTERLUDE_KEYS", KEYS)
    given = ("replay", "--since", "2026-10-01", "--rules-only", "--content", str(ROOT / "content"))
    quiet = interlude(*given)
    assert quiet.exit_code == 0, quiet.output
    assert "0 texts since 2026-10-01 were examined again" in quiet.stdout
    import sqlite3

    def noted() -> int:
        with sqlite3.connect(tmp_path / "x.db") as database:
            return database.execute("SELECT count(*) FROM audit WHERE action = 'replay-shown'").fetchone()[0]

    assert noted() == 0
    assert interlude(*given, "--show-text").exit_code == 0
    assert noted() == 1
