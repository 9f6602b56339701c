"""The sandbox as one web application, and serving it on a port of this machine."""

import asyncio
import contextlib
import itertools
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from bot.sandbox.botapi import BotApi
from bot.sandbox.clock import Clock
from bot.sandbox.control import Control
from bot.sandbox.shortcut import ShortCut
from bot.sandbox.world import KEPT_IN_LOG, World

_STATIC = Path(__file__).parent / "static"
KEPT_ALIVE_S = 75
"""How long an idle connection stays open: longer than clients keep theirs, so that none sends into a closing one."""
TICK = 0.1
"""Seconds, as uvicorn has them; it counts ten to the second."""


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A sandbox that is served. `url` is where bots, tests and browsers find it."""

    url: str
    world: World


def create_app(world: World, api: BotApi) -> Starlette:
    """Return the application that shows this world."""
    control = Control(world, api)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await api.webhooks.stop()

    routes = [
        Route("/bot{token}/{method}", api.method, methods=["GET", "POST"]),  # first, for it is asked most
        Route("/file/bot{token}/{path:path}", api.file),
        Route("/", _page),
        Mount("/static", StaticFiles(directory=_STATIC)),
        *control.routes(),
    ]
    return Starlette(routes=routes, lifespan=lifespan, exception_handlers={HTTPException: _unknown})


@contextlib.asynccontextmanager
async def serve(host: str = "127.0.0.1", port: int = 0, *, log_size: int = KEPT_IN_LOG) -> AsyncIterator[Sandbox]:
    """Serve a sandbox while the block lasts; port 0 takes any that is free. Raises OSError when the port is taken.

    Its log holds the last `log_size` requests of bots.
    """
    world = World(Clock(), log_size)
    listener = socket.create_server((host, port))
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # without it each answer waits 40 ms
    api = BotApi(world)
    config = uvicorn.Config(
        create_app(world, api),
        http=partial(ShortCut, api),  # type: ignore[arg-type]  # whatever makes a protocol will do
        log_level="critical",
        lifespan="on",
        timeout_graceful_shutdown=1,
        timeout_keep_alive=KEPT_ALIVE_S,
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        yield Sandbox(f"http://{host}:{listener.getsockname()[1]}", world)
    finally:
        server.stop()
        await world.dismiss()
        await serving
        listener.close()


class _Server(uvicorn.Server):
    """Leaves signals to whoever runs the program, and ends at once when told to, not at its next tick."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        """End serving."""
        self.should_exit = True
        self._stopped.set()

    async def main_loop(self) -> None:
        """Tick as the server does by itself, until stopped."""
        ticks = itertools.count()
        while not await self.on_tick(next(ticks)):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), TICK)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _unknown(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - Starlette's promise
    said = {"ok": False, "error_code": error.status_code, "description": error.detail, "error": error.detail}
    return JSONResponse(said, error.status_code)


async def _page(_: Request) -> Response:
    return FileResponse(_STATIC / "index.html", headers={"Cache-Control": "no-store"})
