"""A database of another version is refused with what to do."""

import pytest
from conftest import VAULT
from sqlalchemy import text

from bot.storage import migrate
from bot.storage.store import Store, Unavailable


async def test_a_database_of_a_newer_version_is_refused(store: Store) -> None:
    async with store.engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = 'from-the-future'"))
    with pytest.raises(migrate.WrongVersion, match="made by a newer Interlude"):
        await migrate.demand_current(store)


async def test_an_empty_database_is_refused_with_the_command_that_mends_it(tmp_path) -> None:
    store = Store(f"sqlite+aiosqlite:///{tmp_path / 'empty.db'}", VAULT)
    with pytest.raises(migrate.WrongVersion, match="interlude db upgrade"):
        await migrate.demand_current(store)
    await store.close()


async def test_a_file_that_is_no_database_is_said_to_be_none(tmp_path) -> None:
    (tmp_path / "notes.db").write_text("this is no database, only some notes " * 50, encoding="utf-8")
    store = Store(f"sqlite+aiosqlite:///{tmp_path / 'notes.db'}", VAULT)
    with pytest.raises(Unavailable, match="cannot be opened"):
        await migrate.demand_current(store)
    await store.close()


async def test_upgrading_twice_changes_nothing(store: Store) -> None:
    await migrate.upgrade(store)
    await migrate.demand_current(store)
