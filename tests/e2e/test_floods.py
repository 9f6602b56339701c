"""Somebody floods the bot: they are slowed, everybody else is not, and a cry is heard through it."""

import asyncio
import time

from bot.sandbox import SandboxClient
from bot.storage import inbox
from bot.storage.tables import answers


async def flood(telegram: SandboxClient, user: int, count: int) -> None:
    """Send so many texts at once, and what they are not: the sandbox hands them out as Telegram does."""
    await asyncio.gather(*(telegram.say(user, f"spam {number}") for number in range(count)))


async def emptied(stage) -> None:
    async with asyncio.timeout(60):
        while True:
            async with stage.app.store.read() as tx:
                if not await inbox.waiting(tx, stage.app.clock.now(), busy=frozenset(), limit=1):
                    return
            await asyncio.sleep(0.1)


async def test_a_flooder_is_told_once_others_do_not_wait_and_a_cry_is_heard(stage) -> None:
    telegram = stage.telegram
    quill = await stage.colleague("Dr. Quill Example")
    mallory, robin = await stage.participant("Mallory Specimen"), await stage.participant()
    stranger = await telegram.add_user("Nobody Yet")
    await flood(telegram, mallory, 150)
    await flood(telegram, stranger, 100)
    asked = time.monotonic()
    await telegram.say(robin, "/help")
    await telegram.wait_for(robin, "What I can do", seconds=20)
    assert time.monotonic() - asked < 5
    await telegram.say(mallory, "I want to kill myself tonight")
    await emptied(stage)
    await telegram.wait_for(mallory, "988")
    await telegram.wait_for(quill, "RED")
    for user in (mallory, stranger):
        said = [one.get("text", "") for one in await telegram.quiet(user) if one["from"]["is_bot"]]
        assert sum("send a lot at once" in one for one in said) == 1
        assert len(said) < 40
    async with stage.app.store.read() as tx:
        assert len(await tx.all(answers.select())) == 151

    await telegram.move_clock(by=30)
    await stage.settled()
    await telegram.say(mallory, "/help")
    await telegram.wait_for(mallory, "What I can do")
