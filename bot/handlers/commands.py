"""Commands, one service each."""

from aiogram import Router
from aiogram.filters import Command, CommandObject, CommandStart
from aiogram.types import Message

from bot.content.library import Content
from bot.services import (
    cases,
    conversation,
    enrolment,
    erasure,
    export,
    menus,
    oncall,
    previews,
    reports,
    roster_menu,
    safety,
    safety_plan,
    week,
)
from bot.services.turn import Turn
from bot.storage.store import Store
from bot.telegram.events import said

PARTICIPANT = (
    "help_now",
    "checkin",
    "skills",
    "again",
    "plan",
    "plan_my_week",
    "progress",
    "settings",
    "help",
    "export_me",
    "forget_me",
    "stop",
)
"""In the order of Telegram's menu: what is urgent is seen there without scrolling."""

CLINICIAN = ("queue", "oncall", "settings", "help")
STAFF = ("invite", "people", "preview", "oncall", "settings", "help")


async def start(_: Message, command: CommandObject, store: Store, content: Content, turn: Turn) -> None:
    await enrolment.start(store, content, turn, (command.args or "").strip())


async def checkin(_: Message, store: Store, content: Content, turn: Turn) -> None:
    await menus.check_in(store, content, turn)


async def skills(_: Message, store: Store, content: Content, turn: Turn) -> None:
    await menus.show_topics(store, content, turn)


async def again(_: Message, store: Store, content: Content, turn: Turn) -> None:
    await menus.again(store, content, turn)


async def plan(_: Message, store: Store, content: Content, turn: Turn) -> None:
    await safety_plan.show(store, content, turn)


async def plan_my_week(_: Message, store: Store, content: Content, turn: Turn) -> None:
    await week.show(store, content, turn)


async def progress(_: Message, store: Store, content: Content, turn: Turn) -> None:
    await reports.show_progress(store, content, turn)


async def help_now(_: Message, store: Store, content: Content, turn: Turn) -> None:
    await safety.help_now(store, content, turn)


async def settings(_: Message, store: Store, content: Content, turn: Turn) -> None:
    await menus.show_settings(store, content, turn)


async def show_help(_: Message, store: Store, content: Content, turn: Turn) -> None:
    await menus.show_help(store, content, turn)


async def stop(_: Message, store: Store, content: Content, turn: Turn) -> None:
    await enrolment.leave(store, content, turn, "")


async def queue(_: Message, store: Store, content: Content, turn: Turn) -> None:
    await cases.show_queue(store, content, turn)


async def on_call(_: Message, store: Store, content: Content, turn: Turn) -> None:
    await oncall.show(store, content, turn)


async def invite(_: Message, store: Store, content: Content, turn: Turn) -> None:
    await enrolment.show_invite_menu(store, content, turn)


async def people(_: Message, store: Store, content: Content, turn: Turn) -> None:
    await roster_menu.choose(store, content, turn)


async def export_me(_: Message, store: Store, content: Content, turn: Turn) -> None:
    await export.export_me(store, content, turn)


async def forget_me(_: Message, store: Store, content: Content, turn: Turn) -> None:
    await erasure.forget(store, content, turn)


async def preview(_: Message, command: CommandObject, store: Store, content: Content, turn: Turn) -> None:
    await previews.preview(store, content, turn, (command.args or "").strip())


async def is_command(message: Message) -> bool:
    """Asked once, before each command is compared."""
    return said(message).startswith("/")


async def is_typed(message: Message) -> bool:
    return bool(message.text)


async def worrying(message: Message, content: Content, turn: Turn) -> bool:
    return await conversation.worries_beside_command(content, turn, message.text or "")


async def with_words(message: Message, store: Store, content: Content, turn: Turn) -> None:
    await conversation.wrote_beside_command(store, content, turn, message.text or "")


async def unknown(message: Message, store: Store, content: Content, turn: Turn) -> None:
    known = sorted({*PARTICIPANT, *CLINICIAN, *STAFF})
    await conversation.unknown_command(store, content, turn, message.text or "", known)


def make_router() -> Router:
    """Return a router with these handlers, in the order in which they are tried."""
    router = Router(name="commands")
    router.message.filter(is_command)
    router.message.register(with_words, worrying)
    router.message.register(start, CommandStart())
    router.message.register(checkin, Command("checkin"))
    router.message.register(skills, Command("skills"))
    router.message.register(again, Command("again"))
    router.message.register(plan, Command("plan"))
    router.message.register(plan_my_week, Command("plan_my_week"))
    router.message.register(progress, Command("progress"))
    router.message.register(help_now, Command("help_now", ignore_case=True))
    router.message.register(settings, Command("settings"))
    router.message.register(show_help, Command("help"))
    router.message.register(stop, Command("stop"))
    router.message.register(queue, Command("queue"))
    router.message.register(on_call, Command("oncall"))
    router.message.register(invite, Command("invite"))
    router.message.register(people, Command("people"))
    router.message.register(export_me, Command("export_me"))
    router.message.register(forget_me, Command("forget_me"))
    router.message.register(preview, Command("preview"))
    router.message.register(unknown, is_typed)
    return router
