"""The inbox pump: updates are kept before Telegram is told that they arrived, then handled chat by chat."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import timedelta
from functools import partial

import structlog
from aiogram import Bot, Dispatcher
from aiogram.exceptions import TelegramAPIError, TelegramConflictError, TelegramRetryAfter, TelegramUnauthorizedError
from aiogram.types import Update
from aiogram.types.update import UpdateTypeLookupError
from pydantic import ValidationError

from bot.clock import Clock, ended, first_of
from bot.headway import Headway
from bot.services.follow_ups import MENU as AFTER_CASE
from bot.storage import inbox
from bot.storage.inbox import Arrived, Waiting
from bot.storage.store import AlreadyDone, Store
from bot.telegram.events import said
from bot.telegram.taps import CaseTap, MenuTap, PromptTap, read_tap

log = structlog.get_logger()

ALLOWED = ["message", "edited_message", "callback_query", "my_chat_member"]
AT_ONCE = 64
"""Chats handled at the same time."""

LONG_POLL = 25
LOOK_AGAIN = 1.0
PATIENCE = 3.0
"""Seconds that a cry for help may wait for the database before it is answered without."""

ANSWERED_WITHIN = 10.0
"""Seconds after which whoever cried for help is answered past everything that holds the answer up."""

HANDLED_WITHIN = 60.0
"""Seconds that one update may take; what hangs for longer has failed, and its chat goes on."""

TRIES = (1, 5, 30)
"""Seconds before each further try; after the last, an update is set aside."""

Comfort = Callable[[int, str, bool], Awaitable[bool]]
"""Sends the crisis contacts straight to a chat, in a language, whatever else fails; at once when it is urgent.

