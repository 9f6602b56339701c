"""What several commands need: the settings, the store, and one line on what is wrong."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable, Coroutine
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from bot.config import Settings
    from bot.content.library import Content
    from bot.storage.store import Store

ContentDir = Annotated[Path, typer.Option("--content", help="The content folder.", metavar="DIR")]
CONTENT = Path("content")
_TOLD = "SIGTERM"
STOP_AGAIN = 4.0
"""Seconds after which a program that was told to stop is told again."""


def open_store(settings: "Settings") -> "Store":
    from bot.storage.store import Store
    from bot.storage.vault import Vault, read_keys

    return Store(settings.database_url, Vault(read_keys(settings.keys.get_secret_value())))


def with_settings(work: Callable[["Settings"], Coroutine[Any, Any, None]]) -> None:
    """Read the settings and do the work."""
    from bot.journal import guard_crashes, set_up
    from bot.reporting import NotInstalled, reporter

    settings = read_settings()
    try:
        report = reporter(settings.sentry_dsn.get_secret_value())
    except NotInstalled as error:
        fail(str(error))
    set_up(settings.log_format, settings.log_level, report)
    guard_crashes()
    run(work(settings))


def with_store(work: Callable[["Store", "Content", datetime], Coroutine[Any, Any, None]]) -> None:
    """Do the work on the database of the settings, with their content, now."""
    from bot.clock import Clock
    from bot.content.library import load
    from bot.services.channels import NoSuchChannel
    from bot.services.roster import NotFound
    from bot.storage import migrate
    from bot.storage.vault import Unreadable

    async def opened(settings: "Settings") -> None:
        store = open_store(settings)
        try:
            await migrate.demand_current(store)
            await work(store, load(settings.content_dir).content, Clock().now())
        except (NoSuchChannel, NotFound, Unreadable) as error:
            fail(str(error))
        finally:
            await store.close()

    with_settings(opened)


def read_settings() -> "Settings":
    """Read the settings; what is wrong with them is said in one line."""
    from pydantic import ValidationError

    from bot.config import Settings, wrong_settings

    try:
        return Settings()
    except ValidationError as error:
        fail("; ".join(wrong_settings(error)))


def run(work: Coroutine[Any, Any, None]) -> None:
    from bot.app import CannotStart
    from bot.reporting import NotInstalled
    from bot.storage.migrate import WrongVersion
    from bot.storage.store import Unavailable
    from bot.storage.vault import BadKey

    try:
        with asyncio.Runner(loop_factory=_quick_loop()) as runner:
            runner.run(_until_told_to_stop(work))
    except KeyboardInterrupt:
        typer.echo("stopped", err=True)
    except (CannotStart, NotInstalled, WrongVersion, BadKey, Unavailable) as error:
        fail(str(error))


def _quick_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return what makes the quicker event loop, where there is one for this system; None stands for Python's own."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


async def _until_told_to_stop(work: Coroutine[Any, Any, None]) -> None:
    """Do the work; SIGTERM, by which services are stopped, ends it in order as Ctrl+C does."""
    loop, working = asyncio.get_running_loop(), asyncio.ensure_future(work)

    def stop() -> None:
        working.cancel(_TOLD)
        loop.call_later(STOP_AGAIN, stop)  # a library may lose a cancellation, and nothing would ever end

    with contextlib.suppress(NotImplementedError):  # Windows has no such signals
        loop.add_signal_handler(signal.SIGTERM, stop)
    try:
        await working
    except asyncio.CancelledError as error:
        if error.args != (_TOLD,):
            raise
        typer.echo("stopped", err=True)


def fail(why: str) -> NoReturn:
    typer.echo(f"interlude: {why}", err=True)
    sys.exit(2)
