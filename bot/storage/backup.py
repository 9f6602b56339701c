"""A copy of the SQLite database, taken while it is in use."""

import sqlite3
from contextlib import closing
from pathlib import Path


class CannotBackUp(Exception):
    """The copy can't be made. The message says what to do."""


def back_up(source: Path | None, target: Path) -> None:
    """Copy the database file to `target`, page by page, with writers going on. Raises CannotBackUp."""
    if source is None:
        raise CannotBackUp("the database is a server: use `pg_dump` with the address in INTERLUDE_DATABASE_URL")
    if not source.exists():
        raise CannotBackUp(f"there is no database at {source}: run `interlude db upgrade` first")
    if target.exists():
        raise CannotBackUp(f"{target} exists: name another file, nothing is overwritten")
    try:
        _copy(source, target)
    except (OSError, sqlite3.Error) as error:
        target.unlink(missing_ok=True)
        raise CannotBackUp(f"the copy failed ({error}): is there room, and may you write there?") from None


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    reader = sqlite3.connect(f"file:{source}?mode=ro", uri=True)
    with closing(reader), closing(sqlite3.connect(target)) as copy:
        reader.backup(copy, pages=1024)
        copy.execute("PRAGMA journal_mode=DELETE")
