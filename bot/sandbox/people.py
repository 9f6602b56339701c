"""What users do on their phones: write, edit, tap, block, open links; each becomes an update for the bot."""

import asyncio
import re

from bot.sandbox import entities
from bot.sandbox.world import Account, Chat, Json, Refusal, User, World

_LINK = re.compile(r"(?:https?://)?(?:t\.me|telegram\.me)/(\w+)(?:\?start=([\w-]{0,64}))?/?$")
FILE = b"a made-up file of the sandbox"


class People:
    """Acts for users."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def say(self, user: User, given: Json) -> Json:
        """Send a message: text, or a sticker, voice, photo or document, with a caption. Raises Refusal."""
        chat, bots = self._where(user, given)
        content = self._content(given)
        if answered := chat.messages.get(int(given.get("reply_to") or 0)):
            content["reply_to_message"] = {k: v for k, v in answered.items() if k != "reply_to_message"}
        for bot in bots:
            if bot.id in user.blocked:
                await self._let_in(user, bot)
            user.started.add(bot.id)
        message = self._world.add_message(chat, user.told(), content)
        for bot in bots:
            self._world.queue_update(bot, "message", dict(message))
            await self._world.tell("message", chat, bot, message_id=message["message_id"])
        return message

    async def edit(self, user: User, given: Json) -> Json:
        """Change one of the user's own messages. Raises Refusal."""
        chat, bots = self._where(user, given)
        message = chat.messages.get(int(given.get("message_id") or 0))
        if message is None or message["from"]["id"] != user.id:
            raise Refusal(404, "there is no such message of this user")
        text = str(given.get("text") or "")
        message |= {"text": text, "entities": entities.found_in(text), "edit_date": int(self._world.clock.seconds())}
        message["edits"] = message.get("edits", 0) + 1
        for bot in bots:
            self._world.queue_update(bot, "edited_message", dict(message))
            await self._world.tell("edited", chat, bot, message_id=message["message_id"])
        return message

    async def tap(self, user: User, given: Json) -> Json:
        """Tap a button, by its data or its label; returns what the bot answered to the tap. Raises Refusal."""
        chat, bots = self._where(user, given)
        message = chat.messages.get(int(given.get("message_id") or 0))
        if message is None or message.get("deleted"):
            raise Refusal(404, "there is no such message")
        data = _button(message, given)
        query_id = str(self._world.number())
        bot = next((one for one in bots if one.id == message["from"]["id"]), bots[0])
        self._world.queries[query_id] = {"bot": bot.id, "chat": chat.id, "user": user.id, "answer": None}
        self._world.queue_update(
            bot,
            "callback_query",
            {
                "id": query_id,
                "from": user.told(),
                "message": {k: v for k, v in message.items() if k not in ("edits", "reply_keyboard")},
                "chat_instance": str(chat.id),
                "data": data,
            },
        )
        return await self._answer_to(query_id, float(given.get("wait", 5)))

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

    def _content(self, given: Json) -> Json:
        caption = str(given.get("caption") or "")
        extra: Json = {"caption": caption, "caption_entities": entities.found_in(caption)} if caption else {}
        file: Json = {"file_id": f"file{self._world.number()}", "file_unique_id": "u", "file_size": len(FILE)}
        kind = next((one for one in ("sticker", "voice", "photo", "document") if given.get(one)), "text")
        if kind != "text":
            self._world.files[file["file_id"]] = FILE
        match kind:
            case "sticker":
                size = {"width": 512, "height": 512, "is_animated": False, "is_video": False, "type": "regular"}
                return {"sticker": {**file, **size, "emoji": "🙂"}}
            case "voice":
                return {"voice": {**file, "duration": 3}, **extra}
            case "photo":
                return {"photo": [{**file, "width": 640, "height": 640}], **extra}
            case "document":
                return {"document": file, **extra}
        text = str(given.get("text") or "")
        if not text.strip():
            raise Refusal(400, "a message needs a text, or a sticker, voice, photo or document")
        found = entities.found_in(text)
        return {"text": text} | ({"entities": found} if found else {})

    async def _answer_to(self, query_id: str, seconds: float) -> Json:
        query = self._world.queries[query_id]
        async with self._world.changed:
            try:
                answered = self._world.changed.wait_for(lambda: query["answer"] is not None)
                await asyncio.wait_for(answered, seconds)
            except TimeoutError:
                return {"answered": False}
        return {"answered": True, **query["answer"]}


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
