"""Words that stand nowhere else are written wherever people can write, things go wrong, and they are found nowhere.

Not in a log line, a figure, an address that is asked for, an alert, a page of the database, its log, or a backup.
"""

import asyncio
import json
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr
from smtp_server import PASSWORD, Mailbox, free_port
from staging import Stage, staged

from bot.addresses import read
from bot.journal import set_up
from bot.services import channels, conversation
from bot.storage.backup import back_up
from bot.storage.vault import new_key
from bot.web import make_web

TOKEN = "4242:canarytoken"
NAME, ACCOUNT = "Canaryname", "canary_account"
WRITTEN, PLANNED, ADDRESS = "canarywritten", "canaryplanned", "canaryaddress"
CRY = f"I want to kill myself tonight, {WRITTEN}"


class Secrets:
    """What must be found nowhere, as bytes."""

    def __init__(self, *words: str) -> None:
        self.words = [word.encode() for word in words]

    def in_(self, there: bytes | str) -> list[bytes]:
        whole = there.encode() if isinstance(there, str) else there
        return [word for word in self.words if word.lower() in whole.lower()]


@pytest.fixture(params=["json", "text"])
def logged_as(request):
    set_up(request.param, "debug")
    yield
    set_up("json", "warning")


async def everybody_writes(stage: Stage, mailbox: Mailbox) -> tuple[int, int, str]:
    """Have a clinician and a participant join and write; return their ids and the invitation that was opened."""
    telegram = stage.telegram
    quill = await stage.colleague("Dr. Quill Example")
    await telegram.say(quill, "/settings")
    code = (await telegram.wait_for(quill, "Your code: "))["text"].partition("Your code: ")[2].split()[0]
    mail = mailbox.address(to=f"{ADDRESS}@clinic.example")
    store, now = stage.app.store, stage.app.clock.now()
    await channels.add_for_clinician(store, code=code, programme="", address=mail, known=read(mail), now=now)
    link = await stage.link("participant")
    robin = await telegram.add_user(NAME, username=ACCOUNT)
    await telegram.open(robin, link)
    for question, answer in (("Do you agree?", "I agree"), ("Which language", "English"), ("live?", "New York")):
        await telegram.tap(robin, await telegram.wait_for(robin, question), answer)
    await telegram.wait_for(robin, "You are all set")
    await telegram.say(robin, "/plan")
    await telegram.tap(robin, await telegram.wait_for(robin, "six short steps"), "Make my plan")
    await telegram.wait_for(robin, "a hard time is coming")
    await telegram.say(robin, PLANNED)
    await telegram.wait_for(robin, "Kept:")
    return quill, robin, link.rpartition("=")[2]


async def things_go_wrong(stage: Stage, robin: int, quill: int, monkeypatch) -> None:
    """Let a handler fail with what was written in its error, and Telegram refuse messages."""
    remark = conversation.remark

    async def failing(*given, **known):
        monkeypatch.setattr(conversation, "remark", remark)
        raise ValueError(f"cannot take {given}")

    monkeypatch.setattr(conversation, "remark", failing)
    await stage.telegram.fault("500", "sendMessage", chat=robin, description=WRITTEN)
    await stage.telegram.fault("400", "sendMessage", chat=quill, description=f"Bad Request: {WRITTEN}")
    await stage.telegram.say(robin, CRY)
    await stage.telegram.move_clock(by=10)
    await stage.telegram.wait_for(robin, "988", seconds=20)


async def test_what_people_write_and_what_opens_doors_is_found_nowhere(
    library, tmp_path: Path, sqlite_template: Path, capfd, monkeypatch, logged_as
) -> None:
    database = tmp_path / "canary.db"
    database.write_bytes(sqlite_template.read_bytes())
    mailbox = Mailbox(port=free_port())
    mailbox.open()
    key = new_key("t")
    try:
        async with staged(f"sqlite+aiosqlite:///{database}", library, token=TOKEN, keys=SecretStr(key)) as stage:
            quill, robin, invitation = await everybody_writes(stage, mailbox)
            await things_go_wrong(stage, robin, quill, monkeypatch)
            alert = await stage.telegram.wait_for(quill, "RED", seconds=20)
            secrets = Secrets(
                NAME,
                ACCOUNT,
                WRITTEN,
                PLANNED,
                ADDRESS,
                PASSWORD,
                invitation,
                TOKEN.partition(":")[2],
                key.partition(":")[2],
            )
            assert secrets.in_(CRY), "the words themselves would be found"
            web = httpx.ASGITransport(make_web(stage.app.store, stage.app.headway, stage.app.clock.now))
            async with httpx.AsyncClient(transport=web, base_url="http://interlude") as client:
                for path in ("/metrics", "/readyz", "/livez"):
                    assert not secrets.in_((await client.get(path)).text), path
            assert alert
            assert not secrets.in_(json.dumps(await stage.telegram.chat(quill)))
            asked = [one for one in await stage.telegram.log() if str(one["params"].get("chat_id")) != str(robin)]
            assert asked
            assert not secrets.in_(json.dumps([one["params"] for one in asked]))
            async with asyncio.timeout(15):
                while not mailbox.got:
                    await asyncio.sleep(0.02)
            mails = "".join(one.as_string() for one in mailbox.got).replace(f"{ADDRESS}@", "")
            assert not secrets.in_(mails)
            back_up(database, tmp_path / "backup.db")
            files = {one.name: one.read_bytes() for one in tmp_path.glob("*.db*")}
    finally:
        mailbox.close()
    assert {"canary.db", "canary.db-wal", "backup.db"} <= files.keys()
    assert {name: secrets.in_(content) for name, content in files.items()} == {name: [] for name in files}
    written = "".join(capfd.readouterr())
    assert "an update failed" in written, "something was logged"
    assert not secrets.in_(written)
