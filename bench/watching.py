"""Follows what the sandbox accepted from the bot, as it happens."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.sandbox import SandboxClient

LOOK_EVERY = 0.1
SHOWN = ("sendMessage", "editMessageText", "sendPhoto", "editMessageMedia")


@dataclass(frozen=True, kw_only=True)
class Shown:
    """Something that the bot sent or changed: `at` the real Unix time at which Telegram took or refused it."""

    at: float
    chat_id: int
    status: int
    method: str
    message: Any
    text: str

    @property
    def prompt(self) -> str:
        """The data of the button that begins the prompt; empty when this is no new prompt."""
        if self.method != "sendMessage" or not isinstance(self.message, dict):
            return ""
        rows = (self.message.get("reply_markup") or {}).get("inline_keyboard") or []
        found = [key.get("callback_data", "") for row in rows for key in row]
        return next((data for data in found if data.startswith("p:") and data.endswith(":start")), "")


async def watch(telegram: SandboxClient, *, after: int = 0) -> AsyncIterator[list[Shown]]:
    """Yield what came since the last look, ten times a second, for ever; also when nothing came."""
    while True:
        entries = await telegram.log(after)
        after = entries[-1]["n"] if entries else after
        yield [_shown(entry) for entry in entries if entry["method"] in SHOWN]
        await asyncio.sleep(LOOK_EVERY)


def _shown(entry: dict) -> Shown:
    return Shown(
        at=datetime.fromisoformat(entry["real"]).timestamp(),
        chat_id=int(entry["params"]["chat_id"]),
        status=int(entry["status"]),
        method=entry["method"],
        message=entry["result"],
        text=str(entry["params"].get("text") or ""),
    )
