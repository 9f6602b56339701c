"""The face for tests and for the page: act as users, read chats, move the clock, cause faults."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from bot.sandbox.botapi import BotApi
from bot.sandbox.faults import KINDS, Fault
from bot.sandbox.people import People
from bot.sandbox.pictures import media_type
from bot.sandbox.world import Chat, Json, Refusal, User, World

SETTLED_AFTER = 0.35
"""Seconds without any change after which a bot is taken to have done what it does at a moment."""

LONGEST_SETTLING = 1.5
"""Seconds after which it is not waited for any longer."""

MOST_STEPS = 500
MOST_IN_CROWD = 1_000_000

Endpoint = Callable[[Request], Awaitable[Response]]


class Control:
    """Answers tests and the page."""

    def __init__(self, world: World, api: BotApi) -> None:
        self._world = world
        self._api = api
        self._people = People(world)
        self._stage: Json = {"title": "Sandbox", "phones": [], "hints": []}

    def routes(self) -> list[Route]:
        """Return the paths of this face."""
        paths: list[tuple[str, str, Endpoint]] = [
            ("GET", "/clock", self.clock),
            ("POST", "/clock", self.move_clock),
            ("PUT", "/clock/marks", self.set_marks),
            ("GET", "/bots", self.bots),
            ("POST", "/bots", self.add_bot),
            ("GET", "/users", self.users),
            ("POST", "/users", self.add_user),
            ("POST", "/crowd", self.add_crowd),
            ("DELETE", "/users/{user:int}", self.remove_user),
            ("POST", "/groups", self.add_group),
            ("POST", "/users/{user:int}/messages", self.say),
            ("PATCH", "/users/{user:int}/messages/{message:int}", self.edit),
            ("POST", "/users/{user:int}/taps", self.tap),
            ("POST", "/users/{user:int}/open", self.open_link),
            ("POST", "/users/{user:int}/block", self.block),
            ("POST", "/users/{user:int}/unblock", self.unblock),
            ("GET", "/chats/{chat}/messages", self.messages),
            ("GET", "/files/{name}", self.file),
            ("GET", "/log", self.log),
            ("DELETE", "/log", self.clear_log),
            ("GET", "/faults", self.faults),
            ("POST", "/faults", self.add_fault),
            ("DELETE", "/faults", self.clear_faults),
            ("POST", "/updates", self.disturb_updates),
            ("PUT", "/limits", self.set_limits),
            ("GET", "/stage", self.stage),
            ("PUT", "/stage", self.set_stage),
            ("GET", "/events", self.events),
        ]
        return [Route(f"/sandbox{path}", _kindly(act), methods=[verb]) for verb, path, act in paths]

    # the clock

    async def clock(self, request: Request) -> Response:
        """Tell the time; with `after`, once it was moved or marked past that version."""
        if "after" in request.query_params:
            seconds = min(float(request.query_params.get("timeout", 20)), 60)
            await self._world.clock.wait_past(int(request.query_params["after"]), seconds)
        return JSONResponse(self._world.clock.told())

    async def move_clock(self, request: Request) -> Response:
        """Move the clock `to` a moment, `by` seconds, to a `mark` or `tomorrow`; `walk` stops at marks on the way."""
        given = await _body(request)
        target = self._moment(given)
        if given.get("walk"):
            await self._walk(target)
        await self._world.clock.move_to(target)
        await self._world.tell("clock")
        return JSONResponse(self._world.clock.told())

    async def set_marks(self, request: Request) -> Response:
        """Take named moments from the bot; null takes one away."""
        given = await _body(request)
        marks = {name: _parsed(moment) for name, moment in given.items() if moment}
        await self._world.clock.set_marks(marks)
        await self._world.tell("clock")
        return JSONResponse(self._world.clock.told())

    def _moment(self, given: Json) -> datetime:
        clock = self._world.clock
        if "to" in given:
            return _parsed(given["to"])
        if "by" in given:
            return clock.now() + timedelta(seconds=float(given["by"]))
        if "mark" in given:
            if given["mark"] not in clock.marks:
                raise Refusal(404, f"there is no mark '{given['mark']}'; there are: {', '.join(clock.marks) or 'none'}")
            return max(clock.marks[given["mark"]], clock.now())
        if "tomorrow" in given:
            zone = _zone(given.get("timezone", "UTC"))
            hour, _, minute = str(given["tomorrow"]).partition(":")
            day = clock.now().astimezone(zone).date() + timedelta(days=1)
            return datetime(day.year, day.month, day.day, int(hour), int(minute or 0), tzinfo=zone)
        raise Refusal(400, 'say where to: {"to": ISO}, {"by": seconds}, {"mark": name} or {"tomorrow": "09:00"}')

    async def _walk(self, target: datetime) -> None:
        """Go from mark to mark up to `target`, giving the bot time to do what is due at each."""
        clock = self._world.clock
        for _ in range(MOST_STEPS):
            ahead = [moment for moment in clock.marks.values() if clock.now() < moment < target]
            if not ahead:
                return
            await self._stop_at(min(ahead))

    async def _stop_at(self, moment: datetime) -> None:
        """Go to a moment, and wait until the bot has told what comes next and nothing has changed for a while."""
        clock, until = self._world.clock, time.monotonic() + LONGEST_SETTLING
        with self._world.listening() as events, contextlib.suppress(TimeoutError):
            marks = clock.marks
            await clock.move_to(moment)
            await self._world.tell("clock")
            while (left := until - time.monotonic()) > 0:
                await asyncio.wait_for(events.get(), left if clock.marks is marks else min(left, SETTLED_AFTER))

    # bots and users

    async def bots(self, _: Request) -> Response:
        """List the bots, with their commands and descriptions."""
        return JSONResponse(
            [
                {
                    **bot.told(),
                    "descriptions": {
                        language: text for (kind, language), text in bot.texts.items() if kind == "description"
                    },
                    "commands": {f"{scope}|{language}": menu for (scope, language), menu in bot.commands.items()},
                }
                for bot in self._world.bots.values()
            ]
        )

    async def add_bot(self, request: Request) -> Response:
        """Add a bot: token, username, first_name."""
        given = await _body(request)
        name = str(given.get("first_name") or "Bot")
        bot = self._world.add_bot(str(given.get("token") or ""), str(given.get("username") or "sandbox_bot"), name)
        return JSONResponse(bot.told())

    async def users(self, _: Request) -> Response:
        """List the users, with the names of the bots that each blocked."""
        blocked = {bot.id: bot.username for bot in self._world.bots.values()}
        return JSONResponse(
            [
                {**user.told(), "blocked": [blocked[bot] for bot in sorted(user.blocked)]}
                for user in self._world.users.values()
                if not user.gone
            ]
        )

    async def add_user(self, request: Request) -> Response:
        """Add a user: first_name, language_code, username, id."""
        given = await _body(request)
        user = self._world.add_user(
            str(given.get("first_name") or "Somebody"),
            str(given.get("language_code") or "en"),
            str(given.get("username") or ""),
            int(given.get("id") or 0),
        )
        return JSONResponse(user.told())

    async def add_crowd(self, request: Request) -> Response:
        """Add `count` users numbered from id `first`, who all have begun a chat with the bot, without an update."""
        given = await _body(request)
        first, count = int(given.get("first") or 0), int(given.get("count") or 0)
        if first < 1 or not 0 < count <= MOST_IN_CROWD:
            raise Refusal(400, f"a crowd has a first id above 0, and a count from 1 to {MOST_IN_CROWD}")
        bot = self._world.bot_named(str(given.get("bot") or ""))
        for user_id in range(first, first + count):
            self._world.add_user(f"Robin{user_id - first + 1}", user_id=user_id).started.add(bot.id)
        return JSONResponse({"first": first, "count": count})

    async def remove_user(self, request: Request) -> Response:
        """Let a user delete the account: bots that write there are told that it is deactivated."""
        self._user(request).gone = True
        return JSONResponse({})

    async def add_group(self, request: Request) -> Response:
        """Add a group: title, members (ids of users and bots)."""
        given = await _body(request)
        members = {int(one) for one in given.get("members") or []}
        return JSONResponse({"id": self._world.add_group(str(given.get("title") or "Group"), members).id})

    async def say(self, request: Request) -> Response:
        """Send a message as a user."""
        return JSONResponse(await self._people.say(self._user(request), await _body(request)))

    async def edit(self, request: Request) -> Response:
        """Change a message as a user."""
        given = await _body(request) | {"message_id": request.path_params["message"]}
        return JSONResponse(await self._people.edit(self._user(request), given))

    async def tap(self, request: Request) -> Response:
        """Tap a button as a user."""
        return JSONResponse(await self._people.tap(self._user(request), await _body(request)))

    async def open_link(self, request: Request) -> Response:
        """Open a deep link as a user."""
        return JSONResponse(await self._people.open_link(self._user(request), await _body(request)))

    async def block(self, request: Request) -> Response:
        """Block the bot as a user."""
        await self._people.block(self._user(request), await _body(request), blocked=True)
        return JSONResponse({})

    async def unblock(self, request: Request) -> Response:
        """Let the bot in again as a user."""
        await self._people.block(self._user(request), await _body(request), blocked=False)
        return JSONResponse({})

    # chats, files, log

    async def messages(self, request: Request) -> Response:
        """Show a chat; with `version`, once it changed past that (up to `timeout` seconds).

        `after` leaves out the messages up to that number, `since` those that have not changed since that version.
        """
        chat = self._chat(request)
        after = int(request.query_params.get("after", 0))
        if "version" in request.query_params:
            seconds = min(float(request.query_params.get("timeout", 20)), 60)
            await self._chat_past(chat, int(request.query_params["version"]), seconds)
        since = int(request.query_params.get("since", 0))
        shown = [message for message in chat.since(since) if message["message_id"] > after]
        return JSONResponse({"version": chat.version, "messages": shown})

    async def file(self, request: Request) -> Response:
        """Hand out a file of the chats."""
        name = request.path_params["name"]
        if name not in self._world.files:
            raise Refusal(404, "there is no such file")
        held = self._world.files[name].held
        return Response(held, media_type=media_type(held), headers={"Cache-Control": "max-age=3600"})

    async def log(self, request: Request) -> Response:
        """Show what bots asked for, after entry `after`."""
        after = int(request.query_params.get("after", 0))
        return JSONResponse(self._world.logged(after))

    async def clear_log(self, _: Request) -> Response:
        """Forget what bots asked for."""
        self._world.log.clear()
        return JSONResponse({})

    # faults and limits

    async def faults(self, _: Request) -> Response:
        """List the faults that wait to happen."""
        return JSONResponse([fault.told() for fault in self._api.faults.waiting])

    async def add_fault(self, request: Request) -> Response:
        """Let a fault happen."""
        given = await _body(request)
        if given.get("kind") not in KINDS:
            raise Refusal(400, f"a fault needs a kind: {', '.join(KINDS)}")
        return JSONResponse(self._api.faults.add(_checked(Fault(**given))).told())

    async def clear_faults(self, _: Request) -> Response:
        """Let no fault happen any more."""
        self._api.faults.waiting.clear()
        return JSONResponse({})

    async def disturb_updates(self, request: Request) -> Response:
        """Disturb the updates that wait: {"kind": "duplicate" | "reverse" | "start over", "bot"}."""
        given = await _body(request)
        bot = self._world.bot_named(str(given.get("bot") or ""))
        match given.get("kind"):
            case "duplicate":
                bot.updates.extend(list(bot.updates))
            case "reverse":
                bot.updates.reverse()
            case "start over":
                bot.next_update = 1
            case _:
                raise Refusal(400, "a kind is one of: duplicate, reverse, start over")
        return JSONResponse({"waiting": len(bot.updates)})

    async def set_limits(self, request: Request) -> Response:
        """Change the limits on sending, named as in `Limits`; 0 is none."""
        given = await _body(request)
        if not all(isinstance(value, int | float) and value >= 0 for value in given.values()):
            raise Refusal(400, "a limit is a number, and 0 is none")
        self._api.gate.limits = replace(self._api.gate.limits, **given)
        return JSONResponse(asdict(self._api.gate.limits))

    # the page

    async def stage(self, _: Request) -> Response:
        """Tell the page which phones to show."""
        return JSONResponse(self._stage)

    async def set_stage(self, request: Request) -> Response:
        """Set the page's title, phones ({user_id, label, note}), and hints."""
        self._stage = {"title": "Sandbox", "phones": [], "hints": []} | await _body(request)
        await self._world.tell("stage")
        return JSONResponse(self._stage)

    async def events(self, _: Request) -> Response:
        """Tell the page of every change as it happens."""
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(self._stream(), media_type="text/event-stream", headers=headers)

    async def _stream(self) -> AsyncIterator[str]:
        with self._world.listening() as queue:
            yield ": here\n\n"
            while True:
                with contextlib.suppress(TimeoutError):
                    event = await asyncio.wait_for(queue.get(), 15)
                    if self._world.ended:
                        return
                    yield f"data: {json.dumps(event)}\n\n"
                    continue
                yield ": still here\n\n"

    def _user(self, request: Request) -> User:
        return self._world.user(int(request.path_params["user"]))

    def _chat(self, request: Request) -> Chat:
        chat_id = int(request.path_params["chat"])
        if chat_id in self._world.groups:
            return self._world.groups[chat_id]
        bot = self._world.bot_named(request.query_params.get("bot", ""))
        return self._world.private(bot, self._world.user(chat_id))

    async def _chat_past(self, chat: Chat, version: int, seconds: float) -> None:
        async with chat.news:
            with contextlib.suppress(TimeoutError):
                changed = chat.news.wait_for(lambda: chat.version > version or self._world.ended)
                await asyncio.wait_for(changed, seconds)