False when they could not be sent.
"""

Urgent = Callable[[str], bool]
"""Tells whether what somebody wrote or tapped is a cry for help."""

Report = Callable[[int], Awaitable[None]]
"""Tells staff that an update was set aside, and a clinician where it may hold what somebody told: of whose chat, or 0.
"""


class Intake:
    """Takes updates and has them handled, until it is cancelled."""

    def __init__(
        self,
        store: Store,
        bot: Bot,
        dispatcher: Dispatcher,
        clock: Clock,
        headway: Headway,
        comfort: Comfort,
        urgent: Urgent,
        report: Report,
        seat: Callable[[], int | None] = lambda: None,
    ) -> None:
        self._store = store
        self._bot = bot
        self._dispatcher = dispatcher
        self._clock = clock
        self._headway = headway
        self._comfort = comfort
        self._urgent = urgent
        self._report = report
        self._seat = seat
        self._busy: dict[int, asyncio.Task[None]] = {}
        self._handled: set[int] = set()
        self._comforted: set[int] = set()
        self._wake = asyncio.Event()
        self._comforting: set[asyncio.Task[None]] = set()

    async def poll(self) -> None:
        """Ask Telegram for updates for ever; the next request, after they were committed, acknowledges them."""
        self._headway.watch("polling")
        offset = await self._last_kept()
        while True:
            try:
                updates = await self._bot.get_updates(
                    offset=offset, timeout=LONG_POLL, allowed_updates=ALLOWED, request_timeout=LONG_POLL + 10
                )
            except TelegramRetryAfter as error:
                await asyncio.sleep(error.retry_after)
            except TelegramUnauthorizedError:
                log.warning("Telegram does not know the token: check INTERLUDE_TOKEN (`interlude doctor`)")
                await asyncio.sleep(30)
            except TelegramConflictError:
                log.warning("somebody else takes this bot's updates: a webhook, which is ended now, or another process")
                await self._end_webhook()
            except TelegramAPIError as error:
                log.warning("Telegram cannot be reached", why=type(error).__name__)
                await asyncio.sleep(LOOK_AGAIN)
            else:
                if updates and await self.keep(updates):
                    offset = max(update.update_id for update in updates) + 1
                    self._headway.made("polling")
                elif not updates:
                    self._headway.made("polling")

    async def _end_webhook(self) -> None:
        with contextlib.suppress(TelegramAPIError):
            await self._bot.delete_webhook()
        await asyncio.sleep(LOOK_AGAIN)

    async def keep(self, updates: Sequence[Update]) -> bool:
        """Commit updates to the inbox, all in one; when that fails their writers are told where help is."""
        waiting_long = asyncio.get_running_loop().call_later(PATIENCE, self._comfort_urgent, updates)
        try:
            async with self._store.begin(brief=True) as tx:
                await inbox.keep(tx, [_arrived(update) for update in updates], self._clock.now())
        except Exception:
            log.exception("updates could not be kept")
            await self._comfort_all(updates)
            await asyncio.sleep(LOOK_AGAIN)
            return False
        finally:
            waiting_long.cancel()
        self._wake.set()
        self._beside(self._see_answered(self._cries(updates)))
        return True

    async def answer_cries(self) -> None:
        """Without a database: answer whoever cries for help, and keep nothing. Telegram brings all of it again."""
        updates = await self._bot.get_updates(timeout=1, allowed_updates=ALLOWED, request_timeout=LONG_POLL)
        await self._comfort_all(self._cries(updates))

    def _cries(self, updates: Sequence[Update]) -> list[Update]:
        return [update for update in updates if self._urgent(said(_event(update)))]

    def _comfort_urgent(self, updates: Sequence[Update]) -> None:
        """The database takes long: whoever cries for help is not to wait for it."""
        self._beside(self._comfort_all(self._cries(updates)))

    async def _see_answered(self, cries: Sequence[Update]) -> None:
        """Comfort whoever cried and is not answered in time: behind an update that fails, or by nobody at all."""
        if not cries:
            return
        await asyncio.sleep(ANSWERED_WITHIN)
        try:
            async with asyncio.timeout(PATIENCE), self._store.read() as tx:
                waiting = await inbox.undone(tx, [update.update_id for update in cries])
        except Exception:
            log.exception("whether a cry was answered cannot be read")
            waiting = frozenset(update.update_id for update in cries)
        await self._comfort_all([update for update in cries if update.update_id in waiting])

    def _beside(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._comforting.add(task)
        task.add_done_callback(self._comforting.discard)

    async def work(self) -> None:
        """Handle what the inbox holds for ever."""
        self._headway.watch("inbox")
        try:
            while True:
                await self._once()
        finally:
            await ended([*self._busy.values(), *self._comforting])

    async def _once(self) -> None:
        self._wake.clear()
        found = await self._waiting()
        for update in found:
            task = asyncio.create_task(self.handle(update))
            self._busy[update.chat_id] = task
            task.add_done_callback(partial(self._free, update.chat_id))
        if not found or len(self._busy) >= AT_ONCE:
            await first_of(self._wake, seconds=LOOK_AGAIN)

    async def _waiting(self) -> tuple[Waiting, ...]:
        room = AT_ONCE - len(self._busy)
        if room <= 0:
            return ()
        try:
            found = await self._taken(room)
        except Exception:
            log.exception("the inbox cannot be read")
            await asyncio.sleep(LOOK_AGAIN)
            return ()
        if found is not None and not found and not self._busy:
            self._headway.made("inbox")
        return found or ()

    async def _taken(self, room: int) -> tuple[Waiting, ...] | None:
        """Return what may be handled now, on PostgreSQL what could be taken; None while there is no seat for that."""
        busy, now = frozenset(self._busy), self._clock.now()
        if self._store.sqlite:
            async with self._store.read(brief=True) as tx:
                return await inbox.waiting(tx, now, busy=busy, limit=room)
        seat = self._seat()
        if seat is None:
            return None
        async with self._store.begin() as tx:
            return await inbox.take(tx, now, seat, busy=busy, limit=room)

    def _free(self, chat_id: int, _: asyncio.Task[None]) -> None:
        self._busy.pop(chat_id, None)
        self._wake.set()

    async def handle(self, waiting: Waiting) -> None:
        """Have one update handled; one that fails is put off or set aside."""
        try:
            if waiting.update_id in self._handled:
                await self._done(waiting)
                return
            update = Update.model_validate_json(waiting.payload, context={"bot": self._bot})
            if update.update_id != waiting.update_id:  # its number had been another's
                update = update.model_copy(update={"update_id": waiting.update_id})
            async with asyncio.timeout(HANDLED_WITHIN):
                await self._dispatcher.feed_update(self._bot, update)
            self._remember(waiting.update_id)
            self._headway.made("inbox")
        except AlreadyDone:
            self._remember(waiting.update_id)
        except Exception as error:
            log.exception("an update failed", update_id=waiting.update_id, attempts=waiting.attempts)
            await self._failed(waiting, type(error).__name__)

    def _remember(self, update_id: int) -> None:
        """A handler that had nothing to commit leaves its update waiting: when it shows up again, it is done."""
        if len(self._handled) > AT_ONCE * 100:
            self._handled.clear()
        self._handled.add(update_id)

    async def _done(self, waiting: Waiting) -> None:
        async with self._store.begin() as tx:
            await inbox.done(tx, waiting.update_id, self._clock.now())

    async def _failed(self, waiting: Waiting, error: str) -> None:
        """Let an update be tried again, or set it aside. Its writer is comforted: in need at once, else later.

        Comfort goes before everything that needs the database.
        """
        urgent = self._urgent(_writing(waiting.payload)[0])
        if urgent:
            await self._comfort_writer(waiting, urgent=True)
        try:
            async with asyncio.timeout(HANDLED_WITHIN):
                await self._put_off(waiting, error)
        except Exception:
            log.exception("an update could not be put off", update_id=waiting.update_id)
            await self._comfort_writer(waiting)
            await asyncio.sleep(LOOK_AGAIN)
        if waiting.attempts and not urgent:
            await self._comfort_writer(waiting)

    async def _put_off(self, waiting: Waiting, error: str) -> None:
        now = self._clock.now()
        async with self._store.begin() as tx:
            if again := waiting.attempts < len(TRIES):
                later = now + timedelta(seconds=TRIES[waiting.attempts])
                await inbox.try_again(tx, waiting.update_id, later, error)
            else:
                await inbox.set_aside(tx, waiting.update_id, now, error)
        self._headway.made("inbox")
        if not again:
            told = _writing(waiting.payload)[0]
            await self._report(waiting.chat_id if self._urgent(told) or _may_tell(told) else 0)

    async def _comfort_writer(self, waiting: Waiting, *, urgent: bool = False) -> None:
        await self._comfort_once([waiting.update_id], waiting.chat_id, _writing(waiting.payload)[1], urgent=urgent)

    async def _comfort_all(self, updates: Sequence[Update]) -> None:
        by_chat = defaultdict[int, list[Update]](list)
        for update in updates:
            by_chat[_chat(update)].append(update)
        for chat_id, theirs in by_chat.items():
            fresh = [update for update in theirs if update.update_id not in self._comforted]
            ids, urgent = [update.update_id for update in fresh], bool(self._cries(fresh))
            await self._comfort_once(ids, chat_id, _language(theirs[-1]), urgent=urgent)

    async def _comfort_once(self, ids: Sequence[int], chat_id: int, language: str, *, urgent: bool) -> None:
        """Comfort a chat for these updates, if for any of them it was not yet: Telegram brings them again and again."""
        if chat_id <= 0 or self._comforted.issuperset(ids):
            return
        if await self._comfort(chat_id, language, urgent):
            if len(self._comforted) > AT_ONCE * 100:
                self._comforted.clear()
            self._comforted.update(ids)

    async def _last_kept(self) -> int | None:
        async with self._store.read() as tx:
            last = await inbox.last_update_id(tx)
        return None if last is None else last + 1


def _arrived(update: Update) -> Arrived:
    payload = update.model_dump_json(by_alias=True, exclude_none=True, exclude_unset=True)
    return Arrived(update_id=update.update_id, chat_id=_chat(update), payload=payload)


def _event(update: Update) -> object:
    """Return what happened, None for a kind that nobody knows, which must not hold up all that come with it."""
    try:
        return update.event
    except UpdateTypeLookupError:
        return None


def _writing(payload: str) -> tuple[str, str]:
    """Return what somebody wrote and their language, as far as a kept update can still be read."""
    try:
        update = Update.model_validate_json(payload)
    except ValidationError:
        return "", "en"
    return said(_event(update)), _language(update)


def _may_tell(said: str) -> bool:
    """Return whether this may be words or an answer, which somebody is to look at; what can't be read may be."""
    if said.startswith("/") and " " not in said.strip():
        return False
    match read_tap(said):
        case MenuTap(menu=menu):
            return menu == AFTER_CASE
        case PromptTap() | CaseTap():
            return False
    return True


def _chat(update: Update) -> int:
    event = _event(update)
    message = getattr(event, "message", None) or event
    chat = getattr(message, "chat", None)
    if chat is not None:
        return int(chat.id)
    sender = getattr(event, "from_user", None)
    return int(sender.id) if sender else 0


def _language(update: Update) -> str:
    sender = getattr(_event(update), "from_user", None)
    return (getattr(sender, "language_code", None) or "en")[:2]
