"""A backup put in the place of the database: looked at first, and what was there is kept aside."""

import asyncio
import os
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage import migrate, postgres_tools
from bot.storage.append_only import REFUSES
from bot.storage.backup import on_disk
from bot.storage.replicas import SEATS
from bot.storage.rotation import demand_readable
from bot.storage.store import Store, Unavailable
from bot.storage.vault import Unreadable, Vault

_SQLITE, _POSTGRESQL = b"SQLite format 3\0", b"PGDMP"
_LONGEST_WAIT_MS = 5000


class CannotRestore(Exception):
    """The backup was not put in place, and nothing was changed. The message says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """The restored database's version, and where the one before it is kept, if there was one."""

    version: str
    aside: str


async def restore_file(backup: Path, file: Path, vault: Vault, *, replace: bool, now: datetime) -> Restored:
    """Put a copy made by `back_up` in the place of the SQLite database `file`. Raises CannotRestore.

    `replace` allows that there is one; its file then gets a name with `now` in it.
    """
    _demand_kind(backup, _SQLITE)
    files = [file, *_beside(file)]
    if not replace and any(one.exists() for one in files):
        raise CannotRestore(f"there is a database at {file}: with --replace it is kept aside, under another name")
    copy = file.with_name(file.name + ".restoring")
    try:
        await asyncio.to_thread(_copy, backup, copy)
        version = await _examined(Store(f"sqlite+aiosqlite:///{copy}", vault))
        aside = await asyncio.to_thread(_put_in_place, copy, file, now)
    except (OSError, sqlite3.Error, DBAPIError) as error:
        raise CannotRestore(f"it failed ({_said(error)}): is there room, and may you write there?") from None
    finally:
        for one in (copy, *_beside(copy)):
            one.unlink(missing_ok=True)
    return Restored(version=version, aside=aside)


async def restore_server(backup: Path, store: Store, *, replace: bool, now: datetime) -> Restored:
    """Put a copy made by `dump` in the place of the tables in a PostgreSQL database. Raises CannotRestore.

    `replace` allows that there are tables; their schema then gets a name with `now` in it.
    """
    _demand_kind(backup, _POSTGRESQL)
    aside = f"public_before_{now:%Y%m%d_%H%M%S}"
    try:
        async with store.engine.begin() as connection:
            there = await _has_tables(connection)
            if there and not replace:
                raise CannotRestore("the database has tables: with --replace they are kept aside, in another schema")
            await _demand_unused(connection)
        async with _new_schema(store, aside):
            await asyncio.to_thread(postgres_tools.load, store.url, backup)
            version = await _examined(store)
        with suppress(DBAPIError):  # only an empty one can be dropped so
            async with store.engine.begin() as connection:
                await connection.execute(text(f'DROP SCHEMA "{aside}"'))
    except (postgres_tools.ToolFailed, DBAPIError, OSError) as error:
        raise CannotRestore(f"it failed: {_said(error)}") from None
    return Restored(version=version, aside=f"schema {aside}" if there else "")


def _said(error: Exception) -> str:
    """Return the first line of an error, without the statement that failed."""
    return str(getattr(error, "orig", None) or error).partition("\n")[0]


def _demand_kind(backup: Path, wanted: bytes) -> None:
    """Raise CannotRestore unless the file is a copy of the kind of database that the settings name."""
    try:
        with backup.open("rb") as opened:
            begins = opened.read(len(_SQLITE))
    except OSError as error:
        raise CannotRestore(f"{backup} cannot be read: {error.strerror}") from None
    kinds = {_SQLITE: "a SQLite database", _POSTGRESQL: "a copy of a PostgreSQL database, made by pg_dump"}
    found = next((kind for kind in kinds if begins.startswith(kind)), None)
    if found is None:
        raise CannotRestore(f"{backup} is no copy of a database, or is damaged at its very beginning")
    if found != wanted:
        raise CannotRestore(f"{backup} is {kinds[found]}, INTERLUDE_DATABASE_URL names the other kind: change that")


async def _examined(store: Store) -> str:
    """Return the version of a database that may be put in place. Raises CannotRestore."""
    try:
        version = await migrate.version(store)
        if version is None or not migrate.is_known(version):
            raise CannotRestore(
                "it holds no tables of Interlude"
                if version is None
                else f"it is of version {version}, made by a newer Interlude: restore it with that one"
            )
        await demand_readable(store)
    except Unavailable as error:
        raise CannotRestore(str(error)) from None
    except Unreadable as error:
        raise CannotRestore(f"INTERLUDE_KEYS do not open it ({error}): add the key that was used then") from None
    finally:
        await store.close()
    return version


