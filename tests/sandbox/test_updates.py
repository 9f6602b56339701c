"""How updates reach bots: polling with offsets, webhooks with a secret and retries, kinds that are wanted."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiogram import Bot
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup
from aiohttp import MultipartWriter, web
from aiohttp.test_utils import TestServer

from bot.sandbox import Sandbox, updates


async def texts(bot: Bot, **given) -> list[str]:
    return [one.message.text for one in await bot.get_updates(**given)]


async def test_updates_wait_until_the_offset_passes_them(bot: Bot, ana: int, drained: int, telegram) -> None:
    for text in "abc":
        await telegram.say(ana, text)
    assert await texts(bot) == await texts(bot) == ["a", "b", "c"]
    assert await texts(bot, offset=drained + 1, limit=1) == ["b"]
    assert await texts(bot, offset=-1) == ["c"]
    assert await texts(bot) == ["c"]
    assert await texts(bot, offset=drained + 3) == []


async def test_a_long_poll_ends_with_what_comes_or_with_nothing(bot: Bot, ana: int, drained: int, telegram) -> None:
    polling = asyncio.create_task(texts(bot, offset=drained, timeout=30))
    await telegram.say(ana, "now")
    assert await polling == ["now"]
    assert await texts(bot, offset=drained + 1, timeout=1) == []


async def test_a_poller_that_goes_away_takes_nothing_with_it(
    bot: Bot, connect, ana: int, drained: int, telegram, sandbox: Sandbox
) -> None:
    account = sandbox.world.bots[bot.token]
    before = account.poller
    gone = asyncio.create_task(bot.get_updates(offset=drained, timeout=30))
    while account.poller is before:
        await asyncio.sleep(0.01)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    await telegram.say(ana, "still there")
    assert await texts(connect(), offset=drained, timeout=5) == ["still there"]


async def test_unwanted_kinds_are_not_delivered_and_block_nothing(bot: Bot, ana: int, drained: int, telegram) -> None:
    await bot.get_updates(offset=drained, allowed_updates=["message"])
    message = await telegram.say(ana, "first")
    for _ in range(120):
        await telegram.edit(ana, message, "other words")
    await telegram.block(ana)
    await telegram.say(ana, "second")
    assert await texts(bot, offset=drained) == ["first", "second"]
    await bot.get_updates(allowed_updates=[])
    await telegram.edit(ana, message, "third")
    assert (await bot.get_updates())[-1].edited_message.text == "third"


async def test_updates_can_come_twice_in_reverse_and_numbered_from_the_start(
    bot: Bot, ana: int, drained: int, telegram
) -> None:
    await telegram.say(ana, "a")
    await telegram.say(ana, "b")
    assert await telegram.updates("duplicate") == 4
    assert await texts(bot) == ["a", "b", "a", "b"]
    await telegram.updates("reverse")
    assert await texts(bot) == ["b", "a", "b", "a"]
    assert await texts(bot, offset=drained + 2) == []
    await telegram.updates("start over")
    await telegram.say(ana, "again from one")
    (update,) = await bot.get_updates(offset=drained + 2)
    assert (update.update_id, update.message.text) == (1, "again from one")
    assert await bot.get_updates(offset=2) == []


class Hook:
    """A bot behind a webhook: what it got, and how it answers each time."""

    def __init__(self) -> None:
        self.got: asyncio.Queue[tuple[str | None, dict]] = asyncio.Queue()
        self.answers: list[web.StreamResponse] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        await self.got.put((request.headers.get("X-Telegram-Bot-Api-Secret-Token"), body))
        return self.answers.pop(0) if self.answers else web.Response()

    async def next(self) -> tuple[str | None, dict]:
        return await asyncio.wait_for(self.got.get(), 10)


@pytest.fixture
async def hook(bot: Bot, drained: int) -> AsyncIterator[Hook]:
    hook, app = Hook(), web.Application()
    app.router.add_post("/", hook.answer)
    async with TestServer(app) as server:
        await bot.set_webhook(str(server.make_url("/")), secret_token="s3cret")
        yield hook
        await bot.delete_webhook()


async def test_a_webhook_gets_updates_with_its_secret_in_order(hook: Hook, ana: int, drained: int, telegram) -> None:
    for text in "abc":
        await telegram.say(ana, text)
    got = [await hook.next() for _ in range(3)]
    assert [(secret, one["update_id"], one["message"]["text"]) for secret, one in got] == [
        ("s3cret", drained, "a"),
        ("s3cret", drained + 1, "b"),
        ("s3cret", drained + 2, "c"),
    ]


async def test_a_webhook_that_fails_is_tried_again_with_longer_waits(
    hook: Hook, bot: Bot, ana: int, telegram, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits, real = [], asyncio.sleep

    async def sleep(seconds: float) -> None:
        if seconds >= updates.FIRST_RETRY:
            waits.append(seconds)
        await real(0)

    monkeypatch.setattr(updates.asyncio, "sleep", sleep)
    hook.answers = [web.Response(status=status) for status in (500, 302, 404)]
    await telegram.say(ana, "a")
    await telegram.say(ana, "b")
    assert [(await hook.next())[1]["message"]["text"] for _ in range(5)] == ["a", "a", "a", "a", "b"]
    assert waits == [updates.FIRST_RETRY * factor for factor in (1, 2, 4)]
    assert "404" in (await bot.get_webhook_info()).last_error_message


async def test_a_webhook_that_nobody_answers_is_told_of_and_keeps_the_updates(bot: Bot, ana: int, telegram) -> None:
    await bot.set_webhook("http://127.0.0.1:9/", drop_pending_updates=True)
    await telegram.say(ana, "kept")
    while not (told := await bot.get_webhook_info()).last_error_message:
        await asyncio.sleep(0.01)
    assert told.pending_update_count == 1
    await bot.delete_webhook()
    assert await texts(bot) == ["kept"]


def as_json(ana: int) -> web.Response:
    return web.json_response({"method": "sendMessage", "chat_id": ana, "text": "from the answer"})


def as_form(ana: int) -> web.Response:
    writer = MultipartWriter("form-data")
    for name, value in {"method": "sendMessage", "chat_id": str(ana), "text": "from the answer"}.items():
        writer.append(value).set_content_disposition("form-data", name=name)
    return web.Response(body=writer)


@pytest.mark.parametrize("answer", [as_json, as_form])
async def test_a_method_in_a_webhooks_answer_is_carried_out(hook: Hook, ana: int, telegram, answer) -> None:
    hook.answers = [answer(ana), web.Response(text="no method here")]
    await telegram.say(ana, "a")
    await telegram.say(ana, "b")
    assert (await telegram.wait_for(ana, "from the answer"))["from"]["is_bot"]
    assert [(await hook.next())[1]["message"]["text"] for _ in range(2)] == ["a", "b"]


async def test_a_group_tells_all_its_bots_of_messages_and_taps(bot: Bot, ana: int, drained: int, telegram) -> None:
    group = (await telegram.call("POST", "/groups", title="Staff", members=[ana, bot.id]))["id"]
    keys = InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(text="Mine", callback_data="mine")]])
    sent = await bot.send_message(group, "who takes it?", reply_markup=keys)
    await telegram.say(ana, "I do", group=group, reply_to=sent.message_id)
    await telegram.call("POST", f"/users/{ana}/taps", group=group, message_id=sent.message_id, button="Mine", wait=0)
    said, tapped = await bot.get_updates(offset=drained)
    assert (said.message.chat.type, said.message.reply_to_message.text) == ("group", "who takes it?")
    assert (tapped.callback_query.message.chat.id, tapped.callback_query.data) == (group, "mine")
