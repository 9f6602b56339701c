"""Queries on follow-ups: words that somebody gets some time after a case, missed check-ins, or leaving."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite

from bot.storage.store import Tx
from bot.storage.tables import Row, follow_ups, new_id

Kind = Literal["case", "missed", "caring", "proposal", "plan-offer"]
Outcome = Literal["better", "same", "worse", "withdrawn", "left out", ""]


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """One word to one member. The same `key` is planned once. `outcome` is their answer, or why nothing was sent."""

    id: int
    key: str
    member_id: int
    kind: Kind
    due_at: datetime
    case_id: int | None = None
    sent_at: datetime | None = None
    outcome: Outcome = ""


async def plan(tx: Tx, found: Sequence[FollowUp]) -> None:
    """Plan words; those that were planned before stay as they are."""
    rows = [{name: getattr(one, name) for name in FollowUp.__slots__} for one in found]
    if rows:
        add = sqlite.insert if tx.dialect.name == "sqlite" else postgresql.insert
        await tx.run(add(follow_ups).on_conflict_do_nothing(index_elements=["key"]), rows)


def new(key: str, member_id: int, kind: Kind, due_at: datetime, case_id: int | None = None) -> FollowUp:
    """Return a word to be planned."""
    return FollowUp(id=new_id(), key=key, member_id=member_id, kind=kind, due_at=due_at, case_id=case_id)


async def due(tx: Tx, now: datetime, limit: int) -> tuple[FollowUp, ...]:
    """Return the words that are due, the longest first."""
    waiting = (follow_ups.c.due_at <= now) & follow_ups.c.sent_at.is_(None)
    query = select(follow_ups).where(waiting).order_by(follow_ups.c.due_at).limit(limit)
    return tuple(_follow_up(row) for row in await tx.all(query))


async def waits(tx: Tx, case_id: int, beginning: str) -> bool:
    """Return whether a word about a case, whose key begins so, is still to be sent."""
    waiting = (follow_ups.c.case_id == case_id) & follow_ups.c.sent_at.is_(None)
    query = select(follow_ups.c.id).where(waiting, follow_ups.c.key.startswith(beginning, autoescape=True)).limit(1)
    return await tx.value(query) is not None


async def follow_up(tx: Tx, follow_up_id: int) -> FollowUp | None:
    """Return the word with this id."""
    row = await tx.one(select(follow_ups).where(follow_ups.c.id == follow_up_id))
    return _follow_up(row) if row else None


async def settle(tx: Tx, follow_up_id: int, now: datetime, outcome: Outcome = "") -> None:
    """Mark a word sent, or with an outcome as not to be sent."""
    own = follow_ups.c.id == follow_up_id
    await tx.run(update(follow_ups).where(own).values(sent_at=now, outcome=outcome))


async def put_off(tx: Tx, follow_up_id: int, due_at: datetime) -> None:
    """Let a word come later."""
    await tx.run(update(follow_ups).where(follow_ups.c.id == follow_up_id).values(due_at=due_at))


async def answer(tx: Tx, follow_up_id: int, outcome: Outcome) -> bool:
    """Keep what was answered; False when an answer was given before."""
    unanswered = (follow_ups.c.id == follow_up_id) & (follow_ups.c.outcome == "")
    return (await tx.run(update(follow_ups).where(unanswered).values(outcome=outcome))).rowcount == 1


async def withdraw(tx: Tx, member_id: int, now: datetime) -> None:
    """Let none of the member's waiting words be sent."""
    waiting = (follow_ups.c.member_id == member_id) & follow_ups.c.sent_at.is_(None)
    await tx.run(update(follow_ups).where(waiting).values(sent_at=now, outcome="withdrawn"))


async def next_due(tx: Tx) -> datetime | None:
    """Return when the next word of anybody is due."""
    query = select(follow_ups.c.due_at).where(follow_ups.c.sent_at.is_(None)).order_by(follow_ups.c.due_at).limit(1)
    found: datetime | None = await tx.value(query)
    return found


def _follow_up(row: Row) -> FollowUp:
    return FollowUp(**row._mapping)  # noqa: SLF001 - SQLAlchemy's own name
