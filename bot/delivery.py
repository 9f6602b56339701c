"""The outbox pump: takes what is ready, sends it, and settles it; many chats at once, each chat in its order."""

import asyncio
import contextlib
import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog

from bot.clock import Clock, ended, first_of
from bot.content.library import Content
from bot.headway import Headway
from bot.services import alerts, digests, lost_messages, presence
from bot.services.staff import tell_unshown
from bot.settling import Settling
from bot.storage import outbox
from bot.storage.outbox import Card, Outcome, Parcel
from bot.storage.store import Store, Tx
from bot.telegram.message import Message, unpacked
from bot.telegram.pacer import frames
from bot.telegram.sender import Passing, Placed, Refused, Sender

log = structlog.get_logger()

AT_ONCE, KEPT_FREE = 32, 10
"""Messages on their way at the same time, and how many more when they are about somebody's safety."""

SECONDS_AHEAD = 0.2
"""With higher limits, so many seconds' worth of messages are on their way, since each takes a while."""

LOOK_AGAIN = 1.0
"""Seconds after which the outbox is looked at even when nobody woke us."""

Ready = tuple[Parcel, Message | None, Card | None]
"""What may go now, its message (None: it cannot be read), and the message that stands in its place."""

LEAVE_WITHIN = 2.0
"""Seconds that messages under way have to arrive and be settled when the sender is stopped."""

MOST_ATTEMPTS = 12
LONGEST_WAIT = 300.0
"""Seconds between two tries at most."""


class Delivery:
    """Sends what the outbox holds, until it is cancelled."""

    def __init__(
        self,
        store: Store,
        sender: Sender,
        clock: Clock,
        headway: Headway,
        content: Callable[[], Content],
        *,
        per_second: float = 30,
    ) -> None:
        self._store = store
        self._sender = sender
        self._clock = clock
        self._headway = headway
        self._content = content
        self._settling = Settling(store, clock)
        self._at_once = max(AT_ONCE, int(per_second * SECONDS_AHEAD))
        self._busy: dict[int, asyncio.Task[None]] = {}
        self._pacers: dict[tuple[int, str], asyncio.Task[None]] = {}
        self._freed = asyncio.Event()
        self._crowded = False
        self._unsettled: dict[int, Placed] = {}
        self._unshown: set[str] = set()

    async def run(self) -> None:
        """Pump for ever."""
        self._headway.watch("sender")
        try:
            while True:
                await self._once()
        finally:
            if self._busy:  # what was sent is to be settled, or it would be sent again
                await asyncio.wait([*self._busy.values()], timeout=LEAVE_WITHIN)
            await ended([*self._busy.values(), *self._pacers.values()])

    async def _once(self) -> None:
        self._store.posted.clear()
        self._freed.clear()
        ready = await self._ready()
        for parcel, message, standing in ready:
            task = asyncio.create_task(self._handle(parcel, message, standing))
            self._busy[parcel.chat_id] = task
            task.add_done_callback(partial(self._free, parcel.chat_id))
        if not ready or not self._has_room():
            await first_of(self._store.posted, self._freed, seconds=LOOK_AGAIN)

    def _room(self) -> int:
        return self._at_once - len(self._busy)

    def _has_room(self) -> bool:
        return self._room() >= self._at_once / 4

    async def _ready(self) -> tuple[Ready, ...]:
        room = self._room()
        urgent_only = room <= 0
        if urgent_only and (room := room + KEPT_FREE) <= 0:
            return ()
        try:
            async with self._store.read() as tx:
                found = await outbox.ready(
                    tx, self._clock.now(), busy=frozenset(self._busy), limit=room, urgent_only=urgent_only
                )
                opened = [(parcel, _opened(parcel)) for parcel in _firsts(found)]
                names = [(parcel.chat_id, message.card) for parcel, message in opened if message and message.card]
                standing = await outbox.standing(tx, names)
                nothing_waits = not found and not self._busy and await outbox.next_try(tx) is None
        except Exception:
            log.exception("the outbox cannot be read")
            await asyncio.sleep(LOOK_AGAIN)
            return ()
        self._crowded = urgent_only or len(found) >= room
        if nothing_waits:
            self._headway.made("sender")
        return tuple(
            (parcel, message, standing.get((parcel.chat_id, message.card)) if message else None)
            for parcel, message in opened
        )

    def _free(self, chat_id: int, _: asyncio.Task[None]) -> None:
        """Look for what goes next; while more waits than there is room for, not for each single place: a look costs
        as much as sending does.
        """
        self._busy.pop(chat_id, None)
        if not self._crowded or self._has_room():
            self._freed.set()

    async def _handle(self, parcel: Parcel, message: Message | None, standing: Card | None) -> None:
        try:
            if message is None:
                await self._make_up(parcel)
            elif parcel.stale:
                await self._settle(parcel, "dropped", error=parcel.stale)
            elif sent := self._unsettled.get(parcel.id):  # it went out, only that could not be kept: not again
                await self._settle_sent(parcel, message, sent)
            else:
                await self._deliver(parcel, message, standing)
        except Exception:
            log.exception("a message could not be settled", outbox_id=parcel.id)
            await asyncio.sleep(LOOK_AGAIN)

    async def _deliver(self, parcel: Parcel, message: Message, standing: Card | None) -> None:
        self._quieten(parcel.chat_id, message.card)
        at = Placed(message_id=standing.message_id, photo=standing.photo) if standing else None
        try:
            urgent = parcel.lane is outbox.Lane.SAFETY
            placed = await self._sender.deliver(parcel.chat_id, message, at, urgent=urgent)
        except Passing as failure:
            await self._try_again(parcel, failure)
        except Refused as failure:
            await self._give_up(parcel, failure)
        else:
            self._unsettled[parcel.id] = placed
            await self._settle_sent(parcel, message, placed)
            self._breathe(parcel.chat_id, message, placed)
            if placed.unshown:
                await self._tell_unshown(placed.unshown)

    async def _tell_unshown(self, picture: str) -> None:
        if picture not in self._unshown:
            await tell_unshown(self._store, self._content(), picture, self._clock.now())
            self._unshown.add(picture)

    async def _settle_sent(self, parcel: Parcel, message: Message, placed: Placed) -> None:
        card = Card(message_id=placed.message_id, photo=placed.photo)
        await self._settle(parcel, "sent", card=message.card, placed=card)

    async def _settle(self, parcel: Parcel, state: str, **known: Any) -> None:  # noqa: ANN401 - as Outcome has them
        await self._settling.settle(Outcome(id=parcel.id, chat_id=parcel.chat_id, state=state, **known))
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

    async def _make_up(self, parcel: Parcel) -> None:
        """Settle as failed what cannot be read, and see to it that nobody waits for what it said."""
        now = self._clock.now()
        async with self._store.begin() as tx:
            if await outbox.settle(tx, parcel.id, "failed", now, error="cannot be read"):
                await lost_messages.make_up(tx, self._content(), parcel, now)
                if parcel.lane is outbox.Lane.SAFETY and parcel.member_id:
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


def _firsts(found: Sequence[Parcel]) -> list[Parcel]:
    """Leave of each chat only the first."""
    firsts = {parcel.chat_id: parcel for parcel in reversed(found)}
    return [parcel for parcel in found if firsts[parcel.chat_id] is parcel]


def _opened(parcel: Parcel) -> Message | None:
    try:
        return unpacked(parcel.payload)
    except ValueError:
        log.exception("a message cannot be read", outbox_id=parcel.id)
        return None
