"""Telegram's limits, kept by waiting: so many messages in any second in all, and about one a second in a chat."""

import asyncio
import heapq
import itertools
import time
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

CHATS_REMEMBERED = 10_000

KNOWN_AFTER = 60
"""Answers after which the shortest way that was seen counts as the shortest there is; until then it counts as 0."""

_now = time.monotonic
"""Read anew each time: a loop's own time may be that of its last turn, and a turn may take long."""


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


class Window:
    """Lets `rate` through in any second, as the other end counts them, which sees each somewhat later than we send it.

    A message counts for a second from when it was sent, and longer by as much as its way there and back took longer
    than the shortest known: it may have arrived so much later.
    """

    def __init__(self, rate: float) -> None:
        self._most = max(1, int(rate))
        self._length = self._most / rate
        self._under_way = 0
        self._over: list[float] = []
        self._shortest = float("inf")
        self._answers = 0

    def wait(self, now: float) -> float | None:
        """Return in how many seconds the next one may go; None: not before one that is under way has come back."""
        while self._over and self._over[0] <= now:
            heapq.heappop(self._over)
        if self._under_way + len(self._over) < self._most:
            return 0.0
        return self._over[0] - now if self._over else None

    def take(self) -> None:
        """Count one that goes now."""
        self._under_way += 1

    def give_back(self) -> None:
        """Count one that did not go after all no longer."""
        self._under_way -= 1

    def back(self, sent: float, now: float, *, answered: bool = True) -> None:
        """Count one that was sent then as arrived, or as one that nobody `answered`, which tells nothing of the way."""
        self._under_way -= 1
        if answered:
            self._answers += 1
            self._shortest = min(self._shortest, now - sent)
        shortest = self._shortest if self._answers > KNOWN_AFTER else 0.0
        heapq.heappush(self._over, now - min(shortest, now - sent) + self._length)


class Limits:
    """Waits until a message may go; who is urgent goes before all who wait. One for each bot."""

    def __init__(self, *, per_second: float = 30, per_chat: float = 1, chat_burst: int = 4) -> None:
        self._even = Bucket(per_second, max(1.0, per_second / 10))
        self._window = Window(per_second)
        self._per_chat = per_chat
        self._chat_burst = chat_burst
        self._chats: OrderedDict[int, Bucket] = OrderedDict()
        self._closed_until = 0.0
        self._waiting: list[tuple[bool, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()
        self._timer: asyncio.TimerHandle | None = None

    @asynccontextmanager
    async def turn(self, chat_id: int, *, urgent: bool = False) -> AsyncIterator[None]:
        """Wait for this chat's turn, then for everybody's; the message is to be sent in the block."""
        chat, now = self._chat(chat_id), _now()
        wait = chat.wait(now)
        chat.take(now)
        if wait:
            await asyncio.sleep(wait)
        await self._my_turn(urgent=urgent)
        sent, answered = _now(), False
        try:
            yield
            answered = True
        finally:
            self._window.back(sent, _now(), answered=answered)
            self._let_through()

    def close_for(self, seconds: float) -> None:
        """Let nothing through for so long, as Telegram asked."""
        self._closed_until = max(self._closed_until, _now() + seconds)

    async def _my_turn(self, *, urgent: bool) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (not urgent, next(self._numbers), turn))
        self._let_through()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # it had just been let through, and will not go
                self._window.give_back()
                self._let_through()
            raise

    def _let_through(self) -> None:
        """Let those go who may go now, and look again when the next may."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        while self._waiting:
            now = _now()
            room = self._window.wait(now)
            if room is None:
                return
            if wait := max(self._even.wait(now), room, self._closed_until - now, 0.0):
                self._timer = asyncio.get_running_loop().call_later(wait, self._let_through)
                return
            _, _, turn = heapq.heappop(self._waiting)
            if not turn.done():  # nobody waits any more whose task was cancelled
                self._even.take(now)
                self._window.take()
                turn.set_result(None)

    def _chat(self, chat_id: int) -> Bucket:
        bucket = self._chats.pop(chat_id, None) or Bucket(self._per_chat, self._chat_burst)
        self._chats[chat_id] = bucket
        while len(self._chats) > CHATS_REMEMBERED:
            self._chats.popitem(last=False)
        return bucket
