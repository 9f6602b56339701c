"""Who is cancelled in the middle of a transaction leaves nothing behind: no connection, no thread that still works."""

import asyncio
import gc
import threading
from pathlib import Path
from shutil import copy

import pytest
from conftest import VAULT
from sqlalchemy import text

from bot.storage.store import Store


async def read(store: Store) -> None:
    async with store.read() as tx:
        await tx.alive()


async def write(store: Store) -> None:
    async with store.begin() as tx:
        await tx.run(text("DELETE FROM marks"))


async def cancelled_at_many_moments(url: str, each: float) -> None:
    store = Store(url, VAULT)
    for turn in range(4):
        tasks = [asyncio.create_task(use(store)) for use in (read, write, read)]
        await asyncio.sleep(turn * each)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    await store.close()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("each", [0, 0.0002, 0.001])
def test_a_store_that_is_closed_after_many_were_cancelled_leaves_nothing(
    tmp_path: Path, sqlite_template: Path, caplog: pytest.LogCaptureFixture, each: float
) -> None:
    copy(sqlite_template, tmp_path / "test.db")
    threads = threading.active_count()
    for _ in range(2):
        asyncio.run(cancelled_at_many_moments(f"sqlite+aiosqlite:///{tmp_path / 'test.db'}", each))
        gc.collect()
    assert not caplog.records
    assert threading.active_count() == threads
