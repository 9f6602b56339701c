"""Several processes on one PostgreSQL: each keeps a seat, the updates it took are its own, and one of them leads.

A seat is a connection held for as long as the process lives. Its advisory locks end with it, at once when the process
is killed, so that no clock has to agree with another and nothing has to run out.
"""

import asyncio
import os
import secrets
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from sqlalchemy import bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage.store import Store

SEATS, LEADS = 5_310_001, 5_310_002
"""The first halves of the advisory locks: of each seat, and of who leads for a bot."""

ANSWER_WITHIN = 2.0
"""Seconds that the database has to answer on a seat; later than that, the seat counts as lost."""

POSTED = "interlude_posted"
"""The channel on which a replica tells who leads that there is something to send."""

_LOCK = text("SELECT pg_try_advisory_lock(:kind, :number)").bindparams(bindparam("kind"), bindparam("number"))
_FREE = text(
    "UPDATE inbox SET claimed_by = NULL WHERE done_at IS NULL AND claimed_by IS NOT NULL AND claimed_by NOT IN "
    "(SELECT objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND classid::bigint = :seats AND objsubid = 2 "
    "AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))"
)
_NOTICE_A_LOST_PEER = (
    "SET tcp_keepalives_idle = 2",
    "SET tcp_keepalives_interval = 1",
    "SET tcp_keepalives_count = 2",
    "SET tcp_user_timeout = 4000",
)


class Seat:
    """A replica's place at the database. `number` marks the updates that it took."""

    def __init__(self, connection: AsyncConnection, number: int) -> None:
        self._connection = connection
        self.number = number

    async def lead(self, bot_id: int) -> bool:
        """Become the one who leads for a bot; False while another does."""
        return await self._locked(LEADS, bot_id % 2**31)

    async def look_after(self) -> None:
        """Give back what replicas had taken that are no more. Raises whatever tells that this seat is lost."""
        async with asyncio.timeout(ANSWER_WITHIN):
            await self._connection.execute(_FREE, {"seats": SEATS})

    async def tell_leader(self) -> None:
        """Have who leads look at what is to be sent."""
        async with asyncio.timeout(ANSWER_WITHIN):
            await self._connection.execute(text(f"NOTIFY {POSTED}"))

    async def _locked(self, kind: int, number: int) -> bool:
        async with asyncio.timeout(ANSWER_WITHIN):
            return bool((await self._connection.execute(_LOCK, {"kind": kind, "number": number})).scalar())


@asynccontextmanager
async def seated(store: Store, told: Callable[[], None]) -> AsyncIterator[Seat]:
    """Take a seat while the block lasts. `told` is called when a replica posted something."""
    connection = await store.engine.connect()
    try:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        for setting in _NOTICE_A_LOST_PEER:
            await connection.execute(text(setting))
        await connection.execute(text("SELECT set_config('application_name', :name, false)"), {"name": _own_name()})
        driver = (await connection.get_raw_connection()).driver_connection
        assert driver  # noqa: S101 - it was just connected
        await driver.add_listener(POSTED, lambda *_: told())
        seat = Seat(connection, secrets.randbelow(2**31 - 1) + 1)
        while not await seat._locked(SEATS, seat.number):  # noqa: SLF001 - two drew the same number
            seat.number = secrets.randbelow(2**31 - 1) + 1
        yield seat
    finally:
        await connection.invalidate()  # back in the pool, it would keep its locks
        await connection.close()


def _own_name() -> str:
    """Return what an operator sees in pg_stat_activity: which machine's process holds a lock."""
    return f"interlude {socket.gethostname()[:40]} {os.getpid()}"
