"""The command line's part on encryption keys: having everything sealed with the newest one."""

from typing import TYPE_CHECKING

import typer

from bot.terminal import open_store, with_settings

if TYPE_CHECKING:
    from bot.config import Settings
    from bot.storage.rotation import Rotation

keys_app = typer.Typer(help="The encryption keys of INTERLUDE_KEYS.", no_args_is_help=True)


@keys_app.callback()
def keys() -> None:
    """Keep `rotate` a word of its own, though it is the only one."""


@keys_app.command("rotate", epilog="Example: interlude keys rotate")
def keys_rotate() -> None:
    """Seal anew, with the first key of INTERLUDE_KEYS, what older keys sealed. Stop and begin again as you like.

    Put the new key first, keep the older ones behind it, restart Interlude, then run this. Exits with 1 when some
    value is still not sealed with the first key.
    """

    async def work(settings: "Settings") -> None:
        from bot.storage import migrate
        from bot.storage.rotation import rotate

        store = open_store(settings)
        try:
            await migrate.demand_current(store)
            done = await rotate(store, lambda line: typer.echo(line, err=True))
        finally:
            await store.close()
        _report(done)

    with_settings(work)


def _report(done: "Rotation") -> None:
    typer.echo(f"{done.renewed} values sealed anew")
    if done.needless:
        typer.echo(f"no longer needed, but for older backups: {', '.join(done.needless)}")
    if done.unreadable:
        typer.echo(
            f"{done.unreadable} values cannot be read: add the key they were sealed with, if you have it", err=True
        )
    if changed := done.left - done.unreadable:
        typer.echo(f"{changed} values were in use: restart Interlude with the new key and run this again", err=True)
    if done.left:
        raise typer.Exit(1)
