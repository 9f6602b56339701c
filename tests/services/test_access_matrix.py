"""Every button and every command, tried by those whom another person's record is no business of."""

import ast
import asyncio
import contextlib
import inspect
import itertools
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import get_args

import pytest
from aiogram.filters import Command, CommandObject
from cast import DAY, EVENING, Cast
from conftest import VAULT
from sqlalchemy import select

from bot.content.library import Content
from bot.domain.flow import Act
from bot.domain.rota import Cover
from bot.domain.safety_plan import SafetyPlan, changed
from bot.handlers import commands, taps
from bot.handlers.refusals import Refusals
from bot.services import prompts as prompting
from bot.services import safety_plan
from bot.storage import follow_ups, people, safety_plans
from bot.storage import rota as rotas
from bot.storage.store import Store
from bot.storage.tables import cases, metadata, prompts, runs
from bot.telegram.message import unpacked
from bot.telegram.taps import AnyTap, CaseTap, MenuTap, PromptTap, RunTap, read_tap, tap_data, write_id

TRIERS = ("Nobody", "Peer", "Other", "Quill")
"""In no programme; of the same programme; a clinician of another one; a clinician removed a minute ago."""

WROTE, WALK, ANA = "I want to kill myself tonight", "walk down to the river", "ring Ana at 555-0134"
EXEMPT = {"inbox", "outbox", "audit", "cards", "contents", "marks"}
"""Tables that say what was asked and answered, or hold nothing of anybody's."""

PROMPT_VERBS = ("start", "skip", "30m", "2h", "tonight")
CASE_VALUES = {
    "as": ("contacted-safe", "add", "lower:orange", ""),
    "propose": ("", "by-myself"),
    "open": ("",),
    "ack": ("",),
    "mine": ("",),
    "give": ("",),
    "note": ("",),
    "resolve": ("",),
    "lower": ("",),
    "reopen": ("",),
    "answers": ("",),
    "plan": ("",),
}
GUARDED = {
    "after": ("{after}-better", "{after}-worse"),
    "proposal": ("{proposal}", "{proposal}-accept", "{proposal}-keep"),
    "oncall": (
        *(f"{verb}={{backup}}" for verb in ("show", "take", "away", "back", "swap")),
        "away={backup}.1",
        "ask={backup}.{senior}.{starts}",
        "yes={offer}",
        "no={offer}",
    ),
    "invite": (f"{EVENING}|participant", f"{EVENING}|clinician"),
    "people": (
        "",
        "list-{backup}-participant-0",
        *(f"{verb}-{{robin}}" for verb in ("who", "primary", "discharge", "erase")),
        "primary-{robin}-{backup}",
        "discharge-{robin}-yes",
        "erase-{robin}-yes",
        "remove-{backup}-yes",
    ),
}
"""Menus about what is somebody's in particular: who it isn't for is refused."""

OWN = {
    "consent": ("yes", "no", "es"),
    "language": ("en",),
    "zone": ("America/Chicago", "other"),
    "topic": ("", "panic"),
    "skill": ("box-breathing",),
    "begin": ("box-breathing",),
    "measure": ("daily-check-in",),
    "settings": ("", "language", "zone"),
    "week": ("", "pause", "pause=3d", "pause=end", "days", "days=1", "own=quiet"),
    "plan": ("", "edit", "edit=by-myself", "start", "step=by-myself"),
    "help-now": ("tell", "no"),
    "country": ("", "US"),
    "export": ("",),
    "caring": ("yes", "no"),
    "leave": ("", "no", "yes"),
    "forget": ("", "no", "now-{now}"),
}
"""Menus that do something for whoever taps, whose button ever it was; leaving comes last."""

GUARDED_COMMANDS = {"queue": {"Other"}, "oncall": {"Other"}, "invite": set(), "people": set(), "preview": set()}
"""Commands of those who work for a programme, and who of the triers is let in (to their own programme)."""

OWN_COMMANDS = (
    "start",
    "checkin",
    "skills",
    "again",
    "plan",
    "plan_my_week",
    "progress",
    "help_now",
    "settings",
    "help",
    "export_me",
    "forget_me",
    "stop",
)


@dataclass
class Target:
    """What is Robin's and her team's: ids of it, and words that nobody else may be sent."""

    cast: Cast
    ids: dict[str, int]
    secrets: tuple[str, ...] = ()
    nudge: list[AnyTap] = field(default_factory=list)
    kept: dict[str, list[dict]] = field(default_factory=dict)
    """All rows as they were after the last try."""

    def value(self, pattern: str) -> str:
        return pattern.format(**{name: write_id(number) for name, number in self.ids.items()})


@pytest.fixture(scope="module")
def scene(tmp_path_factory, sqlite_template, content) -> tuple[Path, Target]:
    """The same database for each of the tests, to be copied, and what is in it.

    One kind of database is enough: what is asked here is the same code on both.
    """
    file = tmp_path_factory.mktemp("matrix") / "scene.db"
    shutil.copy(sqlite_template, file)
    return file, asyncio.run(played(Store(f"sqlite+aiosqlite:///{file}", VAULT), content))


