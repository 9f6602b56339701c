"""What users do on their phones: write, edit, tap, block, open links; each becomes an update for the bot."""

import asyncio
import re

from bot.sandbox import entities
from bot.sandbox.pictures import plain_png
from bot.sandbox.world import Account, Chat, Json, Refusal, Tap, Upload, User, World, outward

_LINK = re.compile(r"(?:https?://)?(?:t\.me|telegram\.me)/(\w+)(?:\?start=([\w-]{0,64}))?/?$")
TEXT_LIMIT = 4096
PICTURE = Upload("picture.png", plain_png(160, 120))
FILE = Upload("made-up.txt", b"a made-up file of the sandbox")
KINDS = ("sticker", "voice", "photo", "document", "contact", "location")
"""What users can send besides text."""


class People:
    """Acts for users."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def say(self, user: User, given: Json) -> Json:
        """Send a message: text, or one of `KINDS`, with a caption where such have one. Raises Refusal.

        A text that is too long goes out as several messages, as from Telegram's own applications; the last is returned.
        """
        chat, bots = self._where(user, given)
        first, *more = self._contents(user, given)
        if answered := chat.messages.get(int(given.get("reply_to") or 0)):
            first["reply_to_message"] = outward(answered, "reply_to_message")
        for bot in bots:
            if bot.id in user.blocked:
                await self._let_in(user, bot)
            user.started.add(bot.id)
        message = await self._send(user, chat, bots, first)
        for content in more:
            message = await self._send(user, chat, bots, content)
        return message

    async def _send(self, user: User, chat: Chat, bots: list[Account], content: Json) -> Json:
        message = self._world.add_message(chat, user.told(), content)
        for bot in bots:
            self._world.queue_update(bot, "message", outward(message))
        await self._world.tell("message", chat, message_id=message["message_id"])
        return message

    async def edit(self, user: User, given: Json) -> Json:
        """Change one of the user's own messages. Raises Refusal."""
        chat, bots = self._where(user, given)
        message = chat.messages.get(int(given.get("message_id") or 0))
        if message is None or message["from"]["id"] != user.id:
            raise Refusal(404, "there is no such message of this user")
        text = str(given.get("text") or "")
        if not text.strip():
            raise Refusal(400, "a message cannot be changed to nothing")
        name, marks = ("text", "entities") if "text" in message else ("caption", "caption_entities")
        message |= {name: text, marks: entities.found_in(text), "edit_date": int(self._world.clock.seconds())}
        message["edits"] = message.get("edits", 0) + 1
        for bot in bots:
            self._world.queue_update(bot, "edited_message", outward(message))
        await self._world.tell("edited", chat, message_id=message["message_id"])
        return message

    async def tap(self, user: User, given: Json) -> Json:
        """Tap a button, by its data or its label; returns what the bot answered to the tap. Raises Refusal."""
        chat, bots = self._where(user, given)
        message = chat.messages.get(int(given.get("message_id") or 0))
        bot = next((one for one in bots if message and one.id == message["from"]["id"]), None)
        if message is None or message.get("deleted") or bot is None:
            raise Refusal(404, "there is no such message of a bot")
        data = _button(message, given)
        query_id, tap = self._world.add_tap(bot, chat, user)
        self._world.queue_update(
            bot,
            "callback_query",
            {
                "id": query_id,
                "from": user.told(),
                "message": outward(message),
                "chat_instance": str(chat.id),
                "data": data,
            },
        )
        return await _answer_to(tap, float(given.get("wait", 5)))

    async def open_link(self, user: User, given: Json) -> Json:
        """Open a deep link to a bot, as a tap on Start does. Raises Refusal."""
        match = _LINK.match(str(given.get("link") or "").strip())
        if match is None:
            raise Refusal(400, "a link looks like https://t.me/NameOfBot?start=...")
        text = f"/start {match[2]}" if match[2] else "/start"
        return await self.say(user, {"bot": match[1], "text": text})

    async def block(self, user: User, given: Json, *, blocked: bool) -> None:
        """Block the bot, or let it in again."""
        bot = self._world.bot_named(str(given.get("bot") or ""))
        if not blocked:
            await self._let_in(user, bot)
            return
        user.blocked.add(bot.id)
        await self._membership(user, bot, "member", "kicked")

    async def _let_in(self, user: User, bot: Account) -> None:
        user.blocked.discard(bot.id)
        await self._membership(user, bot, "kicked", "member")

    async def _membership(self, user: User, bot: Account, was: str, now: str) -> None:
        chat = self._world.private(bot, user)
        self._world.queue_update(
            bot,
            "my_chat_member",
            {
                "chat": self._world.told_chat(chat),
                "from": user.told(),
                "date": int(self._world.clock.seconds()),
                "old_chat_member": _standing(bot, was),
                "new_chat_member": _standing(bot, now),
            },
        )
        await self._world.tell("membership", chat, bot, blocked=now == "kicked")

    def _where(self, user: User, given: Json) -> tuple[Chat, list[Account]]:
        if group_id := int(given.get("group") or 0):
            group = self._world.groups.get(group_id)
            if group is None or user.id not in group.members:
                raise Refusal(404, f"there is no group {group_id} with this user")
            return group, list(self._world.bots_in(group))
        bot = self._world.bot_named(str(given.get("bot") or ""))
        return self._world.private(bot, user), [bot]

    def _contents(self, user: User, given: Json) -> list[Json]:
        kind = next((one for one in KINDS if given.get(one)), "")
        if kind == "contact":
            return [{"contact": {"phone_number": "+12025550100", "first_name": user.first_name, "user_id": user.id}}]
        if kind == "location":
            return [{"location": {"latitude": 40.0, "longitude": -75.0}}]
        if kind:
            return [self._file(kind, given)]
        text = str(given.get("text") or "")
        if not text.strip():
            raise Refusal(400, f"a message needs a text, or one of: {', '.join(KINDS)}")
        pieces = [(piece, entities.found_in(piece)) for piece in entities.pieces(text, TEXT_LIMIT)]
        return [{"text": piece} | ({"entities": found} if found else {}) for piece, found in pieces]

    def _file(self, kind: str, given: Json) -> Json:
        caption = str(given.get("caption") or "")
        extra: Json = {"caption": caption, "caption_entities": entities.found_in(caption)} if caption else {}
        file = self._world.add_file(PICTURE if kind == "photo" else FILE)
        match kind:
            case "sticker":
                size = {"width": 512, "height": 512, "is_animated": False, "is_video": False, "type": "regular"}
                return {"sticker": {**file, **size, "emoji": "🙂"}}
            case "voice":
                return {"voice": {**file, "duration": 3}, **extra}
            case "photo":
                return {"photo": [{**file, "width": 160, "height": 120}], **extra}
            case _:
                return {"document": {**file, "file_name": FILE.name}, **extra}


async def _answer_to(tap: Tap, seconds: float) -> Json:
    await asyncio.wait({tap.answer}, timeout=seconds)
    if tap.answer.done() and not tap.answer.cancelled():
        return {"answered": True, **tap.answer.result()}
    return {"answered": False}


def _button(message: Json, given: Json) -> str:
    if "data" in given:
        return str(given["data"])
    keyboard = (message.get("reply_markup") or {}).get("inline_keyboard") or []
    buttons = [button for row in keyboard for button in row]
    wanted = str(given.get("button") or "")
    exact = [one for one in buttons if one["text"] == wanted]
    found = exact or [one for one in buttons if wanted and wanted.casefold() in one["text"].casefold()]
    if not found or "callback_data" not in found[0]:
        labels = ", ".join(one["text"] for one in buttons) or "none"
        raise Refusal(404, f"there is no button '{wanted}'; there are: {labels}")
    return str(found[0]["callback_data"])


def _standing(bot: Account, status: str) -> Json:
    return {"user": bot.told(), "status": status} | ({"until_date": 0} if status == "kicked" else {})
