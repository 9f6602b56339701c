"""Promise 8, on the whole: what was written, names and tokens are nowhere where they must not be, whatever fails.

Unlike strings are planted wherever somebody or something says a word, the main job is done with errors forced,
and everything that leaves the process or lies on the disk is searched for them.
"""

import asyncio
import contextlib
import gc
import io
import logging
import secrets
import socket
import sqlite3
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
import structlog
from pydantic import SecretStr
from smtp_server import free_port
from sqlalchemy.exc import OperationalError
from staging import Stage, served, staged
from typer.testing import CliRunner

from bot.addresses import read
from bot.cli import app as command_line
from bot.config import Settings
from bot.content.live import LiveLibrary
from bot.journal import set_up
from bot.sandbox.botapi import BotApi
from bot.services import channels, conversation
from bot.storage.tables import answers, case_events

KINDS = (
    "words",
    "edited",
    "caption",
    "first name",
    "username",
    "colleague",
    "note",
    "plan",
    "bot token",
    "webhook secret",
    "channel user",
    "channel password",
    "channel host",
)


@dataclass
class Canaries:
    """One string for each kind of what must stay hidden; `more` are those that Interlude made itself."""

    planted: dict[str, str] = field(default_factory=lambda: {kind: f"zq{secrets.token_hex(6)}" for kind in KINDS})
    more: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, kind: str) -> str:
        return self.planted[kind]

    def found_in(self, haystack: str | bytes, *, but: tuple[str, ...] = ()) -> list[str]:
        """Which of them can be read here, in small or capital letters, in one or two bytes a letter."""
        held = (haystack.encode() if isinstance(haystack, str) else haystack).lower()
        known = {kind: canary.lower() for kind, canary in (self.planted | self.more).items() if kind not in but}
        forms = {kind: (canary.encode(), canary.encode("utf-16-le")) for kind, canary in known.items()}
        return [kind for kind, given in forms.items() if any(one in held for one in given)]


@pytest.fixture
def canaries() -> Canaries:
    return Canaries()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every address that a bot asked the sandbox for."""
    urls: list[str] = []
    answer = BotApi.method

    async def noting(self, request):
        urls.append(str(request.url))
        return await answer(self, request)

    monkeypatch.setattr(BotApi, "method", noting)
    return urls


@pytest.fixture
def journal() -> Iterator[io.StringIO]:
    """What is logged, and all else that goes to standard error, from when a test puts it there."""
    yield io.StringIO()
    set_up("json", "warning")


@pytest.fixture
async def stage(
    tmp_path: Path, sqlite_template: Path, library: LiveLibrary, canaries: Canaries, asked: list[str]
) -> AsyncIterator[Stage]:
    (tmp_path / "test.db").write_bytes(sqlite_template.read_bytes())
    token = f"4242:{canaries['bot token']}"
    set_up("text", "debug")
    async with staged(f"sqlite+aiosqlite:///{tmp_path / 'test.db'}", library, token) as stage:
        canaries.more["key"] = stage.settings.keys.get_secret_value().partition(":")[2].rstrip("=")
        yield stage


async def on_a_webhook(stage: Stage, canaries: Canaries) -> str:
    """Start Interlude anew on a webhook, with lines in JSON; return where it listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        listen = f"127.0.0.1:{free.getsockname()[1]}"
    await stage.serving.aclose()
    changed = {
        "listen": listen,
        "webhook_url": f"http://{listen}/telegram",
        "webhook_secret": SecretStr(canaries["webhook secret"] + "-secret"),
    }
    stage.settings = Settings(_env_file=None, **(stage.settings.model_dump() | changed))
    set_up("json", "debug")
    stage.app = await stage.serving.enter_async_context(served(stage.settings, stage.app.library))
    return f"http://{listen}"