@pytest.fixture
async def target(scene: tuple[Path, Target], tmp_path: Path) -> AsyncIterator[Target]:
    file, told = scene
    shutil.copy(file, tmp_path / "test.db")
    store = Store(f"sqlite+aiosqlite:///{tmp_path / 'test.db'}", VAULT)
    cast = replace(told.cast, store=store, ids=dict(told.cast.ids), updates=itertools.count(10_000))
    yield replace(told, cast=cast, kept={})
    await store.close()


async def played(store: Store, content: Content) -> Target:
    """Robin has a prompt, a practice, a case, a plan and a suggestion for it; Quill was removed a minute ago."""
    clinic = Cast(store=store, content=content)
    for name, programme in (("Quill", EVENING), ("Backup", EVENING), ("Other", DAY)):
        await clinic.invited(name, "clinician", programme)
    await clinic.invited("Senior", "supervisor")
    await clinic.joined("Robin", primary_id=(await clinic.member("Backup")).id)
    await clinic.joined("Peer")
    robin, backup, senior, quill = [await clinic.member(name) for name in ("Robin", "Backup", "Senior", "Quill")]
    clinic.now = datetime(2026, 11, 3, 15, 29, 59, tzinfo=UTC)
    while await prompting.deliver_due(clinic.store, clinic.content, clinic.now):
        pass
    await clinic.writes("Robin", WROTE)
    await clinic.begins("Robin", "box-breathing")
    ids = {"robin": robin.id, "backup": backup.id, "senior": senior.id, "now": int(clinic.now.timestamp()) + 60}
    starts = clinic.now + timedelta(days=1)
    ids |= {"starts": int(starts.timestamp())}
    swap = Cover(
        member_id=senior.id, duty="on-call", starts_at=starts, ends_at=starts + timedelta(hours=8), instead_of=backup.id
    )
    async with clinic.store.begin() as tx:
        ids["case"] = (await tx.one(select(cases.c.id))).id
        ids["run"] = (await tx.one(select(runs.c.id).where(runs.c.member_id == robin.id))).id
        sent = select(prompts.c.id).where(prompts.c.member_id == robin.id, prompts.c.status == "sent")
        ids["prompt"] = (await tx.one(sent)).id
        plan = changed(SafetyPlan(), "by-myself", WALK)
        await safety_plan.keep(tx, robin, None, plan, "by-myself", by=robin.id, now=clinic.now)
        made = await safety_plans.propose(
            tx, robin.id, by=backup.id, step="by-myself", base=1, text=ANA, now=clinic.now
        )
        asked = follow_ups.new("matrix", robin.id, "case", clinic.now, ids["case"])
        await follow_ups.plan(tx, [asked])
        ids["proposal"] = made.id
        table = metadata.tables["follow_ups"]
        ids["after"] = (await tx.one(select(table.c.id).where(table.c.key == "matrix"))).id
        ids["offer"] = await rotas.add_cover(tx, EVENING, swap, clinic.now, made_by=backup.id, accepted=False)
        await people.change_member(tx, quill.id, standing="removed")
    clinic.later(minutes=1)
    nudge = [read_tap(key.data) for one in await clinic.got("Robin") for row in one.keyboard for key in row]
    secrets = ("Robin", (await clinic.person("Robin")).code, WROTE, WALK, ANA, "Backup Sample", "Senior Sample")
    target = Target(cast=clinic, ids=ids, secrets=secrets, nudge=nudge)
    await store.close()
    return target


def run_taps(target: Target) -> list[AnyTap]:
    return [RunTap(run=target.ids["run"], turn=1, act=act) for act in get_args(Act)]


def prompt_taps(target: Target) -> list[AnyTap]:
    return [PromptTap(prompt=target.ids["prompt"], verb=verb) for verb in PROMPT_VERBS]


def case_taps(target: Target) -> list[AnyTap]:
    pairs = [(verb, value) for verb, values in CASE_VALUES.items() for value in values]
    return [CaseTap(case=target.ids["case"], verb=verb, value=value) for verb, value in pairs]


def menu_taps(target: Target, menus: dict[str, tuple[str, ...]]) -> list[AnyTap]:
    return [MenuTap(menu=menu, value=target.value(value)) for menu, values in menus.items() for value in values]


@pytest.mark.parametrize("who", TRIERS)
@pytest.mark.parametrize("kind", [run_taps, prompt_taps, case_taps, lambda target: menu_taps(target, GUARDED)])
async def test_anothers_button_is_refused_and_does_nothing(
    target: Target, who: str, kind: Callable[[Target], Iterable[AnyTap]]
) -> None:
    for tap in kind(target):
        assert await tried(target, who, tap) == 1, (who, tap)


