"""The timetable's ticks: a handful of jobs, each reads the clock and calls one service."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

import aiohttp
import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot.clock import Clock
from bot.content.library import Content
from bot.headway import Headway
from bot.services import alerts, digests, erasure, follow_ups, handovers, practice, prompts, retention
from bot.storage.store import Store

log = structlog.get_logger()

Service = Callable[[Store, Content, datetime], Awaitable[int]]

EVERY_SECONDS: dict[Service, float] = {
    alerts.alert_due: 1,
    digests.send_due: 1,
    practice.elapse: 1,
    prompts.deliver_due: 1,
    prompts.expire: 5,
    follow_ups.deliver_due: 5,
    handovers.hand_over: 10,
    prompts.remind: 5,
    prompts.replan: 30,
    erasure.scrub: 30,
    retention.remove_due: 30,
}
"""In the order in which they are caught up with when the clock was moved."""

MOST_ROUNDS = 10_000
"""Rounds of one job in a row; past it, something gives the same work back again and again."""


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
        self._scheduler = AsyncIOScheduler(timezone="UTC", job_defaults={"coalesce": True, "misfire_grace_time": None})
        self._locks = {service: asyncio.Lock() for service in EVERY_SECONDS}

    async def run(self) -> None:
        """Tick for ever; at once whenever the clock was moved."""
        self._headway.watch("scheduler", map(_name, EVERY_SECONDS))
        for service, seconds in EVERY_SECONDS.items():
            self._scheduler.add_job(self._work_off, "interval", seconds=seconds, args=[service], id=_name(service))
        if self._heartbeat_url:
            self._scheduler.add_job(self._beat, "interval", seconds=60, id="heartbeat")
        self._scheduler.start()
        try:
            while True:
                await self.catch_up()
                await self._clock.moved.wait()
                self._clock.moved.clear()
        finally:
            self._scheduler.shutdown(wait=False)

    async def catch_up(self) -> None:
        """Do all that is due, job by job."""
        for service in EVERY_SECONDS:
            await self._work_off(service)

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


def _name(service: Service) -> str:
    return f"{service.__module__}.{service.__qualname__}"
