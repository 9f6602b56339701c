"""The command line. What is heavy to import is imported by the command that needs it."""

import asyncio
import gc
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.audit_commands import audit_app
from bot.db_commands import db_app
from bot.keys_commands import keys_app
from bot.oncall_commands import oncall_app
from bot.people_commands import people_app
from bot.risk_commands import risk_app
from bot.terminal import CONTENT, ContentDir
from bot.terminal import fail as _fail
from bot.terminal import open_store as _store
from bot.terminal import run as _run
from bot.terminal import with_settings as _with_settings
from bot.terminal import with_store as _with_store

if TYPE_CHECKING:
    from bot.config import Settings
    from bot.content.library import Content
    from bot.storage.store import Store

app = typer.Typer(
    help="Interlude: coping skills between the sessions of an intensive outpatient programme, on Telegram.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
content_app = typer.Typer(help="Check and preview what participants read.", no_args_is_help=True)
channel_app = typer.Typer(help="Other ways than Telegram to reach clinicians: docs/CHANNELS.md.", no_args_is_help=True)
app.add_typer(content_app, name="content")
app.add_typer(db_app, name="db")
app.add_typer(channel_app, name="channel")
app.add_typer(risk_app, name="risk")
app.add_typer(oncall_app, name="oncall")
app.add_typer(people_app, name="people")
app.add_typer(keys_app, name="keys")
app.add_typer(audit_app, name="audit")


@app.command(epilog="Example: interlude run")
def run() -> None:
    """Serve on Telegram, with the settings of .env, until stopped."""
    from bot.app import wired

    async def serve(settings: "Settings") -> None:
        async with wired(settings) as interlude:
            gc.collect()
            gc.freeze()  # looking for garbage in all of the content holds everything up for a quarter of a second
            await interlude.run()

    _with_settings(serve)


@app.command(epilog="Example: interlude demo --port 8080")
def demo(
    port: Annotated[int, typer.Option(help="The port of the page; 0 takes any that is free.")] = 8080,
    content: ContentDir = CONTENT,
) -> None:
    """Try everything in the browser: three phones, a clock to move, no token, no server, nothing kept."""
    from bot.demo import stage

    _run(stage(port=port, content_dir=content, say=typer.echo))


@content_app.command("check", epilog="Example: interlude content check content/skills/box-breathing.md --format json")
def content_check(
    paths: Annotated[list[Path] | None, typer.Argument(help="Files to report on; all of them when left out.")] = None,
    content: ContentDir = CONTENT,
    form: Annotated[str, typer.Option("--format", help="text, json or github.")] = "text",
) -> None:
    """Say what is wrong with the content. Exits with 1 when there is an error, with 0 when there are only warnings."""
    from bot.content.check import check, exit_code, render

    if form not in ("text", "json", "github"):
        _fail(f"there is no format '{form}': choose text, json or github")
    if not content.is_dir():
        _fail(f"{content} is no folder: name the content folder with --content DIR")
    findings = check(content, tuple(paths or ()))
    if said := render(findings, form):  # type: ignore[arg-type]
        typer.echo(said)
    if form == "text":
        errors = sum(finding.is_error for finding in findings)
        typer.echo(f"{errors} errors, {len(findings) - errors} warnings", err=True)
    raise typer.Exit(exit_code(findings))


@content_app.command("preview", epilog="Example: interlude content preview box-breathing --language es")
def content_preview(
    activity: Annotated[str, typer.Argument(help="The id of a skill or measure.")],
    language: Annotated[str, typer.Option(help="en, es, ...")] = "en",
    content: ContentDir = CONTENT,
) -> None:
    """Walk through a skill or measure in the terminal, as participants do in chat; nothing is kept."""
    from bot.rehearsal import rehearse

    try:
        rehearse(content, activity, language)
    except LookupError as error:
        _fail(str(error))


@app.command(
    epilog="Example: interlude timetable --programme adult-evening --timezone America/New_York "
    "--from 2026-11-02 --days 7 --format csv"
)
def timetable(
    programme: Annotated[str, typer.Option(help="The programme's id.")],
    timezone: Annotated[str, typer.Option(help="The participant's time zone, an IANA name.")],
    since: Annotated[str, typer.Option("--from", help="The participant's first day, YYYY-MM-DD.")],
    days: Annotated[int, typer.Option(help="How many days.", min=1, max=3660)],
    seed: Annotated[int, typer.Option(help="Draws other moments; the same seed gives the same.")] = 0,
    form: Annotated[str, typer.Option("--format", help="table, csv or json.")] = "table",
    content: ContentDir = CONTENT,
) -> None:
    """Print what a participant would get and when, and why something is left out."""
    from bot.content.library import load
    from bot.forecast import forecast, render

    if form not in ("table", "csv", "json"):
        _fail(f"there is no format '{form}': choose table, csv or json")
    try:
        first = date.fromisoformat(since)
    except ValueError:
        _fail(f"'{since}' is no date: write it as YYYY-MM-DD, like 2026-11-02")
    loaded = load(content).content
    try:
        rows = forecast(loaded, programme, timezone, first, days, seed)
    except (ValueError, LookupError) as error:
        _fail(str(error))
    typer.echo(render(rows, form), nl=False)  # type: ignore[arg-type]


_NOBODY = (
    "Warning: nobody in {programme} can be alerted. Before anybody takes part, invite a clinician: "
    "interlude invite --programme {programme} --role clinician"
)


@app.command(epilog="Example: interlude invite --programme adult-evening --role staff")
def invite(
    programme: Annotated[str, typer.Option(help="The programme's id.")],
    role: Annotated[str, typer.Option(help="participant, clinician, supervisor or staff.")] = "participant",
    level: Annotated[str, typer.Option(help="The level of care; the programme's first when left out.")] = "",
) -> None:
    """Make an invitation: a link that works once, within a week."""
    from bot.app import make_bot
    from bot.clock import Clock
    from bot.content.library import load
    from bot.domain.people import ROLES
    from bot.services.enrolment import CannotInvite, nobody_to_alert
    from bot.services.enrolment import invite as make

    if role not in ROLES:
        _fail(f"there is no role '{role}': choose from {', '.join(ROLES)}")

    async def work(settings: "Settings") -> None:
        from bot.storage import migrate

        store, content = _store(settings), load(settings.content_dir).content
        try:
            await migrate.demand_current(store)
            token = await make(store, content, programme=programme, role=role, level=level, now=Clock().now())
            unsafe = role == "participant" and await nobody_to_alert(store, programme)
        except CannotInvite as error:
            _fail(str(error))
        finally:
            await store.close()
        async with make_bot(settings).context() as bot:
            me = await bot.get_me()
        typer.echo(f"https://t.me/{me.username}?start={token}")
        if unsafe:
            typer.echo(_NOBODY.format(programme=programme), err=True)

    _with_settings(work)


Code = Annotated[str, typer.Option("--clinician", help="The code of who is reached; it stands in their /settings.")]


@channel_app.command(
    "add", epilog="Example: interlude channel add --clinician QX7R2K mailtos://USER:PASSWORD@HOST?to=quill@example.org"
)
def channel_add(
    address: Annotated[str, typer.Argument(help="The address; asked for, unseen, when left out.")] = "",
    clinician: Code = "",
    programme: Annotated[str, typer.Option(help="The programme that is reached, or in which the clinician is.")] = "",
) -> None:
    """Add an e-mail, SMS, pager or chat address, for a clinician or for a whole programme."""
    from bot.addresses import BadAddress, read
    from bot.services import channels

    if not clinician and not programme:
        _fail("say whom it reaches: --clinician CODE or --programme ID")
    address = address or typer.prompt("Address", hide_input=True)
    try:
        known = read(address)
    except BadAddress as error:
        _fail(str(error))

    async def work(store: "Store", content: "Content", now: datetime) -> None:
        if clinician:
            added = await channels.add_for_clinician(
                store, code=clinician, programme=programme, address=address, known=known, now=now
            )
        else:
            added = (
                await channels.add_for_programme(
                    store, content, programme=programme, address=address, known=known, now=now
                ),
            )
        for one in added:
            typer.echo(f"channel {one.id}: {one.shown}, {one.programme}. Try it: interlude channel test {one.id}")

    _with_store(work)


@channel_app.command("list", epilog="Example: interlude channel list")
def channel_list() -> None:
    """Show all channels: number, programme, whose, and what; never a password."""
    from bot.services import channels

    async def work(store: "Store", content: "Content", now: datetime) -> None:  # noqa: ARG001
        found = await channels.listed(store)
        for one in found:
            typer.echo(f"{one.channel.id}\t{one.channel.programme}\t{one.code or '(all)'}\t{one.channel.shown}")
        if not found:
            typer.echo("no channels; add one with `interlude channel add`", err=True)

    _with_store(work)


@channel_app.command("remove", epilog="Example: interlude channel remove 3")
def channel_remove(number: Annotated[int, typer.Argument(help="Its number in `interlude channel list`.")]) -> None:
    """Remove a channel and forget its address; what waits to go out by it is dropped."""
    from bot.services import channels

    async def work(store: "Store", content: "Content", now: datetime) -> None:  # noqa: ARG001
        await channels.remove(store, number, now)
        typer.echo(f"channel {number} is removed")

    _with_store(work)


@channel_app.command("test", epilog="Example: interlude channel test 3")
def channel_test(number: Annotated[int, typer.Argument(help="Its number in `interlude channel list`.")]) -> None:
    """Send a test page now and say what happened."""
    from bot.addresses import send
    from bot.services import channels

    async def work(store: "Store", content: "Content", now: datetime) -> None:  # noqa: ARG001
        letter = await channels.test_letter(store, content, number)
        if failure := await asyncio.to_thread(send, letter.address, letter.title, letter.body):
            _fail(f"the page did not go out: {channels.why(content, failure)}")
        typer.echo("the page was accepted: now look whether it arrived")

    _with_store(work)


@app.command(epilog="Example: interlude doctor")
def doctor() -> None:
    """Find what is wrong with settings, database, token, content and clock, and say how to mend it."""
    from bot.doctor import examine

    healthy = asyncio.run(examine(typer.echo))
    raise typer.Exit(0 if healthy else 1)


def main() -> None:
    """Run the command line."""
    app()
