"""The store: transactions that commit once or not at all, one writer at a time on SQLite, in groups under load."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Executable, bindparam, event, text, update
from sqlalchemy.engine import CursorResult, Dialect, make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import QueuePool

from bot.storage import one_trip
from bot.storage.group_commit import GroupCommit, in_this_thread
from bot.storage.tables import FORGOTTEN, Row, inbox
from bot.storage.vault import Vault

SQLITE_BUSY_MS = 15_000

PRAGMAS = (
    f"busy_timeout={SQLITE_BUSY_MS}",
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "temp_store=MEMORY",
    "secure_delete=ON",
)
"""How each connection to SQLite is set up: what is committed is on the disk, what is deleted is overwritten."""

BACK_WITHIN = 2.0
"""Seconds that connections have to come back before the store is closed: who was cancelled still undoes what it did."""

_CHATS_TURN = text("SELECT pg_advisory_xact_lock(5310003, hashint8(chat_id)) FROM inbox WHERE update_id = :update_id")
"""Telegram may bring two updates of one chat to two replicas at once: they are answered one after the other."""

_SETTLING = (
    update(inbox)
    .where(inbox.c.update_id == bindparam("settled"), inbox.c.done_at.is_(None))
    .values(done_at=bindparam("now"), payload_sealed=FORGOTTEN, chat_id=0)
)


class AlreadyDone(Exception):
    """The update was handled before: nothing is to be done again."""


class Unavailable(Exception):
    """The database cannot be used. The message says what to do."""


class Tx:
    """One transaction. Queries take it; only the store commits it.

    `posts` counts what was added to the outbox, `pages` the pages; who sends them is woken after the commit.
    `before_commit` is done as the last of the transaction.
    """

    def __init__(self, connection: AsyncConnection, vault: Vault) -> None:
        self.connection = connection
        self.vault = vault
        self.posts = 0
        self.pages = 0
        self.before_commit: list[Callable[[], Awaitable[None]]] = []

    async def finish(self) -> None:
        """Do what was left for the end."""
        while self.before_commit:
            await self.before_commit.pop(0)()

    @property
    def dialect(self) -> Dialect:
        return self.connection.dialect

    async def run(
        self, statement: Executable, rows: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None
    ) -> CursorResult[Any]:
        """Execute and return the result."""
        result: CursorResult[Any] = await self.connection.execute(statement, rows)
        return result

    async def one(self, statement: Executable, values: Mapping[str, Any] | None = None) -> Row | None:
        """Return the first row or None."""
        return (await self.run(statement, values)).first()

    async def all(self, statement: Executable, values: Mapping[str, Any] | None = None) -> Sequence[Row]:
        """Return all rows."""
        return (await self.run(statement, values)).all()

    async def alive(self) -> bool:
        """Return whether the database answers; whatever it raises otherwise is the caller's."""
        return bool(await self.value(text("SELECT 1")))

    async def value(self, statement: Executable) -> Any:  # noqa: ANN401 - the column's own type
        """Return the first column of the first row, None where there is none."""
        return (await self.run(statement)).scalar()


class Store:
    """A database, and the waking of who waits for what a transaction posted."""

    def __init__(self, url: str, vault: Vault) -> None:
        self.url = url
        self.vault = vault
        self.sqlite = make_url(url).get_backend_name() == "sqlite"
        self.posted = asyncio.Event()
        self.paged = asyncio.Event()
        self._writer = _engine(url, writes=True)
        self._reader = _engine(url, writes=False) if self.sqlite else self._writer
        self._group = GroupCommit(self._writer) if self.sqlite else None

    @property
    def engine(self) -> AsyncEngine:
        return self._writer

    @asynccontextmanager
    async def begin(
        self, *, settles: int | None = None, now: datetime | None = None, brief: bool = False
    ) -> AsyncIterator[Tx]:
        """Open a transaction that commits when the block ends well, and is undone when it raises.

        `settles` is the id of the update that this transaction answers, `now` when: both become true together or not
        at all. Raises AlreadyDone when the update was answered before. `brief` is one that, as what settles an update,
        finds a few rows by an index.
        """
        brief = brief or settles is not None
        async with self._group.transaction(brief=brief) if self._group else self._writer.begin() as connection:
            tx = Tx(connection, self.vault)
            if settles is not None:
                await _settle(tx, settles, now)
            yield tx
            await tx.finish()
        if tx.posts:
            self.posted.set()
        if tx.pages:
            self.paged.set()

    @asynccontextmanager
    async def read(self, *, brief: bool = False) -> AsyncIterator[Tx]:
        """Open a transaction for reading; it sees one state of the database and never waits for writers.

        `brief` is one that finds a few rows by an index.
        """
        async with self._reader.connect() as connection:
            if brief and self.sqlite:
                with await in_this_thread(connection):
                    yield Tx(connection, self.vault)
                    await connection.rollback()
            else:
                yield Tx(connection, self.vault)

    async def scrub(self, *, largest: int | None = None) -> bool:
        """Have nothing of what was deleted readable in SQLite's files; False when that could not be done now.

        Deleted bytes are overwritten as they go (`secure_delete`), but the log still holds them, and so may pages that
        were divided earlier: the file is written anew. One larger than `largest` bytes is not: writers would wait too
        long, and `interlude db scrub` does it at a quiet time. PostgreSQL sees to it by itself, with its vacuum.
        """
        if self._group is None:
            return True
        async with self._group.alone(), self._writer.connect() as connection:
            driver = (await connection.get_raw_connection()).driver_connection
            assert driver  # noqa: S101 - it was just connected
            (pages,), (size,) = [await _pragma(driver, name) for name in ("page_count", "page_size")]
            if small := largest is None or pages * size <= largest:
                await driver.execute("VACUUM")
            busy, *_ = await _pragma(driver, "wal_checkpoint(TRUNCATE)")
        return small and not busy

    async def close(self) -> None:
        """Give back all connections, once nobody uses one any more or after a moment."""
        for engine in {self._writer, self._reader}:
            with suppress(TimeoutError):
                async with asyncio.timeout(BACK_WITHIN):
                    await _all_back(engine)
            await engine.dispose()


async def _all_back(engine: AsyncEngine) -> None:
    pool = engine.pool
    while isinstance(pool, QueuePool) and pool.checkedout():  # noqa: ASYNC110 - a pool wakes nobody
        await asyncio.sleep(0.01)


async def _settle(tx: Tx, update_id: int, now: datetime | None) -> None:
    if tx.dialect.name == "postgresql":
        await tx.run(_CHATS_TURN, {"update_id": update_id})
    settled = await tx.run(_SETTLING, {"settled": update_id, "now": now})
    if settled.rowcount == 0:
        raise AlreadyDone(update_id)


def _engine(url: str, *, writes: bool) -> AsyncEngine:
    if make_url(url).get_backend_name() != "sqlite":
        return create_async_engine(url, pool_size=10, max_overflow=10, pool_pre_ping=True)
    engine = create_async_engine(
        url,
        pool_size=1 if writes else 4,
        max_overflow=0,
        pool_timeout=60,
        connect_args={"async_creator_fn": partial(one_trip.connect, pragmas=PRAGMAS)},
    )
    begin = "BEGIN IMMEDIATE" if writes else "BEGIN"
    event.listen(engine.sync_engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine


async def _pragma(driver: Any, name: str) -> tuple[int, ...]:  # noqa: ANN401 - the driver's own
    async with driver.execute(f"PRAGMA {name}") as cursor:
        found: tuple[int, ...] = await cursor.fetchone()
    return found
