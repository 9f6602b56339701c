"""Whether the process lives, whether it does its work, and in numbers: for monitors and load balancers."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from bot.headway import Headway
from bot.storage.figures import gathered
from bot.storage.store import Store
from bot.web.counting import Counting
from bot.web.exposition import CONTENT_TYPE, exposed
from bot.web.metrics import gauges

ASK_FOR = 5.0
"""Seconds that the database has to answer."""


def make_web(
    store: Store, headway: Headway, now: Callable[[], datetime], counting: Counting, more: Sequence[BaseRoute] = ()
) -> Starlette:
    """Return the application: `/livez` answers while the process lives, `/readyz` with 503 when work is stuck.

    `/metrics` is for Prometheus, with 503 when the database does not answer in time; what `counting` counts may come
    later. `more` are further routes.
    """

    async def livez(_: Request) -> JSONResponse:
        return JSONResponse({"alive": True})

    async def readyz(_: Request) -> JSONResponse:
        stalled, database = headway.stalled(), await _answers(store)
        ready = database and not stalled
        return JSONResponse({"ready": ready, "database": database, "stalled": stalled}, 200 if ready else 503)

    async def metrics(_: Request) -> Response:
        try:
            async with asyncio.timeout(ASK_FOR), store.read() as tx:
                figures = await gathered(tx, now())
        except Exception:  # noqa: BLE001 - whatever is wrong with it, there are no figures
            return PlainTextResponse("The database gives no figures. /readyz says more.\n", 503)
        days = await counting.given()
        return Response(exposed(gauges(figures, days, headway.since())), media_type=CONTENT_TYPE)

    routes = [Route("/livez", livez), Route("/readyz", readyz), Route("/metrics", metrics)]
    return Starlette(routes=[*routes, *more])


async def _answers(store: Store) -> bool:
    try:
        async with asyncio.timeout(ASK_FOR), store.read() as tx:
            return await tx.alive()
    except Exception:  # noqa: BLE001 - whatever is wrong with it, it does not answer
        return False
