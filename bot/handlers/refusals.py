"""Middleware: somebody asked for what is not theirs. They are told so kindly, and it is kept."""

import contextlib
from typing import Any

from aiogram import BaseMiddleware
from aiogram.exceptions import TelegramAPIError
from aiogram.types import CallbackQuery, TelegramObject

from bot.content.library import Content
from bot.handlers.turns import Handler
from bot.services.access import Refused, refuse
from bot.services.turn import Turn
from bot.storage.store import Store


class Refusals(BaseMiddleware):
    """Answers a Refused that a service raised; its transaction is undone by then."""

    async def __call__(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> Any:  # noqa: ANN401
        try:
            return await handler(event, data)
        except Refused as refusal:
            store: Store = data["store"]
            content: Content = data["content"]
            turn: Turn = data["turn"]
            await refuse(store, content, turn, str(refusal))
            if isinstance(event, CallbackQuery):
                with contextlib.suppress(TelegramAPIError):
                    await event.answer()
