"""Durable updates a second through the whole stack, 64 in flight, against what somebody writes in an afternoon.

The bare way is aiogram's dispatcher and one SQLAlchemy transaction an update that reads who wrote and keeps the answer,
with a commit of its own and the same durability: no inbox, rules, encryption or reply. Ours commits the update to the
inbox first, then handles it, examines what was written, keeps it encrypted, and posts the reply.
"""

import asyncio
import itertools
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from aiogram import Bot, Dispatcher
from aiogram.types import Message
from pydantic import SecretStr
from sqlalchemy import event, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bench.answer import _update
from bench.population import FIRST, enrol
from bench.stage import postgres
from bench.table import Figure, Size
from bot.app import App, wired
from bot.config import Settings
from bot.content.live import LiveLibrary
from bot.sandbox import SandboxClient, serve
from bot.storage.migrate import upgrade
from bot.storage.store import Store
from bot.storage.tables import answers, new_id
from bot.storage.tables import members as members_table
from bot.storage.vault import Vault, new_key, read_keys

IN_FLIGHT = 64
CHATS = 128
SAID = "I sat on the balcony with my tea for a while"

Handled = Callable[[int, int], Awaitable[None]]
"""Has one update, by its number, of one chat handled; returns when it is durable and done."""


async def measure(size: Size) -> list[Figure]:
    figures = []
    with tempfile.TemporaryDirectory() as folder:
        figures += await _against("SQLite", f"sqlite+aiosqlite:///{folder}/bench.db", size)
    async with postgres() as url:
        figures += await _against("PostgreSQL", url, size)
    return figures


async def _against(database: str, url: str, size: Size) -> list[Figure]:
    count, rounds = size.pick(128, 512, 1024), size.pick(2, 5, 9)
    numbers = itertools.count(20_000_000)
    ours, theirs = [], []
    async with _whole(url) as whole, _bare(url) as bare:
        for handled in (whole, bare):
            await _rate(handled, 128, numbers)
        for _ in range(rounds):
            theirs.append(await _rate(bare, count, numbers))
            ours.append(await _rate(whole, count, numbers))
    ratio = median(one / other for one, other in zip(ours, theirs, strict=True))
    against = f"a bare transaction: {median(ours):.0f} against {median(theirs):.0f} a second"
    what = f"durable updates a second, {IN_FLIGHT} in flight, {database}"
    return [Figure(what=what, measured=ratio, unit="times", at_least=2, against=against)]


async def _rate(handled: Handled, count: int, numbers: itertools.count) -> float:
    """Return how many a second, kept at 64 in flight, each chat one at a time."""
    left = iter(range(count))

    async def worker(first: int) -> None:
        for turn in left:
            await handled(next(numbers), FIRST + first + IN_FLIGHT * (turn % (CHATS // IN_FLIGHT)))

    began = time.perf_counter()
    await asyncio.gather(*(worker(first) for first in range(IN_FLIGHT)))
    return count / (time.perf_counter() - began)


@asynccontextmanager
async def _whole(url: str) -> AsyncIterator[Handled]:
    """Interlude itself, wired as in earnest; what it posts is not sent meanwhile."""
    async with serve() as sandbox, SandboxClient(sandbox.url) as telegram:
        await telegram.add_bot("1:bench", "bench_bot")
        key = new_key("b")
        settings = Settings(
            _env_file=None,
            token=SecretStr("1:bench"),
            keys=SecretStr(key),
            database_url=url,
            telegram_url=sandbox.url,
            second_opinion="off",
        )
        store = Store(url, Vault(read_keys(key)))
        await upgrade(store)
        await enrol(store, CHATS, datetime.now(UTC))
        await store.close()
        async with wired(settings, LiveLibrary(Path("content"))) as app:
            seated = asyncio.create_task(app.replicas.run(_idly))  # on PostgreSQL nothing is taken without a seat
            working = asyncio.create_task(app.intake.work())
            yield _through(app)
            for task in (working, seated):
                while not task.done():  # one cancellation can be lost in the wait of an idle pump
                    task.cancel()
                    await asyncio.wait({task}, timeout=0.1)


async def _idly() -> None:
    """Lead, and neither send nor tick."""
    await asyncio.Event().wait()


def _through(app: App) -> Handled:
    waiting: dict[int, asyncio.Future[None]] = {}
    handle = app.intake.handle

    async def watched(update) -> None:
        await handle(update)
        waiting.pop(update.update_id).set_result(None)

    async def handled(number: int, chat: int) -> None:
        waiting[number] = asyncio.get_running_loop().create_future()
        done = waiting[number]
        await app.intake.keep([_update(number, chat, SAID)])
        await done

    app.intake.handle = watched
    return handled


@asynccontextmanager
async def _bare(url: str) -> AsyncIterator[Handled]:
    engine = _plain_engine(url)
    dispatcher, bot = Dispatcher(disable_fsm=True), Bot("1:bench")

    async def keep(message: Message) -> None:
        async with engine.begin() as connection:
            found = await connection.execute(select(members_table).where(members_table.c.person_id == message.chat.id))
            member = found.first()
            assert member
            row = {"id": new_id(), "member_id": member.id, "kind": "bare", "step": "", "at": datetime.now(UTC)}
            await connection.execute(insert(answers).values(**row, text_sealed=message.text.encode()))

    dispatcher.message.register(keep)

    async def handled(number: int, chat: int) -> None:
        await dispatcher.feed_update(bot, _update(number, chat, SAID))

    try:
        yield handled
    finally:
        await engine.dispose()


def _plain_engine(url: str) -> AsyncEngine:
    """As many connections as ours on PostgreSQL; on SQLite one, since several only get in each other's way."""
    if not url.startswith("sqlite"):
        return create_async_engine(url, pool_size=10, max_overflow=10)
    engine = create_async_engine(url, pool_size=1, max_overflow=0, pool_timeout=60)

    @event.listens_for(engine.sync_engine, "connect")
    def as_durable(connection, _record) -> None:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=15000"):
            connection.execute(f"PRAGMA {pragma}")

    return engine
