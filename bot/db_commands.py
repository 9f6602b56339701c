"""The command line's part on the database: its version, its tables, a copy of it and the way back."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.terminal import fail, open_store, read_settings, with_settings, with_store

if TYPE_CHECKING:
    from bot.config import Settings
    from bot.content.library import Content
    from bot.storage.store import Store

db_app = typer.Typer(help="The database: its version, its tables, a copy of it.", no_args_is_help=True)


@db_app.command("upgrade", epilog="Example: interlude db upgrade")
def db_upgrade() -> None:
    """Bring the database to the version that this program needs; makes it when there is none."""
    from bot.storage import migrate

    async def work(settings: "Settings") -> None:
        if settings.database_file:
            settings.database_file.parent.mkdir(parents=True, exist_ok=True)
        store = open_store(settings)
        before = await migrate.version(store)
        await migrate.upgrade(store)
        typer.echo(f"the database is at version {migrate.wanted()}" + (f" (was {before})" if before else ""))
        await store.close()

    with_settings(work)


@db_app.command("check", epilog="Example: interlude db check")
def db_check() -> None:
    """Say whether the database has the version and the tables that this program needs."""
    from bot.storage import migrate

    async def work(settings: "Settings") -> None:
        store = open_store(settings)
        try:
            await migrate.demand_current(store)
            differences = await migrate.differences(store)
        finally:
            await store.close()
        if differences:
            fail("the tables differ from what this program expects:\n" + "\n".join(differences))
        typer.echo(f"the database is at version {migrate.wanted()} and whole")

    with_settings(work)


@db_app.command("scrub", epilog="Example: interlude db scrub")
def db_scrub() -> None:
    """Write a SQLite file anew, so that nothing deleted is readable in it; writers wait meanwhile."""

    async def work(store: "Store", content: "Content", now: datetime) -> None:  # noqa: ARG001
        from bot.services import erasure

        if not await erasure.scrubbed(store):
            fail("somebody reads the database just now, or a message about an erasure waits to be sent: try again")
        typer.echo("nothing that was deleted is readable in the database's files")

    with_store(work)


@db_app.command("backup", epilog="Example: interlude db backup var/backup-2026-11-02.db")
def db_backup(target: Annotated[Path, typer.Argument(help="The file to write; it must not exist.")]) -> None:
    """Copy the database while it is in use (PostgreSQL by pg_dump); what is sealed stays sealed, so keep the keys."""
    from bot.storage.backup import CannotBackUp, back_up
    from bot.storage.postgres_tools import dump

    settings = read_settings()
    try:
        if settings.database_file:
            back_up(settings.database_file, target)
        else:
            dump(settings.database_url, target)
    except CannotBackUp as error:
        fail(str(error))
    typer.echo(f"copied to {target}; without INTERLUDE_KEYS nobody can read it: keep them too, in another place")


@db_app.command("restore", epilog="Example: interlude db restore var/backup-2026-11-02.db --replace")
def db_restore(
    backup: Annotated[Path, typer.Argument(help="What `interlude db backup` wrote.")],
    replace: Annotated[bool, typer.Option("--replace", help="Keep the database that is there aside.")] = False,
) -> None:
    """Put a backup in the database's place, when it is whole and INTERLUDE_KEYS open it; stop Interlude first."""
    from bot.clock import Clock
    from bot.storage.migrate import wanted
    from bot.storage.restore import CannotRestore, restore_file, restore_server

    async def work(settings: "Settings") -> None:
        store, now = open_store(settings), Clock().now()
        try:
            if settings.database_file:
                done = await restore_file(backup, settings.database_file, store.vault, replace=replace, now=now)
            else:
                done = await restore_server(backup, store, replace=replace, now=now)
        except CannotRestore as error:
            fail(f"nothing was restored: {error}")
        finally:
            await store.close()
        typer.echo(f"restored from {backup}, version {done.version}")
        if done.aside:
            typer.echo(f"the database that was there is kept as {done.aside}; remove it when you are sure")
        typer.echo("next: " + ("" if done.version == wanted() else "interlude db upgrade, ") + "interlude audit verify")

    with_settings(work)
