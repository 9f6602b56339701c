"""Who a person is when they write, and whether they can be reached at all."""

from datetime import datetime

from bot.content.library import Content
from bot.services import channels
from bot.services.turn import Turn
from bot.storage import people
from bot.storage.people import Member, Person
from bot.storage.store import Store, Tx


async def known(store: Store, telegram_id: int) -> tuple[Person | None, tuple[Member, ...]]:
    """Return who uses a Telegram account, and their places in programmes."""
    async with store.read(brief=True) as tx:
        person = await people.person_by_telegram(tx, telegram_id)
        return person, await people.memberships(tx, person.id) if person else ()


async def reachable(store: Store, content: Content, turn: Turn, *, blocked: bool) -> None:
    """Keep that a person blocked the bot, or let it in again."""
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        if blocked:
            await found_blocked(tx, content, turn.telegram_id, turn.now)
        elif turn.person:
            await people.change_person(tx, turn.person.id, blocked_at=None)


async def found_blocked(tx: Tx, content: Content, telegram_id: int, now: datetime) -> None:
    """Keep that nothing gets to a person any more; of a clinician, staff are told."""
    person = await people.person_by_telegram(tx, telegram_id)
    if person and person.blocked_at is None:
        await people.change_person(tx, person.id, blocked_at=now)
        await channels.tell_blocked(tx, content, person, now)
