"""Telegram's limits on sending, and what can be made to go wrong."""

import asyncio

import pytest
from aiogram import Bot
from aiogram.exceptions import (
    TelegramBadRequest,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
)

from bot.sandbox import SandboxClient
from bot.sandbox.client import SandboxError
from bot.sandbox.faults import KINDS


async def test_a_chat_takes_a_burst_and_then_says_how_long_to_wait(bot: Bot, ana: int, telegram: SandboxClient) -> None:
    await telegram.limits(per_chat=0.1, chat_burst=2)
    for text in "ab":
        await bot.send_message(ana, text)
    with pytest.raises(TelegramRetryAfter) as refused:
        await bot.send_message(ana, "c")
    assert refused.value.retry_after == 10
    assert (await telegram.last(ana))["text"] == "b"


async def test_one_chats_limit_is_not_anothers(bot: Bot, ana: int, telegram: SandboxClient) -> None:
    await telegram.limits(per_chat=0.01, chat_burst=1)
    ben = await telegram.add_user("Ben Invented")
    await telegram.say(ben, "/start")
    assert await bot.send_message(ana, "x")
    assert await bot.send_message(ben, "x")
    with pytest.raises(TelegramRetryAfter):
        await bot.send_message(ben, "x")


async def test_a_bot_has_a_limit_over_all_chats_and_edits_count(bot: Bot, ana: int, telegram: SandboxClient) -> None:
    await telegram.limits(per_second=2)
    sent = await bot.send_message(ana, "a")
    edits = [bot.edit_message_text(text, chat_id=ana, message_id=sent.message_id) for text in "bcd"]
    done = await asyncio.gather(*edits, return_exceptions=True)
    refused = [one for one in done if isinstance(one, TelegramRetryAfter)]
    assert [one.retry_after for one in refused] == [1, 1]


async def test_who_pays_sends_more(bot: Bot, ana: int, telegram: SandboxClient) -> None:
    await telegram.limits(per_second=1, paid_per_second=3)
    paid = [bot.send_message(ana, text, allow_paid_broadcast=True) for text in "abcd"]
    done = await asyncio.gather(*paid, return_exceptions=True)
    assert len([one for one in done if isinstance(one, TelegramRetryAfter)]) == 1
    with pytest.raises(TelegramRetryAfter):
        await bot.send_message(ana, "e")


async def test_a_group_has_its_limit_by_the_minute(bot: Bot, ana: int, telegram: SandboxClient) -> None:
    await telegram.limits(group_per_minute=2)
    group = (await telegram.call("POST", "/groups", title="Staff", members=[ana, bot.id]))["id"]
    for text in "ab":
        await bot.send_message(group, text)
    with pytest.raises(TelegramRetryAfter) as refused:
        await bot.send_message(group, "c")
    assert 50 < refused.value.retry_after <= 60
    assert await bot.send_message(ana, "a private chat goes on")


async def test_without_limits_anything_goes(bot: Bot, ana: int) -> None:
    await asyncio.gather(*(bot.send_message(ana, str(number)) for number in range(60)))


EXPECTED = {
    "429": (TelegramRetryAfter, {"retry_after": 7}, False),
    "500": (TelegramServerError, {}, False),
    "502": (TelegramServerError, {}, False),
    "403": (TelegramForbiddenError, {"description": "Forbidden: user is deactivated"}, False),
    "400": (TelegramBadRequest, {}, False),
    "reset": (TelegramNetworkError, {}, False),
    "timeout_after": (TelegramNetworkError, {"seconds": 0}, True),
    "slow": (None, {"seconds": 0.01}, True),
    "late_answer": (None, {"seconds": 0.01}, True),
}


@pytest.mark.parametrize("kind", KINDS)
async def test_a_fault_of_each_kind_happens_once(bot: Bot, ana: int, telegram: SandboxClient, kind: str) -> None:
    error, more, carried_out = EXPECTED[kind]
    await telegram.fault(kind, "sendMessage", **more)
    if error:
        with pytest.raises(error):
            await bot.send_message(ana, "x")
    else:
        await bot.send_message(ana, "x")
    assert [one.get("text") for one in await telegram.chat(ana)][1:] == (["x"] if carried_out else [])
    assert await bot.send_message(ana, "y")
    assert await telegram.call("GET", "/faults") == []


async def test_faults_are_for_a_method_and_a_chat_and_counted(bot: Bot, ana: int, telegram: SandboxClient) -> None:
    ben = await telegram.add_user("Ben Invented")
    await telegram.say(ben, "/start")
    await telegram.fault("500", "sendMessage", chat=ana, times=2)
    assert await bot.send_message(ben, "x")
    assert await bot.send_chat_action(ana, "typing")
    for _ in range(2):
        with pytest.raises(TelegramServerError):
            await bot.send_message(ana, "x")
    assert await bot.send_message(ana, "x")


async def test_any_method_does_not_mean_polling_and_faults_can_be_called_off(
    bot: Bot, ana: int, telegram: SandboxClient
) -> None:
    await telegram.fault("502", times=2)
    assert await bot.get_updates()
    with pytest.raises(TelegramServerError):
        await bot.get_me()
    await telegram.call("DELETE", "/faults")
    assert await bot.get_me()
    await telegram.fault("502", "getUpdates")
    with pytest.raises(TelegramServerError):
        await bot.get_updates()


async def test_a_group_that_moved_tells_where_to(bot: Bot, ana: int, telegram: SandboxClient) -> None:
    old, new = [
        (await telegram.call("POST", "/groups", title=title, members=[ana, bot.id]))["id"] for title in ("Old", "New")
    ]
    await telegram.fault("400", "sendMessage", chat=old, migrate_to_chat_id=new)
    with pytest.raises(TelegramMigrateToChat) as moved:
        await bot.send_message(old, "x")
    assert (await bot.send_message(moved.value.migrate_to_chat_id, "x")).chat.title == "New"


@pytest.mark.parametrize(
    ("path", "given", "said"),
    [
        ("/faults", {"kind": "flood"}, "a fault needs a kind"),
        ("/faults", {"kind": "500", "times": "often"}, "'times' of a fault is a whole number"),
        ("/faults", {"kind": "slow", "seconds": -1}, "'seconds' of a fault is a number of seconds"),
        ("/faults", {"kind": "500", "colour": "red"}, "colour"),
        ("/updates", {"kind": "shuffle"}, "duplicate, reverse, start over"),
    ],
)
async def test_faults_that_cannot_be_say_why(telegram: SandboxClient, path: str, given: dict, said: str) -> None:
    with pytest.raises(SandboxError, match=said):
        await telegram.call("POST", path, **given)


@pytest.mark.parametrize("given", [{"per_chat": "much"}, {"per_chat": -1}, {"per_hour": 3}])
async def test_limits_that_cannot_be_change_nothing(bot: Bot, ana: int, telegram: SandboxClient, given: dict) -> None:
    with pytest.raises(SandboxError):
        await telegram.limits(**given)
    assert await bot.send_message(ana, "x")
