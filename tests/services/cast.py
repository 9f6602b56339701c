"""Made-up people of two programmes, and what they do: each act is one update, kept in the inbox first."""

import itertools
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from conftest import NOW
from sqlalchemy import Table, select

from bot.content.library import Content
from bot.domain.people import Role
from bot.services import conversation, enrolment, practice
from bot.services.turn import Turn
from bot.storage import inbox, people, runs
from bot.storage.inbox import Arrived
from bot.storage.people import Member, Person
from bot.storage.store import Store
from bot.storage.tables import cases, outbox
from bot.telegram.message import Message, unpacked
from bot.telegram.taps import RunTap, read_tap

EVENING, DAY = "adult-evening", "adult-day"


@dataclass
class Cast:
    """People by first name, each with a Telegram id; the clock stands at `now` until somebody moves it."""

    store: Store
    content: Content
    now: datetime = NOW
    ids: dict[str, int] = field(default_factory=dict)
    updates: itertools.count = field(default_factory=lambda: itertools.count(1))

    async def turn(self, name: str, *, private: bool = True) -> Turn:
        """A fresh update from somebody."""
        telegram_id = self.ids.setdefault(name, 100 + len(self.ids))
        update_id = next(self.updates)
        async with self.store.begin() as tx:
            await inbox.keep(tx, [Arrived(update_id=update_id, chat_id=telegram_id, payload="{}")], self.now)
            person = await people.person_by_telegram(tx, telegram_id)
            members = await people.memberships(tx, person.id) if person else ()
        return Turn(
            update_id=update_id,
            chat_id=telegram_id,
            private=private,
            telegram_id=telegram_id,
            name=f"{name} Sample",
            language=person.language if person else "en",
            person=person,
            members=members,
            now=self.now,
        )

    async def invited(self, name: str, role: Role, programme: str = EVENING, **more) -> None:
        token = await enrolment.invite(self.store, self.content, programme=programme, role=role, now=self.now, **more)
        await enrolment.start(self.store, self.content, await self.turn(name), token)

    async def joined(self, name: str, programme: str = EVENING, **more) -> Member:
        """A participant who agreed and lives in New York."""
        await self.invited(name, "participant", programme, **more)
        await enrolment.consent(self.store, self.content, await self.turn(name), "yes")
        await enrolment.choose_language(self.store, self.content, await self.turn(name), "en")
        await enrolment.choose_zone(self.store, self.content, await self.turn(name), "America/New_York")
        return await self.member(name)

    async def member(self, name: str) -> Member:
        return (await self.turn(name)).members[0]

    async def person(self, name: str) -> Person:
        person = (await self.turn(name)).person
        assert person
        return person

    async def writes(self, name: str, text: str) -> None:
        await conversation.wrote(self.store, self.content, await self.turn(name), text)

    async def begins(self, name: str, activity: str, kind: str = "skill") -> None:
        turn = await self.turn(name)
        async with self.store.begin(settles=turn.update_id, now=self.now) as tx:
            await practice.begin(tx, self.content, turn, turn.members[0], kind=kind, activity_id=activity)

    async def taps(self, name: str, label: str, *, nth: int = -1) -> str:
        """Tap a button of the last message of the person's that has one like it."""
        tap = await self.button(name, label, nth=nth)
        assert isinstance(tap, RunTap), tap
        return await practice.tap(self.store, self.content, await self.turn(name), tap)

    async def button(self, name: str, label: str, *, nth: int = -1):
        found = [
            key for message in await self.got(name) for row in message.keyboard for key in row if key.text == label
        ]
        assert found, (label, [key.text for m in (await self.got(name))[-1:] for row in m.keyboard for key in row])
        return read_tap(found[nth].data)

    async def got(self, name: str) -> list[Message]:
        """All that was posted to somebody, the oldest first."""
        async with self.store.read() as tx:
            rows = await tx.all(select(outbox).where(outbox.c.chat_id == self.ids[name]).order_by(outbox.c.id))
            return [unpacked(tx.vault.open("outbox.payload", row.key, row.payload_sealed)) for row in rows]

    async def said_to(self, name: str) -> str:
        """All texts posted to somebody."""
        return "\n---\n".join(message.text for message in await self.got(name))

    async def alerts_to(self, name: str) -> int:
        """How many alerts (not changes of them) somebody got."""
        return sum(message.fresh and message.card.startswith("case:") for message in await self.got(name))

    async def kept(self, table: Table) -> list:
        """All rows of a table, the oldest first."""
        async with self.store.read() as tx:
            return list(await tx.all(select(table).order_by(table.c.id)))

    async def cases(self) -> list:
        return sorted(await self.kept(cases), key=lambda case: case.number)

    async def labels(self, name: str) -> list[str]:
        """The buttons under the last message somebody got."""
        return [key.text for row in (await self.got(name))[-1].keyboard for key in row]

    async def run(self, name: str):
        async with self.store.read() as tx:
            return await runs.open_run(tx, (await self.member(name)).id)

    def later(self, **delta: float) -> datetime:
        """Let time go by."""
        self.now += timedelta(**delta)
        return self.now

    def as_left(self, name: str) -> "Cast":
        """Go on where those were left whom the database was filled with."""
        self.ids, self.now, used = LEFT[name]
        self.ids, self.updates = dict(self.ids), itertools.count(used)
        return self

    def with_content(self, **changes) -> None:
        self.content = replace(self.content, **changes)


async def clinic(cast: Cast) -> None:
    await cast.invited("Quill", "clinician")
    quill = (await cast.member("Quill")).id
    cast.later(seconds=1)
    await cast.invited("Backup", "clinician")
    await cast.invited("Senior", "supervisor")
    await cast.invited("Other", "clinician", "adult-day")
    await cast.joined("Robin", primary_id=quill)


async def robin(cast: Cast) -> None:
    await cast.joined("Robin")


CASTS = {"clinic": clinic, "robin": robin}
LEFT: dict[str, tuple[dict[str, int], datetime, int]] = {}
"""Of each of the casts that a database was filled with: their ids, the time, and the next update."""


async def filled_with(name: str, content: Content, store: Store) -> None:
    """Have some people join, and remember how they were left."""
    cast = Cast(store=store, content=content)
    await CASTS[name](cast)
    LEFT[name] = cast.ids, cast.now, next(cast.updates)
