"""The only one who talks to Telegram: sends, edits, and says whether a failure passes or stays."""

import asyncio
import base64
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import structlog
from aiogram.exceptions import (
    ClientDecodeError,
    TelegramAPIError,
    TelegramBadRequest,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)

from bot.telegram.bot import Files, QuickBot
from bot.telegram.limits import Limits
from bot.telegram.message import Entity, Key, Keyboard, Message

log = structlog.get_logger()

Json = dict[str, object]
Photo = tuple[str, bytes]

_NO_PREVIEW = {"is_disabled": True}
_GONE = ("to edit not found", "can't be edited", "message_id_invalid", "there is no text in the message")

_NO_PICTURE = ("image_process_failed", "photo_", "wrong file identifier")
"""What Telegram says, in small letters, of a file that it cannot take for a picture."""

_TOLD = (
    "blocked by the user",
    "user is deactivated",
    "chat not found",
    "can't initiate conversation",
    "upgraded to a supergroup",
    "message is too long",
    "caption is too long",
    "not enough rights",
    "bot was kicked",
    "button_data_invalid",
    "button_url_invalid",
    "retry after",
    "internal server error",
    "bad gateway",
    "timeout",
)
"""What of Telegram's reasons is kept, in small letters. Others may repeat what was sent, or the token."""


class Refused(Exception):
    """Telegram will never accept this message. `unreachable`: nothing at all gets to this chat any more."""

    def __init__(self, why: str, *, unreachable: bool) -> None:
        super().__init__(why)
        self.unreachable = unreachable


class Passing(Exception):
    """It did not work now, and may later: after `seconds` if Telegram said so."""

    def __init__(self, why: str, seconds: float | None = None) -> None:
        super().__init__(why)
        self.seconds = seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """The message that shows a card, as Telegram numbers it. `unshown` is the picture that went out in words only."""

    message_id: int
    photo: bool
    unshown: str = ""