@pytest.mark.parametrize("who", TRIERS)
async def test_a_button_of_ones_own_touches_nobody_else(target: Target, who: str) -> None:
    for tap in menu_taps(target, OWN):
        await tried(target, who, tap)


@pytest.mark.parametrize("who", TRIERS)
async def test_a_command_shows_and_changes_nothing_of_anothers(target: Target, who: str) -> None:
    for name in (*GUARDED_COMMANDS, *OWN_COMMANDS):
        refused = await tried(target, who, name)
        assert refused == (name in GUARDED_COMMANDS and who not in GUARDED_COMMANDS[name]), (who, name)


async def test_the_matrix_names_every_button_and_every_command(target: Target) -> None:
    assert set(get_args(AnyTap)) == {RunTap, PromptTap, CaseTap, MenuTap}
    assert {tap.verb for tap in target.nudge if isinstance(tap, PromptTap)} == set(PROMPT_VERBS)
    assert named_in(taps._prompt) <= set(PROMPT_VERBS)
    assert set(taps.CASES) | named_in(taps._case) | {"open"} == set(CASE_VALUES)
    assert set(taps.MENUS) | named_in(taps._menu) == set(GUARDED) | set(OWN)
    assert set(handlers()) == set(GUARDED_COMMANDS) | set(OWN_COMMANDS)


def named_in(function: Callable) -> set[str]:
    """The verbs or menus that a function tells apart by name."""
    tree = ast.walk(ast.parse(inspect.getsource(function)))
    told = [node.value if isinstance(node, ast.MatchValue) else node for node in tree if is_told(node)]
    constants = [one for node in told for one in ast.walk(node) if isinstance(one, ast.Constant)]
    return {one.value for one in constants if isinstance(one.value, str)}


def is_told(node: ast.AST) -> bool:
    return isinstance(node, ast.MatchValue | ast.Compare)


def handlers() -> dict:
    """Each command's handler, as the router has it."""
    found = {}
    for handler in commands.make_router().message.handlers:
        for filtered in handler.filters:
            if isinstance(filtered.callback, Command):
                found |= dict.fromkeys(filtered.callback.commands, handler)
    return found


async def tried(target: Target, who: str, what: AnyTap | str) -> int:
    """Have somebody tap or type this, and see that nothing of anybody else's came of it; return the refusals."""
    cast, turn = target.cast, await target.cast.turn(who)
    before = target.kept or everything(cast)
    await Refusals()(acting(what), SimpleNamespace(), {"store": cast.store, "content": cast.content, "turn": turn})
    after = target.kept = everything(cast)
    mine = {turn.person.id} if turn.person else set()
    mine |= {row["id"] for row in before["members"] if row["person_id"] in mine}
    mine |= {row["id"] for row in before["cases"] + after["cases"] if row["member_id"] in mine}
    for table in before.keys() - EXEMPT:
        theirs = mine | {row.get("id") for row in before[table] if owned(row, mine)} - {None}
        assert others(before[table], theirs) == others(after[table], theirs), (who, what, table)
    for row in after["outbox"][len(before["outbox"]) :]:
        assert row["chat_id"] != cast.ids["Robin"], (who, what)
        if row["chat_id"] == cast.ids[who]:
            shown = repr(unpacked(VAULT.open("outbox.payload", row["key"], row["payload_sealed"])))
            assert not [secret for secret in target.secrets if secret in shown], (who, what, shown)
    return sum(row["action"] == "refused" for row in after["audit"][len(before["audit"]) :])


def acting(what: AnyTap | str) -> Callable:
    """What the router would call for this."""

    async def answer(*_given) -> None:
        return None

    async def act(_event, data: dict) -> None:
        if isinstance(what, str):
            command = CommandObject(command=what, args="box-breathing" if what == "preview" else "")
            await handlers()[what].call(SimpleNamespace(), command=command, **data)
        else:
            query = SimpleNamespace(data=tap_data(what), answer=answer)
            await taps.tapped(query, **data, link_base="https://t.me/interlude_test_bot?start=")

    return act


def everything(cast: Cast) -> dict[str, list[dict]]:
    """All rows of all tables, in the order in which they were added; read as they lie in the file, for speed."""
    with contextlib.closing(sqlite3.connect(cast.store.engine.url.database)) as file:
        file.row_factory = sqlite3.Row
        return {name: [dict(row) for row in file.execute(f'SELECT * FROM "{name}"')] for name in metadata.tables}


def others(rows: list[dict], mine: set[int]) -> list[str]:
    """The rows that are not of whoever tried."""
    return sorted(repr(row) for row in rows if not owned(row, mine))


def owned(row: dict, mine: set[int]) -> bool:
    owners = ("id", "person_id", "member_id", "case_id", "used_by")
    named = str(row.get("detail") or "")  # to whom an alert went, which an erasure takes out
    return bool(mine & {row.get(owner) for owner in owners}) or any(f'"{one}"' in named for one in mine)
