"""The outbox pump: takes what is ready, sends it, and settles it; many chats at once, each chat in its order."""

import asyncio
import contextlib
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import structlog

from bot.clock import Clock, first_of
from bot.content.library import Content
from bot.headway import Headway
from bot.services import alerts, digests, presence
from bot.storage import outbox
from bot.storage.outbox import Card, Parcel
from bot.storage.store import Store, Tx
from bot.telegram.message import Message, unpacked
from bot.telegram.pacer import frames
from bot.telegram.sender import Passing, Placed, Refused, Sender

log = structlog.get_logger()

AT_ONCE, KEPT_FREE = 30, 10
"""Messages on their way at the same time, and how many more when they are about somebody's safety."""

LOOK_AGAIN = 1.0
"""Seconds after which the outbox is looked at even when nobody woke us."""

MOST_ATTEMPTS = 12
LONGEST_WAIT = 300.0
"""Seconds between two tries at most."""


class Delivery:
    """Sends what the outbox holds, until it is cancelled."""

    def __init__(
        self, store: Store, sender: Sender, clock: Clock, headway: Headway, content: Callable[[], Content]
    ) -> None:
        self._store = store
        self._sender = sender
        self._clock = clock
        self._headway = headway
        self._content = content
        self._busy: dict[int, asyncio.Task[None]] = {}
        self._pacers: dict[tuple[int, str], asyncio.Task[None]] = {}
        self._freed = asyncio.Event()
        self._unsettled: dict[int, Placed] = {}
        self._closing = False

    async def run(self) -> None:
        """Pump for ever."""
        self._headway.watch("sender")
        try:
            while True:
                await self._once()
        finally:
            for task in [*self._busy.values(), *self._pacers.values()]:
                task.cancel()

    async def finish(self) -> None:
        """Send nothing more, and wait for what is in hand: a message that is cut off may have arrived."""
        self._closing = True
        while self._busy:
            await asyncio.wait(self._busy.values())

    async def _once(self) -> None:
        self._store.posted.clear()
        self._freed.clear()
        parcels = await self._ready()
        for parcel in parcels:
            task = asyncio.create_task(self._handle(parcel))
            self._busy[parcel.chat_id] = task
            task.add_done_callback(partial(self._free, parcel.chat_id))
        if not parcels or len(self._busy) >= AT_ONCE:
            await first_of(self._store.posted, self._freed, seconds=LOOK_AGAIN)

    async def _ready(self) -> tuple[Parcel, ...]:
        if self._closing:
            return ()
        room = AT_ONCE - len(self._busy)
        urgent_only = room <= 0
        if urgent_only and (room := room + KEPT_FREE) <= 0:
            return ()
        try:
            async with self._store.read() as tx:
                found = await outbox.ready(
                    tx, self._clock.now(), busy=frozenset(self._busy), limit=room, urgent_only=urgent_only
                )
                nothing_waits = not found and not self._busy and await outbox.next_try(tx) is None
        except Exception:
            log.exception("the outbox cannot be read")
            await asyncio.sleep(LOOK_AGAIN)
            return ()
        if nothing_waits:
            self._headway.made("sender")
        firsts = {parcel.chat_id: parcel for parcel in reversed(found)}
        return tuple(parcel for parcel in found if firsts[parcel.chat_id] is parcel)

    def _free(self, chat_id: int, _: asyncio.Task[None]) -> None:
        self._busy.pop(chat_id, None)
        self._freed.set()

    async def _handle(self, parcel: Parcel) -> None:
        try:
            await self._deliver(parcel)
        except Exception:
            log.exception("a message could not be settled", outbox_id=parcel.id)
            await asyncio.sleep(LOOK_AGAIN)

    async def _deliver(self, parcel: Parcel) -> None:
        if parcel.stale:
            await self._settle(parcel, "dropped", error=parcel.stale)
            return
        message = unpacked(parcel.payload)
        if sent := self._unsettled.get(parcel.id):  # it went out, only that could not be kept: not again
            await self._settle(parcel, "sent", message=message, placed=sent)
            return
        standing = await self._standing(parcel, message)
        self._quieten(parcel.chat_id, message.card)
        try:
            urgent = parcel.lane is outbox.Lane.SAFETY
            placed = await self._sender.deliver(parcel.chat_id, message, standing, urgent=urgent)
        except Passing as failure:
            await self._try_again(parcel, failure)
        except Refused as failure:
            await self._give_up(parcel, failure)
        else:
            self._unsettled[parcel.id] = placed
            await self._settle(parcel, "sent", message=message, placed=placed)
            self._breathe(parcel.chat_id, message, placed)

    async def _standing(self, parcel: Parcel, message: Message) -> Placed | None:
        if not message.card:
            return None
        async with self._store.read() as tx:
            card = await outbox.card(tx, parcel.chat_id, message.card)
        return Placed(message_id=card.message_id, photo=card.photo) if card else None

    async def _settle(
        self,
        parcel: Parcel,
        state: str,
        *,
        message: Message | None = None,
        placed: Placed | None = None,
        error: str = "",
    ) -> None:
        known = {"message_id": placed.message_id} if placed else {}
        async with self._store.begin() as tx:
            settled = await outbox.settle(tx, parcel.id, state, self._clock.now(), error=error, **known)
            if settled and message and message.card and placed:
                card = Card(message_id=placed.message_id, photo=placed.photo)
                await outbox.place_card(tx, parcel.chat_id, message.card, card)
        self._unsettled.pop(parcel.id, None)
        self._headway.made("sender")

    async def _try_again(self, parcel: Parcel, failure: Passing) -> None:
        safety = parcel.lane is outbox.Lane.SAFETY
        if parcel.attempts >= MOST_ATTEMPTS and not safety:
            await self._settle(parcel, "failed", error=str(failure))
            return
        wait = failure.seconds or min(2.0 ** min(parcel.attempts, 10), 10.0 if safety else LONGEST_WAIT)
        later = self._clock.now() + timedelta(seconds=wait * (1 + random.random() / 4))
        log.warning("a message waits for another try", outbox_id=parcel.id, seconds=round(wait, 1))
        async with self._store.begin() as tx:
            await outbox.try_again(tx, parcel.id, later, str(failure))

    async def _give_up(self, parcel: Parcel, failure: Refused) -> None:
        """Settle as failed; for an alert, the next of the chain is told at once, in the same transaction."""
        now = self._clock.now()
        log.warning("a message was refused", outbox_id=parcel.id, unreachable=failure.unreachable)
        async with self._store.begin() as tx:
            settled = await outbox.settle(tx, parcel.id, "failed", now, error=str(failure)[:200])
            if failure.unreachable:
                await presence.found_blocked(tx, self._content(), parcel.chat_id, now)
            alert = failure.unreachable or unpacked(parcel.payload).fresh
            if settled and alert and parcel.lane is outbox.Lane.SAFETY and parcel.member_id:
                await self._alert_next(tx, parcel.case_id, parcel.member_id, now)
        self._headway.made("sender")

    async def _alert_next(self, tx: Tx, case_id: int | None, member_id: int, now: datetime) -> None:
        """Have somebody else told: of the case that an alert was about, or of those in a digest."""
        if case_id:
            await alerts.alert_unreachable(tx, self._content(), case_id, now)
        else:
            await digests.pass_on(tx, member_id, now)

    def _quieten(self, chat_id: int, card: str) -> None:
        if pacer := self._pacers.pop((chat_id, card), None):
            pacer.cancel()

    def _breathe(self, chat_id: int, message: Message, placed: Placed) -> None:
        if message.pacer:
            task = asyncio.create_task(self._lead(chat_id, message, placed))
            self._pacers[chat_id, message.card] = task
            task.add_done_callback(partial(self._forget, chat_id, message.card))

    def _forget(self, chat_id: int, card: str, done: asyncio.Task[None]) -> None:
        if self._pacers.get((chat_id, card)) is done:
            del self._pacers[chat_id, card]

    async def _lead(self, chat_id: int, message: Message, placed: Placed) -> None:
        """Show the frames of a breath, each at its time; what is late or refused is left out."""
        assert message.pacer  # noqa: S101 - only such messages are led
        loop = asyncio.get_running_loop()
        began = loop.time()
        for frame in frames(message.pacer.pace, message.pacer.words):
            await asyncio.sleep(max(0.0, began + frame.at_seconds - loop.time()))
            with contextlib.suppress(Exception):
                await self._sender.frame(chat_id, placed, message, f"{message.text}\n\n{frame.text}")
