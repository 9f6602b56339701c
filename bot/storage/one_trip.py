"""aiosqlite with one trip to its thread a statement: by itself it goes there to open, run, fetch from and close one.

What is brief needs no trip at all: a row found by its key takes some 20 microseconds, the way to a thread and back
hundreds, and thousands when the event loop is busy and each thread waits for the other's turn.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Self, TypeVar

import aiosqlite

Done = TypeVar("Done")


class Cursor:
    """Runs statements; what they return is fetched in the same trip."""

    arraysize = 1

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection
        self._rows: list[Any] = []
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, sql: str, parameters: Iterable[Any] = ()) -> Self:
        """Run one statement."""
        await self._connection.trip(self._run, sqlite3.Cursor.execute, sql, parameters)
        return self

    async def executemany(self, sql: str, parameters: Iterable[Iterable[Any]]) -> Self:
        """Run one statement for each row of parameters."""
        await self._connection.trip(self._run, sqlite3.Cursor.executemany, sql, parameters)
        return self

    async def fetchall(self) -> list[Any]:
        """Return all rows that were not fetched yet."""
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        """Nothing is open between trips."""

    def _run(self, run: Any, sql: str, parameters: Any) -> None:  # noqa: ANN401 - the driver's own
        cursor = self._connection.driver.cursor()
        try:
            run(cursor, sql, parameters)
            self.description, self.rowcount, self.lastrowid = cursor.description, cursor.rowcount, cursor.lastrowid
            self._rows = cursor.fetchall() if cursor.description else []
        finally:
            cursor.close()


class Connection(aiosqlite.Connection):
    """A connection whose cursors need one trip."""

    def __init__(self, connector: Callable[[], sqlite3.Connection]) -> None:
        super().__init__(connector, iter_chunk_size=64)
        self._thread.daemon = True  # a program that ends waits for nobody's query
        self._brief = False

    def cursor(self) -> Cursor:  # type: ignore[override]  # what SQLAlchemy asks of one is there
        return Cursor(self)

    @property
    def driver(self) -> sqlite3.Connection:
        """The connection of the standard library, to be used in its own thread. Raises ValueError once closed."""
        return self._conn

    @contextmanager
    def brief(self) -> Iterator[None]:
        """Run statements in the caller's thread meanwhile; only what finds few rows by an index and waits for no lock.

        To begin, to commit and to roll back writes (what waits for locks and disks) stands outside of it.
        """
        self._brief = True
        try:
            yield
        finally:
            self._brief = False

    async def rollback(self) -> None:
        """Roll back, where the statements were run."""
        await self.trip(self.driver.rollback)

    async def trip(self, function: Any, *given: Any) -> Any:  # noqa: ANN401 - whatever it returns
        """Call a function in the connection's thread. Raises what it raises, ValueError once closed."""
        if self._brief:
            return function(*given)
        return await self._execute(function, *given)

    async def _execute(self, fn: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as aiosqlite has it
        if not self._running:
            raise ValueError("Connection closed")
        return await self._there(partial(fn, *args, **kwargs))

    async def _connect(self) -> Self:
        try:
            await self._there(self._open)
        except BaseException:
            if stopped := self.stop():
                await asyncio.wait([stopped])
            raise
        return self

    def _open(self) -> None:
        self._connection = self._connector()

    async def _there(self, function: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever it returns
        """Call in the thread, to the end: nobody else may meet the connection half-way."""
        done = asyncio.get_running_loop().create_future()
        self._tx.put_nowait((done, function))
        return await to_its_end(done)


async def to_its_end(work: "asyncio.Future[Done]") -> Done:
    """Return what comes of the work, or raise it. Who is cancelled meanwhile leaves once it is done."""
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait([work])
        raise


def connect(database: str, *, pragmas: Sequence[str] = (), **known: Any) -> Connection:  # noqa: ANN401 - sqlite3's own
    """Return a connection, to be awaited: SQLAlchemy's `async_creator_fn`. It begins no transaction by itself."""

    def opened() -> sqlite3.Connection:
        driver: sqlite3.Connection = sqlite3.connect(
            database, **known | {"check_same_thread": False, "isolation_level": None}
        )
        try:
            for pragma in pragmas:
                driver.execute(f"PRAGMA {pragma}")
        except BaseException:
            driver.close()
            raise
        return driver

    return Connection(opened)
