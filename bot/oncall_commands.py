"""`interlude oncall`: the rota from the command line."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.terminal import fail, open_store, with_settings

if TYPE_CHECKING:
    from bot.config import Settings
    from bot.content.library import Content
    from bot.storage.store import Store

oncall_app = typer.Typer(help="The rota: who is on call, shifts, stand-ins, days away.", no_args_is_help=True)

Programme = Annotated[str, typer.Argument(help="The programme's id.")]
Code = Annotated[str, typer.Argument(help="The code of a clinician or supervisor, see `interlude people list`.")]
Duty = Annotated[str, typer.Option(help="on-call or backup.")]


@oncall_app.command("show", epilog="Example: interlude oncall show adult-evening --weeks 2")
def show(programme: Programme, weeks: Annotated[int, typer.Option(min=1, max=26, help="How far ahead.")] = 1) -> None:
    """Show who is on duty when, in the programme's own time; what nobody covers says NOBODY."""
    from bot.services import rota_changes

    async def work(store: "Store", content: "Content", now: datetime) -> None:
        for duty, times, who in await rota_changes.table(store, content, programme, now, weeks):
            typer.echo(f"{duty:8} {times}  {who}")

    _with_content(work)


@oncall_app.command(
    "add", epilog="Example: interlude oncall add adult-evening QX7R2K --days mon,tue --from 17:00 --hours 16"
)
def add(
    programme: Programme,
    code: Code,
    duty: Duty = "on-call",
    days: Annotated[str, typer.Option(help="Days of the week on which the shift begins.")] = "mon,tue,wed,thu,fri",
    starts: Annotated[str, typer.Option("--from", help="When it begins, by the programme's clock.")] = "09:00",
    hours: Annotated[float, typer.Option(help="How long it is.")] = 8,
    every_weeks: Annotated[int, typer.Option(help="1: each week, 2: every second.")] = 1,
    since: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="From which day on; today.")] = None,
) -> None:
    """Add a shift that repeats every week."""
    from bot.services import rota_changes

    asked = rota_changes.Asked(
        member=code,
        duty=duty,
        days=days,
        starts=starts,
        hours=hours,
        every_weeks=every_weeks,
        since=since.date() if since else None,
    )

    async def work(store: "Store", content: "Content", now: datetime) -> None:
        typer.echo(f"{await rota_changes.add(store, content, programme, [asked], now)} shifts a week added")

    _with_content(work)


@oncall_app.command("import", epilog="Example: interlude oncall import adult-evening rota.csv")
def import_file(programme: Programme, file: Annotated[Path, typer.Argument(help="A CSV file.")]) -> None:
    """Add the shifts of a file with the columns member,duty,days,from,hours,every_weeks,since; all or none."""
    from bot.services import rota_changes

    async def work(store: "Store", content: "Content", now: datetime) -> None:
        try:
            lines = file.read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            fail(f"{file} cannot be read: {error}")
        added = await rota_changes.add(store, content, programme, rota_changes.read_file(lines), now)
        typer.echo(f"{added} shifts a week added")

    _with_content(work)


@oncall_app.command("remove", epilog="Example: interlude oncall remove adult-evening QX7R2K")
def remove(programme: Programme, code: Code) -> None:
    """End all shifts of somebody from today on."""
    from bot.services import rota_changes

    async def work(store: "Store", content: "Content", now: datetime) -> None:
        typer.echo(f"{await rota_changes.remove(store, content, programme, code, now)} shifts ended")

    _with_content(work)


@oncall_app.command("cover", epilog="Example: interlude oncall cover adult-evening QX7R2K 2026-12-24T09:00 --hours 8")
def cover(
    programme: Programme,
    code: Code,
    starts: Annotated[str, typer.Argument(help="When it begins, by the programme's clock.")],
    hours: Annotated[float, typer.Option(help="How long it is.")] = 8,
    duty: Duty = "on-call",
) -> None:
    """Let somebody stand in for whoever would be on duty."""
    from bot.services import rota_changes

    async def work(store: "Store", content: "Content", now: datetime) -> None:
        made = await rota_changes.stand_in(store, content, programme, code, starts, hours, duty, now)
        typer.echo(f"{code} stands in until {made.ends_at:%Y-%m-%d %H:%M} UTC")

    _with_content(work)


@oncall_app.command("away", epilog="Example: interlude oncall away adult-evening QX7R2K 2026-12-24 2027-01-02")
def away(
    programme: Programme,
    code: Code,
    first: Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], help="The first day away.")],
    last: Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], help="The last day away.")],
) -> None:
    """Keep that somebody is away; alerts go to the others."""
    from bot.services import rota_changes

    async def work(store: "Store", content: "Content", now: datetime) -> None:
        await rota_changes.away(store, content, programme, code, first.date(), last.date(), now)
        typer.echo(f"{code} is away from {first:%Y-%m-%d} to {last:%Y-%m-%d}")

    _with_content(work)


def _with_content(work: Callable[["Store", "Content", datetime], Awaitable[None]]) -> None:
    """Do the work on the database and the content of the settings; what is wrong with the rota is said in one line."""
    from bot.clock import Clock
    from bot.content.library import load
    from bot.services.rota import BadRota
    from bot.storage import migrate

    async def whole(settings: "Settings") -> None:
        store = open_store(settings)
        try:
            await migrate.demand_current(store)
            await work(store, load(settings.content_dir).content, Clock().now())
        except BadRota as error:
            fail(str(error))
        finally:
            await store.close()

    with_settings(whole)
