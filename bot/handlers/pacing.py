"""Middleware: who sends far more than a person can is slowed down, and holds up nobody; a cry for help never is."""

import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

from aiogram import BaseMiddleware
from aiogram.exceptions import TelegramAPIError
from aiogram.types import CallbackQuery, Message, TelegramObject

from bot.content.library import Content
from bot.domain.pace import Pace
from bot.services import hurry
from bot.services.access import GUESSED, Refused
from bot.services.safety import is_cry
from bot.services.turn import Turn
from bot.storage.store import Store

INVITATION = "/start "


class Pacing(BaseMiddleware):
    """Lets through what a person can send; of the rest, texts are still kept and examined. Comes after Turns."""

    def __init__(self) -> None:
        self._updates = Pace(hurry.UPDATES)
        self._told = Pace(hurry.TOLD)
        self._invitations = Pace(hurry.INVITATIONS)

    async def __call__(
        self,
        handler: Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]],
        event: TelegramObject,
        data: dict[str, Any],
    ) -> Any:  # noqa: ANN401 - aiogram's own signature
        turn: Turn = data["turn"]
        content: Content = data["content"]
        said = _said(event)
        allowed = self._updates.allows(turn.telegram_id, turn.now)
        if said.startswith(INVITATION) and not self._invitations.allows(turn.telegram_id, turn.now):
            raise Refused(GUESSED)
        if allowed or not isinstance(event, Message | CallbackQuery) or is_cry(content, said):
            return await handler(event, data)
        await self._slow(event, data["store"], content, turn, said)
        return None

    async def _slow(
        self, event: Message | CallbackQuery, store: Store, content: Content, turn: Turn, said: str
    ) -> None:
        if isinstance(event, Message):
            told = self._told.allows(turn.telegram_id, turn.now)
            await hurry.wrote(store, content, turn, said, told=told)
            return
        await hurry.passed_over(store, turn)
        with contextlib.suppress(TelegramAPIError):
            await event.answer(turn.voice(content).label("tap-too-fast"))


def _said(event: TelegramObject) -> str:
    match event:
        case Message():
            return event.text or event.caption or ""
        case CallbackQuery():
            return event.data or ""
    return ""
