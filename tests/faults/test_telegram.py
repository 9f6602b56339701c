"""What Telegram and the way to it do wrong, and what the participant and the clinician see of it."""

import asyncio
import time
from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.storage import inbox
from bot.storage.tables import outbox

RED = "I want to kill myself tonight"


async def test_updates_whose_ids_start_over_are_handled(stage) -> None:
    telegram = stage.telegram
    robin = await stage.participant()
    await telegram.quiet(robin)
    long_ago = stage.app.clock.now() - timedelta(days=8)
    async with stage.app.store.begin() as tx:  # others had these numbers
        for number in range(1, 9):
            await inbox.keep(tx, [inbox.Arrived(update_id=number, chat_id=0, payload="{}")], long_ago)
            await inbox.done(tx, number, long_ago)
    await telegram.updates("start over")
    last = (await telegram.last(robin))["message_id"]
    await telegram.say(robin, "/settings")
    await telegram.wait_for(robin, "Time zone:", after=last)
    await stage.restart()
    await telegram.say(robin, RED)
    await telegram.wait_for(robin, "988", after=last)


@pytest.mark.parametrize("fault", [{"kind": "400"}, {"kind": "400", "migrate_to_chat_id": -1001}])
async def test_a_clinician_whose_chat_is_gone_is_passed_over_at_once(stage, fault: dict) -> None:
    first = await stage.colleague("Dr. Quill Example")
    supervisor = await stage.colleague("Dr. Senior Example", "supervisor")
    robin = await stage.participant()
    await stage.telegram.fault(method="sendMessage", chat=first, **fault)
    await stage.telegram.say(robin, RED)
    await stage.telegram.wait_for(supervisor, "case 1", seconds=3)
    await stage.telegram.wait_for(robin, "988")


async def test_a_message_that_was_taken_but_not_confirmed_comes_twice_at_most(stage) -> None:
    telegram = stage.telegram
    robin = await stage.participant()
    await telegram.fault("timeout_after", "sendMessage", chat=robin, seconds=0.1)
    await telegram.say(robin, "/help")
    for _ in range(3):
        await telegram.move_clock(by=5)
        await asyncio.sleep(0.3)
    shown = [one for one in await telegram.quiet(robin) if "What I can do" in one.get("text", "")]
    assert 1 <= len(shown) <= 2


async def test_after_hours_without_network_the_alert_comes_first_and_stale_prompts_are_dropped(stage) -> None:
    telegram = stage.telegram
    clinician = await stage.colleague("Dr. Quill Example")
    robin = await stage.participant()
    await stage.until_next_prompt()
    await telegram.quiet(robin)
    await telegram.fault("reset", "*", times=100_000)
    await stage.until_next_prompt()
    await telegram.say(robin, RED)
    await asyncio.sleep(0.3)
    await telegram.move_clock(by=6 * 3600)
    await telegram.call("DELETE", "/faults")
    await telegram.wait_for(clinician, "case 1")
    await telegram.wait_for(robin, "988")
    async with asyncio.timeout(15):
        while "ready" in (states := await states_of_prompts(stage)):
            await asyncio.sleep(0.1)
    assert "dropped" in states


async def states_of_prompts(stage) -> set[str]:
    async with stage.app.store.read() as tx:
        return {row.state for row in await tx.all(select(outbox.c.state).where(outbox.c.lane == 2))}


async def test_one_slow_answer_holds_up_nobody_else(stage) -> None:
    telegram = stage.telegram
    robin, sam = await stage.participant(), await stage.participant("Sam Specimen")
    await telegram.fault("slow", "sendMessage", chat=robin, seconds=5)
    await telegram.say(robin, "/help")
    began = time.monotonic()
    await telegram.say(sam, RED)
    await telegram.wait_for(sam, "988", seconds=3)
    assert time.monotonic() - began < 3
