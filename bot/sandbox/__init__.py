"""A local Telegram: an emulated Bot API over HTTP, a chat in the browser, and a clock that can be moved.

Any bot can speak to it: set its API address to the sandbox's. Run it alone with `python -m bot.sandbox --port 8081`,
or in a test:

    async with serve() as sandbox, SandboxClient(sandbox.url) as telegram:
        await telegram.add_bot("1:token", "demo_bot")
        ana = await telegram.add_user("Ana")
        await telegram.say(ana, "/start")
        message = await telegram.wait_for(ana, "Welcome")
        await telegram.tap(ana, message, "Begin")
        await telegram.move_clock(by=3600)

It knows nothing of Interlude.
"""

from bot.sandbox.client import SandboxClient
from bot.sandbox.server import Sandbox, serve

__all__ = ["Sandbox", "SandboxClient", "serve"]
