"""Middleware: what somebody sends who floods goes by the handlers, except for what is never held back."""

import contextlib
from typing import Any

from aiogram import BaseMiddleware
from aiogram.exceptions import TelegramAPIError
from aiogram.types import CallbackQuery, Message, TelegramObject

from bot.content.library import Content
from bot.handlers.turns import Handler
from bot.services import flooding
from bot.services.turn import Turn
from bot.storage.store import Store


class Floods(BaseMiddleware):
    """Takes words and taps of whoever floods in private."""

    async def __call__(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> Any:  # noqa: ANN401
        store: Store = data["store"]
        content: Content = data["content"]
        turn: Turn = data["turn"]
        if turn.pace == "free" or not turn.private:
            return await handler(event, data)
        match event:
            case Message() if not flooding.wrote_for_help_or_work(turn, said := event.text or event.caption or ""):
                await flooding.wrote(store, content, turn, said)
            case CallbackQuery() if not flooding.tapped_for_help_or_work(turn, event.data or ""):
                await flooding.tapped(store, content, turn)
                await _answered(event, content, turn)
            case _:
                return await handler(event, data)
        return None


async def _answered(query: CallbackQuery, content: Content, turn: Turn) -> None:
    if turn.pace == "tell":
        with contextlib.suppress(TelegramAPIError):  # only stops the button's spinner
            await query.answer(turn.voice(content).label("tap-slow-down"))
