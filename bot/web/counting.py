"""Figures that span days: counted every five minutes at most, by a task that goes on when a scrape gives up waiting."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from bot.storage.figures import OverDays, gathered_over_days
from bot.storage.store import Store

COUNTED_EVERY = timedelta(minutes=5)
TOLD_FOR = timedelta(hours=1)
"""What was counted longer ago is not told any more: no figure is better than one that looks like today's."""
WAIT_FOR = 2.0
"""Seconds that a scrape waits for a count; what it brings later is told from the next scrape on."""
COUNT_WITHIN = 120.0
"""Seconds after which a count is given up."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class DayFigures:
    """What was counted last (None: nothing, or too long ago), its age, and whether the last try failed."""

    figures: OverDays | None
    age: timedelta
    failed: bool


class Counting:
    """Counts what spans days, one count at a time, and remembers what came out."""

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now
        self._figures: OverDays | None = None
        self._counted_at: datetime | None = None
        self._failed = False
        self._count: asyncio.Task[None] | None = None

    async def given(self) -> DayFigures:
        """Return the figures; those of five minutes ago are counted anew, which is waited for a moment."""
        if self._counted_at is None or not timedelta(0) <= self._now() - self._counted_at < COUNTED_EVERY:
            if self._count is None or self._count.done():
                self._count = asyncio.create_task(self._counted())
            await asyncio.wait([self._count], timeout=WAIT_FOR)
        age = self._now() - self._counted_at if self._counted_at else timedelta(0)
        return DayFigures(figures=self._figures if age < TOLD_FOR else None, age=age, failed=self._failed)

    async def aclose(self) -> None:
        """Give up a count that is under way."""
        if self._count and self._count.cancel():
            with contextlib.suppress(asyncio.CancelledError):
                await self._count

    async def _counted(self) -> None:
        """Count; a failure is remembered until a count succeeds, and tried again at the next scrape."""
        now = self._now()
        try:
            async with asyncio.timeout(COUNT_WITHIN), self._store.read() as tx:
                figures = await gathered_over_days(tx, now)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with it, the other figures are told
            self._failed = True
            log.warning("figures over days could not be counted", why=type(error).__name__)
            return
        self._figures, self._counted_at, self._failed = figures, now, False
