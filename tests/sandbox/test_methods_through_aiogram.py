"""Every method that the sandbox knows, driven by aiogram, whose types must understand each answer."""

import asyncio

import pytest
from aiogram import Bot
from aiogram.types import (
    BotCommand,
    BotCommandScopeChat,
    BufferedInputFile,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaDocument,
    InputMediaPhoto,
    MenuButtonCommands,
    MessageEntity,
    ReactionTypeEmoji,
    ReplyKeyboardMarkup,
    ReplyParameters,
)

from bot.sandbox.limits import Gate
from bot.sandbox.methods import Methods
from bot.sandbox.pictures import plain_png

PICTURE = BufferedInputFile(plain_png(4, 3), "picture.png")
KEYS = InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(text="Begin", callback_data="go")]])


async def text_with_entities(bot: Bot, ana: int) -> None:
    bold = MessageEntity(type="bold", offset=3, length=4)
    sent = await bot.send_message(ana, "🙂 bold and /help", entities=[bold], reply_markup=KEYS, protect_content=True)
    assert sent.text == "🙂 bold and /help"
    assert [(one.type, one.extract_from(sent.text)) for one in sent.entities] == [
        ("bold", "bold"),
        ("bot_command", "/help"),
    ]
    assert sent.reply_markup.model_dump() == KEYS.model_dump()
    assert sent.has_protected_content


async def html(bot: Bot, ana: int) -> None:
    sent = await bot.send_message(ana, '<b>1 &lt; 2</b> <a href="https://example.org/">read</a>', parse_mode="HTML")
    assert sent.text == "1 < 2 read"
    assert [one.type for one in sent.entities] == ["bold", "text_link"]


async def markdown(bot: Bot, ana: int) -> None:
    sent = await bot.send_message(ana, "*bold* _slanted_ \\* [read](https://example.org/)", parse_mode="MarkdownV2")
    assert sent.text == "bold slanted * read"
    assert [one.type for one in sent.entities] == ["bold", "italic", "text_link"]


async def text_that_looks_like_json(bot: Bot, ana: int) -> None:
    for text in ('{"a": [1]}', "[]", "true", "null", "7", "attach://x"):
        assert (await bot.send_message(ana, text)).text == text


async def reply_keyboard(bot: Bot, ana: int) -> None:
    sent = await bot.send_message(ana, "choose", reply_markup=ReplyKeyboardMarkup(keyboard=[]))
    assert sent.reply_markup is None


async def reply(bot: Bot, ana: int) -> None:
    first = await bot.send_message(ana, "first")
    second = await bot.send_message(ana, "second", reply_parameters=ReplyParameters(message_id=first.message_id))
    assert second.reply_to_message.text == "first"


async def photo(bot: Bot, ana: int) -> None:
    sent = await bot.send_photo(ana, PICTURE, caption="true")
    assert sent.caption == "true"
    again = await bot.send_photo(ana, sent.photo[-1].file_id)
    held = await bot.get_file(again.photo[-1].file_id)
    assert held.file_size == len(PICTURE.data)
    assert (await bot.download_file(held.file_path)).read() == PICTURE.data


async def document(bot: Bot, ana: int) -> None:
    sent = await bot.send_document(ana, BufferedInputFile(b"rows", "rows.csv"), caption="The rows")
    assert (sent.document.file_size, sent.document.file_name) == (4, "rows.csv")
    where = {"chat_id": ana, "message_id": sent.message_id}
    newer = InputMediaDocument(media=BufferedInputFile(b"more rows", "newer.csv"))
    edited = await bot.edit_message_media(newer, **where)
    assert (edited.document.file_size, edited.document.file_name, edited.caption) == (9, "newer.csv", None)
    pictured = await bot.edit_message_media(InputMediaPhoto(media=PICTURE), **where)
    assert (pictured.document, len(pictured.photo)) == (None, 1)


async def edits(bot: Bot, ana: int) -> None:
    sent = await bot.send_message(ana, "before", reply_markup=KEYS)
    where = {"chat_id": ana, "message_id": sent.message_id}
    edited = await bot.edit_message_text("after", **where)
    assert (edited.text, edited.reply_markup, edited.message_id) == ("after", None, sent.message_id)
    assert edited.edit_date
    keyed = await bot.edit_message_reply_markup(**where, reply_markup=KEYS)
    assert keyed.reply_markup.model_dump() == KEYS.model_dump()
    pictured = await bot.edit_message_media(InputMediaPhoto(media=PICTURE, caption="now a picture"), **where)
    assert (pictured.text, pictured.caption) == (None, "now a picture")
    marked = await bot.edit_message_caption(**where, caption="<b>other</b>", parse_mode="HTML")
    assert marked.caption_entities[0].type == "bold"
    plain = await bot.edit_message_caption(**where, caption="other words")
    assert (plain.caption, plain.caption_entities) == ("other words", None)


