"""The only wiring: settings to store, content, bot, handlers and pumps, all run together until they are stopped."""

import asyncio
import contextlib
import os
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import structlog

import bot.telegram.lean  # noqa: F401  # isort: skip  # before aiogram: it defers what aiogram builds
from aiogram import Bot, Dispatcher
from aiogram.exceptions import TelegramAPIError, TelegramNetworkError, TelegramServerError, TelegramUnauthorizedError
from aiogram.methods import SendMessage
from aiogram.types import BotCommand, ChatMemberUpdated, Message

from bot.clock import Clock, follow
from bot.config import Settings
from bot.content.live import LiveLibrary, Reloaded
from bot.delivery import Delivery
from bot.domain.words import join
from bot.handlers import commands, messages, taps
from bot.handlers.pacing import Pacing
from bot.handlers.refusals import Refusals
from bot.handlers.turns import Turns
from bot.headway import Headway
from bot.intake import ALLOWED, PATIENCE, Intake
from bot.paging import Paging
from bot.replicas import Replicas
from bot.scheduler import Ticks
from bot.semantic.encoder import CannotRead
from bot.services.contacts import contact_words, country_key
from bot.services.foresight import look_ahead
from bot.services.prompts import programmes_changed
from bot.services.safety import is_cry, set_aside, with_contacts
from bot.services.staff import tell_findings
from bot.services.turn import Turn
from bot.services.voice import Voice
from bot.storage.migrate import demand_current
from bot.storage.store import Store
from bot.storage.vault import Vault, read_keys
from bot.telegram.bot import QuickBot, warm_up
from bot.telegram.limits import Limits
from bot.telegram.message import Message as Shown
from bot.telegram.message import written
from bot.telegram.sender import Sender, shown
from bot.tracing import Tracing, tracing
from bot.watchman import Watchman

log = structlog.get_logger()

COMFORT_AGAIN = 600.0
"""Seconds before the same chat is comforted again when things keep failing."""

CRY_AGAIN = 5.0
"""Seconds before somebody who cries for help is answered so again."""

FREE_PER_SECOND = 30
"""Messages that Telegram takes from a bot without being paid."""

CHATS_REMEMBERED = 10_000
BEGIN_AGAIN = 1.0
"""Seconds before a part that failed begins again."""

HOOK_AGAIN = 3600.0
"""Seconds after which Telegram is told again where to bring updates."""


class CannotStart(Exception):
    """Something that Interlude needs is not there. The message says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """Everything that runs, wired."""

    store: Store
    library: LiveLibrary
    clock: Clock
    bot: Bot
    intake: Intake
    delivery: Delivery
    paging: Paging
    ticks: Ticks
    headway: Headway
    replicas: Replicas
    watchman: Watchman
    settings: Settings

    async def run(self) -> None:
        """Serve until cancelled."""
        warm_up()
        look_ahead(self.library.content, self.clock.now())
        async with asyncio.TaskGroup() as together:
            if self.settings.clock_url:
                together.create_task(follow(self.clock, self.settings.clock_url))
            for work in (self._take_part, self.intake.work, self.watchman.run, self._watch, self._hear_cries):
                together.create_task(_kept_up(work))
            if self.settings.listen:
                together.create_task(_kept_up(self._serve))
            log.info("Interlude is serving", database=self.store.engine.dialect.name)

    async def _take_part(self) -> None:
        await self.replicas.run(self._lead)

    async def _hear_cries(self) -> None:
        """While PostgreSQL is gone nobody leads and nobody asks for updates: answer cries for help all the same.

        By webhook they come without being asked for.
        """
        while not self.store.sqlite and not self.settings.webhook_url:
            await asyncio.sleep(PATIENCE)
            if self.replicas.seat is None:
                with contextlib.suppress(TelegramAPIError):
                    await self.intake.answer_cries()
        await asyncio.Event().wait()

    async def _lead(self) -> None:
        """Do what only one process on a database does, until cancelled."""
        await programmes_changed(self.store, self.library.content, self.clock.now())
        updates = self._hooked if self.settings.webhook_url else self.intake.poll
        async with asyncio.TaskGroup() as together:
            for work in (updates, self.delivery.run, self.paging.run, self.ticks.run):
                together.create_task(_kept_up(work))
            together.create_task(_announced(self.bot, self.library))

    async def _serve(self) -> None:
        """Answer whoever asks over HTTP how Interlude is."""
        from bot.web import Counting, make_web, serve, webhook_route  # noqa: PLC0415 - its memory is for who listens only

        host, port = self.settings.listen_at
        secret = self.settings.webhook_secret.get_secret_value()
        hook = (
            [webhook_route(self.settings.webhook_path, secret, self.intake.keep)] if self.settings.webhook_url else []
        )
        async with contextlib.aclosing(Counting(self.store, self.clock.now)) as counting:
            await serve(make_web(self.store, self.headway, self.clock.now, counting, hook), host, port)

    async def _hooked(self) -> None:
        """Tell Telegram where to bring updates, and again each hour: another's `deleteWebhook` must not silence us."""
        secret = self.settings.webhook_secret.get_secret_value()
        while True:
            try:
                await self.bot.set_webhook(self.settings.webhook_url, secret_token=secret, allowed_updates=ALLOWED)
                wait = HOOK_AGAIN
            except TelegramAPIError as error:
                log.warning("the webhook could not be set, trying again", why=type(error).__name__)
                wait = BEGIN_AGAIN
            await asyncio.sleep(wait)

    async def _watch(self) -> None:
        """Follow the content folder."""
        await self.library.watch(self.reloaded)

    async def reloaded(self, reloaded: Reloaded) -> None:
        """Tell staff what broke or was mended, and plan by programmes that changed."""
        now, content = self.clock.now(), self.library.content
        log.info("content was reloaded", changed=len(reloaded.changed), findings=len(reloaded.findings))
        look_ahead(content, now)
        if not self.replicas.leads:
            return
        errors = tuple(finding for finding in reloaded.findings if finding.is_error)
        if errors or reloaded.mended:
            await tell_findings(self.store, content, errors, now)
        await programmes_changed(self.store, content, now)


