"""Durable updates a second with 1, 2 and 4 processes on one PostgreSQL, over their webhooks, against the bare way."""

import asyncio
import itertools
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from aiohttp import ClientSession
from sqlalchemy import func, select

from bench.answer import _update
from bench.population import FIRST, enrol
from bench.stage import Stage, postgres, stage
from bench.table import Figure, Size
from bench.throughput import CHATS, IN_FLIGHT, SAID, _bare, _rate
from bot.storage.tables import inbox

SECRET = "only-telegram-knows-this"
PROCESSES = (1, 2, 4)
FIRST_UPDATE = 40_000_000


async def measure(size: Size) -> list[Figure]:
    count = size.pick(128, 1024, 4096)
    figures = []
    async with postgres() as url, stage(per_second=1000, limited=False, url=url) as staged:
        await enrol(staged.store, CHATS, datetime.now(UTC))
        async with _bare(url) as bare:
            numbers = itertools.count(20_000_000)
            await _rate(bare, IN_FLIGHT, numbers)
            plain = await _rate(bare, count, numbers)
        updates = itertools.count(FIRST_UPDATE)
        for processes in PROCESSES:
            async with _replicas(staged, processes) as doors:
                await _handled(staged, doors, IN_FLIGHT, updates)
                ours = await _handled(staged, doors, count, updates)
            figures.append(
                Figure(
                    what=f"durable updates a second over HTTP, {IN_FLIGHT} in flight, {processes} processes",
                    measured=ours / plain,
                    unit="times",
                    against=f"a bare transaction without HTTP: {ours:.0f} against {plain:.0f} a second",
                )
            )
    return figures


@asynccontextmanager
async def _replicas(staged: Stage, number: int) -> AsyncIterator[list[str]]:
    """Run so many processes on the database; gives where each takes updates."""
    ports = [_free_port() for _ in range(number)]
    doors = [f"http://127.0.0.1:{port}" for port in ports]
    common = staged.environment | {"INTERLUDE_WEBHOOK_URL": f"{doors[0]}/telegram", "INTERLUDE_WEBHOOK_SECRET": SECRET}
    running = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", "run"), env=common | {"INTERLUDE_LISTEN": f"127.0.0.1:{port}"}
        )
        for port in ports
    ]
    try:
        await _ready(doors)
        yield doors
    finally:
        for process in running:
            process.terminate()
        await asyncio.gather(*(process.wait() for process in running))


async def _ready(doors: list[str]) -> None:
    async with ClientSession() as session, asyncio.timeout(120):
        for door in doors:
            while not await _answers(session, door):
                await asyncio.sleep(0.2)


async def _answers(session: ClientSession, door: str) -> bool:
    try:
        async with session.get(f"{door}/readyz") as answer:
            return answer.status == 200
    except OSError:
        return False


async def _handled(staged: Stage, doors: list[str], count: int, updates: itertools.count) -> float:
    """Return how many a second from the first that was brought until the last was done."""
    turns, left = itertools.cycle(doors), iter(range(count))

    async def bring(session: ClientSession) -> None:
        for turn in left:
            update = _update(next(updates), FIRST + turn % CHATS, SAID).model_dump_json(
                exclude_none=True, by_alias=True
            )
            headers = {"X-Telegram-Bot-Api-Secret-Token": SECRET, "Content-Type": "application/json"}
            async with session.post(f"{next(turns)}/telegram", data=update, headers=headers) as answer:
                answer.raise_for_status()

    began = time.perf_counter()
    async with ClientSession() as session:
        await asyncio.gather(*(bring(session) for _ in range(IN_FLIGHT)))
    while await _waiting(staged):
        await asyncio.sleep(0.02)
    return count / (time.perf_counter() - began)


async def _waiting(staged: Stage) -> int:
    async with staged.store.read() as tx:
        return int(await tx.value(select(func.count()).select_from(inbox).where(inbox.c.done_at.is_(None))))


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])
