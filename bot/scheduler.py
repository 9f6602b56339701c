"""The timetable's ticks: a handful of jobs, each reads the clock and calls one service."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import aiohttp
import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from bot.clock import Clock, first_of
from bot.content.library import Content
from bot.headway import Headway
from bot.services import (
    alerts,
    clock_set_back,
    digests,
    erasure,
    follow_ups,
    handovers,
    practice,
    prompts,
    retention,
)
from bot.storage.store import Store

log = structlog.get_logger()

Service = Callable[[Store, Content, datetime], Awaitable[int]]

EVERY_SECONDS: dict[Service, float] = {
    alerts.alert_due: 1,
    digests.send_due: 1,
    practice.elapse: 1,
    prompts.deliver_due: 0.25,
    prompts.expire: 5,
    follow_ups.deliver_due: 5,
    handovers.hand_over: 10,
    prompts.remind: 5,
    prompts.replan: 30,
    erasure.scrub: 30,
    retention.remove_due: 30,
}
"""In the order in which they are caught up with when the clock was moved."""

LOOK_AT_CLOCK = 1.0
"""Seconds between two looks at whether the clock was moved."""

JUMP = timedelta(seconds=2)
"""A clock that differs by more from the time that really went by was set, or the machine slept."""

MOST_ROUNDS = 10_000
"""Rounds of one job in a row; past it, something gives the same work back again and again."""


class Every(IntervalTrigger):  # type: ignore[misc]  # APScheduler has no types
    """Fires at an interval, and once for all that a clock set forward leapt over.

    APScheduler counts every turn that was missed, while everything else waits: of one day there are half a million.
    """

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        """Return the next turn; after several missed ones that from now on."""
        late = previous_fire_time is not None and now - previous_fire_time > self.interval
        found: datetime | None = super().get_next_fire_time(None if late else previous_fire_time, now)
        return found


class Ticks:
    """Runs the jobs. One that fails is logged and runs again at its next turn."""

    def __init__(
        self, store: Store, content: Callable[[], Content], clock: Clock, headway: Headway, heartbeat_url: str = ""
    ) -> None:
        self._store = store
        self._content = content
        self._clock = clock
        self._headway = headway
        self._heartbeat_url = heartbeat_url
        self._locks = {service: asyncio.Lock() for service in EVERY_SECONDS}
        self._ahead = self._reckoned()

    async def run(self) -> None:
        """Tick for ever; at once whenever the clock was moved, by whom ever, or the machine slept."""
        self._headway.watch("scheduler", map(_name, EVERY_SECONDS))
        scheduler = AsyncIOScheduler(timezone="UTC", job_defaults={"coalesce": True, "misfire_grace_time": None})
        for service, seconds in EVERY_SECONDS.items():
            scheduler.add_job(self._work_off, Every(seconds=seconds, timezone=UTC), args=[service], id=_name(service))
        if self._heartbeat_url:
            scheduler.add_job(self._beat, Every(seconds=60, timezone=UTC), id="heartbeat")
        scheduler.start()
        try:
            await self._put_right()
            while True:
                await self.catch_up()
                if await self._moved() < -JUMP:
                    _tick_from_now(scheduler)
                    await self._put_right()
        finally:
            scheduler.shutdown(wait=False)

    async def catch_up(self) -> None:
        """Do all that is due, job by job."""
        for service in EVERY_SECONDS:
            await self._work_off(service)

    async def _moved(self) -> timedelta:
        """Wait until the clock was moved; return by how much."""
        while True:
            await first_of(self._clock.moved, seconds=LOOK_AT_CLOCK)
            asked, before = self._clock.moved.is_set(), self._ahead
            self._clock.moved.clear()
            self._ahead = self._reckoned()
            if asked or abs(self._ahead - before) > JUMP:
                return self._ahead - before

    def _reckoned(self) -> timedelta:
        """Return how far the clock is ahead of a time that nobody sets and that stops in sleep."""
        return self._clock.now() - datetime.fromtimestamp(time.monotonic(), UTC)

    async def _put_right(self) -> None:
        """Have nothing wait for a time that a wrong clock made up."""
        while True:
            try:
                await clock_set_back.put_right(self._store, self._content(), self._clock.now())
            except Exception:
                log.exception("what a wrong clock left behind could not be put right, trying again")
                await asyncio.sleep(LOOK_AT_CLOCK)
            else:
                return

    async def _work_off(self, service: Service) -> None:
        """Call a service until nothing is due."""
        async with self._locks[service]:
            try:
                for _ in range(MOST_ROUNDS):
                    worked = await service(self._store, self._content(), self._clock.now())
                    self._headway.made("scheduler", _name(service))
                    if not worked:
                        return
            except Exception:
                log.exception("a job failed", job=_name(service))

    async def _beat(self) -> None:
        """Tell the outside monitor that all is well: only after doing what is due, and while nothing is stalled."""
        await self.catch_up()
        if self._headway.stalled():
            return
        try:
            timeout = aiohttp.ClientTimeout(total=10)
            async with aiohttp.ClientSession(timeout=timeout) as session, session.get(self._heartbeat_url) as answer:
                answer.raise_for_status()
        except (aiohttp.ClientError, TimeoutError) as error:
            log.warning("the heartbeat was not taken", why=type(error).__name__)


def _tick_from_now(scheduler: AsyncIOScheduler) -> None:
    """Let each job run at once: it waits for a moment of the machine's clock that may be far ahead now."""
    for job in scheduler.get_jobs():
        job.modify(next_run_time=datetime.now(UTC))


def _name(service: Service) -> str:
    return f"{service.__module__}.{service.__qualname__}"
