"""A copy of the SQLite database, taken while it is in use."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path


class CannotBackUp(Exception):
    """The copy can't be made. The message says what to do."""


def back_up(source: Path, target: Path) -> None:
    """Copy the database file to `target`, with writers going on. Raises CannotBackUp.

    The copy holds all that was committed when it began, and appears under its name when it is whole.
    """
    if not source.exists():
        raise CannotBackUp(f"there is no database at {source}: run `interlude db upgrade` first")
    part = part_of(target)
    try:
        _copy(source, part)
        finish(part, target)
    except (OSError, sqlite3.Error) as error:
        part.unlink(missing_ok=True)
        raise CannotBackUp(f"the copy failed ({error}): is there room, and may you write there?") from None


def part_of(target: Path) -> Path:
    """Return where a copy is made before it gets its name `target`. Raises CannotBackUp when that is taken."""
    if target.exists():
        raise CannotBackUp(f"{target} exists: name another file, nothing is overwritten")
    part = target.with_name(target.name + ".part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        part.unlink(missing_ok=True)
        part.touch(mode=0o600)
    except OSError as error:
        raise CannotBackUp(f"{target} cannot be written ({error.strerror}): name a file in another folder") from None
    return part


def finish(part: Path, target: Path) -> None:
    """Give a copy its name once it is on the disk."""
    on_disk(part)
    part.rename(target)
    on_disk(target.parent)


def on_disk(path: Path) -> None:
    """Wait until a file or a folder is on the disk, so that no power cut takes it."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _copy(source: Path, part: Path) -> None:
    reader = sqlite3.connect(f"file:{source}?mode=ro", uri=True)
    with closing(reader), closing(sqlite3.connect(part)) as copy:
        reader.backup(copy)  # in one go: in parts, each write of another process would have it begin anew
        copy.execute("PRAGMA journal_mode=DELETE")
