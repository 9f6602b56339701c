"""Told to stop, Interlude finishes what is in hand, gives its seat back, and ends well; on each database."""

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

from sqlalchemy import func, select, text

from bot.sandbox import SandboxClient, serve
from bot.storage.store import Store
from bot.storage.tables import inbox, outbox
from bot.storage.vault import new_key

ROOT = Path(__file__).parent.parent.parent
SLOW = 3.0
"""Seconds that Telegram takes to accept the message which is in hand when the signal comes."""


async def test_told_to_stop_it_finishes_what_is_in_hand_and_ends_well(store: Store) -> None:
    asked = signal.SIGINT if store.sqlite else signal.SIGTERM
    async with serve() as sandbox, SandboxClient(sandbox.url) as telegram:
        await telegram.add_bot("4242:test", "interlude_test_bot")
        environment = {name: value for name, value in os.environ.items() if not name.startswith("INTERLUDE_")} | {
            "INTERLUDE_TOKEN": "4242:test",
            "INTERLUDE_KEYS": new_key("t"),
            "INTERLUDE_DATABASE_URL": store.url,
            "INTERLUDE_TELEGRAM_URL": sandbox.url,
            "INTERLUDE_SECOND_OPINION": "off",
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "run", cwd=ROOT, env=environment, stderr=asyncio.subprocess.PIPE
        )
        stranger = await telegram.add_user("Nobody Yet")
        await telegram.fault("slow", "sendMessage", seconds=SLOW)
        await telegram.say(stranger, "/start")
        await until_handled(store)
        await telegram.say(stranger, "/help")
        told = time.monotonic()
        process.send_signal(asked)
        _, said = await asyncio.wait_for(process.communicate(), 30)
        assert time.monotonic() - told < 10
        assert (process.returncode, b"has stopped" in said) == (0, True), said
        await telegram.wait_for(stranger, "need an invitation", seconds=0)
    async with store.read() as tx:
        states = [row.state for row in await tx.all(select(outbox.c.state).order_by(outbox.c.id))]
        assert states[0] == "sent", "what was in hand was settled: it is not sent again"
        if not store.sqlite:
            locks = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
            assert await tx.value(locks) == 0, "the seat is free at once"


async def until_handled(store: Store) -> None:
    """Wait until the first update is done, so that its answer is being sent."""
    async with asyncio.timeout(60):
        while True:
            async with store.read() as tx:
                done = select(func.count()).select_from(inbox).where(inbox.c.done_at.is_not(None))
                if await tx.value(done):
                    break
            await asyncio.sleep(0.02)
    await asyncio.sleep(0.3)
