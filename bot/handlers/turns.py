"""Middleware: says who wrote, where, when and in which language; writes nothing."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiogram import BaseMiddleware
from aiogram.types import CallbackQuery, Chat, ChatMemberUpdated, Message, TelegramObject, Update, User

from bot.clock import Clock
from bot.content.live import LiveLibrary
from bot.services.presence import known
from bot.services.turn import Turn
from bot.storage.store import Store

Handler = Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]]


class Turns(BaseMiddleware):
    """Puts `turn`, `store`, `content` into what handlers get."""

    def __init__(self, store: Store, library: LiveLibrary, clock: Clock, met: Callable[[Turn], None]) -> None:
        self._store = store
        self._library = library
        self._clock = clock
        self._met = met

    async def __call__(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> Any:  # noqa: ANN401
        update: Update = data["event_update"]
        user, chat, message_id = _origin(event)
        if user is None:
            return None
        person, members = await known(self._store, user.id)
        content = self._library.content
        language = person.language if person else (user.language_code or "en")[:2]
        data["turn"] = Turn(
            update_id=update.update_id,
            chat_id=chat.id if chat else user.id,
            private=chat is None or chat.type == "private",
            telegram_id=user.id,
            name=user.full_name,
            language=language if language in content.messages else "en",
            person=person,
            members=members,
            now=self._clock.now(),
            message_id=message_id,
        )
        self._met(data["turn"])
        data["store"], data["content"] = self._store, content
        return await handler(event, data)


def _origin(event: TelegramObject) -> tuple[User | None, Chat | None, int | None]:
    match event:
        case Message():
            return event.from_user, event.chat, event.message_id
        case CallbackQuery():
            message = event.message
            return event.from_user, message.chat if message else None, message.message_id if message else None
        case ChatMemberUpdated():
            return event.from_user, event.chat, None
    return None, None, None
