"""The database is held, read-only or restarted: a cry is answered all the same, and nothing is lost."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing

import pytest
from sqlalchemy import make_url, text
from staging import Stage, staged

from bot import app, intake
from bot.content.live import LiveLibrary
from bot.services import conversation
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


async def test_on_a_read_only_database_the_contacts_come_once_and_after_it_the_alert(
    stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    clinician, robin = await stage.colleague("Dr. Quill Example"), await stage.participant()
    monkeypatch.setattr(app, "CRY_AGAIN", 0.1)
    await read_only(stage, "ON")
    await stage.telegram.say(robin, RED)
    answer = await stage.telegram.wait_for(robin, "Something went wrong on my side", seconds=5)
    assert "nobody on your team knows of it" in answer["text"]
    assert "988" in answer["text"]
    assert {"text": "988"} in [key.get("copy_text") for row in answer["reply_markup"]["inline_keyboard"] for key in row]
    await asyncio.sleep(2.5)  # Telegram brings it again each second
    await read_only(stage, "OFF")
    await alerted_after_all(stage, clinician)
    assert await contacts_without_the_database(stage, robin) == 1


async def contacts_without_the_database(stage: Stage, user: int) -> int:
    return sum("Something went wrong on my side" in one.get("text", "") for one in await stage.telegram.chat(user))


async def test_a_cry_behind_something_that_fails_does_not_wait_for_it(stage, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_given) -> None:
        raise RuntimeError("broken on purpose")

    robin = await stage.participant()
    monkeypatch.setattr(intake, "ANSWERED_WITHIN", 0.3)
    monkeypatch.setattr(conversation, "wrote", broken)
    await stage.telegram.say(robin, "hello there")  # it waits for another try, and with it the chat
    await stage.telegram.say(robin, "/help_now")
    answer = await stage.telegram.wait_for(robin, "Something went wrong on my side", seconds=5)
    assert "988" in answer["text"]
    await stage.telegram.say(robin, "/help_now")
    await stage.telegram.move_clock(by=40)
    await asyncio.sleep(0.1)
    assert await contacts_without_the_database(stage, robin) <= 2


async def test_a_cry_that_is_answered_in_time_is_answered_once(stage, monkeypatch: pytest.MonkeyPatch) -> None:
    robin = await stage.participant()
    monkeypatch.setattr(intake, "ANSWERED_WITHIN", 1.0)
    await stage.telegram.say(robin, "/help_now")
    await stage.telegram.wait_for(robin, "You are not alone")
    await asyncio.sleep(1.5)
    assert await contacts_without_the_database(stage, robin) == 0


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


@pytest.mark.postgres
async def test_while_postgresql_is_gone_a_cry_is_answered_once_and_after_it_the_alert_comes(
    on_postgres: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = on_postgres
    clinician, robin = await stage.colleague("Dr. Quill Example"), await stage.participant()
    monkeypatch.setattr(app, "PATIENCE", 0.2)
    monkeypatch.setattr(app, "CRY_AGAIN", 0.1)
    name = make_url(stage.settings.database_url).database
    elsewhere = stage.settings.database_url.replace(f"/{name}", "/postgres", 1)
    other = storing.Store(elsewhere, stage.app.store.vault)
    async with other.engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false"))
        ending = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        await connection.execute(text(ending))
        await asyncio.sleep(0.5)
        await stage.telegram.say(robin, "/help_now")
        answer = await stage.telegram.wait_for(robin, "Something went wrong on my side", seconds=20)
        assert "Poison control" in answer["text"], "the programme's own contacts, remembered"
        await stage.telegram.say(robin, RED)
        await asyncio.sleep(2)
        await connection.execute(text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true"))
    await other.close()
    await alerted_after_all(stage, clinician)
    assert await contacts_without_the_database(stage, robin) == 2


async def _end(other: storing.Store, ending: str) -> None:
    async with other.read() as tx:
        await tx.run(text(f"{ending} AND pid <> pg_backend_pid()"))
