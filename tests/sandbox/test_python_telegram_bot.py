"""A bot written with another library talks to the sandbox unchanged; only its address is another."""

from collections.abc import AsyncIterator

import pytest
from telegram import InlineKeyboardButton, InlineKeyboardMarkup, Update
from telegram.error import BadRequest, Forbidden
from telegram.ext import Application, CallbackQueryHandler, CommandHandler, ContextTypes, MessageHandler, filters

from bot.sandbox import Sandbox, SandboxClient
from bot.sandbox.pictures import plain_png

KEYS = InlineKeyboardMarkup([[InlineKeyboardButton(label, callback_data=label) for label in ("fewer", "more")]])


async def start(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
    await update.message.reply_html(f"<b>Hello</b> {update.effective_user.first_name}: 1", reply_markup=KEYS)


async def count(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
    query = update.callback_query
    number = int(query.message.text.rpartition(" ")[2]) + (1 if query.data == "more" else -1)
    await query.edit_message_text(f"Now: {number}", reply_markup=KEYS)
    await query.answer("Counted")


async def picture(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
    if update.message.photo:
        held = await (await update.message.photo[-1].get_file()).download_as_bytearray()
        await update.message.reply_text(f"{len(held)} bytes")
    else:
        await update.message.reply_photo(plain_png(8, 8), caption="A picture", write_timeout=10)


@pytest.fixture
async def running(sandbox: Sandbox, telegram: SandboxClient) -> AsyncIterator[Application]:
    app = (
        Application.builder()
        .token("4242:test")
        .base_url(f"{sandbox.url}/bot")
        .base_file_url(f"{sandbox.url}/file/bot")
        .build()
    )
    app.add_handler(CommandHandler("start", start))
    app.add_handler(CallbackQueryHandler(count))
    app.add_handler(MessageHandler(filters.PHOTO | filters.Regex("picture"), picture))
    async with app:
        await app.start()
        await app.updater.start_polling(timeout=5)
        yield app
        await app.updater.stop()
        await app.stop()


async def test_commands_keyboards_edits_and_photos(running: Application, telegram: SandboxClient) -> None:
    ana = await telegram.add_user("Ana Invented")
    await telegram.say(ana, "/start")
    message = await telegram.wait_for(ana, "Hello Ana Invented: 1")
    assert message["entities"] == [{"type": "bold", "offset": 0, "length": 5}]
    assert (await telegram.tap(ana, message, "more"))["text"] == "Counted"
    edited = await telegram.wait_for(ana, "Now: 2")
    assert edited["message_id"] == message["message_id"]
    await telegram.tap(ana, edited, "fewer")
    await telegram.wait_for(ana, "Now: 1")

    await telegram.say(ana, "a picture, please")
    sent = await telegram.wait_for(ana, "A picture")
    assert await telegram.file(sent["photo"][-1]["file_id"]) == plain_png(8, 8)
    await telegram.say(ana, photo=True)
    await telegram.wait_for(ana, f"{len(plain_png(160, 120))} bytes")


async def test_refusals_are_its_own_exceptions(running: Application, telegram: SandboxClient) -> None:
    ana = await telegram.add_user("Ana Invented")
    with pytest.raises(BadRequest, match="Chat not found"):
        await running.bot.send_message(1, "x")
    with pytest.raises(Forbidden, match="can't initiate"):
        await running.bot.send_message(ana, "x")


async def test_it_sets_its_menu(running: Application, telegram: SandboxClient) -> None:
    assert await running.bot.set_my_commands([("start", "Begin")])
    assert [one.command for one in await running.bot.get_my_commands()] == ["start"]
    (told,) = await telegram.call("GET", "/bots")
    assert told["commands"] == {"default|": [{"command": "start", "description": "Begin"}]}
