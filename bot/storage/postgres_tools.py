"""PostgreSQL's own programs for backups, `pg_dump` and `pg_restore`, called when they are installed."""

import os
import shutil
import subprocess
from pathlib import Path

from sqlalchemy.engine import make_url

from bot.storage.backup import CannotBackUp, finish, part_of


class ToolFailed(Exception):
    """The program is not installed, or failed. The message says what to do."""


def dump(url: str, target: Path) -> None:
    """Copy the tables of the database to `target`, in pg_dump's custom format. Raises CannotBackUp.

    The copy holds all that was committed when it began, and appears under its name when it is whole.
    """
    part = part_of(target)
    given = ("--format=custom", "--no-owner", "--no-privileges", "--table=public.*", f"--file={part}")
    try:
        _run("pg_dump", given, url)
        finish(part, target)
    except (OSError, ToolFailed) as error:
        part.unlink(missing_ok=True)
        raise CannotBackUp(f"the copy failed: {error}") from None


def load(url: str, backup: Path) -> None:
    """Put the tables of a copy into a database that has none of them; all or nothing. Raises ToolFailed."""
    name = make_url(url).database or ""
    given = ("--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges", f"--dbname={name}")
    _run("pg_restore", (*given, str(backup)), url)


def _run(tool: str, given: tuple[str, ...], url: str) -> None:
    program = shutil.which(tool)
    if program is None:
        raise ToolFailed(
            f"the database is a server, and `{tool}` is not installed here: install PostgreSQL's client of the "
            f"server's version, or run `{tool}` where it is, with the address in INTERLUDE_DATABASE_URL"
        )
    done = subprocess.run(  # noqa: S603 - no shell, and nothing of it comes from outside
        (program, "--no-password", *given),
        env={**os.environ, **_address(url)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise ToolFailed(said[0] if said else f"`{tool}` ended with {done.returncode}")


def _address(url: str) -> dict[str, str]:
    """Return the database's address as those programs read it: not among arguments, which other users may see."""
    parts = make_url(url)
    host, ssl = (parts.query.get(name) for name in ("host", "ssl"))
    found = {
        "PGHOST": parts.host or host,
        "PGPORT": parts.port,
        "PGUSER": parts.username,
        "PGPASSWORD": parts.password,
        "PGDATABASE": parts.database,
        "PGSSLMODE": ssl,
    }
    return {name: str(value) for name, value in found.items() if value}
