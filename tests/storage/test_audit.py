"""The audit trail's chain: whole after notes and erasures, broken by any other change."""

import asyncio
import base64
import shutil

import pytest
from alembic import command
from conftest import NOW, ROOT, VAULT
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import DBAPIError
from typer.testing import CliRunner

from bot.cli import app
from bot.storage import audit, migrate
from bot.storage.audit import Verified
from bot.storage.store import Store, Tx
from bot.storage.tables import audit as lines

KEY = "k1:" + base64.b64encode(b"0" * 32).decode()


async def noted(store: Store, count: int) -> list[int]:
    for number in range(count):
        async with store.begin() as tx:
            await audit.note(tx, "open case", NOW, subject=f"case {number}", step="one", tries=number)
    async with store.read() as tx:
        return [row.id for row in await tx.all(select(lines.c.id).order_by(lines.c.id))]


async def unguarded(tx: Tx) -> None:
    """What somebody can do who owns the database: take the guards away first."""
    if tx.dialect.name == "postgresql":
        await tx.run(text("DROP FUNCTION audit_only_added() CASCADE"))
        return
    for name in ("audit_unchanged", "audit_kept"):
        await tx.run(text(f"DROP TRIGGER {name}"))


async def verified(store: Store) -> Verified:
    async with store.read() as tx:
        return await audit.verify(tx)


async def test_lines_that_were_only_added_are_whole(store: Store, monkeypatch) -> None:
    monkeypatch.setattr(audit, "BATCH", 2)
    await noted(store, 5)
    found = await verified(store)
    assert (found.whole, found.broken_id) == (5, None)


@pytest.mark.parametrize(
    "change", [{"action": "lower"}, {"subject": "case 9"}, {"detail": {}}, {"at": NOW.replace(year=2020)}, {"salt": ""}]
)
async def test_a_changed_line_is_found(store: Store, change: dict) -> None:
    ids = await noted(store, 4)
    async with store.begin() as tx:
        await unguarded(tx)
        await tx.run(update(lines).where(lines.c.id == ids[1]).values(**change))
    found = await verified(store)
    assert (found.whole, found.broken_id) == (1, ids[1])


async def test_a_removed_line_is_found_at_the_next(store: Store) -> None:
    ids = await noted(store, 4)
    async with store.begin() as tx:
        await unguarded(tx)
        await tx.run(delete(lines).where(lines.c.id == ids[1]))
    found = await verified(store)
    assert (found.whole, found.broken_id) == (1, ids[2])


@pytest.mark.parametrize(
    "change",
    [
        delete(lines),
        update(lines).values(action="lower"),
        update(lines).values(salt="0" * 32),
        update(lines).values(salt=None, digest="0" * 64),
        update(lines).values(salt=None, chain="0" * 64),
    ],
)
async def test_the_database_itself_changes_and_removes_no_line(store: Store, change) -> None:
    ids = await noted(store, 2)
    with pytest.raises(DBAPIError, match="only added to"):
        async with store.begin() as tx:
            await tx.run(change.where(lines.c.id == ids[0]))
    assert (await verified(store)).whole == 2


async def test_the_database_itself_does_not_empty_the_trail(store: Store) -> None:
    await noted(store, 2)
    if not store.sqlite:  # SQLite knows no TRUNCATE
        with pytest.raises(DBAPIError, match="only added to"):
            async with store.begin() as tx:
                await tx.run(text("TRUNCATE audit"))
    assert (await verified(store)).whole == 2


async def test_writers_at_once_do_not_fork_the_chain(store: Store) -> None:
    await asyncio.gather(*(noted(store, 3) for _ in range(8)))
    found = await verified(store)
    assert (found.whole, found.broken_id) == (24, None)


def test_the_command_names_the_first_broken_line(tmp_path, sqlite_template, monkeypatch) -> None:
    file = shutil.copy(sqlite_template, tmp_path / "trail.db")
    url = f"sqlite+aiosqlite:///{file}"
    for name, value in {"DATABASE_URL": url, "KEYS": KEY, "TOKEN": "1:x", "CONTENT_DIR": str(ROOT / "content")}.items():
        monkeypatch.setenv(f"INTERLUDE_{name}", value)
    asyncio.run(changed_later(url, change=False))
    whole = CliRunner().invoke(app, ["audit", "verify"])
    assert (whole.exit_code, whole.stdout[:18]) == (0, "3 lines are whole,"), whole.output
    asyncio.run(changed_later(url, change=True))
    broken = CliRunner().invoke(app, ["audit", "verify"])
    assert (broken.exit_code, "line 2 of 2026-11-02 14:00:00 UTC" in broken.stderr) == (1, True)


async def changed_later(url: str, *, change: bool) -> None:
    store = Store(url, VAULT)
    if change:
        async with store.begin() as tx:
            await unguarded(tx)
            await tx.run(update(lines).where(lines.c.id == 2).values(action="lower"))
    else:
        await noted(store, 3)
    await store.close()


async def test_lines_older_than_the_chain_are_chained_by_the_upgrade(store: Store) -> None:
    await noted(store, 3)
    async with store.engine.begin() as connection:
        await connection.run_sync(lambda c: command.downgrade(migrate._config(c), "0002"))
    await migrate.upgrade(store)
    found = await verified(store)
    assert (found.whole, found.broken_id) == (3, None)
    assert await migrate.differences(store) == []
