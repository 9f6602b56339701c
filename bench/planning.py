"""Planning the day of everybody in a programme, and what a process takes that serves so many."""

import asyncio
import tempfile
import time
from pathlib import Path

from sqlalchemy import func, select

from bench.population import FIRST, enrol
from bench.stage import a_morning, memory, stage
from bench.table import Figure, Size
from bot.content.library import load
from bot.services.prompts import replan
from bot.storage.migrate import upgrade
from bot.storage.people import plan_again
from bot.storage.store import Store
from bot.storage.tables import prompts
from bot.storage.vault import Vault


async def measure(size: Size) -> list[Figure]:
    count = size.pick(200, 2000, 100_000)
    seconds, planned = await _planned(count)
    figures = [
        Figure(
            what=f"planning a day for {count:,}",
            measured=seconds,
            unit="s",
            against=f"{planned:,} prompts, {seconds / count * 1000:.2f} ms a participant",
        )
    ]
    return [*figures, await _memory(count)]


async def _planned(count: int) -> tuple[float, int]:
    content, now = load(Path("content")).content, a_morning()
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"sqlite+aiosqlite:///{folder}/bench.db", Vault([("b", bytes(32))]))
        await upgrade(store)
        await enrol(store, count, now)
        async with store.begin() as tx:
            await plan_again(tx, "adult-evening", now)
        began = time.perf_counter()
        while await replan(store, content, now):
            pass
        seconds = time.perf_counter() - began
        async with store.read() as tx:
            planned = await tx.value(select(func.count()).select_from(prompts))
        await store.close()
    return seconds, planned


async def _memory(count: int) -> Figure:
    """The memory of a process with so many enrolled."""
    async with stage(per_second=1000, limited=True) as staged:
        await staged.telegram.add_crowd(FIRST - 2, count + 2)
        await enrol(staged.store, count, a_morning())
        await staged.start()
        await asyncio.sleep(5)
        assert staged.process
        taken = memory(staged.process.pid)
    return Figure(what=f"memory with {count:,} enrolled", measured=taken, unit="MiB", at_most=200)
