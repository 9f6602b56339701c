"""Queries on what a clock that ran ahead left behind in the time to come, for when it was set back."""

from datetime import datetime

from sqlalchemy import delete, select, update

from bot.storage.store import Tx
from bot.storage.tables import inbox, members, outbox, pages, prompts, runs


async def end_waits(tx: Tx, now: datetime) -> int:
    """Let everything that waits for another try be tried now: its wait was counted by another clock."""
    freed = 0
    for kept, unsettled in (
        (inbox, inbox.c.done_at.is_(None)),
        (outbox, outbox.c.state == "ready"),
        (pages, pages.c.state == "ready"),
    ):
        waits = unsettled & (kept.c.not_before > now)
        freed += (await tx.run(update(kept).where(waits).values(not_before=now))).rowcount
    return freed


async def shorten_pauses(tx: Tx, now: datetime) -> int:
    """Let pauses of practices that began in the time to come begin now; return how many."""
    query = select(runs.c.id, runs.c.due_at, runs.c.updated_at).where(runs.c.due_at > now, runs.c.updated_at > now)
    found = await tx.all(query)
    for row in found:
        due_at = now + (row.due_at - row.updated_at)
        await tx.run(update(runs).where(runs.c.id == row.id).values(due_at=due_at))
    return len(found)


async def give_back_slots(tx: Tx, now: datetime) -> int:
    """Take back that prompts came too late whose time is still to come, and have them planned again."""
    too_early = (prompts.c.status == "late") & (prompts.c.due_at > now)
    theirs = select(prompts.c.member_id).where(too_early)
    await tx.run(update(members).where(members.c.id.in_(theirs)).values(plan_at=now))
    return (await tx.run(delete(prompts).where(too_early))).rowcount
