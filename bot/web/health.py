"""Whether the process lives, and whether it does its work: for monitors and load balancers."""

import asyncio
from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from bot.headway import Headway
from bot.storage.store import Store

ASK_FOR = 5.0
"""Seconds that the database has to answer."""


def make_web(store: Store, headway: Headway, more: Sequence[BaseRoute] = ()) -> Starlette:
    """Return the application: `/livez` answers while the process lives, `/readyz` with 503 when work is stuck.

    `more` are further routes that it answers.
    """

    async def livez(_: Request) -> JSONResponse:
        return JSONResponse({"alive": True})

    async def readyz(_: Request) -> JSONResponse:
        stalled, database = headway.stalled(), await _answers(store)
        ready = database and not stalled
        return JSONResponse({"ready": ready, "database": database, "stalled": stalled}, 200 if ready else 503)

    return Starlette(routes=[Route("/livez", livez), Route("/readyz", readyz), *more])


async def _answers(store: Store) -> bool:
    try:
        async with asyncio.timeout(ASK_FOR), store.read() as tx:
            return await tx.alive()
    except Exception:  # noqa: BLE001 - whatever is wrong with it, it does not answer
        return False
