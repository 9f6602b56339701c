"""The demonstration: Interlude against the sandbox, on a database that is thrown away, with three people to play."""

import asyncio
import contextlib
import secrets
import tempfile
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import SecretStr

from bot.app import App, CannotStart, wired
from bot.config import Settings
from bot.content.live import LiveLibrary
from bot.domain.people import Role
from bot.journal import set_up
from bot.sandbox import SandboxClient, serve
from bot.services.enrolment import invite
from bot.storage.cases import next_alert
from bot.storage.follow_ups import next_due as next_follow_up
from bot.storage.migrate import upgrade
from bot.storage.prompts import next_moment, next_reminder
from bot.storage.runs import next_elapse
from bot.storage.store import Store
from bot.storage.vault import Vault, new_key, read_keys

PROGRAMME = "adult-evening"
USERNAME = "interlude_demo_bot"
LOOK_EVERY = 0.5
"""Seconds between two looks at what is due next, for the page's clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Who is on the stage: the ids of three made-up people, and the participant's invitation."""

    participant: int
    clinician: int
    staff: int
    invitation: str


async def stage(*, port: int, content_dir: Path, say: Callable[[str], None]) -> None:
    """Run the demonstration until stopped, and say where it is. Raises CannotStart."""
    set_up("text", "warning")
    try:
        async with performed(port, content_dir) as (url, _app, _cast):
            say(f"\nInterlude is on at  {url}\n\nThree phones, a clock to move. Stop with Ctrl+C; nothing is kept.\n")
            await asyncio.Event().wait()
    except OSError as error:
        raise CannotStart(f"port {port} cannot be used ({error.strerror}): try `interlude demo --port 0`") from None


@contextlib.asynccontextmanager
async def performed(
    port: int, content_dir: Path, library: LiveLibrary | None = None
) -> AsyncIterator[tuple[str, App, Cast]]:
    """Run sandbox and app while the block lasts; the staff and the clinician have joined.

    `library` is the content of the folder where it was read already.
    """
    with tempfile.TemporaryDirectory(prefix="interlude-demo-") as folder:
        async with serve(port=port) as sandbox, SandboxClient(sandbox.url) as telegram:
            settings = _settings(sandbox.url, Path(folder), content_dir)
            await telegram.add_bot(settings.token.get_secret_value(), USERNAME, "Interlude")
            await _prepare(settings)
            async with wired(settings, library) as app:
                running = asyncio.create_task(app.run())
                marking = asyncio.create_task(_mark(app.store, telegram))
                try:
                    cast = await _people(app, telegram)
                    yield sandbox.url, app, cast
                finally:
                    for task in (running, marking):
                        task.cancel()
                    await asyncio.gather(running, marking, return_exceptions=True)


def _settings(url: str, folder: Path, content_dir: Path) -> Settings:
    return Settings(
        _env_file=None,
        token=SecretStr(f"{secrets.randbelow(10**8) + 10**8}:demo"),
        keys=SecretStr(new_key("demo")),
        database_url=f"sqlite+aiosqlite:///{folder}/demo.db",
        content_dir=content_dir,
        telegram_url=url,
        clock_url=url,
    )


async def _prepare(settings: Settings) -> None:
    store = Store(settings.database_url, Vault(read_keys(settings.keys.get_secret_value())))
    await upgrade(store)
    await store.close()


async def _people(app: App, telegram: SandboxClient) -> Cast:
    """Bring three made-up people on; the participant still has to open the invitation."""
    participant = await telegram.add_user("Robin Sample")
    clinician = await telegram.add_user("Dr. Quill Example")
    staff = await telegram.add_user("Sam Specimen")
    for user, role in ((staff, "staff"), (clinician, "clinician")):
        await telegram.open(user, await _link(app, role))  # type: ignore[arg-type]
    cast = Cast(participant=participant, clinician=clinician, staff=staff, invitation=await _link(app, "participant"))
    await telegram.call(
        "PUT",
        "/stage",
        title="Interlude",
        bot=USERNAME,
        phones=[
            {"user_id": participant, "label": "Participant", "note": "Robin Sample, starts with an invitation"},
            {"user_id": clinician, "label": "Clinician", "note": "Dr. Quill Example, gets the alerts: try /queue"},
            {"user_id": staff, "label": "Staff", "note": "Sam Specimen: try /invite and /preview"},
        ],
        links=[{"label": "Open the invitation", "user_id": participant, "link": cast.invitation}],
    )
    return cast


async def _link(app: App, role: Role) -> str:
    token = await invite(app.store, app.library.content, programme=PROGRAMME, role=role, now=app.clock.now())
    return f"https://t.me/{USERNAME}?start={token}"


async def _mark(store: Store, telegram: SandboxClient) -> None:
    """Tell the sandbox's clock what is due next, so that the page can go there."""
    told: dict[str, datetime | None] = {}
    while True:
        async with store.read() as tx:
            due = {
                "next prompt": await next_moment(tx),
                "next reminder": await next_reminder(tx),
                "next alert": await next_alert(tx),
                "end of the pause": await next_elapse(tx),
                "follow-up": await next_follow_up(tx),
            }
        if due != told:
            told = due
            await telegram.call(
                "PUT", "/clock/marks", **{name: moment.isoformat() if moment else None for name, moment in due.items()}
            )
        await asyncio.sleep(LOOK_EVERY)
