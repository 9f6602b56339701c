"""Serving a web application beside everything else."""

import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from starlette.applications import Starlette

KEPT_ALIVE_S = 150
"""How long an idle connection stays open: longer than proxies keep theirs, so that none sends into a closing one."""


async def serve(app: Starlette, host: str, port: int) -> None:
    """Serve until cancelled. Raises OSError when the port is taken."""
    config = uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=1, timeout_keep_alive=KEPT_ALIVE_S)
    with socket.create_server((host, port)) as listener:
        await _Server(config).serve(sockets=[listener])


class _Server(uvicorn.Server):
    """Leaves signals to whoever runs the program."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
