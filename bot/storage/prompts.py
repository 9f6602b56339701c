"""Queries on planned prompts: one ahead per member and stream, found by when they are due."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Integer, bindparam, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bot.storage.runs import Kind
from bot.storage.store import Tx
from bot.storage.tables import Row, prompts


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """One prompt for one member. Durations in seconds.

    Its status goes planned → sent → answered, skipped or missed; a planned one may be left out instead ("late" when
    it could not be sent in time, "withdrawn" when the timetable changed). A snoozed one is planned again.
    """

    id: int
    member_id: int
    stream: str
    slot: str
    status: str
    kind: Kind
    activity: str
    probability: float | None
    due_at: datetime
    latest_at: datetime
    answer_within: int
    remind_after: int | None
    sent_at: datetime | None = None
    remind_at: datetime | None = None
    expires_at: datetime | None = None
    snoozes: int = 0
    run_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """When a prompt that is planned would be sent, and for which slot."""

    slot: str
    due_at: datetime
    latest_at: datetime


async def plan(tx: Tx, planned: Sequence[Prompt]) -> None:
    """Add prompts; a slot that was planned before stays as it was."""
    if not planned:
        return
    add = sqlite.insert if tx.dialect.name == "sqlite" else postgresql.insert
    rows = [{name: getattr(prompt, name) for name in Prompt.__slots__} for prompt in planned]
    await tx.run(add(prompts).on_conflict_do_nothing(index_elements=["member_id", "stream", "slot"]), rows)


_DUE = (
    select(prompts)
    .where(prompts.c.status == "planned", prompts.c.due_at <= bindparam("now"))
    .order_by(prompts.c.due_at)
    .limit(bindparam("most", type_=Integer))
    .with_for_update(skip_locked=True)
)


async def due(tx: Tx, now: datetime, limit: int, *, only: int | None = None) -> tuple[Prompt, ...]:
    """Return the planned prompts whose time has come, the longest due first; of them the one with this id."""
    query = _DUE if only is None else _DUE.where(prompts.c.id == only)
    return tuple(_prompt(row) for row in await tx.all(query, {"now": now, "most": limit}))


async def to_remind(tx: Tx, now: datetime, limit: int) -> tuple[Prompt, ...]:
    """Return the prompts that are to be reminded of."""
    query = select(prompts).where(prompts.c.remind_at <= now).order_by(prompts.c.remind_at).limit(limit)
    return tuple(_prompt(row) for row in await tx.all(query))


async def to_expire(tx: Tx, now: datetime, limit: int) -> tuple[Prompt, ...]:
    """Return the prompts whose time to be answered is over."""
    query = select(prompts).where(prompts.c.expires_at <= now).order_by(prompts.c.expires_at).limit(limit)
    return tuple(_prompt(row) for row in await tx.all(query))


async def some(tx: Tx, prompt_ids: Sequence[int]) -> tuple[Prompt, ...]:
    """Return the prompts with these ids."""
    return tuple(_prompt(row) for row in await tx.all(select(prompts).where(prompts.c.id.in_(prompt_ids))))


async def prompt(tx: Tx, prompt_id: int) -> Prompt | None:
    """Return the prompt with this id."""
    row = await tx.one(select(prompts).where(prompts.c.id == prompt_id))
    return _prompt(row) if row else None


async def change(tx: Tx, prompt_id: int, was: str, **changes: Any) -> bool:  # noqa: ANN401 - columns by name
    """Set columns of a prompt that still has the status `was`; False when it has another by now."""
    here = (prompts.c.id == prompt_id) & (prompts.c.status == was)
    return (await tx.run(update(prompts).where(here).values(**changes))).rowcount == 1


async def taken_slots(tx: Tx, member_ids: Sequence[int], since: datetime) -> Mapping[int, set[tuple[str, str]]]:
    """Return by member the (stream, slot) pairs that are used up since then, sent or not."""
    query = select(prompts.c.member_id, prompts.c.stream, prompts.c.slot).where(
        prompts.c.member_id.in_(member_ids), prompts.c.due_at >= since, prompts.c.status != "planned"
    )
    found = defaultdict[int, set[tuple[str, str]]](set)
    for row in await tx.all(query):
        found[row.member_id].add((row.stream, row.slot))
    return found


async def soon(tx: Tx, member_ids: Sequence[int], before: datetime) -> Mapping[tuple[int, str], Ahead]:
    """Return by member and stream what is planned before a moment and not sent; one put off is left out."""
    theirs = prompts.c.member_id.in_(member_ids) & (prompts.c.status == "planned") & (prompts.c.snoozes == 0)
    columns = (prompts.c.member_id, prompts.c.stream, prompts.c.slot, prompts.c.due_at, prompts.c.latest_at)
    query = select(*columns).where(theirs, prompts.c.due_at < before).order_by(prompts.c.due_at.desc())
    return {
        (row.member_id, row.stream): Ahead(slot=row.slot, due_at=row.due_at, latest_at=row.latest_at)
        for row in await tx.all(query)
    }


async def withdraw_planned(tx: Tx, member_ids: Sequence[int]) -> None:
    """Take back what is planned for members, so that it can be planned anew; a snoozed prompt stays."""
    theirs = prompts.c.member_id.in_(member_ids)
    await tx.run(prompts.delete().where(theirs, prompts.c.status == "planned", prompts.c.snoozes == 0))


async def planned_streams(tx: Tx, member_ids: Sequence[int]) -> Mapping[int, set[str]]:
    """Return by member the streams that have a prompt ahead."""
    query = select(prompts.c.member_id, prompts.c.stream).where(
        prompts.c.member_id.in_(member_ids), prompts.c.status == "planned"
    )
    found = defaultdict[int, set[str]](set)
    for row in await tx.all(query):
        found[row.member_id].add(row.stream)
    return found


async def upcoming(tx: Tx, member_id: int) -> tuple[Prompt, ...]:
    """Return what is planned for a member, the next first."""
    query = (
        select(prompts)
        .where(prompts.c.member_id == member_id, prompts.c.status == "planned")
        .order_by(prompts.c.due_at)
    )
    return tuple(_prompt(row) for row in await tx.all(query))


async def last_statuses(tx: Tx, member_id: int, stream: str, limit: int, *, since: datetime | None) -> tuple[str, ...]:
    """Return how the last prompts of a stream since then ended, the newest first; one still open does not count."""
    query = (
        select(prompts.c.status)
        .where(
            prompts.c.member_id == member_id,
            prompts.c.stream == stream,
            prompts.c.status.in_(("answered", "skipped", "missed")),
        )
        .order_by(prompts.c.due_at.desc())
        .limit(limit)
    )
    query = query if since is None else query.where(prompts.c.due_at > since)
    return tuple(row.status for row in await tx.all(query))


async def last_sent(tx: Tx, member_id: int, stream: str) -> datetime | None:
    """Return when the last prompt of a stream was sent."""
    found: datetime | None = await tx.value(
        select(prompts.c.sent_at)
        .where(prompts.c.member_id == member_id, prompts.c.stream == stream, prompts.c.sent_at.is_not(None))
        .order_by(prompts.c.sent_at.desc())
        .limit(1)
    )
    return found


async def next_moment(tx: Tx) -> datetime | None:
    """Return when the next planned prompt of anybody is due."""
    query = select(func.min(prompts.c.due_at)).where(prompts.c.status == "planned")
    found: datetime | None = await tx.value(query)
    return found


async def next_reminder(tx: Tx) -> datetime | None:
    """Return when somebody is to be reminded next."""
    found: datetime | None = await tx.value(select(func.min(prompts.c.remind_at)))
    return found


def _prompt(row: Row) -> Prompt:
    return Prompt(**row._mapping)  # noqa: SLF001 - SQLAlchemy's own name


async def begun(tx: Tx, member_id: int, activity: str, run_id: int) -> None:
    """Have the prompt that waits for this activity answered by a practice that was begun without it."""
    waiting = (prompts.c.member_id == member_id) & (prompts.c.activity == activity)
    untouched = (prompts.c.status == "sent") & prompts.c.run_id.is_(None)
    await tx.run(update(prompts).where(waiting, untouched).values(run_id=run_id, remind_at=None))


async def answered(tx: Tx, run_id: int) -> None:
    """Mark the prompt whose practice came to its end as answered."""
    begun = (prompts.c.run_id == run_id) & (prompts.c.status == "sent")
    await tx.run(update(prompts).where(begun).values(status="answered", remind_at=None, expires_at=None))


async def sent(tx: Tx, gone: Sequence[Prompt]) -> None:
    """Mark prompts as sent, with what was chosen and the times that follow."""
    if gone:
        rows = [{"prompt": one.id, **{name: getattr(one, name) for name in _WHEN_SENT}} for one in gone]
        await tx.run(_SENT, rows)


async def left_out(tx: Tx, prompt_ids: Sequence[int]) -> None:
    """Mark prompts that came too late or to nobody."""
    if prompt_ids:
        await tx.run(update(prompts).where(prompts.c.id.in_(prompt_ids)).values(status="late"))


async def forget_times(tx: Tx, prompt_id: int) -> None:
    """Take away the times of a prompt that nothing is to happen to any more."""
    await tx.run(update(prompts).where(prompts.c.id == prompt_id).values(remind_at=None, expires_at=None))


_WHEN_SENT = ("status", "activity", "probability", "sent_at", "remind_at", "expires_at")
_SENT = (
    update(prompts).where(prompts.c.id == bindparam("prompt")).values({name: bindparam(name) for name in _WHEN_SENT})
)
