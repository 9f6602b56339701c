"""`python -m bot.sandbox --port 8081` serves a sandbox until it is stopped."""

import argparse
import asyncio
import contextlib

from bot.sandbox.server import serve
from bot.sandbox.world import KEPT_IN_LOG, Refusal


async def _run(host: str, port: int, log_size: int, bots: list[str]) -> None:
    async with serve(host, port, log_size=log_size) as sandbox:
        for bot in bots:
            token, _, username = bot.partition("=")
            sandbox.world.add_bot(token, username or "sandbox_bot", username or "Bot")
        print(sandbox.url, flush=True)  # noqa: T201 - what the command is for
        await asyncio.Event().wait()


parser = argparse.ArgumentParser(prog="python -m bot.sandbox", description=__doc__)
parser.add_argument("--host", default="127.0.0.1")
parser.add_argument("--port", type=int, default=8081, help="0 takes any that is free")
parser.add_argument("--bot", action="append", default=[], metavar="TOKEN=USERNAME", help="a bot to begin with")
parser.add_argument("--log-size", type=int, default=KEPT_IN_LOG, help="how many requests of bots to keep")
given = parser.parse_args()
try:
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_run(given.host, given.port, given.log_size, given.bot))
except (Refusal, OSError) as error:
    parser.error(str(error))
