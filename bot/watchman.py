"""Tells staff in chat when a part stalls and when it goes on: past the outbox, which may be what stalled."""

import asyncio
import contextlib
from collections.abc import Callable

import structlog
from aiogram import Bot
from aiogram.exceptions import TelegramAPIError

from bot.content.library import Content
from bot.headway import Headway, Part
from bot.services.staff import StaffChat, staff_chats
from bot.services.voice import Voice
from bot.storage.store import Store

log = structlog.get_logger()

LOOK_EVERY = 5.0
LEARN_EVERY = 12
"""Looks after which it is asked anew who is staff; in between, and while the database is gone, who was is told."""

ASK_FOR = 10.0
"""Seconds that the database has to say who is staff."""


class Watchman:
    """Looks for stalls, until it is cancelled."""

    def __init__(self, store: Store, bot: Bot, content: Callable[[], Content], headway: Headway) -> None:
        self._store = store
        self._bot = bot
        self._content = content
        self._headway = headway
        self._chats: tuple[StaffChat, ...] = ()
        self._told: tuple[Part, ...] = ()

    async def run(self) -> None:
        """Look for ever."""
        looks = 0
        while True:
            if looks % LEARN_EVERY == 0:
                await self._learn()
            await self.look()
            looks += 1
            await asyncio.sleep(LOOK_EVERY)

    async def look(self) -> None:
        """Tell what stalled since the last look, and once that all is well again."""
        stalled = self._headway.stalled()
        if set(stalled) - set(self._told):
            log.error("a part makes no headway", why=", ".join(stalled))
            await self._tell("stalled", stalled)
        elif self._told and not stalled:
            log.warning("all parts make headway again")
            await self._tell("stall-over", ())
        self._told = stalled

    async def _learn(self) -> None:
        try:
            async with asyncio.timeout(ASK_FOR):
                self._chats = await staff_chats(self._store)
        except Exception:
            log.exception("who is staff cannot be read")

    async def _tell(self, key: str, parts: tuple[Part, ...]) -> None:
        for chat in self._chats:
            voice = Voice(self._content(), chat.language)
            named = ", ".join(voice.label(f"part-{part}") for part in parts)
            with contextlib.suppress(TelegramAPIError):  # the outside monitor hears of it too
                await self._bot.send_message(chat.chat_id, voice.label(key, parts=named))