class Sender:
    """Sends messages of one bot, within Telegram's limits. `media` says where content's pictures are.

    `paid` for a bot whose owner pays for more than 30 messages a second (@BotFather, "paid broadcasts").
    """

    def __init__(self, bot: QuickBot, media: Callable[[], Path], limits: Limits, *, paid: bool = False) -> None:
        self._bot = bot
        self._media = media
        self._limits = limits
        self._paid = paid

    async def deliver(self, chat_id: int, message: Message, standing: Placed | None, *, urgent: bool = False) -> Placed:
        """Send a message, or change the one that stands in its place. Raises Refused or Passing."""
        try:
            async with self._limits.turn(chat_id, urgent=urgent):
                return await self._deliver(chat_id, message, standing)
        except TelegramRetryAfter as error:
            self._limits.close_for(error.retry_after)
            raise Passing(_why(error), error.retry_after) from error
        except (TelegramForbiddenError, TelegramNotFound, TelegramMigrateToChat) as error:
            raise Refused(_why(error), unreachable=True) from error
        except TelegramUnauthorizedError as error:
            raise Passing("Telegram does not know the token", 60) from error
        except TelegramBadRequest as error:
            raise Refused(_why(error), unreachable="chat not found" in error.message.lower()) from error
        except (TelegramNetworkError, TelegramServerError, ClientDecodeError, TelegramAPIError) as error:
            raise Passing(_why(error)) from error

    async def frame(self, chat_id: int, placed: Placed, message: Message, text: str) -> None:
        """Show one frame of a pacer in a message. What fails is left out: the next frame comes soon."""
        async with self._limits.turn(chat_id):
            shown = {"text": text, "entities": _entities(message.entities), "reply_markup": _markup(message.keyboard)}
            await self._bot.ask("editMessageText", {"chat_id": chat_id, "message_id": placed.message_id, **shown})

    async def _deliver(self, chat_id: int, message: Message, standing: Placed | None) -> Placed:
        """Show a message; where its picture can't be read, or is none, what it shows in words: the rest must arrive."""
        try:
            photo = await self._photo(message)
            return await self._show(chat_id, message, photo, standing)
        except OSError as error:
            why = type(error).__name__
        except TelegramBadRequest as error:
            if not message.picture or not any(said in error.message.lower() for said in _NO_PICTURE):
                raise
            why = "no picture"
        log.error("a picture cannot be shown and its message goes without it", picture=message.picture, why=why)
        placed = await self._show(chat_id, _in_words(message), None, standing)
        return replace(placed, unshown=message.picture)

    async def _show(self, chat_id: int, message: Message, photo: Photo | None, standing: Placed | None) -> Placed:
        if standing and not message.fresh and (edited := await self._edit(chat_id, message, photo, standing)):
            return edited
        number = await self._send(chat_id, message, photo)
        if standing:
            await self._take_buttons_off(chat_id, standing)
        return Placed(message_id=number, photo=photo is not None)

    async def _send(self, chat_id: int, message: Message, photo: Photo | None) -> int:
        """Send a new message and return its number."""
        given: Json = {
            "chat_id": chat_id,
            **_words(message),
            "reply_markup": _markup(message.keyboard),
            "protect_content": message.protect,
            "disable_notification": message.silent,
            "allow_paid_broadcast": self._paid,
        }
        if message.document:
            files = {"document": (message.file_name, base64.b64decode(message.document))}
            return _number(await self._bot.ask("sendDocument", given, files))
        if photo:
            return _number(await self._bot.ask("sendPhoto", given, {"photo": photo}))
        return _number(await self._bot.ask("sendMessage", given))

    async def _edit(self, chat_id: int, message: Message, photo: Photo | None, standing: Placed) -> Placed | None:
        """Change the standing message; None when it can't be changed into this one."""
        if standing.photo != (photo is not None):
            return None
        try:
            await self._change(chat_id, message, photo, standing.message_id)
        except TelegramBadRequest as error:
            said = error.message.lower()
            if "not modified" not in said and any(gone in said for gone in _GONE):
                return None
            if "not modified" not in said:
                raise
        return standing

    async def _change(self, chat_id: int, message: Message, photo: Photo | None, message_id: int) -> None:
        given: Json = {"chat_id": chat_id, "message_id": message_id, "reply_markup": _markup(message.keyboard)}
        if photo is None:
            await self._bot.ask("editMessageText", given | _words(message))
            return
        media = {"type": "photo", "media": "attach://picture", **_words(message)}
        files: Files = {"picture": photo}
        await self._bot.ask("editMessageMedia", given | {"media": media}, files)

    async def _take_buttons_off(self, chat_id: int, standing: Placed) -> None:
        """The old message's buttons do nothing any more; leaving them there is untidy, not wrong."""
        try:
            await self._bot.ask("editMessageReplyMarkup", {"chat_id": chat_id, "message_id": standing.message_id})
        except TelegramAPIError:
            return

    async def _photo(self, message: Message) -> Photo | None:
        """Return the picture of a message, by its file's name. Raises OSError where it is gone or can't be read."""
        if message.drawn:
            return "picture.png", base64.b64decode(message.drawn)
        if not message.picture:
            return None
        file = self._media() / message.picture
        return file.name, await asyncio.to_thread(file.read_bytes)


def _in_words(message: Message) -> Message:
    return replace(message, text=f"{message.text}\n\n{message.alt}".strip(), picture="")


def _why(error: Exception) -> str:
    """Return why a request failed, in words that repeat nothing of it."""
    said = getattr(error, "message", "").lower()
    reason = next((words for words in _TOLD if words in said), "")
    return f"{type(error).__name__}: {reason}" if reason else type(error).__name__


def _has_photo(message: Message) -> bool:
    return bool(message.drawn or message.picture)


def _words(message: Message) -> Json:
    """Return a message's text: as a caption where a file goes with it."""
    entities = _entities(message.entities)
    if message.document or _has_photo(message):
        return {"caption": message.text, "caption_entities": entities}
    return {"text": message.text, "entities": entities, "link_preview_options": _NO_PREVIEW}


def shown(message: Message) -> Json:
    """Return how Telegram is told to show a message of words and buttons."""
    return {**_words(message), "reply_markup": _markup(message.keyboard)}


def _number(sent: object) -> int:
    match sent:
        case {"message_id": int(number)}:
            return number
    raise ClientDecodeError("no message", ValueError(), sent)


def _markup(keyboard: Keyboard) -> Json | None:
    return {"inline_keyboard": [[_button(key) for key in row] for row in keyboard]} if keyboard else None


def _button(key: Key) -> Json:
    if key.data:
        return {"text": key.text, "callback_data": key.data}
    return {"text": key.text, "copy_text": {"text": key.copy}} if key.copy else {"text": key.text, "url": key.url}


def _entities(entities: tuple[Entity, ...]) -> list[Json]:
    return [
        {"type": one.type, "offset": one.offset, "length": one.length, **({"url": one.url} if one.url else {})}
        for one in entities
    ]
