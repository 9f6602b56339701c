"""`python -m bot.sandbox --port 8081` serves a sandbox until it is stopped."""

import argparse
import asyncio
import contextlib

from bot.sandbox.server import serve


async def _run(host: str, port: int) -> None:
    async with serve(host, port) as sandbox:
        print(sandbox.url, flush=True)  # noqa: T201 - what the command is for
        await asyncio.Event().wait()


parser = argparse.ArgumentParser(prog="python -m bot.sandbox", description=__doc__)
parser.add_argument("--host", default="127.0.0.1")
parser.add_argument("--port", type=int, default=8081, help="0 takes any that is free")
given = parser.parse_args()
with contextlib.suppress(KeyboardInterrupt):
    asyncio.run(_run(given.host, given.port))
