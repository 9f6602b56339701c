"""The database is held, read-only or restarted: a cry is answered all the same, and nothing is lost."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing

import pytest
from sqlalchemy import text
from staging import Stage, staged

from bot import intake
from bot.content.live import LiveLibrary
from bot.storage import store as storing

RED = "I want to kill myself tonight"


async def cases_kept(stage: Stage) -> int:
    async with stage.app.store.read() as tx:
        return int(await tx.value(text("SELECT count(*) FROM cases")))


async def alerted_after_all(stage: Stage, clinician: int) -> None:
    """The clinician hears of it once it can be kept, and it is one case."""
    await stage.telegram.wait_for(clinician, "case 1", seconds=20)
    assert await cases_kept(stage) == 1


async def test_while_another_process_holds_the_database_the_contacts_come_and_then_the_alert(
    stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    clinician, robin = await stage.colleague("Dr. Quill Example"), await stage.participant()
    monkeypatch.setattr(intake, "PATIENCE", 0.3)
    file = stage.settings.database_url.removeprefix("sqlite+aiosqlite:///")
    with closing(sqlite3.connect(file, isolation_level=None, check_same_thread=False)) as other:
        await asyncio.to_thread(other.execute, "BEGIN IMMEDIATE")  # Interlude may be writing
        await stage.telegram.say(robin, RED)
        answer = await stage.telegram.wait_for(robin, "Something went wrong on my side", seconds=2)
        assert "988" in answer["text"]
        other.execute("ROLLBACK")
    await alerted_after_all(stage, clinician)


async def test_on_a_read_only_database_the_contacts_come_and_after_it_the_alert(stage) -> None:
    clinician, robin = await stage.colleague("Dr. Quill Example"), await stage.participant()
    await read_only(stage, "ON")
    await stage.telegram.say(robin, RED)
    assert "988" in (await stage.telegram.wait_for(robin, "Something went wrong on my side", seconds=5))["text"]
    await read_only(stage, "OFF")
    await alerted_after_all(stage, clinician)


async def read_only(stage: Stage, on: str) -> None:
    """Have SQLite refuse writes on the one connection that writes; "OFF" lets them again."""
    async with stage.app.store.engine.connect() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
        await driver.execute(f"PRAGMA query_only={on}")


@pytest.fixture
async def on_postgres(postgres: Iterator[str], library: LiveLibrary) -> AsyncIterator[Stage]:
    async with staged(next(postgres), library) as stage:
        yield stage


@pytest.mark.postgres
async def test_when_postgresql_ends_all_connections_nothing_is_lost(on_postgres: Stage) -> None:
    stage = on_postgres
    clinician, robin = await stage.colleague("Dr. Quill Example"), await stage.participant()
    ending = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
    other = storing.Store(stage.settings.database_url, stage.app.store.vault)
    await asyncio.gather(stage.telegram.say(robin, RED), _end(other, ending))
    await other.close()
    await alerted_after_all(stage, clinician)
    await stage.telegram.wait_for(robin, "988")
    await stage.telegram.say(robin, "/help")
    await stage.telegram.wait_for(robin, "What I can do")


async def _end(other: storing.Store, ending: str) -> None:
    async with other.read() as tx:
        await tx.run(text(f"{ending} AND pid <> pg_backend_pid()"))
