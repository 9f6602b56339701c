"""Settling messages: all that wait for it share one transaction."""

import asyncio

from bot.clock import Clock
from bot.storage import outbox
from bot.storage.outbox import Outcome
from bot.storage.store import Store

Waiting = tuple[Outcome, asyncio.Future[None]]

BRIEF = 32
"""So many are settled in a few thousandths of a second, and more than the trip to a thread would take."""


class Settling:
    """Keeps what became of messages. While one transaction runs the next ones gather."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._waiting: list[Waiting] = []
        self._work: asyncio.Task[None] | None = None

    async def settle(self, outcome: Outcome) -> None:
        """Return when it is committed. Raises what kept it from that."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((outcome, done))
        if not self._work or self._work.done():
            self._work = asyncio.create_task(self._work_off())
        await done

    async def _work_off(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            if await self._failure(batch) is None:
                _tell(batch, None)
            else:  # one of them may be why: each has its own try, and hears of its own failure
                for one in batch:
                    _tell([one], await self._failure([one]))

    async def _failure(self, batch: list[Waiting]) -> BaseException | None:
        (failure,) = await asyncio.gather(self._commit(batch), return_exceptions=True)
        return failure

    async def _commit(self, batch: list[Waiting]) -> None:
        async with self._store.begin(brief=len(batch) <= BRIEF) as tx:
            await outbox.settle_all(tx, [outcome for outcome, _ in batch], self._clock.now())


def _tell(batch: list[Waiting], failure: BaseException | None) -> None:
    for _, done in batch:
        if done.done():
            continue  # who waited was cancelled
        if failure is None:
            done.set_result(None)
        else:
            done.set_exception(failure)