def _kindly(act: Endpoint) -> Endpoint:
    """Turn what is refused into an answer that says why."""

    async def answer(request: Request) -> Response:
        try:
            return await act(request)
        except Refusal as refusal:
            return JSONResponse({"error": refusal.description}, refusal.status)
        except (ValueError, KeyError, TypeError, OverflowError) as error:
            return JSONResponse({"error": str(error) or type(error).__name__}, 400)

    return answer


async def _body(request: Request) -> Json:
    body = await request.body()
    try:
        given = json.loads(body) if body else {}
    except ValueError as error:
        raise Refusal(400, f"the body must be a JSON object: {error}") from None
    if not isinstance(given, dict):
        raise Refusal(400, "the body must be a JSON object")
    return given


def _checked(fault: Fault) -> Fault:
    """Return the fault if its numbers are numbers. Raises Refusal."""
    numbers = {"chat": fault.chat, "times": fault.times, "migrate_to_chat_id": fault.migrate_to_chat_id}
    amounts = {"seconds": fault.seconds, "retry_after": fault.retry_after}
    for name, value in numbers.items():
        if type(value) is not int:
            raise Refusal(400, f"'{name}' of a fault is a whole number")
    for name, amount in amounts.items():
        if type(amount) not in (int, float) or amount < 0:
            raise Refusal(400, f"'{name}' of a fault is a number of seconds")
    return fault


def _parsed(moment: object) -> datetime:
    try:
        parsed = datetime.fromisoformat(str(moment))
    except ValueError:
        raise Refusal(400, f"'{moment}' is no moment, like 2026-11-02T09:00:00+00:00") from None
    if parsed.tzinfo is None:
        raise Refusal(400, f"'{moment}' needs a time zone, like 2026-11-02T09:00:00+00:00")
    return parsed


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise Refusal(400, f"there is no time zone '{name}'") from None
