"""Middleware: who sends far more than a person can is slowed down, and holds up nobody; a cry for help never is."""

import contextlib
from typing import Any

from aiogram import BaseMiddleware
from aiogram.exceptions import TelegramAPIError
from aiogram.types import CallbackQuery, Message, TelegramObject

from bot.content.library import Content
from bot.domain.pace import Pace
from bot.handlers.turns import Handler
from bot.services import hurry
from bot.services.access import GUESSED, Refused
from bot.services.safety import is_cry
from bot.services.turn import Turn
from bot.storage.store import Store
from bot.telegram.events import said

INVITATION = "/start "


class Pacing(BaseMiddleware):
    """Lets through what a person can send; of the rest, texts are still kept and examined. Comes after Turns."""

    def __init__(self) -> None:
        self._updates = Pace(hurry.UPDATES)
        self._told = Pace(hurry.TOLD)
        self._invitations = Pace(hurry.INVITATIONS)

    async def __call__(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> Any:  # noqa: ANN401
        turn: Turn = data["turn"]
        content: Content = data["content"]
        words = said(event)
        allowed = self._updates.allows(turn.telegram_id, turn.now)
        if words.startswith(INVITATION) and not self._invitations.allows(turn.telegram_id, turn.now):
            raise Refused(GUESSED)
        if allowed or not isinstance(event, Message | CallbackQuery) or is_cry(content, words):
            return await handler(event, data)
        await self._slow(event, data["store"], content, turn, words)
        return None

    async def _slow(
        self, event: Message | CallbackQuery, store: Store, content: Content, turn: Turn, words: str
    ) -> None:
        if isinstance(event, Message):
            told = self._told.allows(turn.telegram_id, turn.now)
            await hurry.wrote(store, content, turn, words, told=told)
            return
        await hurry.passed_over(store, turn)
        with contextlib.suppress(TelegramAPIError):
            await event.answer(turn.voice(content).label("tap-too-fast"))
