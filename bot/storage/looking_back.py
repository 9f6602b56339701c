"""Queries for looking back at what was written and what was flagged, a batch at a time; they write nothing."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from sqlalchemy import select

from bot.storage.store import Store
from bot.storage.tables import Row, answers, cases, flags

BATCH = 500


async def text_ids(store: Store, since: datetime) -> Sequence[int]:
    """Return the ids of the answers since then in which something was written, the oldest first."""
    query = (
        select(answers.c.id)
        .where(answers.c.text_sealed.is_not(None), answers.c.at >= since)
        .order_by(answers.c.at, answers.c.id)
    )
    async with store.read() as tx:
        return [row.id for row in await tx.all(query)]


async def texts(store: Store, ids: Sequence[int]) -> AsyncIterator[Sequence[tuple[Row, str]]]:
    """Yield the answers (id, member_id, at) with what was written, in batches, each in the order of time."""
    for start in range(0, len(ids), BATCH):
        query = (
            select(answers.c.id, answers.c.member_id, answers.c.at, answers.c.text_sealed)
            .where(answers.c.id.in_(ids[start : start + BATCH]), answers.c.text_sealed.is_not(None))
            .order_by(answers.c.at, answers.c.id)
        )
        async with store.read() as tx:
            rows = await tx.all(query)
            batch = [(row, tx.vault.open("answers.text", row.id, row.text_sealed)) for row in rows]
        yield batch


async def flags_since(store: Store, since: datetime) -> Sequence[Row]:
    """Return all flags of the cases that were open then or later, each with its case's member, number and times."""
    query = (
        select(
            flags.c.case_id,
            flags.c.answer_id,
            flags.c.level,
            flags.c.category,
            flags.c.at,
            cases.c.member_id,
            cases.c.opened_at,
            cases.c.resolved_at,
        )
        .join(cases, cases.c.id == flags.c.case_id)
        .where(cases.c.resolved_at.is_(None) | (cases.c.resolved_at >= since))
        .order_by(flags.c.at, flags.c.id)
    )
    async with store.read() as tx:
        return await tx.all(query)
