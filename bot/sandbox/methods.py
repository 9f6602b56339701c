"""The methods of the Bot API that the sandbox knows, each as Telegram carries it out."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

from bot.sandbox import entities
from bot.sandbox.limits import Gate
from bot.sandbox.world import Account, Chat, Json, Refusal, Upload, World, outward

TEXT_LIMIT, CAPTION_LIMIT, TOAST_LIMIT, DATA_LIMIT, MOST_BUTTONS = 4096, 1024, 200, 64, 100


class Methods:
    """Carries out what bots ask for. Parameters are decoded; uploaded files are bytes."""

    def __init__(self, world: World, gate: Gate) -> None:
        self._world = world
        self._gate = gate
        self.known: dict[str, Callable[[Account, Json], Awaitable[Any]]] = {
            name.removeprefix("do_").lower(): getattr(self, name) for name in dir(self) if name.startswith("do_")
        }

    # messages

    async def do_sendMessage(self, bot: Account, given: Json) -> Json:  # noqa: N802 - Telegram's own names
        chat = self._chat(bot, given)
        text, marks = _text(given, "text", "entities", TEXT_LIMIT, "message is too long", "message text is empty")
        self._take(bot, chat, given)
        return await self._send(bot, chat, given, {"text": text} | ({"entities": marks} if marks else {}))

    async def do_sendPhoto(self, bot: Account, given: Json) -> Json:  # noqa: N802
        chat = self._chat(bot, given)
        content = self._captioned(given) | {"photo": [self._photo(given.get("photo"))]}
        self._take(bot, chat, given)
        return await self._send(bot, chat, given, content)

    async def do_sendDocument(self, bot: Account, given: Json) -> Json:  # noqa: N802
        chat = self._chat(bot, given)
        content = self._captioned(given) | {"document": self._document(given.get("document"))}
        self._take(bot, chat, given)
        return await self._send(bot, chat, given, content)

    async def do_copyMessage(self, bot: Account, given: Json) -> Json:  # noqa: N802
        source = self._message(bot, {**given, "chat_id": given.get("from_chat_id")}, "message to copy not found")
        chat = self._chat(bot, given)
        self._take(bot, chat, given)
        content: Json = {key: source[key] for key in _COPIED if key in source} | self._captioned(given)
        return {"message_id": (await self._send(bot, chat, given, content))["message_id"]}

    async def do_forwardMessage(self, bot: Account, given: Json) -> Json:  # noqa: N802
        source = self._message(bot, {**given, "chat_id": given.get("from_chat_id")}, "message to forward not found")
        if source.get("has_protected_content"):
            raise Refusal(400, "Bad Request: the message can't be forwarded")
        chat = self._chat(bot, given)
        self._take(bot, chat, given)
        content: Json = {key: source[key] for key in _COPIED if key in source}
        origin = {"type": "user", "date": source["date"], "sender_user": source["from"]}
        return await self._send(bot, chat, given, content | {"forward_origin": origin})

    async def do_editMessageText(self, bot: Account, given: Json) -> Json:  # noqa: N802
        chat = self._chat(bot, given)
        message = self._message(bot, given, "message to edit not found")
        if "text" not in message:
            raise Refusal(400, "Bad Request: there is no text in the message to edit")
        text, marks = _text(given, "text", "entities", TEXT_LIMIT, "message is too long", "message text is empty")
        self._take(bot, chat, given)
        return await self._edit(bot, chat, message, given, {"text": text, "entities": marks})

    async def do_editMessageCaption(self, bot: Account, given: Json) -> Json:  # noqa: N802
        chat = self._chat(bot, given)
        message = self._message(bot, given, "message to edit not found")
        if "text" in message:
            raise Refusal(400, "Bad Request: there is no caption in the message to edit")
        self._take(bot, chat, given)
        return await self._edit(bot, chat, message, given, _NO_CAPTION | self._captioned(given))

    async def do_editMessageMedia(self, bot: Account, given: Json) -> Json:  # noqa: N802
        chat = self._chat(bot, given)
        message = self._message(bot, given, "message to edit not found")
        media = given.get("media") or {}
        name = str(media.get("media", ""))
        upload = given.get(name.removeprefix("attach://"), name)
        shown: Json = (
            {"photo": [self._photo(upload)]}
            if media.get("type") == "photo"
            else {"photo": [], "document": self._document(upload)}
        )
        self._take(bot, chat, given)
        content = _NO_CAPTION | self._captioned(media) | {"text": "", "entities": [], "document": ""} | shown
        return await self._edit(bot, chat, message, given, content)

    async def do_editMessageReplyMarkup(self, bot: Account, given: Json) -> Json:  # noqa: N802
        chat = self._chat(bot, given)
        message = self._message(bot, given, "message to edit not found")
        return await self._edit(bot, chat, message, given, {})

    async def do_deleteMessage(self, bot: Account, given: Json) -> bool:  # noqa: N802
        chat = self._chat(bot, given)
        message = self._message(bot, given, "message to delete not found")
        message["deleted"] = True
        await self._world.tell("deleted", chat, bot, message_id=message["message_id"])
        return True

    async def do_deleteMessages(self, bot: Account, given: Json) -> bool:  # noqa: N802
        for message_id in given.get("message_ids") or []:
            if message_id in self._chat(bot, given).messages:
                await self.do_deleteMessage(bot, {**given, "message_id": message_id})
        return True

    async def do_pinChatMessage(self, bot: Account, given: Json) -> bool:  # noqa: N802
        self._message(bot, given, "message to pin not found")
        return True

    async def do_unpinChatMessage(self, bot: Account, given: Json) -> bool:  # noqa: N802
        self._chat(bot, given)
        return True

    async def do_setMessageReaction(self, bot: Account, given: Json) -> bool:  # noqa: N802
        self._message(bot, given, "message to react not found")["reaction"] = given.get("reaction") or []
        return True

    async def do_sendChatAction(self, bot: Account, given: Json) -> bool:  # noqa: N802
        chat = self._chat(bot, given)
        await self._world.tell("action", chat, bot, action=given.get("action", "typing"))
        return True

    async def do_answerCallbackQuery(self, bot: Account, given: Json) -> bool:  # noqa: N802
        tap = self._world.unanswered(bot, str(given.get("callback_query_id", "")))
        if tap is None:
            raise Refusal(400, "Bad Request: query is too old and response timeout expired or query ID is invalid")
        if entities.units(str(given.get("text") or "")) > TOAST_LIMIT:
            raise Refusal(400, "Bad Request: MESSAGE_TOO_LONG")
        answer = {"text": given.get("text") or "", "show_alert": bool(given.get("show_alert"))}
        tap.answer.set_result(answer)
        chat = self._world.find_chat(bot, tap.chat)
        await self._world.tell("answered", chat, bot, user=tap.user, **answer)
        return True

    # about the bot and its chats

    async def do_getMe(self, bot: Account, _: Json) -> Json:  # noqa: N802
        rights = {"can_join_groups": True, "can_read_all_group_messages": True, "supports_inline_queries": False}
        return {**bot.told(), **rights}

    async def do_getChat(self, bot: Account, given: Json) -> Json:  # noqa: N802
        chat = self._world.find_chat(bot, _chat_id(given))
        more = {"accent_color_id": 0, "max_reaction_count": 11, "accepted_gift_types": _NO_GIFTS}
        return self._world.told_chat(chat) | more

    async def do_getChatMember(self, bot: Account, given: Json) -> Json:  # noqa: N802
        chat, user = self._world.find_chat(bot, _chat_id(given)), self._world.users.get(int(given.get("user_id") or 0))
        if user is None:
            raise Refusal(400, "Bad Request: member not found")
        there = user.id in (chat.members if chat.type != "private" else {chat.id})
        return {"status": "member" if there else "left", "user": user.told()}

    async def do_getFile(self, _: Account, given: Json) -> Json:  # noqa: N802
        file_id = str(given.get("file_id"))
        if file_id not in self._world.files:
            raise Refusal(400, "Bad Request: wrong file_id or the file is temporarily unavailable")
        return self._world.told_file(file_id) | {"file_path": f"files/{file_id}"}

    async def do_setMyCommands(self, bot: Account, given: Json) -> bool:  # noqa: N802
        menu: list[Json] = given.get("commands") or []
        if not all(_COMMAND.fullmatch(one["command"].removeprefix("/")) for one in menu):
            raise Refusal(400, "Bad Request: BOT_COMMAND_INVALID")
        bot.commands[_scope(given)] = menu
        await self._world.tell("commands", bot=bot)
        return True

    async def do_getMyCommands(self, bot: Account, given: Json) -> list[Json]:  # noqa: N802
        return bot.commands.get(_scope(given), [])

    async def do_deleteMyCommands(self, bot: Account, given: Json) -> bool:  # noqa: N802
        bot.commands.pop(_scope(given), None)
        await self._world.tell("commands", bot=bot)
        return True

    async def do_setMyName(self, bot: Account, given: Json) -> bool:  # noqa: N802
        return _set_text(bot, "name", given)

    async def do_getMyName(self, bot: Account, given: Json) -> Json:  # noqa: N802
        return {"name": bot.texts.get(("name", given.get("language_code") or ""), bot.first_name)}

    async def do_setMyDescription(self, bot: Account, given: Json) -> bool:  # noqa: N802
        return _set_text(bot, "description", given)

    async def do_getMyDescription(self, bot: Account, given: Json) -> Json:  # noqa: N802
        return {"description": bot.texts.get(("description", given.get("language_code") or ""), "")}

    async def do_setMyShortDescription(self, bot: Account, given: Json) -> bool:  # noqa: N802
        return _set_text(bot, "short_description", given)

    async def do_getMyShortDescription(self, bot: Account, given: Json) -> Json:  # noqa: N802
        return {"short_description": bot.texts.get(("short_description", given.get("language_code") or ""), "")}

    async def do_setChatMenuButton(self, bot: Account, given: Json) -> bool:  # noqa: N802
        bot.menu_button = given.get("menu_button") or {"type": "commands"}
        return True

    async def do_getChatMenuButton(self, bot: Account, _: Json) -> Json:  # noqa: N802
        return bot.menu_button

    async def do_logOut(self, _: Account, __: Json) -> bool:  # noqa: N802
        return True

    async def do_close(self, _: Account, __: Json) -> bool:
        return True

    # what they share

    def _chat(self, bot: Account, given: Json) -> Chat:
        return self._world.open_chat(bot, _chat_id(given))

    def _take(self, bot: Account, chat: Chat, given: Json) -> None:
        self._gate.take(bot, chat, paid=bool(given.get("allow_paid_broadcast")))

    def _message(self, bot: Account, given: Json, missing: str) -> Json:
        chat = self._world.find_chat(bot, _chat_id(given))
        message = chat.messages.get(int(given.get("message_id") or 0))
        if message is None or message.get("deleted"):
            raise Refusal(400, f"Bad Request: {missing}")
        return message

    async def _send(self, bot: Account, chat: Chat, given: Json, content: Json) -> Json:
        markup = _markup(given)
        if answered := self._answered(chat, given):
            content["reply_to_message"] = answered
        if given.get("protect_content"):
            content["has_protected_content"] = True
        message = self._world.add_message(chat, bot.told(), content)
        _show_markup(message, markup)
        await self._world.tell("message", chat, bot, message_id=message["message_id"])
        return outward(message)

    def _answered(self, chat: Chat, given: Json) -> Json | None:
        how = given.get("reply_parameters") or {"message_id": given.get("reply_to_message_id"), **given}
        found = chat.messages.get(int(how.get("message_id") or 0))
        if found is not None and not found.get("deleted"):
            return outward(found, "reply_to_message")
        if how.get("message_id") and not how.get("allow_sending_without_reply"):
            raise Refusal(400, "Bad Request: message to be replied not found")
        return None

    async def _edit(self, bot: Account, chat: Chat, message: Json, given: Json, content: Json) -> Json:
        if message["from"]["id"] != bot.id:
            raise Refusal(400, "Bad Request: message can't be edited")
        markup = _markup(given)
        before = {key: value for key, value in message.items() if key not in ("edit_date", "edits")}
        after = {key: value for key, value in {**before, **content}.items() if value not in ("", [])}
        after.pop("reply_markup", None)
        if markup and "inline_keyboard" in markup:
            after["reply_markup"] = markup
        if after == before:
            raise Refusal(
                400,
                "Bad Request: message is not modified: specified new message content and reply markup are exactly "
                "the same as a current content and reply markup of the message",
            )
        edits = message.get("edits", 0) + 1
        message.clear()
        message.update(after, edit_date=int(self._world.clock.seconds()), edits=edits)
        await self._world.tell("edited", chat, bot, message_id=message["message_id"])
        return outward(message)

    def _captioned(self, given: Json) -> Json:
        if not given.get("caption"):
            return {}
        caption, marks = _text(
            given, "caption", "caption_entities", CAPTION_LIMIT, "message caption is too long", "caption is empty"
        )
        return {"caption": caption} | ({"caption_entities": marks} if marks else {})

    def _photo(self, upload: object) -> Json:
        return {**self._file(upload), "width": 640, "height": 640}

    def _document(self, upload: object) -> Json:
        told = self._file(upload)
        return {**told, "file_name": self._world.files[told["file_id"]].name}

    def _file(self, upload: object) -> Json:
        if isinstance(upload, Upload):
            return self._world.add_file(upload)
        if isinstance(upload, str) and upload in self._world.files:
            return self._world.told_file(upload)
        raise Refusal(400, "Bad Request: wrong remote file identifier specified: the file was not uploaded")


_NO_GIFTS = dict.fromkeys(
    ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels"), False
)


_COPIED = ("text", "entities", "photo", "caption", "caption_entities", "document", "sticker", "voice")
_NO_CAPTION: Json = {"caption": "", "caption_entities": []}
_COMMAND = re.compile(r"[a-z0-9_]{1,32}")


def _chat_id(given: Json) -> int:
    try:
        return int(given.get("chat_id") or 0)
    except ValueError:
        raise Refusal(400, "Bad Request: chat not found") from None


def _text(given: Json, name: str, marks: str, most: int, too_long: str, empty: str) -> tuple[str, list[Json]]:
    text, found = entities.read(str(given.get(name) or ""), str(given.get("parse_mode") or ""), given.get(marks))
    if not text.strip():
        raise Refusal(400, f"Bad Request: {empty}")
    if entities.units(text) > most:
        raise Refusal(400, f"Bad Request: {too_long}")
    return text, found


def _markup(given: Json) -> Json | None:
    markup: Json | None = given.get("reply_markup")
    rows = (markup or {}).get("inline_keyboard") or []
    buttons = [button for row in rows for button in row]
    if len(buttons) > MOST_BUTTONS:
        raise Refusal(400, "Bad Request: reply markup is too long")
    for button in buttons:
        data = button.get("callback_data")
        if not button.get("text"):
            raise Refusal(400, "Bad Request: can't parse inline keyboard button: text is empty")
        if data is not None and not 1 <= len(data.encode()) <= DATA_LIMIT:
            raise Refusal(400, "Bad Request: BUTTON_DATA_INVALID")
        if data is None and not any(key in button for key in ("url", "web_app", "switch_inline_query", "copy_text")):
            raise Refusal(400, "Bad Request: can't parse inline keyboard button: Text buttons are unallowed")
    return markup


def _show_markup(message: Json, markup: Json | None) -> None:
    if not markup:
        return
    if markup.get("inline_keyboard"):
        message["reply_markup"] = {"inline_keyboard": markup["inline_keyboard"]}
    elif "inline_keyboard" not in markup:
        message["reply_keyboard"] = markup


def _scope(given: Json) -> tuple[str, str]:
    scope = given.get("scope") or {"type": "default"}
    name = ":".join(str(scope[key]) for key in ("type", "chat_id", "user_id") if key in scope)
    return name, given.get("language_code") or ""


def _set_text(bot: Account, kind: str, given: Json) -> bool:
    bot.texts[kind, given.get("language_code") or ""] = str(given.get(kind) or "")
    return True
