"""What there is in the sandbox: bots, users, chats, messages, and the updates that wait for bots."""

import asyncio
import itertools
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.clock import Clock

Json = dict[str, Any]
"""A Telegram object, as it goes over the wire."""

KEPT_IN_LOG = 200_000


class Refusal(Exception):
    """A request that Telegram would refuse, with its status and words."""

    def __init__(self, status: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.status = status
        self.description = description
        self.parameters = parameters


@dataclass(slots=True)
class User:
    """Somebody with a phone. `blocked` are the ids of the bots that this user blocked, `started` of those met."""

    id: int
    first_name: str
    language_code: str = "en"
    username: str = ""
    blocked: set[int] = field(default_factory=set)
    started: set[int] = field(default_factory=set)

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
    """A bot's account: its token, what waits for it, where its webhook is, what it told of itself."""

    id: int
    token: str
    username: str
    first_name: str
    updates: deque[Json] = field(default_factory=deque)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    poller: object | None = None
    webhook: Json | None = None
    webhook_error: Json = field(default_factory=dict)
    commands: dict[tuple[str, str], list[Json]] = field(default_factory=dict)
    texts: dict[tuple[str, str], str] = field(default_factory=dict)
    menu_button: Json = field(default_factory=lambda: {"type": "commands"})
    next_update: int = 1_000_001

    def told(self) -> Json:
        """Return the bot as Telegram tells of one."""
        return {"id": self.id, "is_bot": True, "first_name": self.first_name, "username": self.username}


@dataclass(slots=True)
class Chat:
    """A conversation: a private one has a user and a bot, a group has members."""

    id: int
    type: str
    title: str = ""
    members: set[int] = field(default_factory=set)
    messages: dict[int, Json] = field(default_factory=dict)
    action: str = ""
    next_message: int = 1
    version: int = 0


class World:
    """Everything, and who waits for it to change."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.bots: dict[str, Account] = {}
        self.users: dict[int, User] = {}
        self.chats: dict[tuple[int, int], Chat] = {}
        self.groups: dict[int, Chat] = {}
        self.files: dict[str, bytes] = {}
        self.queries: dict[str, Json] = {}
        self.log: deque[Json] = deque(maxlen=KEPT_IN_LOG)
        self.changed = asyncio.Condition()
        self.listeners: set[asyncio.Queue[Json]] = set()
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
        """Add somebody with a phone."""
        user = User(user_id or next(self._user_ids), first_name, language_code, username)
        self.users[user.id] = user
        return user

    def user(self, user_id: int) -> User:
        """Return a user. Raises Refusal."""
        if user_id not in self.users:
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

    def queue_update(self, bot: Account, kind: str, content: Json) -> Json:
        """Let an update wait for a bot."""
        update = {"update_id": bot.next_update, kind: content}
        bot.next_update += 1
        bot.updates.append(update)
        bot.arrived.set()
        return update

    def bots_in(self, chat: Chat) -> Iterator[Account]:
        """Yield the bots of a group."""
        return (bot for bot in self.bots.values() if bot.id in chat.members)

    async def tell(self, kind: str, chat: Chat | None = None, bot: Account | None = None, **known: object) -> None:
        """Let who waits know that something changed."""
        if chat is not None:
            chat.version += 1
        event = {"kind": kind, "chat": chat.id if chat else None, "bot": bot.username if bot else None, **known}
        for queue in self.listeners:
            queue.put_nowait(event)
        async with self.changed:
            self.changed.notify_all()

    def note(self, bot: Account, method: str, params: Json, status: int, result: object) -> None:
        """Keep what a bot asked for and what it got."""
        self.log.append(
            {
                "n": next(self._entries),
                "at": self.clock.now().isoformat(),
                "bot": bot.username,
                "method": method,
                "params": params,
                "status": status,
                "result": result,
            }
        )
