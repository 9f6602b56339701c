"""Who floods the bot is slowed down; no cry is, nothing written is lost, and nobody else notices."""

import asyncio

import pytest
from sqlalchemy import func, select

from bot.domain.pace import Allowance
from bot.services import hurry
from bot.storage.tables import answers, audit, case_events, outbox


@pytest.fixture
def three_at_once(monkeypatch) -> None:
    monkeypatch.setattr(hurry, "UPDATES", Allowance(burst=3, each=hurry.TOLD.each * 10))


async def count(stage, table, *where) -> int:
    async with stage.app.store.read() as tx:
        return await tx.value(select(func.count()).select_from(table).where(*where))


async def said_times(stage, user: int, words: str, times: int) -> None:
    """Wait until this was said so often."""
    async with asyncio.timeout(10):
        while sum(words in one["text"] for one in await stage.telegram.chat(user) if one["from"]["is_bot"]) < times:
            await asyncio.sleep(0.05)


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


async def test_answers_and_a_clinicians_taps_count_however_fast_they_come(stage, monkeypatch) -> None:
    clinician, robin = await stage.colleague("Dr. Quill Example"), await stage.participant()
    await stage.telegram.say(robin, "/checkin")
    asked = await stage.telegram.wait_for(robin, "mood")
    monkeypatch.setattr(hurry, "UPDATES", Allowance(burst=0, each=hurry.TOLD.each))
    await stage.restart()
    await stage.telegram.tap(robin, asked, "6")
    await stage.telegram.wait_for(robin, "How much distress")
    await stage.telegram.say(robin, "7")
    await stage.telegram.wait_for(robin, "urges to hurt yourself")
    assert await count(stage, answers, answers.c.number.in_((6, 7))) == 2
    await stage.telegram.say(robin, "I want to kill myself tonight")
    alert = await stage.telegram.wait_for(clinician, "case 1")
    await stage.telegram.tap(clinician, alert, "Acknowledge")
    assert await count(stage, case_events, case_events.c.kind == "acknowledged") == 1


async def test_over_the_limit_help_comes_and_other_commands_are_asked_for_again(stage, three_at_once) -> None:
    robin = await stage.participant()
    await stage.restart()
    for _ in range(3):
        await stage.telegram.say(robin, "/help")
    await stage.telegram.say(robin, "/skills")
    await stage.telegram.wait_for(robin, "I left this for now")
    await stage.telegram.say(robin, "/skills because I want to kill myself tonight")
    cry = await stage.telegram.wait_for(robin, "988")
    await stage.telegram.say(robin, "/help_now")
    await stage.telegram.wait_for(robin, "988", after=cry["message_id"])


async def test_what_was_written_over_hours_and_comes_at_once_is_no_flood(stage, three_at_once) -> None:
    robin = await stage.participant()
    await stage.serving.aclose()
    for number in range(6):
        await stage.telegram.move_clock(by=3600)
        await stage.telegram.say(robin, f"the bus was late and it rained all the way, number {number}")
    await stage.restart()
    await said_times(stage, robin, "I keep that for your team", 6)
    assert not [one for one in await stage.telegram.chat(robin) if "a lot at once" in one["text"]]


async def test_a_stranger_who_floods_and_cries_gets_the_contacts(stage, three_at_once) -> None:
    await stage.restart()
    stranger = await stage.telegram.add_user("Nobody Invented")
    for number in range(6):
        await stage.telegram.say(stranger, f"hello {number}")
    told = await stage.telegram.wait_for(stranger, "That was a lot at once")
    await stage.telegram.say(stranger, "I want to kill myself tonight")
    await stage.telegram.wait_for(stranger, "988", after=told["message_id"])


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
