"""Queries on channels, the other ways to reach a clinician or a programme, and on the pages that go out by them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, case, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bot.domain.activity import Level
from bot.storage.store import Tx
from bot.storage.tables import FORGOTTEN, Row, cases, channels, members, outbox, pages
from bot.storage.vault import Unreadable

DIGEST = "d"
"""How the key of a page begins that tells of several cases; that one of them is seen to does not end it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A way to reach a member, or a whole programme (`member_id` None). `shown` names it without what is secret."""

    id: int
    programme: str
    member_id: int | None
    kind: str
    shown: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Paging:
    """A page to send: the same `key` is never paged twice, and never once the message `unless_sent` was sent."""

    key: str
    channel_id: int
    case_id: int
    title: str
    body: str
    unless_sent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page ready to go. `stale` says why it must not go any more (empty: it may)."""

    id: int
    channel_id: int
    level: Level
    attempts: int
    stale: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What a page says, and where to. The address may hold a password."""

    address: str
    title: str
    body: str


async def add_channel(
    tx: Tx, *, programme: str, member_id: int | None, kind: str, address: str, shown: str, now: datetime
) -> Channel:
    """Add a channel under the next number."""
    last: int | None = await tx.value(select(func.max(channels.c.id)))
    channel = Channel(id=(last or 0) + 1, programme=programme, member_id=member_id, kind=kind, shown=shown)
    sealed = tx.vault.seal("channels.address", channel.id, json.dumps({"address": address, "shown": shown}))
    row = {"id": channel.id, "programme": programme, "member_id": member_id, "kind": kind}
    await tx.run(insert(channels).values(**row, address_sealed=sealed, created_at=now))
    return channel


async def channel(tx: Tx, channel_id: int) -> Channel | None:
    """Return the channel with this id, unless it was removed."""
    return next(iter(await _found(tx, channels.c.id == channel_id)), None)


async def all_channels(tx: Tx) -> tuple[Channel, ...]:
    """Return all channels, those of a programme together."""
    return await _found(tx)


async def channels_of(tx: Tx, member_ids: Sequence[int]) -> tuple[Channel, ...]:
    """Return the channels of these members."""
    return await _found(tx, channels.c.member_id.in_(member_ids))


async def channels_of_programme(tx: Tx, programme: str) -> tuple[Channel, ...]:
    """Return the channels of a programme itself, not of its members."""
    return await _found(tx, channels.c.programme == programme, channels.c.member_id.is_(None))


async def address(tx: Tx, channel_id: int) -> str:
    """Return the address of a channel, which must exist. Raises Unreadable."""
    row = await tx.one(select(channels).where(channels.c.id == channel_id))
    assert row, "a channel without its row"  # noqa: S101 - the foreign key holds this
    return _sealed(tx, row)["address"]


async def remove_channel(tx: Tx, channel_id: int, now: datetime) -> bool:
    """Remove a channel, and its address with it; False when there is none."""
    nothing = tx.vault.seal("channels.address", channel_id, json.dumps({"address": "", "shown": ""}))
    present = (channels.c.id == channel_id) & channels.c.removed_at.is_(None)
    removed = await tx.run(update(channels).where(present).values(removed_at=now, address_sealed=nothing))
    return removed.rowcount == 1


async def page(tx: Tx, found: Sequence[Paging], now: datetime, *, after: timedelta = timedelta(0)) -> None:
    """Add pages that go `after` some time, and have who sends them woken once they are committed."""
    if not found:
        return
    rows = [
        {
            "key": one.key,
            "channel_id": one.channel_id,
            "case_id": one.case_id,
            "unless_sent": one.unless_sent,
            "payload_sealed": tx.vault.seal(
                "pages.payload", one.key, json.dumps({"title": one.title, "body": one.body})
            ),
            "created_at": now,
            "not_before": now + after,
        }
        for one in found
    ]
    add = sqlite.insert if tx.dialect.name == "sqlite" else postgresql.insert
    await tx.run(add(pages).on_conflict_do_nothing(index_elements=["key"]), rows)
    tx.pages += len(found)


async def ready(tx: Tx, now: datetime, *, busy: frozenset[int], limit: int) -> tuple[Page, ...]:
    """Return the pages that may go now, and those that must not go any more; of each channel that is not `busy` one.

    What failed least often goes first. A page that stands in for a message to Telegram goes at once when that was
    refused.
    """
    due = or_(pages.c.not_before <= now, and_(outbox.c.state == "failed", pages.c.attempts == 0))
    gone = or_(channels.c.removed_at.is_not(None), members.c.standing != "active")
    digest = pages.c.key.startswith(DIGEST)
    seen_to = and_(~digest, or_(cases.c.state != "open", cases.c.raised_at > pages.c.created_at))
    level = case((digest, "yellow"), else_=cases.c.level).label("level")
    stale = case((gone, "removed"), (seen_to, "seen to"), (outbox.c.state == "sent", "sent"), else_="")
    place = func.row_number().over(partition_by=pages.c.channel_id, order_by=(pages.c.attempts, pages.c.id))
    waiting = (
        select(pages.c.id, pages.c.channel_id, pages.c.attempts, level, stale.label("stale"), place.label("place"))
        .join(channels, channels.c.id == pages.c.channel_id)
        .join(cases, cases.c.id == pages.c.case_id)
        .outerjoin(members, members.c.id == channels.c.member_id)
        .outerjoin(outbox, outbox.c.key == pages.c.unless_sent)
        .where(pages.c.state == "ready", or_(due, stale != ""), pages.c.channel_id.not_in(busy))
        .subquery()
    )
    query = select(waiting).where(waiting.c.place == 1).order_by(waiting.c.attempts, waiting.c.id).limit(limit)
    return tuple(
        Page(id=row.id, channel_id=row.channel_id, level=row.level, attempts=row.attempts, stale=row.stale)
        for row in await tx.all(query)
    )


async def letter(tx: Tx, page_id: int) -> Letter:
    """Return what a page says and where to. Raises Unreadable."""
    query = (
        select(pages.c.key, pages.c.payload_sealed, channels.c.id, channels.c.address_sealed)
        .join(channels, channels.c.id == pages.c.channel_id)
        .where(pages.c.id == page_id)
    )
    row = await tx.one(query)
    assert row, "a page without its row"  # noqa: S101 - pages are never deleted while they are sent
    said = json.loads(tx.vault.open("pages.payload", row.key, row.payload_sealed))
    return Letter(address=_sealed(tx, row)["address"], title=said["title"], body=said["body"])


async def settle(tx: Tx, page_id: int, state: str, now: datetime, error: str = "") -> bool:
    """Mark a page sent, failed or dropped; False when it was settled, or erased, before. What it said is not kept."""
    unsettled = (pages.c.id == page_id) & (pages.c.state == "ready")
    settled = await tx.run(
        update(pages).where(unsettled).values(state=state, settled_at=now, error=error[:200], payload_sealed=FORGOTTEN)
    )
    return settled.rowcount == 1


async def try_again(tx: Tx, page_id: int, not_before: datetime, error: str) -> None:
    """Let a page wait for another try."""
    unsettled = (pages.c.id == page_id) & (pages.c.state == "ready")
    later = {"attempts": pages.c.attempts + 1, "not_before": not_before, "error": error[:200]}
    await tx.run(update(pages).where(unsettled).values(later))


async def _found(tx: Tx, *conditions: ColumnElement[bool]) -> tuple[Channel, ...]:
    present = channels.c.removed_at.is_(None)
    query = select(channels).where(present, *conditions).order_by(channels.c.programme, channels.c.id)
    return tuple(
        Channel(
            id=row.id,
            programme=row.programme,
            member_id=row.member_id,
            kind=row.kind,
            shown=_shown(tx, row),
        )
        for row in await tx.all(query)
    )


def _sealed(tx: Tx, row: Row) -> dict[str, str]:
    known: dict[str, str] = json.loads(tx.vault.open("channels.address", row.id, row.address_sealed))
    return known


def _shown(tx: Tx, row: Row) -> str:
    """Return what a channel is called; by its kind where its address cannot be read: an alert goes by all others."""
    try:
        return _sealed(tx, row)["shown"]
    except (Unreadable, ValueError, KeyError):
        return str(row.kind)
