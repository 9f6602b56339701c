"""The command line's part on the audit trail: whether it is whole."""

from datetime import datetime
from typing import TYPE_CHECKING

import typer

from bot.terminal import with_store

if TYPE_CHECKING:
    from bot.content.library import Content
    from bot.storage.store import Store

audit_app = typer.Typer(help="The audit trail: whether it is whole.", no_args_is_help=True)


@audit_app.callback()
def _group() -> None:
    """Keep `verify` a command of its own."""


@audit_app.command("verify", epilog="Example: interlude audit verify")
def audit_verify() -> None:
    """Say whether a line of the audit trail was changed or removed. Exits with 1 at the first that is broken."""

    async def work(store: "Store", content: "Content", now: datetime) -> None:  # noqa: ARG001
        from bot.storage import audit

        async with store.read() as tx:
            found = await audit.verify(tx)
        typer.echo(f"{found.whole} lines are whole, {found.erased} of them emptied by an erasure; chain {found.chain}")
        if found.broken_id is not None:
            typer.echo(
                f"line {found.broken_id} of {found.broken_at:%Y-%m-%d %H:%M:%S} UTC is broken: it was changed, put in, "
                "or the line before it removed. Compare it with a backup",
                err=True,
            )
            raise typer.Exit(1)

    with_store(work)
