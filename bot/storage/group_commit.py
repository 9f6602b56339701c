"""One writer at a time on SQLite; who waits for a turn shares a commit, and each is still done or undone alone."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass, field

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.storage.one_trip import Connection, to_its_end

MOST = 64
"""Transactions that share one commit at most."""

LONGEST = 0.02
"""Seconds after which a commit is not put off any more for who waits."""


class GroupLost(Exception):
    """The commit that this transaction shared failed: nothing of it is kept, and it may be tried again."""


@dataclass(slots=True)
class _Group:
    """Transactions that are committed together; `kept` becomes True then, False when all of them are lost."""

    connection: AsyncConnection
    opened_at: float = field(default_factory=time.monotonic)
    kept: "asyncio.Future[bool]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    size: int = 0


class GroupCommit:
    """Transactions of one SQLite connection, one after another, committed in groups.

    A block that raises is undone by itself (a savepoint); whoever leaves a block well goes on only after the commit
    that holds its work, so that what was true for a commit of its own stays true.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._group: _Group | None = None
        self._left_over: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def transaction(self, *, brief: bool = False) -> AsyncIterator[AsyncConnection]:
        """Open a transaction in the present group. Raises GroupLost when the group could not be committed.

        The statements of a `brief` one are run in this thread.
        """
        async with self._my_turn():
            group = self._group = self._group or await self._open()
            try:
                with await in_this_thread(group.connection) if brief else nullcontext():
                    async with _undone_alone(group):
                        yield group.connection
            except BaseException:
                await to_its_end(asyncio.ensure_future(self._after_failure(group)))
                raise
            group.size += 1
            if self._is_full(group):
                await to_its_end(asyncio.ensure_future(self._commit(group)))
        if not await asyncio.shield(group.kept):
            raise GroupLost

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Keep all writers out; nothing waits for its commit meanwhile."""
        async with self._turn:
            if self._group:
                await self._commit(self._group)
            yield

    @asynccontextmanager
    async def _my_turn(self) -> AsyncIterator[None]:
        self._waiting += 1
        try:
            await self._turn.acquire()
        except BaseException:
            self._waiting -= 1
            if self._group and not self._waiting:
                self._left_over = asyncio.ensure_future(self._commit_left_over())
            raise
        self._waiting -= 1
        try:
            yield
        finally:
            self._turn.release()

    async def _commit_left_over(self) -> None:
        """Commit for those who left it to somebody who waited, when nobody comes any more."""
        async with self._turn:
            if self._group and not self._waiting:
                await self._commit(self._group)

    async def _open(self) -> _Group:
        connection = await self._engine.connect()
        try:
            await connection.begin()
        except BaseException:
            await connection.close()
            raise
        return _Group(connection)

    def _is_full(self, group: _Group) -> bool:
        return not self._waiting or group.size >= MOST or time.monotonic() - group.opened_at > LONGEST

    async def _after_failure(self, group: _Group) -> None:
        """Keep what others did before in this group; all is lost when the failure took the whole transaction along."""
        if not group.size or not await _stands(group.connection):
            await self._lose(group)
        elif self._is_full(group):
            with suppress(SQLAlchemyError):  # the others are told by their group
                await self._commit(group)

    async def _commit(self, group: _Group) -> None:
        self._group = None
        try:
            await group.connection.commit()
        except BaseException:
            await self._lose(group)
            raise
        group.kept.set_result(True)
        await group.connection.close()

    async def _lose(self, group: _Group) -> None:
        self._group = None
        group.kept.set_result(False)
        with suppress(SQLAlchemyError):
            await group.connection.rollback()
        await group.connection.close()


async def in_this_thread(connection: AsyncConnection) -> AbstractContextManager[None]:
    """Return what has the statements of a SQLite connection run without a trip to its own thread."""
    driver = (await connection.get_raw_connection()).driver_connection
    assert isinstance(driver, Connection)  # noqa: S101 - as the engine was made
    return driver.brief()


@asynccontextmanager
async def _undone_alone(group: _Group) -> AsyncIterator[None]:
    """Undo only this block when it raises; the first of a group needs no savepoint, all that is there is its own."""
    if not group.size:
        yield
        return
    async with group.connection.begin_nested():
        yield


async def _stands(connection: AsyncConnection) -> bool:
    """Return whether the transaction is still open: a full disk may have had SQLite undo the whole of it."""
    try:
        driver = (await connection.get_raw_connection()).driver_connection
        return bool(driver and driver.in_transaction)
    except SQLAlchemyError:
        return False
