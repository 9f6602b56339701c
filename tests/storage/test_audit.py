"""The audit trail: the database refuses to change it, and its chain is broken where that was done all the same."""

import asyncio
import base64
import shutil

import pytest
from alembic import command
from append_only import AUDIT, refused
from conftest import NOW, ROOT, VAULT
from sqlalchemy import delete, select, text, update
from typer.testing import CliRunner

from bot.cli import app
from bot.storage import audit, migrate
from bot.storage.audit import Verified
from bot.storage.store import Store
from bot.storage.tables import audit as lines

KEY = "k1:" + base64.b64encode(b"0" * 32).decode()


async def noted(store: Store, count: int) -> list[int]:
    for number in range(count):
        async with store.begin() as tx:
            await audit.note(tx, "open case", NOW, subject=f"case {number}", step="one", tries=number)
    async with store.read() as tx:
        return [row.id for row in await tx.all(select(lines.c.id).order_by(lines.c.id))]


async def unguarded(store: Store) -> None:
    """Take away what keeps the trail as it is, as whoever owns the database can."""
    async with store.engine.begin() as connection:
        on = " ON audit" if not store.sqlite else ""
        for name in ("audit_keeps_lines", "audit_keeps_words"):
            await connection.exec_driver_sql(f"DROP TRIGGER {name}{on}")


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
    await unguarded(store)
    async with store.begin() as tx:
        await tx.run(update(lines).where(lines.c.id == ids[1]).values(**change))
    found = await verified(store)
    assert (found.whole, found.broken_id) == (1, ids[1])


async def test_a_removed_line_is_found_at_the_next(store: Store) -> None:
    ids = await noted(store, 4)
    await unguarded(store)
    async with store.begin() as tx:
        await tx.run(delete(lines).where(lines.c.id == ids[1]))
    found = await verified(store)
    assert (found.whole, found.broken_id) == (1, ids[2])


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
        await unguarded(store)
        async with store.begin() as tx:
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


@pytest.mark.parametrize(
    "change",
    [
        {"at": NOW.replace(year=2020)},
        {"action": "lower"},
        {"subject": "case 9"},
        {"detail": {}},
        {"detail": {"step": "one", "tries": 2}},
        {"salt": "0" * 32},
        {"digest": "0" * 64},
        {"chain": "0" * 64},
        {"id": 99},
    ],
    ids="-".join,
)
@pytest.mark.parametrize("erased", [{}, {"salt": None, "subject": "erased"}, {"salt": None}])
async def test_the_database_refuses_to_change_a_line(store: Store, change: dict, erased: dict) -> None:
    ids = await noted(store, 2)
    await refused(store, update(lines).where(lines.c.id == ids[1]).values({"by": None} | erased | change), AUDIT)
    assert ((await verified(store)).whole, (await verified(store)).erased) == (2, 0)


async def test_the_database_refuses_to_remove_lines(store: Store) -> None:
    await noted(store, 2)
    await refused(store, delete(lines), AUDIT)
    if not store.sqlite:
        await refused(store, text("TRUNCATE audit"), AUDIT)
    assert (await verified(store)).whole == 2


@pytest.mark.parametrize(
    "change",
    [
        {"subject": "erased"},
        {"detail": {"step": "one", "tries": 1, "erased": "clinician"}},
        {"by": None, "action": "erased", "subject": "", "detail": {}, "at": NOW.replace(year=2027)},
    ],
    ids=["about", "by-duty", "own"],
)
async def test_what_an_erasure_takes_out_may_go_and_the_chain_holds(store: Store, change: dict) -> None:
    ids = await noted(store, 3)
    async with store.begin() as tx:
        await tx.run(update(lines).where(lines.c.id == ids[1]).values(salt=None, **change))
    assert await verified(store) == Verified(whole=3, erased=1, chain=(await verified(store)).chain)


async def test_a_database_whose_trail_is_unguarded_is_told_of(store: Store) -> None:
    await unguarded(store)
    assert await migrate.differences(store) == [
        "the trigger audit_keeps_lines on the table audit is missing",
        "the trigger audit_keeps_words on the table audit is missing",
    ]
