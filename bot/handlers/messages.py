"""Everything that is not a command or a tap: words, edits, voice, pictures, stickers, blocking."""

from aiogram import Router
from aiogram.types import ChatMemberUpdated, Message

from bot.content.library import Content
from bot.services import conversation, presence
from bot.services.turn import Turn
from bot.storage.store import Store


async def has_text(message: Message) -> bool:
    return bool(message.text)


async def text(message: Message, store: Store, content: Content, turn: Turn) -> None:
    await conversation.wrote(store, content, turn, message.text or "")


async def other(message: Message, store: Store, content: Content, turn: Turn) -> None:
    await conversation.sent_other(store, content, turn, message.caption or "")


async def edited(message: Message, store: Store, content: Content, turn: Turn) -> None:
    await conversation.edited(store, content, turn, message.text or message.caption or "")


async def presence_changed(event: ChatMemberUpdated, store: Store, content: Content, turn: Turn) -> None:
    await presence.reachable(store, content, turn, blocked=event.new_chat_member.status in ("kicked", "left"))


def make_router() -> Router:
    """Return a router with these handlers, in the order in which they are tried."""
    router = Router(name="messages")
    router.message.register(text, has_text)
    router.message.register(other)
    router.edited_message.register(edited)
    router.my_chat_member.register(presence_changed)
    return router
