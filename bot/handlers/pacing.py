"""Middleware: who sends far more than a person can is answered less, and holds up nobody; nothing is passed over."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from aiogram import BaseMiddleware
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


class Pacing(BaseMiddleware):
    """Marks the turn of who is in a hurry; of theirs only some commands are put off. Comes after Turns.

    Words are judged by when Telegram got them. It does not say so of taps: they have a pace of their own, by our clock,
    so that a backlog of taps says nothing of words, and all it leads to is that less is said: every tap counts.
    """

    def __init__(self) -> None:
        self._words = Pace(hurry.UPDATES)
        self._taps = Pace(hurry.UPDATES)
        self._told = Pace(hurry.TOLD)
        self._invitations = Pace(hurry.INVITATIONS)

    async def __call__(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> Any:  # noqa: ANN401
        turn: Turn = data["turn"]
        words = said(event)
        in_time = self._in_time(event, turn)
        if hurry.tries_invitation(words) and not self._invitations.allows(turn.telegram_id, _sent_at(event, turn)):
            raise Refused(GUESSED)
        if in_time:
            return await handler(event, data)
        data["turn"] = turn = replace(turn, hurried=True)
        if isinstance(event, Message) and hurry.may_wait(turn, words):
            return await hurry.put_off(data["store"], data["content"], turn, words)
        done = await handler(event, data)
        await self._tell(data["store"], data["content"], turn, words)
        return done

    def _in_time(self, event: TelegramObject, turn: Turn) -> bool:
        match event:
            case Message():
                return self._words.allows(turn.telegram_id, _sent_at(event, turn))
            case CallbackQuery():
                return self._taps.allows(turn.telegram_id, turn.now)
        return True

    async def _tell(self, store: Store, content: Content, turn: Turn, words: str) -> None:
        """Say once in a while why less is answered; never after a cry, whose answer is to be the last thing read."""
        if turn.caring or turn.managing or is_cry(content, words):
            return
        if self._told.allows(turn.telegram_id, turn.now):
            await hurry.tell(store, content, turn)


def _sent_at(event: TelegramObject, turn: Turn) -> datetime:
    """Return when Telegram got a message: what waited while we were away did not come all at once."""
    if not isinstance(event, Message):
        return turn.now
    return datetime.fromtimestamp(event.edit_date, UTC) if event.edit_date else event.date
