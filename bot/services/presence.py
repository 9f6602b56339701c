"""Who a person is when they write, and whether they can be reached at all."""

from datetime import datetime

from bot.services.turn import Turn
from bot.storage import people
from bot.storage.people import Member, Person
from bot.storage.store import Store


async def known(store: Store, telegram_id: int) -> tuple[Person | None, tuple[Member, ...]]:
    """Return who uses a Telegram account, and their places in programmes."""
    async with store.read() as tx:
        person = await people.person_by_telegram(tx, telegram_id)
        return person, await people.memberships(tx, person.id) if person else ()


async def reachable(store: Store, turn: Turn, *, blocked: bool) -> None:
    """Keep that a person blocked the bot, or let it in again."""
    when: datetime | None = turn.now if blocked else None
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        if turn.person:
            await people.change_person(tx, turn.person.id, blocked_at=when)
