"""Telegram's limits, kept by waiting: so many messages a second in all, and about one a second in a chat."""

import asyncio
from collections import OrderedDict

CHATS_REMEMBERED = 10_000


class Bucket:
    """Lets `rate` through a second, and `burst` at once after a rest."""

    __slots__ = ("_burst", "_full_at", "_rate")

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._full_at = 0.0

    def reserve(self, now: float) -> float:
        """Take one and return how many seconds to wait before using it."""
        start = max(now, self._full_at)
        self._full_at = start + 1 / self._rate
        return max(0.0, self._full_at - now - self._burst / self._rate)


class Limits:
    """Waits until a message may go. One for each bot."""

    def __init__(self, *, per_second: float = 30, per_chat: float = 1, chat_burst: int = 4) -> None:
        self._all = Bucket(per_second, max(1.0, per_second / 10))
        self._per_chat = per_chat
        self._chat_burst = chat_burst
        self._chats: OrderedDict[int, Bucket] = OrderedDict()
        self._closed_until = 0.0

    async def take(self, chat_id: int) -> None:
        """Wait for this chat's turn, then for everybody's."""
        loop = asyncio.get_running_loop()
        await asyncio.sleep(self._chat(chat_id).reserve(loop.time()))
        await asyncio.sleep(max(self._all.reserve(loop.time()), self._closed_until - loop.time()))

    def close_for(self, seconds: float) -> None:
        """Let nothing through for so long, as Telegram asked."""
        self._closed_until = max(self._closed_until, asyncio.get_running_loop().time() + seconds)

    def _chat(self, chat_id: int) -> Bucket:
        bucket = self._chats.pop(chat_id, None) or Bucket(self._per_chat, self._chat_burst)
        self._chats[chat_id] = bucket
        while len(self._chats) > CHATS_REMEMBERED:
            self._chats.popitem(last=False)
        return bucket
