"""What there is in the sandbox: bots, users, chats, messages, and the updates that wait for bots."""

import asyncio
import contextlib
import itertools
from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bot.sandbox.clock import Clock

Json = dict[str, Any]
"""A Telegram object, as it goes over the wire."""

KEPT_IN_LOG = 200_000
"""Requests that the log holds; the oldest make room for the newest."""

TAPS_LAST = 900.0
"""Seconds for which a tap can be answered."""

NOT_BY_DEFAULT = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
"""Updates that a bot gets only if it asks for them."""

_OWN_NOTES = frozenset({"edits", "reply_keyboard", "deleted"})


class Refusal(Exception):
    """A request that Telegram would refuse, with its status and words."""

    def __init__(self, status: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.status = status
        self.description = description
        self.parameters = parameters


def outward(message: Json, *left_out: str) -> Json:
    """Return a message as a bot may see it."""
    return {key: value for key, value in message.items() if key not in _OWN_NOTES and key not in left_out}


@dataclass(slots=True)
class User:
    """Somebody with a phone. `blocked` are the ids of the bots that this user blocked, `started` of those met.

    Who is `gone` has deleted the account: bots are refused, and the user can do nothing.
    """

    id: int
    first_name: str
    language_code: str = "en"
    username: str = ""
    blocked: set[int] = field(default_factory=set)
    started: set[int] = field(default_factory=set)
    gone: bool = False

    def told(self) -> Json:
        """Return the user as Telegram tells of one."""
        known: Json = {
            "id": self.id,
            "is_bot": False,
            "first_name": self.first_name,
            "language_code": self.language_code,
        }
        return known | ({"username": self.username} if self.username else {})


@dataclass(slots=True)
class Account:
    """A bot's account: its token, what waits for it, where its webhook is, what it told of itself.

    `allowed` are the kinds of updates that it wants; none stands for the usual ones.
    """

    id: int
    token: str
    username: str
    first_name: str
    updates: deque[Json] = field(default_factory=deque)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    poller: object | None = None
    allowed: frozenset[str] = frozenset()
    webhook: Json | None = None
    webhook_error: Json = field(default_factory=dict)
    commands: dict[tuple[str, str], list[Json]] = field(default_factory=dict)
    texts: dict[tuple[str, str], str] = field(default_factory=dict)
    menu_button: Json = field(default_factory=lambda: {"type": "commands"})
    next_update: int = 1_000_001

    def told(self) -> Json:
        """Return the bot as Telegram tells of one."""
        return {"id": self.id, "is_bot": True, "first_name": self.first_name, "username": self.username}

    def wants(self, kind: str) -> bool:
        """Return whether updates of this kind are for this bot."""
        return kind in self.allowed if self.allowed else kind not in NOT_BY_DEFAULT


@dataclass(frozen=True, slots=True)
class Upload:
    """A file, under the name that its sender gave it."""

    name: str
    held: bytes


@dataclass(frozen=True, slots=True)
class Tap:
    """A tap of a user on a button of a bot, `at` a Unix time, and the answer to it that may come."""

    bot: int
    chat: int
    user: int
    at: float
    answer: asyncio.Future[Json]


@dataclass(slots=True)
class Chat:
    """A conversation: a private one has a user and a bot, a group has members.

    `version` grows with every change; `changes` are the versions at which messages changed last, in that order;
    `news` wakes those who wait for a change.
    """

    id: int
    type: str
    title: str = ""
    members: set[int] = field(default_factory=set)
    messages: dict[int, Json] = field(default_factory=dict)
    next_message: int = 1
    version: int = 0
    changes: dict[int, int] = field(default_factory=dict)
    news: asyncio.Condition = field(default_factory=asyncio.Condition)

    def changed(self, message_id: int) -> None:
        """Count a change of a message."""
        self.version += 1
        self.changes.pop(message_id, None)
        self.changes[message_id] = self.version

    def since(self, version: int) -> list[Json]:
        """Return the messages that changed after a version, in the order of the chat."""
        newest = itertools.takewhile(lambda one: one[1] > version, reversed(self.changes.items()))
        return [self.messages[message_id] for message_id in sorted(message_id for message_id, _ in newest)]


class World:
    """Everything, and who waits for it to change."""

    def __init__(self, clock: Clock, log_size: int = KEPT_IN_LOG) -> None:
        self.clock = clock
        self.bots: dict[str, Account] = {}
        self.users: dict[int, User] = {}
        self.chats: dict[tuple[int, int], Chat] = {}
        self.groups: dict[int, Chat] = {}
        self.files: dict[str, Upload] = {}
        self.taps: OrderedDict[str, Tap] = OrderedDict()
        self.log: deque[Json] = deque(maxlen=log_size)
        self.listeners: set[asyncio.Queue[Json]] = set()
        self.ended = False
        self._numbers = itertools.count(1)
        self._user_ids = itertools.count(700_001)
        self._entries = itertools.count(1)

    def number(self) -> int:
        """Return a number that was never returned before."""
        return next(self._numbers)

    def add_bot(self, token: str, username: str, first_name: str) -> Account:
        """Add a bot account; a token that is there already keeps its account. Raises Refusal."""
        head, colon, tail = token.partition(":")
        if not (head.isdigit() and colon and tail):
            raise Refusal(400, "a token looks like 123456:ABC")
        if any(bot.username.casefold() == username.casefold() for bot in self.bots.values() if bot.token != token):
            raise Refusal(400, f"there is another bot named '{username}'")
        account = self.bots.setdefault(token, Account(int(head), token, username, first_name))
        account.username, account.first_name = username, first_name
        return account

    def bot_named(self, username: str) -> Account:
        """Return the bot with this user name; without one, the only bot there is. Raises Refusal."""
        wanted = username.removeprefix("@").casefold()
        found = [bot for bot in self.bots.values() if not wanted or bot.username.casefold() == wanted]
        if len(found) != 1:
            raise Refusal(404, f"there is no bot '{username}'" if wanted else "say which bot is meant")
        return found[0]

    def add_user(self, first_name: str, language_code: str = "en", username: str = "", user_id: int = 0) -> User:
        """Add somebody with a phone; an id that is there already keeps its user, with the new names. Raises Refusal."""
        if user_id < 0:
            raise Refusal(400, "the id of a user is a positive number")
        user_id = user_id or next(self._user_ids)
        user = self.users.setdefault(user_id, User(user_id, first_name))
        user.first_name, user.language_code, user.username, user.gone = first_name, language_code, username, False
        return user

    def user(self, user_id: int) -> User:
        """Return a user. Raises Refusal."""
        if user_id not in self.users or self.users[user_id].gone:
            raise Refusal(404, f"there is no user {user_id}")
        return self.users[user_id]

    def add_group(self, title: str, members: set[int]) -> Chat:
        """Add a group chat."""
        chat = Chat(id=-1_000_000 - self.number(), type="group", title=title, members=members)
        self.groups[chat.id] = chat
        return chat

    def private(self, bot: Account, user: User) -> Chat:
        """Return the chat of a user with a bot."""
        return self.chats.setdefault((bot.id, user.id), Chat(id=user.id, type="private"))

    def find_chat(self, bot: Account, chat_id: int) -> Chat:
        """Return a chat that the bot may know of. Raises Refusal as Telegram does."""
        if chat_id in self.groups:
            if bot.id not in self.groups[chat_id].members:
                raise Refusal(403, "Forbidden: bot is not a member of the group chat")
            return self.groups[chat_id]
        user = self.users.get(chat_id)
        if user is None:
            raise Refusal(400, "Bad Request: chat not found")
        return self.private(bot, user)

    def open_chat(self, bot: Account, chat_id: int) -> Chat:
        """Return a chat that the bot may write to. Raises Refusal as Telegram does."""
        chat = self.find_chat(bot, chat_id)
        if chat.type == "private":
            user = self.users[chat_id]
            if user.gone:
                raise Refusal(403, "Forbidden: user is deactivated")
            if bot.id in user.blocked:
                raise Refusal(403, "Forbidden: bot was blocked by the user")
            if bot.id not in user.started:
                raise Refusal(403, "Forbidden: bot can't initiate conversation with a user")
        return chat

    def told_chat(self, chat: Chat) -> Json:
        """Return a chat as Telegram tells of one."""
        if chat.type != "private":
            return {"id": chat.id, "type": chat.type, "title": chat.title}
        user = self.users[chat.id]
        known: Json = {"id": chat.id, "type": "private", "first_name": user.first_name}
        return known | ({"username": user.username} if user.username else {})

    def add_message(self, chat: Chat, sender: Json, content: Json) -> Json:
        """Add a message to a chat, numbered and dated."""
        message: Json = {
            "message_id": chat.next_message,
            "from": sender,
            "chat": self.told_chat(chat),
            "date": int(self.clock.seconds()),
            **content,
        }
        chat.next_message += 1
        chat.messages[message["message_id"]] = message
        return message

    def add_file(self, upload: Upload) -> Json:
        """Keep a file, and return it as Telegram tells of one."""
        file_id = f"file{self.number()}"
        self.files[file_id] = upload
        return self.told_file(file_id)

    def told_file(self, file_id: str) -> Json:
        """Return a file that there is as Telegram tells of one."""
        return {"file_id": file_id, "file_unique_id": file_id, "file_size": len(self.files[file_id].held)}

    def add_tap(self, bot: Account, chat: Chat, user: User) -> tuple[str, Tap]:
        """Let a tap wait for its answer, and return its id too. Those that are too old to be answered are forgotten."""
        now = self.clock.seconds()
        while self.taps and next(iter(self.taps.values())).at <= now - TAPS_LAST:
            self.taps.popitem(last=False)
        query_id = str(self.number())
        answer: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self.taps[query_id] = Tap(bot.id, chat.id, user.id, now, answer)
        return query_id, self.taps[query_id]

    def unanswered(self, bot: Account, query_id: str) -> Tap | None:
        """Return a tap that the bot may still answer."""
        tap = self.taps.get(query_id)
        if tap is None or tap.bot != bot.id or tap.answer.done():
            return None
        return tap if tap.at > self.clock.seconds() - TAPS_LAST else None

    def queue_update(self, bot: Account, kind: str, content: Json) -> None:
        """Let an update wait for a bot that wants such."""
        if not bot.wants(kind):
            return
        bot.updates.append({"update_id": bot.next_update, kind: content})
        bot.next_update += 1
        bot.arrived.set()

    def logged(self, after: int) -> list[Json]:
        """Return what bots asked for past entry number `after`, the oldest first."""
        return [*itertools.takewhile(lambda entry: entry["n"] > after, reversed(self.log))][::-1]

    def bots_in(self, chat: Chat) -> Iterator[Account]:
        """Yield the bots of a group."""
        return (bot for bot in self.bots.values() if bot.id in chat.members)

    async def tell(self, kind: str, chat: Chat | None = None, bot: Account | None = None, **known: object) -> None:
        """Let who waits know that something changed."""
        if chat is not None and isinstance(message_id := known.get("message_id"), int):
            chat.changed(message_id)
        event = {"kind": kind, "chat": chat.id if chat else None, "bot": bot.username if bot else None, **known}
        for queue in self.listeners:
            queue.put_nowait(event)
        if chat is not None:
            async with chat.news:
                chat.news.notify_all()

    @contextlib.contextmanager
    def listening(self) -> Iterator[asyncio.Queue[Json]]:
        """Give a queue that gets every event while the block lasts."""
        queue: asyncio.Queue[Json] = asyncio.Queue()
        self.listeners.add(queue)
        try:
            yield queue
        finally:
            self.listeners.discard(queue)

    async def dismiss(self) -> None:
        """Let nobody wait any longer: the sandbox ends."""
        self.ended = True
        for bot in self.bots.values():
            bot.poller = None
            bot.arrived.set()
        for queue in self.listeners:
            queue.put_nowait({"kind": "end"})
        for tap in self.taps.values():
            tap.answer.cancel()
        await self.clock.wake()
        for chat in (*self.chats.values(), *self.groups.values()):
            async with chat.news:
                chat.news.notify_all()

    def note(self, bot: Account, method: str, params: Json, status: int, result: object) -> None:
        """Keep what a bot asked for and what it got."""
        self.log.append(
            {
                "n": next(self._entries),
                "at": self.clock.now().isoformat(),
                "real": datetime.now(UTC).isoformat(),
                "bot": bot.username,
                "method": method,
                "params": params,
                "status": status,
                "result": result,
            }
        )
