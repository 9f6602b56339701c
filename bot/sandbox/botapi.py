"""The Bot API's face: requests decoded, carried out, answered as Telegram answers."""

import asyncio
import contextlib
import json
import re
from collections.abc import Awaitable, Callable
from functools import partial

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Message, Receive, Scope, Send

from bot.sandbox.faults import Faults
from bot.sandbox.limits import Gate
from bot.sandbox.methods import Methods
from bot.sandbox.updates import Webhooks, poll
from bot.sandbox.world import Account, Json, Refusal, Upload, World

_TOKEN = re.compile(r"\d+:[\w-]+")

QUIET = {"getupdates", "getme"}
"""Methods that are not kept in the log: they accept nothing from the bot."""


class BotApi:
    """Answers bots."""

    def __init__(self, world: World) -> None:
        self.gate = Gate()
        self.faults = Faults()
        self.webhooks = Webhooks(world, self._answered)
        self._methods = Methods(world, self.gate)
        self._world = world

    async def method(self, request: Request) -> Response:
        """Answer one request of a bot."""
        return await self._asked(
            request.path_params["token"], request.path_params["method"], partial(_parameters, request)
        )

    async def json_method(self, token: str, method: str, body: bytes) -> Response:
        """Answer one request of a bot whose parameters are JSON."""
        return await self._asked(token, method, partial(_json_parameters, body))

    async def _asked(self, token: str, method: str, parameters: Callable[[], Awaitable[Json]]) -> Response:
        bot = self._world.bots.get(token)
        if bot is None:
            return _refused(Refusal(401, "Unauthorized") if _TOKEN.fullmatch(token) else Refusal(404, "Not Found"))
        try:
            given = await parameters()
        except (ValueError, HTTPException):
            return _refused(Refusal(400, "Bad Request: can't parse parameters"))
        return await self._faulty(bot, method, given)

    async def file(self, request: Request) -> Response:
        """Hand out a file."""
        name = request.path_params["path"].removeprefix("files/")
        if request.path_params["token"] not in self._world.bots or name not in self._world.files:
            return _refused(Refusal(404, "Not Found"))
        return Response(self._world.files[name].held, media_type="application/octet-stream")

    async def _answered(self, bot: Account, kind: str, body: bytes) -> None:
        """Carry out the method that a webhook's answer names, if any."""
        with contextlib.suppress(ValueError, HTTPException):
            given = await _parameters(_as_request(kind, body))
            if method := given.pop("method", None):
                await self._answer(bot, str(method), given)

    async def _faulty(self, bot: Account, method: str, given: Json) -> Response:
        chat = str(given.get("chat_id") or 0)
        fault = self.faults.take(method, int(chat) if chat.lstrip("-").isdigit() else 0)
        if fault is None:
            return await self._answer(bot, method, given)
        if fault.kind == "reset":
            return Cut()
        if fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
            return await self._answer(bot, method, given)
        if fault.kind == "late_answer":
            answer = await self._answer(bot, method, given)
            await asyncio.sleep(fault.seconds)
            return answer
        if fault.kind == "timeout_after":
            await self._answer(bot, method, given)
            await asyncio.sleep(fault.seconds)
            return Cut()
        refusal = fault.refusal()
        self._world.note(bot, method, _loggable(given), refusal.status, refusal.description)
        return _refused(refusal)

    async def _answer(self, bot: Account, method: str, given: Json) -> Response:
        name = method.lower()
        try:
            result = await self._carry_out(bot, name, given)
        except Refusal as refusal:
            self._world.note(bot, method, _loggable(given), refusal.status, refusal.description)
            return _refused(refusal)
        if name not in QUIET:
            self._world.note(bot, method, _loggable(given), 200, result)
        return JSONResponse({"ok": True, "result": result})

    async def _carry_out(self, bot: Account, name: str, given: Json) -> object:
        match name:
            case "getupdates":
                return await poll(bot, given)
            case "setwebhook":
                return self.webhooks.set(bot, given)
            case "deletewebhook":
                return self.webhooks.set(bot, {**given, "url": ""})
            case "getwebhookinfo":
                return self.webhooks.told(bot)
        if name not in self._methods.known:
            raise Refusal(404, "Not Found: method not found")
        try:
            return await self._methods.known[name](bot, given)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise Refusal(400, f"Bad Request: can't parse parameters: {error}") from error


async def _parameters(request: Request) -> Json:
    """Return a request's parameters, from wherever they stand, with what is JSON inside of them decoded."""
    given: Json = {name: _decoded(name, value) for name, value in request.query_params.items()}
    kind = request.headers.get("content-type", "").partition(";")[0]
    if kind == "application/json":
        return given | await _json_parameters(await request.body())
    if kind in ("multipart/form-data", "application/x-www-form-urlencoded"):
        async with request.form(max_files=100, max_fields=1000, max_part_size=64 * 1024 * 1024) as form:
            for name, value in form.multi_items():
                given[name] = await _upload(value) if isinstance(value, UploadFile) else _decoded(name, value)
    for name, value in list(given.items()):
        if isinstance(value, str) and value.startswith("attach://"):
            given[name] = given.get(value.removeprefix("attach://"), value)
    return given


async def _json_parameters(body: bytes) -> Json:
    given = json.loads(body)
    if not isinstance(given, dict):
        raise ValueError("the body must be a JSON object")  # noqa: TRY004 - as bad as one that is no JSON
    return {name: _decoded(name, value) for name, value in given.items() if value is not None}


async def _upload(file: UploadFile) -> Upload:
    return Upload(file.filename or "file", await file.read())


_STRUCTURED = frozenset(
    {
        "allowed_updates",
        "caption_entities",
        "commands",
        "entities",
        "link_preview_options",
        "media",
        "menu_button",
        "message_ids",
        "reaction",
        "reply_markup",
        "reply_parameters",
        "scope",
    }
)
"""Parameters that are objects or lists, and so JSON where a form carries them."""


_SWITCHES = frozenset(
    {
        "allow_paid_broadcast",
        "allow_sending_without_reply",
        "disable_notification",
        "drop_pending_updates",
        "protect_content",
        "show_alert",
    }
)


def _decoded(name: str, value: object) -> object:
    """Return a parameter as what it stands for; a text stays as it is, whatever it looks like."""
    if isinstance(value, str) and name in _STRUCTURED:
        return json.loads(value)
    if isinstance(value, str) and name in _SWITCHES:
        return value.lower() in ("true", "1")
    return value


def _as_request(kind: str, body: bytes) -> Request:
    """Return what a webhook answered as if it had been sent to the Bot API."""

    async def receive() -> Message:
        return {"type": "http.request", "body": body}

    headers = [(b"content-type", kind.encode())]
    return Request({"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": headers}, receive)


def _loggable(given: Json) -> Json:
    return {name: f"<{len(one.held)} bytes>" if isinstance(one, Upload) else one for name, one in given.items()}


def _refused(refusal: Refusal) -> Response:
    body: Json = {"ok": False, "error_code": refusal.status, "description": refusal.description}
    if refusal.parameters:
        body["parameters"] = refusal.parameters
    return JSONResponse(body, refusal.status)


class Cut(Response):
    """Breaks the connection off: an answer is begun that never comes, and so the server hangs up."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - Starlette's own
        headers = [(b"content-length", b"100"), (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
