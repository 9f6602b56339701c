"""Telegram's limits, kept by waiting: so many messages a second in all, and about one a second in a chat."""

import asyncio
import heapq
import itertools
from collections import OrderedDict

CHATS_REMEMBERED = 10_000


class Bucket:
    """Lets `rate` through a second, and `burst` at once after a rest."""

    __slots__ = ("_burst", "_full_at", "_rate")

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._full_at = 0.0

    def wait(self, now: float) -> float:
        """Return how many seconds from now on the next one may go."""
        return max(0.0, self._full_at + (1 - self._burst) / self._rate - now)

    def take(self, now: float) -> None:
        """Count one that goes now, or as soon as it may."""
        self._full_at = max(now, self._full_at) + 1 / self._rate


class Limits:
    """Waits until a message may go; who is urgent goes before all who wait. One for each bot."""

    def __init__(self, *, per_second: float = 30, per_chat: float = 1, chat_burst: int = 4) -> None:
        self._all = Bucket(per_second, max(1.0, per_second / 10))
        self._per_chat = per_chat
        self._chat_burst = chat_burst
        self._chats: OrderedDict[int, Bucket] = OrderedDict()
        self._closed_until = 0.0
        self._waiting: list[tuple[bool, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()
        self._timer: asyncio.TimerHandle | None = None

    async def take(self, chat_id: int, *, urgent: bool = False) -> None:
        """Wait for this chat's turn, then for everybody's."""
        loop = asyncio.get_running_loop()
        chat = self._chat(chat_id)
        wait = chat.wait(loop.time())
        chat.take(loop.time())
        await asyncio.sleep(wait)
        turn: asyncio.Future[None] = loop.create_future()
        heapq.heappush(self._waiting, (not urgent, next(self._numbers), turn))
        self._let_through()
        await turn

    def close_for(self, seconds: float) -> None:
        """Let nothing through for so long, as Telegram asked."""
        self._closed_until = max(self._closed_until, asyncio.get_running_loop().time() + seconds)

    def _let_through(self) -> None:
        """Let those go who may go now, and look again when the next may."""
        loop = asyncio.get_running_loop()
        if self._timer:
            self._timer.cancel()
            self._timer = None
        while self._waiting:
            now = loop.time()
            wait = max(self._all.wait(now), self._closed_until - now)
            if wait > 0:
                self._timer = loop.call_later(wait, self._let_through)
                return
            _, _, turn = heapq.heappop(self._waiting)
            if not turn.done():  # nobody waits any more whose task was cancelled
                self._all.take(now)
                turn.set_result(None)

    def _chat(self, chat_id: int) -> Bucket:
        bucket = self._chats.pop(chat_id, None) or Bucket(self._per_chat, self._chat_burst)
        self._chats[chat_id] = bucket
        while len(self._chats) > CHATS_REMEMBERED:
            self._chats.popitem(last=False)
        return bucket
