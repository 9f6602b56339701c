"""What the sandbox refuses, in Telegram's words, as the exceptions that aiogram makes of them."""

import asyncio

import aiohttp
import pytest
from aiogram import Bot
from aiogram.exceptions import (
    TelegramBadRequest,
    TelegramConflictError,
    TelegramForbiddenError,
    TelegramNotFound,
    TelegramUnauthorizedError,
)
from aiogram.methods import TelegramMethod
from aiogram.types import BotCommand, InlineKeyboardButton, InlineKeyboardMarkup, MessageEntity, ReplyParameters

from bot.sandbox import Sandbox, SandboxClient
from bot.sandbox.pictures import plain_png


def keys(*data: str) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(text="x", callback_data=one)] for one in data])


def entity(offset: int, length: int) -> list[MessageEntity]:
    return [MessageEntity(type="bold", offset=offset, length=length)]


SENDING = {
    "message is too long": {"text": "x" * 4097},
    "message text is empty": {"text": "  "},
    "BUTTON_DATA_INVALID": {"text": "x", "reply_markup": keys("é" * 33)},
    "reply markup is too long": {"text": "x", "reply_markup": keys(*map(str, range(101)))},
    "ends after the end of the text": {"text": "ab", "entities": entity(1, 2)},
    "begins after the end of the text": {"text": "ab", "entities": entity(3, 1)},
    "cuts a UTF-16 symbol": {"text": "🙂", "entities": entity(0, 1)},
    "has no length": {"text": "ab", "entities": entity(0, 0)},
    "can't find end tag": {"text": "<b>x", "parse_mode": "HTML"},
    "unsupported start tag": {"text": "<blink>x</blink>", "parse_mode": "HTML"},
    "find end of an entity": {"text": "*x", "parse_mode": "MarkdownV2"},
    "message to be replied not found": {"text": "x", "reply_parameters": ReplyParameters(message_id=999)},
}


@pytest.mark.parametrize("said", SENDING)
async def test_a_message_that_cannot_be(bot: Bot, ana: int, telegram: SandboxClient, said: str) -> None:
    before = await telegram.chat(ana)
    with pytest.raises(TelegramBadRequest, match=f"(?i){said}"):
        await bot.send_message(ana, **SENDING[said])
    assert await telegram.chat(ana) == before


async def test_the_longest_message_counts_units_and_not_characters(bot: Bot, ana: int) -> None:
    assert await bot.send_message(ana, "🙂" * 2048, entities=entity(0, 4096))
    with pytest.raises(TelegramBadRequest, match="too long"):
        await bot.send_message(ana, "🙂" * 2048 + "x")


async def test_a_reply_may_do_without_what_it_replies_to(bot: Bot, ana: int) -> None:
    how = ReplyParameters(message_id=999, allow_sending_without_reply=True)
    assert (await bot.send_message(ana, "still", reply_parameters=how)).reply_to_message is None


async def test_edits_that_cannot_be(bot: Bot, ana: int, telegram: SandboxClient) -> None:
    sent = await bot.send_message(ana, "same", reply_markup=keys("a"))
    where = {"chat_id": ana, "message_id": sent.message_id}
    with pytest.raises(TelegramBadRequest, match="message is not modified"):
        await bot.edit_message_text("same", **where, reply_markup=keys("a"))
    with pytest.raises(TelegramBadRequest, match="there is no caption"):
        await bot.edit_message_caption(**where, caption="x")
    with pytest.raises(TelegramBadRequest, match="message to edit not found"):
        await bot.edit_message_text("x", chat_id=ana, message_id=999)
    with pytest.raises(TelegramBadRequest, match="can't be edited"):
        await bot.edit_message_text("x", chat_id=ana, message_id=(await telegram.chat(ana))[0]["message_id"])
    await bot.delete_message(**where)
    with pytest.raises(TelegramBadRequest, match="message to edit not found"):
        await bot.edit_message_text("x", **where)
    with pytest.raises(TelegramBadRequest, match="message to delete not found"):
        await bot.delete_message(**where)


async def test_a_picture_has_no_text_to_edit_and_a_short_caption(bot: Bot, ana: int, telegram: SandboxClient) -> None:
    theirs = await telegram.say(ana, photo=True, caption="look")
    with pytest.raises(TelegramBadRequest, match="message caption is too long"):
        await bot.send_photo(ana, theirs["photo"][0]["file_id"], caption="x" * 1025)
    sent = await bot.send_photo(ana, theirs["photo"][0]["file_id"])
    with pytest.raises(TelegramBadRequest, match="there is no text in the message"):
        await bot.edit_message_text("x", chat_id=ana, message_id=sent.message_id)
    with pytest.raises(TelegramBadRequest, match="wrong remote file identifier"):
        await bot.send_photo(ana, "file-of-another-bot")
    assert await telegram.file(sent.photo[0].file_id) == plain_png(160, 120)


