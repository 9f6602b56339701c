"""The Bot API's face: requests decoded, carried out, answered as Telegram answers."""

import asyncio
import json

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from bot.sandbox.faults import Faults
from bot.sandbox.limits import Gate
from bot.sandbox.methods import Methods
from bot.sandbox.updates import Webhooks, poll
from bot.sandbox.world import Account, Json, Refusal, World

QUIET = {"getupdates", "getme"}
"""Methods that are not kept in the log: they accept nothing from the bot."""


class BotApi:
    """Answers bots."""

    def __init__(self, world: World) -> None:
        self.gate = Gate()
        self.faults = Faults()
        self.webhooks = Webhooks(world, self._answer)
        self._methods = Methods(world, self.gate)
        self._world = world

    async def method(self, request: Request) -> Response:
        """Answer one request of a bot."""
        bot = self._world.bots.get(request.path_params["token"])
        if bot is None:
            return _refused(Refusal(401, "Unauthorized"))
        try:
            given = await _parameters(request)
        except ValueError:
            return _refused(Refusal(400, "Bad Request: can't parse parameters"))
        return await self._faulty(request, bot, request.path_params["method"], given)

    async def file(self, request: Request) -> Response:
        """Hand out a file."""
        name = request.path_params["path"].removeprefix("files/")
        if request.path_params["token"] not in self._world.bots or name not in self._world.files:
            return _refused(Refusal(404, "Not Found"))
        return Response(self._world.files[name], media_type="application/octet-stream")

    async def _faulty(self, request: Request, bot: Account, method: str, given: Json) -> Response:
        chat = str(given.get("chat_id") or 0)
        fault = self.faults.take(method, int(chat) if chat.lstrip("-").isdigit() else 0)
        if fault is None:
            return await self._answer(bot, method, given)
        if fault.kind == "reset":
            return await _cut(request)
        if fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
            return await self._answer(bot, method, given)
        if fault.kind == "timeout_after":
            await self._answer(bot, method, given)
            await asyncio.sleep(fault.seconds)
            return await _cut(request)
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
        return await self._methods.known[name](bot, given)


async def _parameters(request: Request) -> Json:
    """Return a request's parameters, from wherever they stand, with what is JSON inside of them decoded."""
    given: Json = {name: _decoded(name, value) for name, value in request.query_params.items()}
    kind = request.headers.get("content-type", "").partition(";")[0]
    if kind == "application/json":
        body = await request.json()
        return given | {name: value for name, value in body.items() if value is not None}
    if kind in ("multipart/form-data", "application/x-www-form-urlencoded"):
        async with request.form(max_files=100, max_fields=1000, max_part_size=64 * 1024 * 1024) as form:
            for name, value in form.multi_items():
                given[name] = await value.read() if isinstance(value, UploadFile) else _decoded(name, value)
    for name, value in list(given.items()):
        if isinstance(value, str) and value.startswith("attach://"):
            given[name] = given.get(value.removeprefix("attach://"), value)
    return given


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


def _decoded(name: str, value: str) -> object:
    if name in _STRUCTURED:
        return json.loads(value)
    return value == "true" if value in ("true", "false") and name not in ("text", "caption") else value


def _loggable(given: Json) -> Json:
    return {name: f"<{len(value)} bytes>" if isinstance(value, bytes) else value for name, value in given.items()}


def _refused(refusal: Refusal) -> Response:
    body: Json = {"ok": False, "error_code": refusal.status, "description": refusal.description}
    if refusal.parameters:
        body["parameters"] = refusal.parameters
    return JSONResponse(body, refusal.status)


class _Cut(Response):
    """Breaks the connection off instead of answering."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - Starlette's own
        raise ConnectionResetError("cut on demand")


async def _cut(_: Request) -> Response:
    return _Cut()
