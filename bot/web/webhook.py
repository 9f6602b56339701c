"""Telegram's own way of bringing updates: each is committed before it is told that it arrived."""

import hmac
from collections.abc import Awaitable, Callable, Sequence

from aiogram.types import Update
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

Keep = Callable[[Sequence[Update]], Awaitable[bool]]
"""Commits updates; False when that failed."""

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the header's name
LARGEST = 256 * 1024
"""Bytes of one update at most.

Telegram's largest come to some 180 KiB: 4,096 characters, each written as six bytes, in a message and in the one that
it replies to, with 100 entities each, and a keyboard of 100 buttons under both.
"""


def webhook_route(path: str, secret: str, keep: Keep) -> Route:
    """Return the route that takes updates at `path`, from whoever knows the secret only.

    200 once the update is committed; 503 when it could not be, so that Telegram brings it again; 403, 413 and 400 for
    what is not Telegram's.
    """

    async def take(request: Request) -> Response:
        if not hmac.compare_digest(request.headers.get(SECRET_HEADER, "").encode(), secret.encode()):
            return PlainTextResponse("not for you", 403)
        body = await _read(request)
        if body is None:
            return PlainTextResponse("too large", 413)
        try:
            update = Update.model_validate_json(body)
        except ValidationError:
            return PlainTextResponse("no update", 400)
        return PlainTextResponse("kept") if await keep([update]) else PlainTextResponse("not kept", 503)

    return Route(path, take, methods=["POST"])


async def _read(request: Request) -> bytes | None:
    """Return the body, None when it is too large to be an update."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST:
            return None
    return bytes(body)
