"""Telegram's limits on how much a bot may send: in all, in one chat, in one group."""

import math
import time
from collections import deque
from dataclasses import dataclass

from bot.sandbox.world import Account, Chat, Refusal

GROUP_WINDOW = 60.0


@dataclass(slots=True)
class Limits:
    """How much is let through: in all and in a private chat each second, in a group each minute; 0 is no limit.

    `paid_per_second` stands in the place of `per_second` for messages with `allow_paid_broadcast`.
    """

    per_second: float = 30
    paid_per_second: float = 1000
    per_chat: float = 1
    chat_burst: int = 5
    group_per_minute: int = 20


class Gate:
    """Counts what bots send, and refuses what is too much with the seconds to wait."""

    def __init__(self) -> None:
        self.limits = Limits()
        self._sent: dict[int, deque[float]] = {}
        self._chats: dict[tuple[int, int], float] = {}
        self._groups: dict[tuple[int, int], deque[float]] = {}

    def take(self, bot: Account, chat: Chat, *, paid: bool = False) -> None:
        """Count one message of a bot to a chat. Raises Refusal, with 429 and retry_after."""
        now, limits = time.monotonic(), self.limits
        if most := limits.paid_per_second if paid else limits.per_second:
            self._window(self._sent.setdefault(bot.id, deque()), now, 1.0, most)
        if chat.type == "private" and limits.per_chat:
            self._chat(bot, chat, now)
        if chat.type != "private" and limits.group_per_minute:
            sent = self._groups.setdefault((bot.id, chat.id), deque())
            self._window(sent, now, GROUP_WINDOW, limits.group_per_minute)

    def _chat(self, bot: Account, chat: Chat, now: float) -> None:
        spacing = 1 / self.limits.per_chat
        free_at = max(self._chats.get((bot.id, chat.id), 0.0), now)
        if free_at - now > spacing * (self.limits.chat_burst - 0.5):
            _too_many(spacing)
        self._chats[bot.id, chat.id] = free_at + spacing

    @staticmethod
    def _window(sent: deque[float], now: float, length: float, most: float) -> None:
        while sent and sent[0] <= now - length:
            sent.popleft()
        if len(sent) >= most:
            _too_many(sent[0] + length - now)
        sent.append(now)


def _too_many(seconds: float) -> None:
    wait = max(1, math.ceil(seconds))
    raise Refusal(429, f"Too Many Requests: retry after {wait}", retry_after=wait)
