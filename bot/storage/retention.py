"""Removing what is over its time, so many rows at once; what something that is kept refers to stays."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, FromClause, Select, Table, delete, func, or_, select, update

from bot.storage import erasure
from bot.storage.store import Tx
from bot.storage.tables import (
    answers,
    cards,
    cases,
    flags,
    follow_ups,
    inbox,
    members,
    outbox,
    pages,
    prompts,
    runs,
    scores,
)


async def remove_updates(tx: Tx, before: datetime, limit: int) -> int:
    """Remove updates done before then. The highest id stays: the next question to Telegram begins after it.

    So do those that were set aside: staff have to look at them.
    """
    over = (inbox.c.done_at < before) & inbox.c.set_aside_at.is_(None)
    newest = select(func.max(inbox.c.update_id)).scalar_subquery()
    return await _remove(tx, inbox, select(inbox.c.update_id).where(over, inbox.c.update_id < newest), limit)


async def remove_messages(tx: Tx, before: datetime, limit: int) -> int:
    """Remove messages settled before then, unless their key may come again or is waited for.

    The highest id stays, so that SQLite gives it to no other message.
    """
    open_case = select(cases.c.id).where(cases.c.id == outbox.c.case_id, cases.c.state != "resolved")
    open_prompt = select(prompts.c.id).where(
        prompts.c.id == outbox.c.prompt_id, prompts.c.status.in_(["planned", "sent"])
    )
    awaited = select(pages.c.id).where(pages.c.unless_sent == outbox.c.key, pages.c.state == "ready")
    over = (outbox.c.state != "ready") & (outbox.c.settled_at < before)
    newest = select(func.max(outbox.c.id)).scalar_subquery()
    query = select(outbox.c.id).where(
        over, outbox.c.id < newest, ~open_case.exists(), ~open_prompt.exists(), ~awaited.exists()
    )
    return await _remove(tx, outbox, query, limit)


async def remove_runs(tx: Tx, programme: str, before: datetime, limit: int) -> dict[str, int]:
    """Remove practices untouched since then, with their answers and scores; one with a flagged answer stays whole."""
    flagged = select(answers.c.id).join(flags, flags.c.answer_id == answers.c.id).where(answers.c.run_id == runs.c.id)
    younger = select(answers.c.id).where(answers.c.run_id == runs.c.id, answers.c.at >= before)
    query = select(runs.c.id).where(
        runs.c.member_id.in_(_members_of(programme)),
        runs.c.updated_at < before,
        runs.c.due_at.is_(None),
        ~flagged.exists(),
        ~younger.exists(),
    )
    ids = await _ids(tx, query, limit)
    await tx.run(update(prompts).where(prompts.c.run_id.in_(ids)).values(run_id=None))
    gone = {table.name: await _delete(tx, table, table.c.run_id.in_(ids)) for table in (answers, scores)}
    return gone | {"runs": await _delete(tx, runs, runs.c.id.in_(ids))}


async def remove_remarks(tx: Tx, programme: str, before: datetime, limit: int) -> int:
    """Remove what was written outside of any practice before then, unless a flag rests on it."""
    flagged = select(flags.c.id).where(flags.c.answer_id == answers.c.id)
    over = (answers.c.at < before) & answers.c.run_id.is_(None)
    query = select(answers.c.id).where(answers.c.member_id.in_(_members_of(programme)), over, ~flagged.exists())
    return await _remove(tx, answers, query, limit)


async def remove_cases(tx: Tx, programme: str, before: datetime, now: datetime, limit: int) -> int:
    """Remove cases resolved before then, with their flags, events and pages; none of their numbers comes again.

    The events go with the case's own row: the database removes none of them by itself.
    """
    awaited = select(follow_ups.c.id).where(follow_ups.c.case_id == cases.c.id, follow_ups.c.sent_at.is_(None))
    waiting = select(outbox.c.id).where(outbox.c.case_id == cases.c.id, outbox.c.state == "ready")
    resolved = (cases.c.programme == programme) & (cases.c.state == "resolved") & (cases.c.resolved_at < before)
    ids = await _ids(tx, select(cases.c.id).where(resolved, ~awaited.exists(), ~waiting.exists()), limit)
    await erasure.hold_case_numbers(tx, ids, now)
    await tx.run(update(outbox).where(outbox.c.case_id.in_(ids)).values(case_id=None))
    await _delete(tx, cards, cards.c.card.in_([f"case:{one}" for one in ids]))
    for table in (flags, pages, follow_ups):
        await _delete(tx, table, table.c.case_id.in_(ids))
    return await _delete(tx, cases, cases.c.id.in_(ids))


async def people_over(tx: Tx, programme: str, before: datetime, limit: int) -> Sequence[int]:
    """Return who left the programme before then, is in no other, has no case, and is sent nothing any more."""
    other = members.alias()
    elsewhere = select(other.c.id).where(
        other.c.person_id == members.c.person_id,
        or_(other.c.programme != programme, other.c.role != "participant", ~_left(other, before)),
    )
    theirs = select(other.c.id).where(other.c.person_id == members.c.person_id)
    has_case = select(cases.c.id).where(cases.c.member_id.in_(theirs))
    awaits = select(follow_ups.c.id).where(follow_ups.c.member_id.in_(theirs), follow_ups.c.sent_at.is_(None))
    query = (
        select(members.c.person_id)
        .where(members.c.programme == programme, members.c.role == "participant", _left(members, before))
        .where(~elsewhere.exists(), ~has_case.exists(), ~awaits.exists())
        .distinct()
    )
    return await _ids(tx, query, limit)


def _left(table: FromClause, before: datetime) -> ColumnElement[bool]:
    left: ColumnElement[bool] = table.c.ended_at.is_not(None) & (table.c.ended_at < before)
    return left


def _members_of(programme: str) -> Select[tuple[int]]:
    return select(members.c.id).where(members.c.programme == programme)


async def _ids(tx: Tx, query: Select[tuple[int]], limit: int) -> Sequence[int]:
    return [row[0] for row in await tx.all(query.limit(limit))]


async def _remove(tx: Tx, table: Table, query: Select[tuple[int]], limit: int) -> int:
    return await _delete(tx, table, erasure.key_of(table).in_(await _ids(tx, query, limit)))


async def _delete(tx: Tx, table: Table, which: ColumnElement[bool]) -> int:
    return (await tx.run(delete(table).where(which))).rowcount
