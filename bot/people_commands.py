"""The command line's part on people: who is in a programme, how they leave it, and how they are erased."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from bot.terminal import with_store

if TYPE_CHECKING:
    from bot.content.library import Content
    from bot.storage.store import Store

people_app = typer.Typer(help="Who is in a programme: list, remove, discharge, erase.", no_args_is_help=True)

Code = Annotated[str, typer.Argument(help="The person's code, as `interlude people list` shows it.")]


@people_app.command("list", epilog="Example: interlude people list adult-evening --role clinician")
def people_list(
    programme: Annotated[str, typer.Argument(help="The programme's id.")],
    role: Annotated[str, typer.Option(help="Only this role: participant, clinician, supervisor or staff.")] = "",
    names: Annotated[bool, typer.Option("--names", help="Show names as well.")] = False,
) -> None:
    """List who is in a programme: code, role, standing, level of care, since when, primary clinician."""

    async def work(store: "Store", content: "Content", now: datetime) -> None:  # noqa: ARG001
        from bot.domain.people import ROLES
        from bot.services import roster

        chosen = tuple(one for one in ROLES if role in ("", one))
        if not chosen:
            raise roster.NotFound(f"there is no role '{role}': choose from {', '.join(ROLES)}")
        found = await roster.listed(store, content, programme, chosen)
        for one in found:
            shown = [one.code, one.role, one.standing, one.level, f"{one.since:%Y-%m-%d}", one.primary]
            typer.echo("\t".join([*shown, one.name] if names else shown))
        if not found:
            typer.echo("nobody yet; bring people in with `interlude invite`", err=True)

    with_store(work)


@people_app.command("remove", epilog="Example: interlude people remove QX7R2K --programme adult-evening")
def people_remove(
    code: Code,
    programme: Annotated[str, typer.Option(help="Only in this programme; in all of them when left out.")] = "",
) -> None:
    """End the roles of a clinician, supervisor or staff at once; their open cases are alerted again."""

    async def work(store: "Store", content: "Content", now: datetime) -> None:
        from bot.services import roster

        for member in await roster.remove(store, content, code, now, programme=programme):
            typer.echo(f"{code} is no longer {member.role} of {member.programme}")

    with_store(work)


@people_app.command("discharge", epilog="Example: interlude people discharge QX7R2K")
def people_discharge(code: Code) -> None:
    """End a participant's time in the programme; caring contacts follow unless they turn them down."""

    async def work(store: "Store", content: "Content", now: datetime) -> None:
        from bot.services import roster

        member = await roster.discharge(store, content, code, now)
        typer.echo(f"{code} is discharged from {member.programme}")

    with_store(work)


@people_app.command("primary", epilog="Example: interlude people primary QX7R2K M4TT8W")
def people_primary(
    code: Code, clinician: Annotated[str, typer.Argument(help="The code of a clinician of the same programme.")]
) -> None:
    """Change who is a participant's primary clinician."""

    async def work(store: "Store", content: "Content", now: datetime) -> None:
        from bot.services import roster

        await roster.set_primary(store, content, code, clinician, now)
        typer.echo(f"{clinician} is now the primary clinician of {code}")

    with_store(work)


@people_app.command("forget", epilog="Example: interlude people forget QX7R2K")
def people_forget(code: Code, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Erase everything that points to a person, for good."""

    async def work(store: "Store", content: "Content", now: datetime) -> None:
        from bot.services import erasure

        gone = await erasure.erase_by_code(store, content, code, now)
        typer.echo(f"{code} is erased: {sum(gone.values())} rows. Older backups hold them until you delete those.")

    if not yes:
        typer.confirm(f"Erase everything about {code}? Nobody can bring it back", abort=True)
    with_store(work)