async def copies(bot: Bot, ana: int) -> None:
    sent = await bot.send_photo(ana, PICTURE, caption="<b>it</b>", parse_mode="HTML")
    copied = await bot.copy_message(ana, ana, sent.message_id)
    assert copied.message_id > sent.message_id
    recaptioned = await bot.copy_message(ana, ana, sent.message_id, caption="of mine")
    assert (await bot.forward_message(ana, ana, recaptioned.message_id)).caption == "of mine"
    passed_on = await bot.forward_message(ana, ana, sent.message_id)
    assert passed_on.caption_entities == sent.caption_entities
    assert passed_on.forward_origin.type == "user"


async def deleting(bot: Bot, ana: int) -> None:
    numbers = [(await bot.send_message(ana, str(number))).message_id for number in range(3)]
    assert await bot.delete_message(ana, numbers[0])
    assert await bot.delete_messages(ana, [numbers[1], 9999])


async def marks_on_messages(bot: Bot, ana: int) -> None:
    sent = await bot.send_message(ana, "keep this")
    assert await bot.pin_chat_message(ana, sent.message_id)
    assert await bot.unpin_chat_message(ana, message_id=sent.message_id)
    assert await bot.set_message_reaction(ana, sent.message_id, [ReactionTypeEmoji(emoji="👍")])
    assert await bot.send_chat_action(ana, "typing")


async def about_chats(bot: Bot, ana: int) -> None:
    assert (await bot.get_chat(ana)).first_name == "Ana Invented"
    assert (await bot.get_chat_member(ana, ana)).status == "member"
    assert (await bot.get_me()).username == "sandbox_test_bot"


async def commands(bot: Bot, ana: int) -> None:
    menu, own = [BotCommand(command="help", description="Help")], BotCommandScopeChat(chat_id=ana)
    assert await bot.set_my_commands(menu, scope=own, language_code="es")
    assert [one.command for one in await bot.get_my_commands(scope=own, language_code="es")] == ["help"]
    assert await bot.get_my_commands() == []
    assert await bot.delete_my_commands(scope=own, language_code="es")
    assert await bot.get_my_commands(scope=own, language_code="es") == []


async def words_of_its_own(bot: Bot, ana: int) -> None:
    assert await bot.set_my_name("true")
    assert (await bot.get_my_name()).name == "true"
    assert await bot.set_my_description("What it is for", language_code="en")
    assert (await bot.get_my_description(language_code="en")).description == "What it is for"
    assert await bot.set_my_short_description("Short")
    assert (await bot.get_my_short_description()).short_description == "Short"
    assert await bot.set_chat_menu_button(menu_button=MenuButtonCommands())
    assert (await bot.get_chat_menu_button()).type == "commands"


async def webhook(bot: Bot, ana: int) -> None:
    assert await bot.set_webhook("http://127.0.0.1:9/", secret_token="s-e_c", allowed_updates=["message"])
    assert (await bot.get_webhook_info()).url == "http://127.0.0.1:9/"
    assert await bot.delete_webhook(drop_pending_updates=True)
    assert (await bot.get_webhook_info()).pending_update_count == 0
    assert await bot.get_updates() == []


async def leaving(bot: Bot, ana: int) -> None:
    assert await bot.log_out()
    assert await bot.close()


DRIVES = {
    text_with_entities: {"sendMessage"},
    html: {"sendMessage"},
    markdown: {"sendMessage"},
    text_that_looks_like_json: {"sendMessage"},
    reply_keyboard: {"sendMessage"},
    reply: {"sendMessage"},
    photo: {"sendPhoto", "getFile"},
    document: {"sendDocument"},
    edits: {"editMessageText", "editMessageReplyMarkup", "editMessageMedia", "editMessageCaption"},
    copies: {"copyMessage", "forwardMessage"},
    deleting: {"deleteMessage", "deleteMessages"},
    marks_on_messages: {"pinChatMessage", "unpinChatMessage", "setMessageReaction", "sendChatAction"},
    about_chats: {"getChat", "getChatMember", "getMe"},
    commands: {"setMyCommands", "getMyCommands", "deleteMyCommands"},
    words_of_its_own: {
        "setMyName", "getMyName", "setMyDescription", "getMyDescription", "setMyShortDescription",
        "getMyShortDescription", "setChatMenuButton", "getChatMenuButton",
    },
    webhook: set(),
    leaving: {"logOut", "close"},
}  # fmt: skip


@pytest.mark.parametrize("drive", DRIVES, ids=lambda drive: drive.__name__)
async def test_aiogram_understands(bot: Bot, ana: int, drive) -> None:
    await drive(bot, ana)


def test_no_method_is_left_out(sandbox) -> None:
    driven = {name.lower() for names in DRIVES.values() for name in names} | {"answercallbackquery"}
    assert set(Methods(sandbox.world, Gate()).known) == driven


async def test_a_tap_reaches_the_bot_and_its_answer_the_user(bot: Bot, ana: int, drained: int, telegram) -> None:
    sent = await bot.send_photo(ana, PICTURE, reply_markup=KEYS)
    tapping = asyncio.create_task(telegram.tap(ana, {"message_id": sent.message_id}, "begin"))
    (update,) = await bot.get_updates(offset=drained, timeout=5)
    assert (update.callback_query.data, update.callback_query.message.photo) == ("go", sent.photo)
    assert await update.callback_query.answer("Here we go", show_alert=True).as_(bot)
    assert await tapping == {"answered": True, "text": "Here we go", "show_alert": True}
