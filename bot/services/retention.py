"""Removing each day what is over its time: as programme files say, and what was handled and sent after 30 days."""

from datetime import datetime, timedelta

from bot.content.library import Content
from bot.domain.programme import Retention
from bot.storage import audit, erasure
from bot.storage import retention as over
from bot.storage.marks import mark, set_mark
from bot.storage.store import Store, Tx

DAILY = timedelta(days=1)
PAUSE = timedelta(days=3)
"""So long without a look, the clock may have been set wrongly forward: whoever runs Interlude gets a day to notice."""

HANDLED = timedelta(days=30)
"""How long it is known that an update was handled or a message sent; Telegram repeats an update for a day at most."""

BATCH = 200
"""Rows of one kind in one transaction: others wait for it."""

PEOPLE = 20
DONE = "retention"
"""The mark of when all was last gone through."""


async def remove_due(store: Store, content: Content, now: datetime) -> int:
    """Remove one batch of everything that is over its time, once a day; return how many rows went."""
    async with store.read() as tx:
        done = await mark(tx, DONE)
    since = now - datetime.fromisoformat(done) if done else None
    if since is not None and timedelta(0) <= since < DAILY:
        return 0
    if since is not None and since > PAUSE:
        await _gone_through(store, now)
        return 0
    gone = await _handled(store, now)
    for name, languages in content.programmes.items():
        kept = next(iter(languages.values())).retention
        if kept != Retention():
            gone += await _programme(store, name, kept, now)
    if not gone:
        await _gone_through(store, now)
    return gone


async def _gone_through(store: Store, now: datetime) -> None:
    async with store.begin() as tx:
        await set_mark(tx, DONE, now.isoformat(), now)


async def _handled(store: Store, now: datetime) -> int:
    async with store.begin() as tx:
        gone = {
            "inbox": await over.remove_updates(tx, now - HANDLED, BATCH),
            "outbox": await over.remove_messages(tx, now - HANDLED, BATCH),
        }
        return await _noted(tx, "", gone, now)


async def _programme(store: Store, name: str, kept: Retention, now: datetime) -> int:
    """Remove a batch of what a programme keeps no longer: cases first, since flags hold answers."""
    async with store.begin() as tx:
        gone: dict[str, int] = {}
        if kept.closed_cases:
            gone["cases"] = await over.remove_cases(tx, name, now - kept.closed_cases, now, BATCH)
        if kept.answers:
            gone |= await over.remove_runs(tx, name, now - kept.answers, BATCH)
            gone["remarks"] = await over.remove_remarks(tx, name, now - kept.answers, BATCH)
        if kept.ended_members:
            gone["people"] = await _erase_people(tx, name, now - kept.ended_members, now)
        return await _noted(tx, name, gone, now)


async def _erase_people(tx: Tx, programme: str, before: datetime, now: datetime) -> int:
    """Erase who left, as if they had asked for it, without a word to them."""
    gone = await over.people_over(tx, programme, before, PEOPLE)
    for person_id in gone:
        if known := await erasure.traces(tx, person_id, hold=True):
            await erasure.erase(tx, known, now)
    return len(gone)


async def _noted(tx: Tx, programme: str, gone: dict[str, int], now: datetime) -> int:
    counts = {f"rows_{what}": count for what, count in gone.items() if count}
    if counts:
        await audit.note(tx, "retention", now, subject=programme, **counts)
    return sum(counts.values())