async def test_chats_that_cannot_be_written_to(bot: Bot, ana: int, telegram: SandboxClient) -> None:
    with pytest.raises(TelegramBadRequest, match="chat not found"):
        await bot.send_message(99, "x")
    with pytest.raises(TelegramBadRequest, match="chat not found"):
        await bot.send_message("@nobody", "x")
    with pytest.raises(TelegramForbiddenError, match="can't initiate conversation"):
        await bot.send_message(await telegram.add_user("Ben Invented"), "x")
    await telegram.block(ana)
    with pytest.raises(TelegramForbiddenError, match="bot was blocked by the user"):
        await bot.send_message(ana, "x")
    await telegram.block(ana, blocked=False)
    assert await bot.send_message(ana, "x")
    await telegram.remove_user(ana)
    with pytest.raises(TelegramForbiddenError, match="user is deactivated"):
        await bot.send_message(ana, "x")


async def test_protected_messages_are_not_forwarded(bot: Bot, ana: int) -> None:
    sent = await bot.send_message(ana, "in confidence", protect_content=True)
    with pytest.raises(TelegramBadRequest, match="can't be forwarded"):
        await bot.forward_message(ana, ana, sent.message_id)


async def test_taps_are_answered_once_soon_and_by_their_own_bot(
    bot: Bot, connect, ana: int, drained: int, telegram: SandboxClient
) -> None:
    sent = await bot.send_message(ana, "x", reply_markup=keys("a"))
    message = {"message_id": sent.message_id}
    for _ in range(2):
        await telegram.tap(ana, message, "x", wait=0)
    first, late = [one.callback_query.id for one in await bot.get_updates(offset=drained)]
    await telegram.add_bot("77:other", "another_bot")
    for other, query in ((connect("77:other"), first), (bot, "999")):
        with pytest.raises(TelegramBadRequest, match="query is too old"):
            await other.answer_callback_query(query)
    with pytest.raises(TelegramBadRequest, match="MESSAGE_TOO_LONG"):
        await bot.answer_callback_query(first, "x" * 201)
    await bot.answer_callback_query(first)
    with pytest.raises(TelegramBadRequest, match="query is too old"):
        await bot.answer_callback_query(first)
    await telegram.move_clock(by=3600)
    with pytest.raises(TelegramBadRequest, match="query is too old"):
        await bot.answer_callback_query(late)


async def test_strangers_unknown_methods_and_malformed_requests(connect, bot: Bot, telegram: SandboxClient) -> None:
    class MakeCoffee(TelegramMethod[bool]):
        __returning__ = bool
        __api_method__ = "makeCoffee"

    with pytest.raises(TelegramUnauthorizedError, match="Unauthorized"):
        await connect("1:stranger").get_me()
    with pytest.raises(TelegramNotFound, match="method not found"):
        await bot(MakeCoffee())
    with pytest.raises(TelegramBadRequest, match="BOT_COMMAND_INVALID"):
        await bot.set_my_commands([BotCommand(command="Not A Command", description="x")])
    with pytest.raises(TelegramBadRequest, match="bad webhook"):
        await bot.set_webhook("ftp://example.org")
    with pytest.raises(TelegramBadRequest, match="secret token contains unallowed characters"):
        await bot.set_webhook("http://127.0.0.1:9/", secret_token="a b")


@pytest.mark.parametrize(("token", "status"), [("1:stranger", 401), ("stranger", 404), ("4242:te st", 404)])
async def test_a_token_that_is_none_is_not_found(telegram: SandboxClient, token: str, status: int) -> None:
    async with aiohttp.ClientSession() as session, session.get(f"{telegram.url}/bot{token}/getMe") as answer:
        assert (answer.status, (await answer.json())["error_code"]) == (status, status)


@pytest.mark.parametrize(
    ("method", "body"),
    [("sendMessage", "[1]"), ("sendMessage", "{"), ("sendMessage", '{"chat_id": 1, "reply_markup": "{"}'),
     ("sendMessage", '{"chat_id": "CHAT", "text": "x", "entities": [{}]}'),
     ("deleteMessage", '{"chat_id": "CHAT", "message_id": "x"}')],
)  # fmt: skip
async def test_what_cannot_be_parsed_is_a_bad_request(
    telegram: SandboxClient, ana: int, method: str, body: str
) -> None:
    url, headers = f"{telegram.url}/bot4242:test/{method}", {"Content-Type": "application/json"}
    async with aiohttp.ClientSession() as session:
        answer = await session.post(url, data=body.replace("CHAT", str(ana)), headers=headers)
        assert answer.status == 400
        assert "can't parse" in (await answer.json())["description"]


async def test_one_poller_at_a_time_and_none_with_a_webhook(bot: Bot, connect, drained: int, sandbox: Sandbox) -> None:
    account = sandbox.world.bots["4242:test"]
    before = account.poller
    first = asyncio.create_task(bot.get_updates(offset=drained, timeout=30))
    while account.poller is before:
        await asyncio.sleep(0.01)
    second = asyncio.create_task(connect().get_updates(offset=drained, timeout=30))
    with pytest.raises(TelegramConflictError, match="terminated by other getUpdates request"):
        await first
    await bot.set_webhook("http://127.0.0.1:9/")
    with pytest.raises(TelegramConflictError):
        await second
    with pytest.raises(TelegramConflictError, match="while webhook is active"):
        await bot.get_updates()