async def everybody(stage: Stage, canaries: Canaries, monkeypatch: pytest.MonkeyPatch) -> tuple[int, int, int]:
    """A clinician with a channel that cannot be reached, staff, and a participant, all with names of their own."""
    plain = stage.link

    async def remembered(role: str, *given, **more) -> str:
        made = await plain(role, *given, **more)
        canaries.more[f"invitation {len(canaries.more)}"] = made.partition("start=")[2]
        return made

    monkeypatch.setattr(stage, "link", remembered)
    quill = await stage.colleague(f"Quill {canaries['colleague']}")
    staff = await stage.colleague(f"Sam {canaries['colleague']}", "staff")
    robin = await stage.participant(f"Robin {canaries['first name']}", username=canaries["username"])
    await stage.telegram.say(quill, "/settings")
    code = (await stage.telegram.wait_for(quill, "Your code: "))["text"].partition("Your code: ")[2].split()[0]
    user, password, host = (canaries[f"channel {what}"] for what in ("user", "password", "host"))
    address = f"mailto://{user}:{password}@127.0.0.1:{free_port()}?from=i@{host}.example&to=quill@{host}.example"
    now = stage.app.clock.now()
    await channels.add_for_clinician(
        stage.app.store, code=code, programme="", address=address, known=read(address), now=now
    )
    return quill, staff, robin


