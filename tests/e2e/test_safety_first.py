"""However much waits, what is about somebody's safety goes first."""

from datetime import datetime

import pytest
from sqlalchemy import func, select

from bot.storage.outbox import Lane, Posting, post
from bot.storage.tables import flags, outbox
from bot.telegram.limits import Limits
from bot.telegram.message import Message, packed

WAITING = 10_000
A_SECOND = 30
"""Messages that Telegram takes from a bot in one second."""


async def test_with_ten_thousand_prompts_waiting_a_red_alert_is_on_its_way_within_a_second(stage) -> None:
    telegram, store = stage.telegram, stage.app.store
    clinician = await stage.colleague("Dr. Quill Example")
    robin = await stage.participant()
    crowd = [await telegram.add_user(f"Crowd {number}") for number in range(50)]
    for user in crowd:
        await telegram.say(user, "hello")
    stage.app.delivery._sender._limits = Limits(per_second=A_SECOND, per_chat=1000)
    nudge = packed(Message(text="a nudge"))
    async with store.begin() as tx:
        postings = [
            Posting(key=f"crowd:{number}", chat_id=crowd[number % len(crowd)], lane=Lane.PROMPT, payload=nudge)
            for number in range(WAITING)
        ]
        for start in range(0, WAITING, 1000):
            await post(tx, postings[start : start + 1000], stage.app.clock.now())
    await telegram.wait_for(crowd[0], "a nudge")
    await telegram.say(robin, "I want to kill myself tonight")
    await telegram.wait_for(clinician, "case 1", seconds=20)
    await telegram.wait_for(robin, "988", seconds=20)
    async with store.read() as tx:
        raised = await tx.value(select(flags.c.at))
        waits = await tx.value(select(func.count()).select_from(outbox).where(outbox.c.state == "ready"))
    assert waits > WAITING / 2
    taken = [one for one in await telegram.log() if one["method"] == "sendMessage"]
    chats = [int(one["params"]["chat_id"]) for one in taken if datetime.fromisoformat(one["at"]) > raised]
    assert chats.index(clinician) <= A_SECOND
    assert chats.index(robin) <= A_SECOND


@pytest.mark.parametrize(("per_second", "paid"), [(30, None), (1000, True)])
async def test_telegram_is_told_that_more_than_its_free_messages_will_be_paid_for(stage, per_second, paid) -> None:
    stage.settings = stage.settings.model_copy(update={"messages_per_second": per_second})
    await stage.restart()
    robin = await stage.telegram.add_user("Robin Sample")
    await stage.telegram.say(robin, "/help")
    await stage.telegram.wait_for(robin, lambda _: True)
    (sent,) = [one for one in await stage.telegram.log() if one["method"] == "sendMessage"]
    assert sent["params"].get("allow_paid_broadcast") is paid
