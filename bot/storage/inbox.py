"""Queries on the inbox: each update once, kept until it is done."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, Table, bindparam, func, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import ReturningUpdate

from bot.storage.store import Tx
from bot.storage.tables import FORGOTTEN, Row, inbox
from bot.storage.vault import readable

STARTED_OVER = 1 << 40
"""Added to the number of an update that had another one's: Telegram starts anew at random after a quiet week."""

CANNOT_COME_AGAIN = timedelta(days=6)
"""Telegram brings an update again for a day at most; an older one of the same number is another update."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """An update as Telegram sent it (`payload`, JSON), and which chat it belongs to (0: none)."""

    update_id: int
    chat_id: int
    payload: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """An update that is not done yet. One that cannot be read has an empty `payload`: it fails, and no other."""

    update_id: int
    chat_id: int
    payload: str
    attempts: int


_ADD = {
    dialect: add(inbox).on_conflict_do_nothing(index_elements=["update_id"]).returning(inbox.c.update_id)
    for dialect, add in (("sqlite", sqlite.insert), ("postgresql", postgresql.insert))
}


async def keep(tx: Tx, arrived: Sequence[Arrived], now: datetime) -> None:
    """Add the updates that are not here yet."""
    numbered = {one.update_id: one for one in arrived}
    while numbered:
        known = numbered.keys() - await _add(tx, numbered, now)
        numbered = {number + STARTED_OVER: numbered[number] for number in await _long_gone(tx, known, now)}


async def _add(tx: Tx, numbered: Mapping[int, Arrived], now: datetime) -> frozenset[int]:
    """Add updates under these numbers; return those that were free."""
    rows = [
        {
            "update_id": number,
            "chat_id": one.chat_id,
            "payload_sealed": tx.vault.seal("inbox.payload", number, one.payload),
            "received_at": now,
            "not_before": now,
        }
        for number, one in numbered.items()
    ]
    return frozenset((await tx.run(_ADD[tx.dialect.name], rows)).scalars())


async def _long_gone(tx: Tx, numbers: Collection[int], now: datetime) -> Sequence[int]:
    """Return which numbers are those of updates so old that what came now is another one."""
    if not numbers:
        return ()
    old = inbox.c.received_at < now - CANNOT_COME_AGAIN
    return [row.update_id for row in await tx.all(select(inbox.c.update_id).where(inbox.c.update_id.in_(numbers), old))]


def _firsts(what: ColumnElement[Any] | Table) -> Select[Any]:
    """Select the oldest update of each chat that may be handled `now`, of `most` chats that are not `busy`."""
    earlier = inbox.alias()
    first = ~(
        select(earlier.c.update_id)
        .where(
            earlier.c.done_at.is_(None),
            earlier.c.chat_id == inbox.c.chat_id,
            earlier.c.update_id < inbox.c.update_id,
        )
        .exists()
    )
    return (
        select(what)
        .where(inbox.c.done_at.is_(None), first, inbox.c.chat_id.not_in(bindparam("busy", expanding=True)))
        .where(inbox.c.not_before <= bindparam("now", type_=inbox.c.not_before.type))
        .order_by(inbox.c.update_id)
        .limit(bindparam("most", type_=Integer))
    )


def _taking() -> ReturningUpdate[Any]:
    """Take what `_firsts` finds for a `seat`, unless another one has something of the chat."""
    others = inbox.alias()
    taken = (
        select(others.c.update_id)
        .where(others.c.done_at.is_(None), others.c.chat_id == inbox.c.chat_id)
        .where(others.c.claimed_by != bindparam("seat"))
        .exists()
    )
    free = _firsts(inbox.c.update_id).where(~taken).with_for_update(skip_locked=True)
    taking = update(inbox).where(inbox.c.update_id.in_(free.scalar_subquery()))
    return taking.values(claimed_by=bindparam("seat")).returning(inbox)


_FIRSTS, _TAKING = _firsts(inbox), _taking()
_LATER_COMMIT = text("SET LOCAL synchronous_commit = off")


async def waiting(tx: Tx, now: datetime, *, busy: frozenset[int], limit: int) -> tuple[Waiting, ...]:
    """Return the oldest update of each chat that may be handled now, leaving out the chats that are `busy`.

    A chat whose oldest update waits for another try waits as a whole, so that its order is kept.
    """
    found = await tx.run(_FIRSTS, {"now": now, "busy": tuple(busy), "most": limit})
    return tuple(_waiting(tx, row) for row in found)


async def take(tx: Tx, now: datetime, seat: int, *, busy: frozenset[int], limit: int) -> tuple[Waiting, ...]:
    """The same on PostgreSQL, of what no other replica took; it is this one's (`seat`) until done, or until it is gone.

    What it took before and is not `busy` with is given again. Rows that another replica takes just now are passed over.
    """
    await tx.run(_LATER_COMMIT)  # a claim that is lost is made anew
    found = await tx.run(_TAKING, {"now": now, "seat": seat, "busy": tuple(busy), "most": limit})
    return tuple(_waiting(tx, row) for row in sorted(found, key=lambda row: int(row.update_id)))


def _waiting(tx: Tx, row: Row) -> Waiting:
    return Waiting(
        update_id=row.update_id,
        chat_id=row.chat_id,
        payload=readable(tx.vault, "inbox.payload", row.update_id, row.payload_sealed) or "",
        attempts=row.attempts,
    )


async def done(tx: Tx, update_id: int, now: datetime) -> None:
    """Mark an update done that nobody else marked."""
    waiting = (inbox.c.update_id == update_id) & inbox.c.done_at.is_(None)
    await tx.run(update(inbox).where(waiting).values(done_at=now, payload_sealed=FORGOTTEN, chat_id=0))


async def try_again(tx: Tx, update_id: int, not_before: datetime, error: str) -> None:
    """Let an update wait for another try."""
    await tx.run(
        update(inbox)
        .where(inbox.c.update_id == update_id, inbox.c.done_at.is_(None))
        .values(attempts=inbox.c.attempts + 1, not_before=not_before, claimed_by=None, error=error[:200])
    )


async def set_aside(tx: Tx, update_id: int, now: datetime, error: str) -> None:
    """Take an update out of the way that fails again and again; it stays where staff can see it."""
    await tx.run(
        update(inbox)
        .where(inbox.c.update_id == update_id, inbox.c.done_at.is_(None))
        .values(done_at=now, set_aside_at=now, error=error[:200])
    )


async def undone(tx: Tx, update_ids: Sequence[int]) -> frozenset[int]:
    """Return which of these updates still wait to be handled."""
    waiting = inbox.c.update_id.in_(update_ids) & inbox.c.done_at.is_(None)
    return frozenset(row.update_id for row in await tx.all(select(inbox.c.update_id).where(waiting)))


async def set_aside_count(tx: Tx) -> int:
    """Return how many updates were set aside."""
    return int(await tx.value(select(func.count()).select_from(inbox).where(inbox.c.set_aside_at.is_not(None))))


async def last_update_id(tx: Tx) -> int | None:
    """Return Telegram's id of the update that was kept last."""
    query = select(inbox.c.update_id).order_by(inbox.c.received_at.desc(), inbox.c.update_id.desc()).limit(1)
    found = await tx.value(query)
    return None if found is None else int(found) % STARTED_OVER
