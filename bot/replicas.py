"""Which of several processes on one database sends and ticks: one leads, and another takes over when it is gone."""

import asyncio
from collections.abc import Callable, Coroutine

import structlog

from bot.clock import first_of
from bot.headway import Headway, Part
from bot.storage.replicas import Seat, seated
from bot.storage.store import Store

log = structlog.get_logger()

LOOK_EVERY = 1.0
"""Seconds between two looks whether the seat holds and whether somebody must take over."""

LED: tuple[Part, ...] = ("polling", "scheduler", "sender", "pager")
"""The parts that only who leads runs."""

Duty = Callable[[], Coroutine[None, None, None]]


class Replicas:
    """Keeps this process's seat, and runs `lead` while it leads. On SQLite a process is alone and always leads."""

    def __init__(self, store: Store, headway: Headway, bot_id: int) -> None:
        self._store = store
        self._headway = headway
        self._bot_id = bot_id
        self._leading: asyncio.Task[None] | None = None
        self.seat: int | None = None

    @property
    def leads(self) -> bool:
        return self._leading is not None

    async def run(self, lead: Duty) -> None:
        """Take part until cancelled; raises what `lead` raises, or what tells that the seat was lost."""
        if self._store.sqlite:
            await self._while_leading(lead)
            return
        try:
            async with seated(self._store, self._told) as seat:
                await self._take_part(seat, lead)
        finally:
            self.seat = None
            await self._step_down()

    async def _take_part(self, seat: Seat, lead: Duty) -> None:
        while True:
            await seat.look_after()
            self.seat = seat.number
            if self._leading is None and await seat.lead(self._bot_id):
                log.info("this process leads: it sends, ticks and asks for updates")
                self._leading = asyncio.create_task(lead())
            await self._until_next_look(seat)

    async def _until_next_look(self, seat: Seat) -> None:
        """Wait; tell who leads of what was posted here meanwhile."""
        if self._leading:
            await asyncio.wait([self._leading], timeout=LOOK_EVERY)
            if self._leading.done():
                self._leading.result()
            return
        await first_of(self._store.posted, seconds=LOOK_EVERY)
        if self._store.posted.is_set():
            self._store.posted.clear()
            await seat.tell_leader()

    async def _while_leading(self, lead: Duty) -> None:
        self._leading = asyncio.create_task(lead())
        try:
            await self._leading
        finally:
            await self._step_down()

    async def _step_down(self) -> None:
        if leading := self._leading:
            leading.cancel()
            await asyncio.gather(leading, return_exceptions=True)
            self._leading = None
            self._headway.leave(LED)

    def _told(self) -> None:
        self._store.posted.set()
        self._store.paged.set()
