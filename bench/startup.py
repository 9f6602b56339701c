"""From `interlude run` to the first update served, and what the process takes when idle."""

import asyncio
import os
import sys
import tempfile
import time
from statistics import median

from bench.stage import memory
from bench.table import Figure, Size
from bot.sandbox import SandboxClient, serve
from bot.storage.migrate import upgrade
from bot.storage.store import Store
from bot.storage.vault import Vault, new_key, read_keys


async def measure(size: Size) -> list[Figure]:
    waits, memory = [], 0.0
    for _ in range(size.pick(1, 3, 3)):
        wait, memory = await _started(idle=size.pick(2, 10, 10))
        waits.append(wait)
    return [
        Figure(what="from `interlude run` to the first answer", measured=median(waits), unit="s", at_most=5),
        Figure(what="idle memory", measured=memory, unit="MiB", at_most=200),
    ]


async def _started(*, idle: float) -> tuple[float, float]:
    with tempfile.TemporaryDirectory() as folder:
        keys = new_key("b")
        url = f"sqlite+aiosqlite:///{folder}/bench.db"
        store = Store(url, Vault(read_keys(keys)))
        await upgrade(store)
        await store.close()
        async with serve() as sandbox, SandboxClient(sandbox.url) as telegram:
            await telegram.add_bot("1:bench", "bench_bot")
            robin = await telegram.add_user("Robin")
            await telegram.say(robin, "/start")
            known = {
                "INTERLUDE_TOKEN": "1:bench",
                "INTERLUDE_KEYS": keys,
                "INTERLUDE_DATABASE_URL": url,
                "INTERLUDE_TELEGRAM_URL": sandbox.url,
                "INTERLUDE_LOG_LEVEL": "error",
            }
            began = time.perf_counter()
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot", "run", env={**os.environ, **known}
            )
            try:
                await telegram.wait_for(robin, "Hello", seconds=60)
                wait = time.perf_counter() - began
                await asyncio.sleep(idle)
                return wait, memory(process.pid)
            finally:
                process.terminate()
                await process.wait()
