"""The whole way of an answer, from the inbox to the commit, against a bare aiogram and SQLAlchemy transaction.

The bare way has the same number of transactions and statements on the same database: keep the update, read who wrote,
then read and write what the answer needs; no rule, no encryption, no text.
"""

import asyncio
import gc
import itertools
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from aiogram import Bot, Dispatcher
from aiogram.types import Chat, Message, Update, User
from pydantic import SecretStr
from sqlalchemy import event, insert, select, update

from bench.table import Figure, Size
from bot.app import App, wired
from bot.config import Settings
from bot.content.live import LiveLibrary
from bot.sandbox import SandboxClient, serve
from bot.services.enrolment import invite
from bot.storage import inbox, people
from bot.storage.migrate import upgrade
from bot.storage.store import Store
from bot.storage.tables import answers, new_id, runs
from bot.storage.tables import inbox as inbox_table
from bot.storage.tables import members as members_table
from bot.storage.tables import people as people_table
from bot.storage.vault import Vault, new_key, read_keys

SAID = ("/checkin", "6", "4", "1", "1", "no", "yes", "7", "yes", "yes, and it helped", "all is well today")
"""A whole check-in, typed: no tap, so that nothing goes to Telegram on the way."""


@dataclass
class Statements:
    """Counts what a store executes."""

    reads: int = 0
    writes: int = 0

    def watch(self, store: Store) -> None:
        for engine in {store._writer, store._reader}:
            event.listen(engine.sync_engine, "before_cursor_execute", self._count)

    def _count(self, _connection, _cursor, statement: str, *_rest) -> None:
        if statement.startswith("SELECT"):
            self.reads += 1
        elif not statement.startswith(("BEGIN", "PRAGMA")):
            self.writes += 1


async def measure(size: Size) -> list[Figure]:
    rounds = size.pick(5, 40, 40)
    async with _stage() as (app, chat):
        numbers = itertools.count(10_000_000)
        counted = Statements()
        counted.watch(app.store)
        await _whole(app, chat, numbers)
        counted.reads = counted.writes = 0
        await _whole(app, chat, numbers)
        reads, writes = counted.reads / len(SAID), counted.writes / len(SAID)
        bare = _bare_dispatcher(app.store, round(reads), round(writes))
        ours, theirs = [], []
        for _ in range(rounds):
            theirs.append(await _timed(lambda: _bare(app, bare, chat, numbers)))
            ours.append(await _timed(lambda: _whole(app, chat, numbers)))
    ratio = median(one / other for one, other in zip(ours, theirs, strict=True))
    against = f"a bare transaction with {reads:.1f} reads and {writes:.1f} writes an answer"
    return [Figure(what="the way of an answer", measured=ratio, unit="times", at_most=1.5, against=against)]


@asynccontextmanager
async def _stage() -> AsyncIterator[tuple[App, int]]:
    with tempfile.TemporaryDirectory() as folder:
        async with serve() as sandbox, SandboxClient(sandbox.url) as telegram:
            await telegram.add_bot("1:bench", "bench_bot")
            settings = Settings(
                _env_file=None,
                token=SecretStr("1:bench"),
                keys=SecretStr(new_key("b")),
                database_url=f"sqlite+aiosqlite:///{folder}/bench.db",
                telegram_url=sandbox.url,
                second_opinion="off",
            )
            store = Store(settings.database_url, Vault(read_keys(settings.keys.get_secret_value())))
            await upgrade(store)
            await store.close()
            async with wired(settings, LiveLibrary(Path("content"))) as app:
                yield app, await _participant(app)


async def _participant(app: App) -> int:
    now, content = datetime.now(UTC), app.library.content
    token = await invite(app.store, content, programme="adult-evening", role="participant", now=now)
    chat = 4711
    numbers = itertools.count(1)
    await _said(app, chat, f"/start {token}", numbers)
    async with app.store.begin() as tx:
        person = await people.person_by_telegram(tx, chat)
        assert person
        (member,) = await people.memberships(tx, person.id)
        await people.change_member(tx, member.id, standing="active", began=now.date())
    return chat


async def _whole(app: App, chat: int, numbers: itertools.count) -> None:
    for text in SAID:
        await _said(app, chat, text, numbers)


async def _said(app: App, chat: int, text: str, numbers: itertools.count) -> None:
    arrived = _update(next(numbers), chat, text)
    await app.intake.keep([arrived])
    async with app.store.read() as tx:
        (waiting,) = await inbox.waiting(tx, app.clock.now(), busy=frozenset(), limit=64)
    await app.intake.handle(waiting)


def _update(number: int, chat: int, text: str) -> Update:
    sender = User(id=chat, is_bot=False, first_name="Robin")
    message = Message(
        message_id=number,
        date=datetime.now(UTC),
        chat=Chat(id=chat, type="private"),
        from_user=sender,
        text=text,
        entities=[{"type": "bot_command", "offset": 0, "length": len(text.split(maxsplit=1)[0])}]
        if text[0] == "/"
        else None,
    )
    return Update(update_id=number, message=message)


def _bare_dispatcher(store: Store, reads: int, writes: int) -> tuple[Dispatcher, Bot]:
    """A dispatcher whose one handler reads and writes so often, in one read and one write transaction."""
    dispatcher = Dispatcher(disable_fsm=True)
    inside = max(0, reads - 3)

    async def handle(message: Message) -> None:
        async with store.read() as tx:
            await tx.one(select(people_table).where(people_table.c.telegram_id == message.chat.id))
            await tx.all(select(members_table).limit(5))
        async with store.begin() as tx:
            member = await tx.one(select(members_table).limit(1))
            for _ in range(inside - 1):
                await tx.one(select(runs).where(runs.c.id == 1))
            now = datetime.now(UTC)
            await tx.run(
                insert(answers).values(
                    id=new_id(), member_id=member.id, kind="bare", step="", text_sealed=b"x" * 60, at=now
                )
            )
            for _ in range(writes - 2):
                await tx.run(
                    update(inbox_table).where(inbox_table.c.update_id == message.message_id).values(done_at=now)
                )

    dispatcher.message.register(handle)
    return dispatcher, Bot("1:bench")


async def _bare(app: App, bare: tuple[Dispatcher, Bot], chat: int, numbers: itertools.count) -> None:
    dispatcher, bot = bare
    for text in SAID:
        arrived = _update(next(numbers), chat, text)
        now = datetime.now(UTC)
        row = {
            "update_id": arrived.update_id,
            "chat_id": chat,
            "payload_sealed": arrived.model_dump_json(exclude_none=True).encode(),
            "received_at": now,
            "not_before": now,
            "done_at": None,
        }
        async with app.store.begin() as tx:
            await tx.run(insert(inbox_table), [row])
        async with app.store.read() as tx:
            kept = await tx.one(select(inbox_table).where(inbox_table.c.update_id == arrived.update_id))
        await dispatcher.feed_update(bot, Update.model_validate_json(kept.payload_sealed))


async def _timed(work: Callable[[], Awaitable[None]]) -> float:
    gc.collect()
    await asyncio.sleep(0)
    began = time.perf_counter()
    await work()
    return time.perf_counter() - began
