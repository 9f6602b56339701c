"""The sandbox's face in Python, for tests and demonstrations."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import aiohttp

Json = dict[str, Any]
Wanted = str | Callable[[Json], bool]


class SandboxError(Exception):
    """The sandbox refused; the message says why."""


class SandboxClient:
    """Acts as users of one bot, reads their chats, moves the clock, causes faults."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.bot = ""
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=120))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session:
            await self._session.close()

    async def add_bot(self, token: str, username: str, first_name: str = "Bot") -> Json:
        """Add a bot; what follows is about the one added last."""
        self.bot = username
        return await self.call("POST", "/bots", token=token, username=username, first_name=first_name)

    async def add_user(self, first_name: str, language: str = "en", user_id: int = 0, username: str = "") -> int:
        """Add a user and return the id."""
        given = {"first_name": first_name, "language_code": language, "id": user_id, "username": username}
        return int((await self.call("POST", "/users", **given))["id"])

    async def add_crowd(self, first: int, count: int) -> None:
        """Add so many users with ids from `first` on, who have begun a chat with the bot."""
        await self.call("POST", "/crowd", first=first, count=count, bot=self.bot)

    async def remove_user(self, user: int) -> None:
        """Let a user delete the account."""
        await self.call("DELETE", f"/users/{user}")

    async def say(self, user: int, text: str = "", **more: Any) -> Json:  # noqa: ANN401 - as the control face takes it
        """Send a message as a user: text, or True for a sticker, voice, photo, document, contact or location.

        More: caption, reply_to (the number of a message), group (an id).
        """
        return await self.call("POST", f"/users/{user}/messages", bot=self.bot, text=text, **more)

    async def edit(self, user: int, message: Json, text: str) -> Json:
        """Change a user's own message."""
        path = f"/users/{user}/messages/{message['message_id']}"
        return await self.call("PATCH", path, bot=self.bot, text=text)

    async def tap(self, user: int, message: Json, button: str = "", *, data: str = "", wait: float = 5) -> Json:
        """Tap a button by its label (or a part of it), or send `data` that no button has; returns the answer to it."""
        what = {"data": data} if data else {"button": button}
        return await self.call(
            "POST", f"/users/{user}/taps", bot=self.bot, message_id=message["message_id"], wait=wait, **what
        )

    async def open(self, user: int, link: str) -> Json:
        """Open a deep link as a user."""
        return await self.call("POST", f"/users/{user}/open", link=link)

    async def block(self, user: int, *, blocked: bool = True) -> None:
        """Block the bot as a user, or let it in again."""
        await self.call("POST", f"/users/{user}/{'block' if blocked else 'unblock'}", bot=self.bot)

    async def chat(self, user: int) -> list[Json]:
        """Return the messages of a user's chat that were not deleted, the oldest first."""
        return (await self._chat(user))["messages"]  # type: ignore[no-any-return]

    async def last(self, user: int) -> Json:
        """Return the last message of a user's chat."""
        return (await self.chat(user))[-1]

    async def wait_for(self, user: int, wanted: Wanted, *, seconds: float = 10, after: int = 0) -> Json:
        """Return the bot's newest message, past number `after`, that holds the text or fits; wait until it does."""
        until = time.monotonic() + seconds
        version: int | None = None
        while True:
            changed = await self._chat(user, version, max(0.0, until - time.monotonic()))
            version = changed["version"]
            for message in reversed(changed["messages"]):
                if message["message_id"] > after and message["from"]["is_bot"] and _fits(message, wanted):
                    return message  # type: ignore[no-any-return]
            if time.monotonic() >= until:
                seen = "\n---\n".join(_words(message) for message in (await self.chat(user))[-4:])
                raise TimeoutError(f"nothing like {wanted!r} came; the last messages:\n{seen}")

    async def quiet(self, user: int, seconds: float = 0.5) -> list[Json]:
        """Wait until a chat has not changed for so long, and return it."""
        version = int((await self._chat(user))["version"])
        while (changed := await self._chat(user, version, seconds))["version"] != version:
            version = changed["version"]
        return await self.chat(user)

    async def clock(self) -> Json:
        """Return the clock."""
        return await self.call("GET", "/clock")

    async def move_clock(self, **where: Any) -> Json:  # noqa: ANN401 - as the control face takes it
        """Move the clock: to=ISO, by=seconds, mark=name, or tomorrow="09:00", timezone=...; walk=True."""
        return await self.call("POST", "/clock", **where)

    async def fault(self, kind: str, method: str = "*", **more: Any) -> Json:  # noqa: ANN401
        """Let a fault happen."""
        return await self.call("POST", "/faults", kind=kind, method=method, **more)

    async def limits(self, **limits: float) -> None:
        """Change the limits on sending."""
        await self.call("PUT", "/limits", **limits)

    async def updates(self, kind: str) -> int:
        """Disturb the updates that wait for the bot: "duplicate", "reverse" or "start over"; returns how many wait."""
        return int((await self.call("POST", "/updates", kind=kind, bot=self.bot))["waiting"])

    async def log(self, after: int = 0) -> list[Json]:
        """Return what the bot asked for."""
        return await self.call("GET", f"/log?after={after}")  # type: ignore[return-value]

    async def file(self, file_id: str) -> bytes:
        """Return a file of the chats."""
        assert self._session  # noqa: S101 - used as a context manager
        async with self._session.get(f"{self.url}/sandbox/files/{file_id}") as answer:
            return await answer.read()

    async def _chat(self, user: int, version: int | None = None, seconds: float = 0) -> Json:
        """Return a chat; with a version, what changed since, waiting for it so many seconds at most."""
        waiting = f"&version={version}&since={version}&timeout={seconds}" if version is not None else ""
        chat = await self.call("GET", f"/chats/{user}/messages?bot={self.bot}{waiting}")
        return chat | {"messages": [one for one in chat["messages"] if not one.get("deleted")]}

    async def call(self, verb: str, path: str, **given: Any) -> Json:  # noqa: ANN401 - JSON
        """Call the control face. Raises SandboxError."""
        assert self._session, "use the client in an `async with`"  # noqa: S101
        async with self._session.request(verb, f"{self.url}/sandbox{path}", json=given or None) as answer:
            told: Json = await answer.json()
        if answer.status >= 400:
            raise SandboxError(told["error"])
        return told


def _fits(message: Json, wanted: Wanted) -> bool:
    return wanted in _words(message) if isinstance(wanted, str) else wanted(message)


def _words(message: Json) -> str:
    return str(message.get("text") or message.get("caption") or "")
