"""From a participant's words to a clinician's mailbox, and what happens when Telegram does not work."""

import asyncio
from collections.abc import Iterator

import pytest
from smtp_server import Mailbox, free_port

from bot.addresses import read
from bot.services import channels


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox(port=free_port())
    box.open()
    yield box
    box.close()


async def add_mail(stage, user: int, mailbox: Mailbox) -> None:
    await stage.telegram.say(user, "/settings")
    shown = await stage.telegram.wait_for(user, "Your code: ")
    code = shown["text"].partition("Your code: ")[2].split()[0]
    store, now = stage.app.store, stage.app.clock.now()
    address = mailbox.address()
    await channels.add_for_clinician(store, code=code, programme="", address=address, known=read(address), now=now)


async def until_mailed(mailbox: Mailbox, count: int = 1) -> None:
    async with asyncio.timeout(15):
        while len(mailbox.got) < count:
            await asyncio.sleep(0.02)


async def test_a_red_answer_is_in_the_mailbox_within_seconds(stage, mailbox: Mailbox) -> None:
    quill = await stage.colleague("Dr. Quill Example")
    robin = await stage.participant()
    await add_mail(stage, quill, mailbox)
    await stage.telegram.say(robin, "I want to kill myself tonight")
    await until_mailed(mailbox)
    await stage.telegram.wait_for(quill, "case 1")
    whole = mailbox.got[0].as_string() + mailbox.text()
    assert "Open Telegram to acknowledge" in whole
    for secret in ("Robin", "Sample", "kill", "tonight"):
        assert secret not in whole


async def test_who_blocked_the_bot_gets_mail_the_next_is_alerted_and_staff_hear_of_it(stage, mailbox: Mailbox) -> None:
    quill = await stage.colleague("Dr. Quill Example")
    senior = await stage.colleague("Dr. Senior Example", "supervisor")
    ellis = await stage.colleague("Ellis Sample", "staff")
    robin = await stage.participant()
    await add_mail(stage, quill, mailbox)
    await stage.telegram.fault("403", "sendMessage", chat=quill)
    await stage.telegram.say(robin, "I wish I was dead")
    await stage.telegram.wait_for(senior, "case 1")
    await until_mailed(mailbox)
    for told in (senior, ellis):
        message = await stage.telegram.wait_for(told, "has blocked this bot")
        assert "Dr. Quill Example" in message["text"]
        assert "E-Mail (q…@clinic.example)" in message["text"]
    await asyncio.sleep(0.3)
    chat = await stage.telegram.chat(ellis)
    assert sum("has blocked this bot" in one.get("text", "") for one in chat) == 1


async def test_while_telegram_is_out_an_orange_alert_comes_by_mail_after_a_minute(stage, mailbox: Mailbox) -> None:
    quill = await stage.colleague("Dr. Quill Example")
    robin = await stage.participant()
    await add_mail(stage, quill, mailbox)
    await stage.telegram.fault("502", "sendMessage", chat=quill, times=100)
    await stage.telegram.say(robin, "I wish I was dead")
    await stage.telegram.wait_for(robin, "988")
    await stage.settled()
    assert not mailbox.got
    await stage.telegram.move_clock(by=61)
    await until_mailed(mailbox)