@contextlib.asynccontextmanager
async def wired(settings: Settings, library: LiveLibrary | None = None) -> AsyncIterator[App]:
    """Wire an app, and take it apart in the end; `library` where the content is loaded already.

    Raises CannotStart, NotInstalled, WrongVersion or BadKey.
    """
    if not settings.token.get_secret_value():
        raise CannotStart("no bot token: put INTERLUDE_TOKEN=... from @BotFather into .env, or try `interlude demo`")
    store = Store(settings.database_url, Vault(read_keys(settings.keys.get_secret_value())))
    bot = make_bot(settings)
    traced = None
    try:
        await demand_current(store)
        library = library or _library(settings)
        _demand_content(library)
        traced = tracing(os.environ)
        yield _wire(settings, store, library, bot, await _username(bot), traced)
    finally:
        if traced:
            await asyncio.to_thread(traced.end)
        await bot.hang_up()
        await store.close()


def _library(settings: Settings) -> LiveLibrary:
    try:
        return LiveLibrary(settings.content_dir, second_opinion=settings.second_opinion)
    except CannotRead as error:
        raise CannotStart(f"INTERLUDE_SECOND_OPINION is on: {error}") from None


def make_bot(settings: Settings) -> QuickBot:
    """Return the bot that speaks to the configured Telegram. Raises CannotStart for a token that can't be one."""
    try:
        return QuickBot(settings.token.get_secret_value(), settings.telegram_url)
    except ValueError:
        raise CannotStart("INTERLUDE_TOKEN is no bot token: it looks like 123456:ABC-DEF, from @BotFather") from None


def _wire(
    settings: Settings, store: Store, library: LiveLibrary, bot: QuickBot, username: str, traced: Tracing | None
) -> App:
    clock, headway = Clock(), Headway()
    replicas = Replicas(store, headway, bot.id)
    limits = Limits(per_second=settings.messages_per_second, per_chat=settings.messages_per_chat)
    paid = settings.messages_per_second > FREE_PER_SECOND
    sender = Sender(bot, lambda: settings.content_dir, limits, paid=paid)
    comforter = Comforter(bot, library)
    dispatcher = _dispatcher(store, library, clock, username, comforter)
    if traced:
        traced.follow(bot, dispatcher)
    return App(
        store=store,
        library=library,
        clock=clock,
        bot=bot,
        intake=Intake(
            store,
            bot,
            dispatcher,
            clock,
            headway,
            comforter,
            lambda said: is_cry(library.content, said),
            lambda chat_id: set_aside(store, library.content, chat_id, clock.now()),
            lambda: replicas.seat,
        ),
        delivery=Delivery(
            store, sender, clock, headway, lambda: library.content, per_second=settings.messages_per_second
        ),
        paging=Paging(store, clock, headway, lambda: library.content),
        ticks=Ticks(store, lambda: library.content, clock, headway, settings.heartbeat_url),
        headway=headway,
        replicas=replicas,
        watchman=Watchman(store, bot, lambda: library.content, headway),
        settings=settings,
    )


