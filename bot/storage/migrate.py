"""The database's version: which one it has, which one the program needs, and the way from one to the other."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from asyncpg.exceptions import PostgresError
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from bot.storage.append_only import unguarded
from bot.storage.store import Store, Unavailable

_MIGRATIONS = Path(__file__).parent / "migrations"


class WrongVersion(Exception):
    """The database has another version than the program. The message says which command mends it."""


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def wanted() -> str:
    """Return the version that the program needs."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head, "the program ships no migrations"  # noqa: S101 - a broken package, not bad input
    return head


def is_known(version: str) -> bool:
    """Return whether the program can bring a database of this version to the one that it needs."""
    return version in {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}


async def version(store: Store) -> str | None:
    """Return the database's version, None for an empty database. Raises Unavailable."""
    file = store.engine.url.database
    if store.sqlite and file and not Path(file).parent.is_dir():
        raise Unavailable(f"the database cannot be opened: there is no folder {Path(file).parent}")
    try:
        async with store.engine.connect() as connection:
            return await connection.run_sync(lambda c: MigrationContext.configure(c).get_current_revision())
    except (OSError, DBAPIError, PostgresError) as error:
        raise Unavailable(
            f"the database cannot be opened ({type(error).__name__}): check INTERLUDE_DATABASE_URL, that the folder or "
            "server is there, that the disk is not full, and that you may write to it"
        ) from error


async def upgrade(store: Store) -> None:
    """Bring the database to the version that the program needs."""
    async with store.engine.begin() as connection:
        await connection.run_sync(lambda c: command.upgrade(_config(c), "head"))


async def demand_current(store: Store) -> None:
    """Raise WrongVersion unless the database has the version that the program needs."""
    found, needed = await version(store), wanted()
    if found == needed:
        return
    if found is None or is_known(found):
        raise WrongVersion(
            f"the database is {'empty' if found is None else f'of version {found}'}, "
            f"this program needs {needed}: run `interlude db upgrade` (`interlude db backup` first)"
        )
    raise WrongVersion(
        f"the database is of version {found}, which this program does not know: it was made by a newer Interlude. "
        "Run that version, or restore a backup made before the upgrade"
    )


async def differences(store: Store) -> list[str]:
    """Return in words where the tables in the database differ from those that the program expects."""
    from alembic.autogenerate import compare_metadata  # noqa: PLC0415 - slow, and only needed here

    from bot.storage.tables import metadata  # noqa: PLC0415

    def compare(connection: Connection) -> list[str]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return [*(str(found) for found in compare_metadata(context, metadata)), *unguarded(connection)]

    async with store.engine.connect() as connection:
        return await connection.run_sync(compare)