def _beside(file: Path) -> list[Path]:
    """Return the files that SQLite keeps beside a database in use."""
    return [file.with_name(file.name + ending) for ending in ("-wal", "-shm")]


def _copy(backup: Path, copy: Path) -> None:
    log, _ = _beside(backup)
    if log.exists() and log.stat().st_size:
        raise CannotRestore(
            f"{backup} is a database in use, or one whose process was killed: what is in {log.name} would be missing. "
            "Copy it with `interlude db backup`, with INTERLUDE_DATABASE_URL naming it"
        )
    copy.parent.mkdir(parents=True, exist_ok=True)
    for one in (copy, *_beside(copy)):
        one.unlink(missing_ok=True)
    copy.touch(mode=0o600)
    shutil.copyfile(backup, copy)
    _demand_whole(copy, backup)


def _demand_whole(copy: Path, backup: Path) -> None:
    try:
        with closing(sqlite3.connect(copy)) as database:
            (found,) = database.execute("PRAGMA integrity_check(1)").fetchone()
            orphan = database.execute("PRAGMA foreign_key_check").fetchone()
    except sqlite3.DatabaseError as error:
        raise CannotRestore(f"{backup} is damaged ({error}): take another backup") from None
    if found != "ok":
        raise CannotRestore(f"{backup} is damaged ({found.splitlines()[-1]}): take another backup")
    if orphan:
        raise CannotRestore(f"{backup} is not whole: a row of {orphan[0]} points to nothing. Take another backup")


def _put_in_place(copy: Path, file: Path, now: datetime) -> str:
    """Give the copy the database's name in one step; return the name that the one before it has now."""
    on_disk(copy)
    if not any(one.exists() for one in (file, *_beside(file))):
        copy.rename(file)
        on_disk(file.parent)
        return ""
    aside = file.with_name(f"{file.name}.before-{now:%Y%m%dT%H%M%S}")
    if aside.exists():
        raise CannotRestore(f"{aside} exists: try again in a second")
    _set_log_aside(file, aside)
    if file.exists():
        os.link(file, aside)
    copy.replace(file)
    on_disk(file.parent)
    return str(aside)


def _set_log_aside(file: Path, aside: Path) -> None:
    """Bring the log of the database into its file; where the file is damaged, keep the log under the name `aside`.

    SQLite removes a log that it cannot use, hence the second name before it is opened. Raises CannotRestore when the
    database is in use.
    """
    log, memory = _beside(file)
    kept, _ = _beside(aside)
    if log.exists():
        os.link(log, kept)
    needed = False
    try:
        needed = not _closed(file)
    finally:
        if not needed:
            kept.unlink(missing_ok=True)
    for one in (log, memory):
        one.unlink(missing_ok=True)


def _closed(file: Path) -> bool:
    """Have SQLite bring everything into the file; False when it is damaged or gone. Raises CannotRestore."""
    if not file.exists():
        return False
    try:
        with closing(sqlite3.connect(file, timeout=_LONGEST_WAIT_MS / 1000)) as database:
            database.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.DatabaseError as error:
        if "locked" in str(error):
            raise CannotRestore(f"{file} is in use: stop Interlude first") from None
        return False
    return True


async def _has_tables(connection: AsyncConnection) -> bool:
    query = text("SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = 'public')")
    return bool((await connection.execute(query)).scalar())


async def _demand_unused(connection: AsyncConnection) -> None:
    query = text(
        "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid::bigint = :seats AND objsubid = 2 "
        "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))"
    )
    if (await connection.execute(query, {"seats": SEATS})).scalar():
        raise CannotRestore("Interlude runs on this database: stop every one of its processes first")


@asynccontextmanager
async def _new_schema(store: Store, aside: str) -> AsyncIterator[None]:
    """Have a schema without tables while the block lasts; when it raises, the one before is there again."""
    await _in_schemas(store, f'ALTER SCHEMA public RENAME TO "{aside}"', "CREATE SCHEMA public", *REFUSES)
    try:
        yield
    except BaseException:
        await _in_schemas(store, "DROP SCHEMA public CASCADE", f'ALTER SCHEMA "{aside}" RENAME TO public')
        raise


async def _in_schemas(store: Store, *statements: str) -> None:
    async with store.engine.begin() as connection:
        await connection.execute(text(f"SET LOCAL lock_timeout = {_LONGEST_WAIT_MS}"))
        for statement in statements:
            await connection.execute(text(statement))
    await store.engine.dispose()  # what a connection has prepared is bound to the schema that was