async def forced_errors(
    stage: Stage, robin: int, canaries: Canaries, journal: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A handler that fails, a send that is refused, a lost task, a locked database: all quote what was said."""
    telegram, words, since = stage.telegram, canaries["words"], len(journal.getvalue())

    async def until_logged(what: str) -> None:
        async with asyncio.timeout(15):
            while what not in journal.getvalue()[since:]:
                await asyncio.sleep(0.05)

    with monkeypatch.context() as broken:

        async def fails(_store, _content, _turn, text: str) -> None:
            raise RuntimeError(f"cannot take {text} of {canaries['first name']}")

        broken.setattr(conversation, "wrote", fails)
        await telegram.say(robin, f"I need help {words}")
        await until_logged("RuntimeError at ")

    for fault, said in (("400", f"Bad Request: can't parse {words}"), ("500", f"no {words}"), ("reset", "")):
        await telegram.fault(fault, "sendMessage", chat=robin, description=said)
        await telegram.say(robin, "/help")
        await asyncio.sleep(0.3)
        await telegram.move_clock(by=30)
    await telegram.wait_for(robin, "What I can do")

    async def lost() -> None:
        raise ValueError(words)

    structlog.get_logger().warning("somebody logs what they should not", text=words, name=canaries["first name"])
    logging.getLogger("a.library").error("could not take %s", words)
    task = asyncio.create_task(lost())
    await asyncio.wait([task])
    del task
    gc.collect()

    with monkeypatch.context() as locked:

        def begin(*_given, **_more) -> None:
            raise OperationalError("INSERT", {"text": words}, sqlite3.OperationalError(f"database is locked {words}"))

        locked.setattr(stage.app.store, "begin", begin)
        last = (await telegram.say(robin, f"I want to kill myself {words}"))["message_id"]
        await until_logged("OperationalError at ")
    await telegram.move_clock(by=60)
    await telegram.wait_for(robin, "988", seconds=20, after=last)
    await until_logged("a page did not go out")


async def main_job(stage: Stage, quill: int, robin: int, canaries: Canaries) -> None:
    """A plan, an answer that is corrected, a caption; a clinician takes the case and writes a note on it."""
    telegram = stage.telegram
    await telegram.say(robin, "/plan")
    await telegram.tap(robin, await telegram.wait_for(robin, "six short steps"), "Make my plan")
    await telegram.tap(robin, await telegram.wait_for(robin, "a hard time is coming"), "Skip this step")
    await telegram.wait_for(robin, "What has helped you")
    await telegram.say(robin, canaries["plan"])
    await telegram.wait_for(robin, "Kept: What I can do by myself")
    written = await telegram.say(robin, f"today was {canaries['words']}")
    await telegram.edit(robin, written, f"today I want to die {canaries['edited']}")
    await telegram.say(robin, "", photo=True, caption=f"look {canaries['caption']}")
    alert = await telegram.wait_for(quill, "RED")
    assert canaries.found_in(repr(await telegram.chat(quill)), but=("colleague", *invitations(canaries))) == []
    await telegram.tap(quill, alert, "Acknowledge")
    card = await telegram.wait_for(quill, "acknowledged by Quill")
    await telegram.tap(quill, card, "Resolve")
    await stage.tap_through(quill, "How did case", "Contacted: safe")
    await telegram.say(quill, f"Called, {canaries['note']}.")
    await telegram.wait_for(quill, "Case 1 is resolved")


def invitations(canaries: Canaries) -> tuple[str, ...]:
    return tuple(kind for kind in canaries.more if kind.startswith("invitation"))


def backed_up(stage: Stage, target: Path, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """What `interlude db backup` writes."""
    monkeypatch.setenv("INTERLUDE_DATABASE_URL", stage.settings.database_url)
    monkeypatch.setenv("INTERLUDE_KEYS", stage.settings.keys.get_secret_value())
    monkeypatch.chdir(target.parent)
    done = CliRunner().invoke(command_line, ["db", "backup", str(target)])
    assert done.exit_code == 0, done.output
    return target.read_bytes()


async def kept_words(stage: Stage) -> str:
    """All that people wrote, as whoever has the key reads it."""
    async with stage.app.store.read() as tx:
        rows = await tx.all(answers.select().where(answers.c.text_sealed.is_not(None)))
        words = [tx.vault.open("answers.text", row.id, row.text_sealed) for row in rows]
        rows = await tx.all(case_events.select().where(case_events.c.note_sealed.is_not(None)))
        return "\n".join([*words, *(tx.vault.open("case_events.note", row.key, row.note_sealed) for row in rows)])


async def test_nothing_that_is_planted_can_be_read_anywhere(
    stage: Stage, canaries: Canaries, asked: list[str], journal: io.StringIO, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(sys, "stderr", journal)
    quill, staff, robin = await everybody(stage, canaries, monkeypatch)
    await forced_errors(stage, robin, canaries, journal, monkeypatch)
    lines = {"text": journal.getvalue()}
    listening = await on_a_webhook(stage, canaries)
    await forced_errors(stage, robin, canaries, journal, monkeypatch)
    await main_job(stage, quill, robin, canaries)
    lines["json"] = journal.getvalue().removeprefix(lines["text"])

    for form, said in lines.items():
        assert canaries.found_in(said) == [], f"in the log as {form}"
        for failure in ("RuntimeError at ", "OperationalError at ", "ValueError at ", "another try"):
            assert failure in said, f"{failure} is logged as {form}"
    async with httpx.AsyncClient() as client:
        for page in ("/metrics", "/readyz", "/livez"):
            answer = await client.get(listening + page)
            assert canaries.found_in(answer.text + str(answer.headers)) == [], page
    for url in asked:
        assert canaries.found_in(url.replace(f"/bot4242:{canaries['bot token']}/", "/", 1)) == [], url
    told = repr([one for one in await stage.telegram.chat(staff) if one["from"]["is_bot"]])
    assert canaries.found_in(told, but=("colleague",)) == [], "in what staff were told"

    words = await kept_words(stage)
    assert {"words", "edited", "caption", "plan", "note"} <= set(canaries.found_in(words)), "they were kept, and hidden"
    database = Path(stage.settings.database_url.partition("///")[2])
    wal = database.with_name(database.name + "-wal")
    assert wal.stat().st_size > 0
    copy = await asyncio.to_thread(backed_up, stage, tmp_path / "copy.db", monkeypatch)
    for where, held in (("database", database.read_bytes()), ("log", wal.read_bytes()), ("backup", copy)):
        assert canaries.found_in(held) == [], where
    with contextlib.closing(sqlite3.connect(tmp_path / "copy.db")) as opened:
        assert opened.execute("SELECT count(*) FROM answers").fetchone()[0] > 3
