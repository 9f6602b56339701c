"""The whole of Interlude against the sandbox, over real HTTP, without Telegram's limits on speed."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.app import App, wired
from bot.config import Settings
from bot.content.live import LiveLibrary
from bot.sandbox import SandboxClient, serve
from bot.services.enrolment import invite
from bot.storage.prompts import next_moment
from bot.storage.vault import new_key

CONTENT = Path(__file__).parent.parent / "content"
BEGINS = "2026-11-02T14:00:00+00:00"
"""A Monday, 09:00 in New York."""


@dataclass
class Stage:
    """A running Interlude, the sandbox's face, and people who have joined."""

    app: App
    telegram: SandboxClient
    settings: Settings
    serving: AsyncExitStack

    async def restart(self, *, content: Path | None = None) -> None:
        """Stop Interlude and start it again on the same database; with another folder's content if one is named."""
        await self.serving.aclose()
        library = self.app.library
        if content:
            self.settings, library = self.settings.model_copy(update={"content_dir": content}), LiveLibrary(content)
        self.app = await self.serving.enter_async_context(served(self.settings, library))

    async def link(self, role: str, programme: str = "adult-evening", **more) -> str:
        now = self.app.clock.now()
        token = await invite(self.app.store, self.app.library.content, programme=programme, role=role, now=now, **more)
        return f"https://t.me/interlude_test_bot?start={token}"

    async def colleague(self, name: str, role: str = "clinician", programme: str = "adult-evening") -> int:
        user = await self.telegram.add_user(name)
        await self.telegram.open(user, await self.link(role, programme))
        await self.telegram.wait_for(user, "Welcome")
        return user

    async def participant(
        self, name: str = "Robin Sample", programme: str = "adult-evening", username: str = ""
    ) -> int:
        """Somebody who opened an invitation, agreed, and chose English and New York."""
        user = await self.telegram.add_user(name, username=username)
        await self.telegram.open(user, await self.link("participant", programme))
        consent = await self.telegram.wait_for(user, "Do you agree?")
        await self.telegram.tap(user, consent, "I agree")
        language = await self.telegram.wait_for(user, "Which language")
        await self.telegram.tap(user, language, "English")
        zone = await self.telegram.wait_for(user, "Where do you live?")
        await self.telegram.tap(user, zone, "New York")
        await self.telegram.wait_for(user, "You are all set")
        return user

    async def until_next_prompt(self) -> None:
        """Move the clock to the next planned prompt, and let all that is due be done."""
        async with self.app.store.read() as tx:
            due = await next_moment(tx)
        assert due
        await self.telegram.move_clock(to=due.isoformat())
        await self.settled()

    async def settled(self) -> None:
        await asyncio.sleep(0.05)
        self.app.clock.moved.set()
        await asyncio.sleep(0.2)

    async def tap_through(self, user: int, text: str, *buttons: str) -> dict:
        """Tap buttons one after another, each on the message that then holds the card."""
        message = await self.telegram.wait_for(user, text)
        for button in buttons:
            before = (message["message_id"], message.get("edits", 0))
            await self.telegram.tap(user, message, button)
            message = await self.telegram.wait_for(
                user, lambda one, before=before: (one["message_id"], one.get("edits", 0)) > before
            )
        return message


@pytest.fixture
async def stage(tmp_path: Path, sqlite_template: Path, library: LiveLibrary) -> AsyncIterator[Stage]:
    (tmp_path / "test.db").write_bytes(sqlite_template.read_bytes())
    async with staged(f"sqlite+aiosqlite:///{tmp_path / 'test.db'}", library) as stage:
        yield stage


@asynccontextmanager
async def staged(database_url: str, library: LiveLibrary, token: str = "4242:test") -> AsyncIterator[Stage]:
    """Serve a sandbox and an Interlude on this database."""
    async with serve() as sandbox, SandboxClient(sandbox.url) as telegram:
        await telegram.limits(per_second=0, per_chat=0, group_per_minute=0)
        await telegram.move_clock(to=BEGINS)
        settings = Settings(
            _env_file=None,
            token=SecretStr(token),
            keys=SecretStr(new_key("t")),
            database_url=database_url,
            content_dir=CONTENT,
            telegram_url=sandbox.url,
            clock_url=sandbox.url,
            messages_per_second=1000,
            messages_per_chat=1000,
        )
        await telegram.add_bot(token, "interlude_test_bot", "Interlude")
        async with AsyncExitStack() as serving:
            app = await serving.enter_async_context(served(settings, library))
            yield Stage(app=app, telegram=telegram, settings=settings, serving=serving)


def process_environment(telegram_url: str, database_url: str, keys: str, content: Path) -> dict[str, str]:
    """The environment of an Interlude that runs as a process of its own, without limits on speed."""
    own = {
        "CONTENT_DIR": str(content),
        "TOKEN": "4242:test",
        "KEYS": keys,
        "DATABASE_URL": database_url,
        "TELEGRAM_URL": telegram_url,
        "MESSAGES_PER_SECOND": "1000",
        "MESSAGES_PER_CHAT": "1000",
        "SECOND_OPINION": "off",
    }
    others = {name: value for name, value in os.environ.items() if not name.startswith("INTERLUDE_")}
    return others | {f"INTERLUDE_{name}": value for name, value in own.items()}


@asynccontextmanager
async def served(settings: Settings, library: LiveLibrary) -> AsyncIterator[App]:
    """Serve until the block ends."""
    async with wired(settings, library) as app:
        running = asyncio.create_task(app.run())
        await asyncio.wait_for(app.clock.moved.wait(), 30)
        try:
            yield app
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
