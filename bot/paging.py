"""The pump of pages: takes what is ready, sends it by each channel, and settles it; many channels at once."""

import asyncio
import contextlib
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import structlog

from bot import addresses
from bot.addresses import Failure
from bot.clock import Clock, first_of
from bot.content.library import Content
from bot.headway import Headway
from bot.services import alerts
from bot.services import channels as service
from bot.storage import channels
from bot.storage.channels import Letter, Page
from bot.storage.reach import FAILING
from bot.storage.store import Store
from bot.storage.vault import Unreadable

log = structlog.get_logger()

AT_ONCE = 100
"""Channels that are written to at the same time, each in a thread that mostly waits."""

LOOK_AGAIN = 1.0
"""Seconds after which the pages are looked at even when nobody woke us."""

LIMIT = 30.0
"""Seconds that one try may take."""

FORGET_AFTER = 300.0
"""Seconds after which a try that still runs counts for nothing, and another begins beside it."""

LONGEST_WAIT = 60.0
"""Seconds between two tries at most."""

MOST_ATTEMPTS = 12
"""Tries of a page that is not red; a red one is tried for ever."""

Send = Callable[[str, str, str], Failure | None]


@dataclass(frozen=True, slots=True)
class Try:
    """A try that was begun, on the loop's clock; its thread goes on even when nobody waits for it any more."""

    began: float
    outcome: asyncio.Future[Failure | None]


class Paging:
    """Sends the pages that are ready, until it is cancelled."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        headway: Headway,
        content: Callable[[], Content],
        send: Send = addresses.send,
    ) -> None:
        self._store = store
        self._clock = clock
        self._headway = headway
        self._content = content
        self._send = send
        self._busy: dict[int, asyncio.Task[None]] = {}
        self._tries: dict[int, Try] = {}
        self._unsettled: set[int] = set()
        self._freed = asyncio.Event()

    async def run(self) -> None:
        """Pump for ever."""
        self._headway.watch("pager")
        try:
            while True:
                await self._once()
        finally:
            for task in self._busy.values():
                task.cancel()

    async def _once(self) -> None:
        self._store.paged.clear()
        self._freed.clear()
        pages = await self._ready()
        for page in pages:
            task = asyncio.create_task(self._handle(page))
            self._busy[page.channel_id] = task
            task.add_done_callback(partial(self._free, page.channel_id))
        if not pages or len(self._busy) >= AT_ONCE:
            await first_of(self._store.paged, self._freed, seconds=LOOK_AGAIN)

    async def _ready(self) -> tuple[Page, ...]:
        room = AT_ONCE - len(self._busy)
        try:
            async with self._store.read() as tx:
                found = await channels.ready(tx, self._clock.now(), busy=frozenset(self._busy), limit=room)
        except Exception:
            log.exception("the pages cannot be read")
            await asyncio.sleep(LOOK_AGAIN)
            return ()
        self._headway.made("pager")
        return found

    def _free(self, channel_id: int, _: asyncio.Task[None]) -> None:
        self._busy.pop(channel_id, None)
        self._freed.set()

    async def _handle(self, page: Page) -> None:
        try:
            await self._deliver(page)
        except Exception:
            log.exception("a page could not be settled", page_id=page.id)
            await asyncio.sleep(LOOK_AGAIN)

    async def _deliver(self, page: Page) -> None:
        if page.id in self._unsettled:  # it went out, only that could not be kept: not again
            await self._settle(page, "sent")
        elif page.stale:
            await self._settle(page, "dropped", page.stale)
        elif failure := await self._attempt(page):
            await self._failed(page, failure)
        else:
            self._unsettled.add(page.id)
            await self._settle(page, "sent")

    async def _attempt(self, page: Page) -> Failure | None:
        """Return why a page did not go out, None when it did; a try that took too long before may have ended since."""
        loop = asyncio.get_running_loop()
        running = self._tries.get(page.id)
        if running is None or loop.time() - running.began > FORGET_AFTER:
            try:
                async with self._store.read() as tx:
                    letter = await channels.letter(tx, page.id)
            except Unreadable:
                return "bad-address"
            running = self._tries[page.id] = Try(began=loop.time(), outcome=self._begun(letter))
        await asyncio.wait([running.outcome], timeout=LIMIT)
        if not running.outcome.done():
            return "too-slow"
        del self._tries[page.id]
        return running.outcome.result()

    def _begun(self, letter: Letter) -> "asyncio.Future[Failure | None]":
        """Send in a thread of its own: Apprise's own few threads are all taken when one server is slow."""
        loop = asyncio.get_running_loop()
        outcome: asyncio.Future[Failure | None] = loop.create_future()

        def work() -> None:
            failure = self._send(letter.address, letter.title, letter.body)
            with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
                loop.call_soon_threadsafe(_settled, outcome, failure)

        threading.Thread(target=work, name="page", daemon=True).start()
        return outcome

    async def _settle(self, page: Page, state: str, error: str = "") -> None:
        async with self._store.begin() as tx:
            await channels.settle(tx, page.id, state, self._clock.now(), error)
        self._unsettled.discard(page.id)
        self._tries.pop(page.id, None)

    async def _failed(self, page: Page, failure: Failure) -> None:
        now, attempts = self._clock.now(), page.attempts + 1
        log.warning("a page did not go out", page_id=page.id, why=failure, attempts=attempts)
        wait = min(2.0 ** min(attempts, 10) * (1 + random.random() / 4), LONGEST_WAIT)
        async with self._store.begin() as tx:
            if attempts >= MOST_ATTEMPTS and page.level != "red":
                await channels.settle(tx, page.id, "failed", now, failure)
            else:
                await channels.try_again(tx, page.id, now + timedelta(seconds=wait), failure)
            if attempts == FAILING:
                await service.tell_failing(tx, self._content(), page.channel_id, failure, now)
                await alerts.page_unreachable(tx, self._content(), page.id, now)


def _settled(outcome: "asyncio.Future[Failure | None]", failure: Failure | None) -> None:
    if not outcome.done():
        outcome.set_result(failure)
