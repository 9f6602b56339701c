"""Who floods the bot is slowed down; no cry is, nothing written is lost, and nobody else notices."""

import pytest
from sqlalchemy import func, select

from bot.domain.pace import Allowance
from bot.services import hurry
from bot.storage.tables import answers, audit, outbox


@pytest.fixture
def three_at_once(monkeypatch) -> None:
    monkeypatch.setattr(hurry, "UPDATES", Allowance(burst=3, each=hurry.TOLD.each * 10))


async def count(stage, table, *where) -> int:
    async with stage.app.store.read() as tx:
        return await tx.value(select(func.count()).select_from(table).where(*where))


async def test_a_flood_is_kept_and_examined_and_answered_once_and_a_cry_in_it_at_once(stage, three_at_once) -> None:
    clinician = await stage.colleague("Dr. Quill Example")
    robin = await stage.participant()
    await stage.restart()
    before = await count(stage, answers)
    for number in range(8):
        await stage.telegram.say(robin, f"the bus was late, number {number}")
    await stage.telegram.wait_for(robin, "That was a lot at once")
    await stage.telegram.say(robin, "I want to kill myself tonight")
    await stage.telegram.wait_for(robin, "988")
    await stage.telegram.wait_for(clinician, "case 1")
    assert await count(stage, answers) == before + 9
    texts = [one["text"] for one in await stage.telegram.chat(robin) if one["from"]["is_bot"]]
    assert sum("That was a lot at once" in text for text in texts) == 1


async def test_over_the_limit_help_comes_and_other_taps_do_nothing(stage, three_at_once) -> None:
    robin = await stage.participant()
    await stage.restart()
    for _ in range(3):
        await stage.telegram.say(robin, "/checkin")
    asked = await stage.telegram.wait_for(robin, "mood")
    told = await stage.telegram.tap(robin, asked, "6")
    assert told["text"] == "One moment, please. Tap again in a few seconds."
    await stage.telegram.say(robin, "/help_now")
    await stage.telegram.wait_for(robin, "988")


async def test_a_stranger_who_floods_holds_up_nobody(stage, three_at_once) -> None:
    robin, stranger = await stage.participant(), await stage.telegram.add_user("Nobody Invented")
    await stage.restart()
    for number in range(20):
        await stage.telegram.say(stranger, f"hello {number}")
    await stage.telegram.say(robin, "/help")
    await stage.telegram.wait_for(robin, "What I can do")
    await stage.telegram.wait_for(stranger, "That was a lot at once")
    assert await count(stage, outbox, outbox.c.chat_id == stranger) == 4


async def test_guessing_invitations_is_refused_and_audited(stage, monkeypatch) -> None:
    monkeypatch.setattr(hurry, "INVITATIONS", Allowance(burst=2, each=hurry.TOLD.each))
    await stage.restart()
    stranger = await stage.telegram.add_user("Nobody Invented")
    for number in range(3):
        await stage.telegram.open(stranger, f"https://t.me/interlude_test_bot?start=guess{number}")
    told = await stage.telegram.wait_for(stranger, "You tried many links")
    assert await count(stage, audit, audit.c.action == "refused", audit.c.subject == "invitation") == 1
    await stage.telegram.open(stranger, await stage.link("participant"))
    await stage.telegram.wait_for(stranger, "You tried many links", after=told["message_id"])
