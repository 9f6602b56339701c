"""The clock that edges read: the machine's, or in the sandbox one that can be moved from outside."""

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import aiohttp


class Clock:
    """Tells the time in UTC. `moved` is set whenever it was moved."""

    def __init__(self) -> None:
        self.offset = timedelta(0)
        self.moved = asyncio.Event()

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        return datetime.now(UTC) + self.offset

    def move(self, offset: timedelta) -> None:
        """Set how far the clock is ahead of the machine's."""
        self.offset = offset
        self.moved.set()


async def follow(clock: Clock, url: str) -> None:
    """Keep the clock at the time of the sandbox at `url`, for ever; without an answer it stays as it is."""
    version = -1
    async with aiohttp.ClientSession() as session:
        while True:
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                async with session.get(f"{url}/sandbox/clock", params={"after": version, "timeout": 20}) as answer:
                    told = await answer.json()
                if told["version"] != version:
                    version = told["version"]
                    clock.move(timedelta(seconds=told["offset"]))
                continue
            await asyncio.sleep(1)


ENDS_WITHIN = 2.0
"""Seconds that a cancelled task has to put things back: a connection that it took must return before all are closed."""


async def ended(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancel the tasks and return when they have ended, or after a moment."""
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=ENDS_WITHIN)


async def first_of(*events: asyncio.Event, seconds: float) -> None:
    """Wait until one of the events is set, so long at most."""
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