def _dispatcher(store: Store, library: LiveLibrary, clock: Clock, username: str, comforter: "Comforter") -> Dispatcher:
    dispatcher = Dispatcher(disable_fsm=True, link_base=f"https://t.me/{username}")
    asked = (Turns(store, library, clock, comforter.met), Refusals(), Pacing())
    for kind in ("message", "edited_message", "callback_query", "my_chat_member"):
        for middleware in asked:
            dispatcher.observers[kind].outer_middleware(middleware)
    for kind in ("message", "edited_message", "my_chat_member"):
        dispatcher.observers[kind].filter(_in_private)
    for module in (commands, messages, taps):
        dispatcher.include_router(module.make_router())
    return dispatcher


async def _in_private(event: Message | ChatMemberUpdated) -> bool:
    """What is personal is not talked over in groups. A coroutine, as all filters: aiogram calls others in a thread."""
    return event.chat.type == "private"


def _demand_content(library: LiveLibrary) -> None:
    content = library.content
    if not content.programmes or "en" not in content.messages:
        raise CannotStart(
            "the content folder holds no programme or no messages that can be used: run `interlude content check`"
        )


async def _username(bot: Bot) -> str:
    """Ask Telegram who the bot is; wait while it cannot be reached, give up when it does not know the token."""
    wait = 1.0
    while True:
        try:
            return (await bot.get_me()).username or ""
        except TelegramUnauthorizedError:
            raise CannotStart("Telegram does not know INTERLUDE_TOKEN: check it with @BotFather") from None
        except (TelegramNetworkError, TelegramServerError) as error:
            log.warning("Telegram cannot be reached, trying again", why=type(error).__name__, seconds=wait)
            await asyncio.sleep(wait)
            wait = min(wait * 2, 60)


class Comforter:
    """Sends where help is straight to a chat: no database, no outbox; to each chat once in a while only."""

    def __init__(self, bot: Bot, library: LiveLibrary) -> None:
        self._bot = bot
        self._library = library
        self._told: OrderedDict[int, float] = OrderedDict()
        self._met: OrderedDict[int, Turn] = OrderedDict()

    def met(self, turn: Turn) -> None:
        """Remember who a chat is, for when the database cannot say."""
        self._met[turn.chat_id] = turn
        while len(self._met) > CHATS_REMEMBERED:
            self._met.popitem(last=False)

    async def __call__(self, chat_id: int, language: str, urgent: bool) -> bool:  # noqa: FBT001 - as Comfort says
        now, again = time.monotonic(), CRY_AGAIN if urgent else COMFORT_AGAIN
        if now - self._told.get(chat_id, -again) < again:
            return True
        self._told[chat_id] = now
        while len(self._told) > CHATS_REMEMBERED:
            self._told.popitem(last=False)
        try:
            await self._bot(SendMessage.model_validate({"chat_id": chat_id, **shown(self._message(chat_id, language))}))
        except TelegramAPIError:  # the update is tried again, and with it this
            self._told.pop(chat_id, None)
            return False
        return True

    def _message(self, chat_id: int, language: str) -> Shown:
        content, turn = self._library.content, self._met.get(chat_id)
        if turn:
            return with_contacts(content, turn, "something-failed")
        voice = Voice(content, language)
        words = join((voice.words("something-failed"), contact_words(content, voice, None, "")))
        return written(words, ((country_key(voice, ""),),))


async def _kept_up(work: Callable[[], Awaitable[None]]) -> None:
    """Run what must never end; when it fails all the same, say so and begin it again."""
    while True:
        try:
            await work()
        except Exception:
            log.exception("a part of Interlude failed and begins again", job=work.__qualname__)
        await asyncio.sleep(BEGIN_AGAIN)


async def _announced(bot: Bot, library: LiveLibrary) -> None:
    """Announce the commands; a menu is a convenience, and nothing ends for want of it."""
    try:
        await _announce_commands(bot, library)
    except Exception:
        log.exception("the commands could not be announced")


async def _announce_commands(bot: Bot, library: LiveLibrary) -> None:
    """Tell Telegram the participants' commands in each language, for its menu."""
    content = library.content
    for language in content.messages:
        voice = Voice(content, language)
        menu = [
            BotCommand(command=name, description=voice.label(f"command-{name.replace('_', '-')}"))
            for name in commands.PARTICIPANT
        ]
        await bot.set_my_commands(menu, language_code=None if language == "en" else language)
