"""How much waits, and how it goes: numbers for whoever keeps Interlude running, none that points to a person."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import product
from statistics import median

from sqlalchemy import Table, case, func, or_, select

from bot.storage.inbox import set_aside_count
from bot.storage.outbox import Lane
from bot.storage.store import Tx
from bot.storage.tables import Row, case_events, cases, inbox, members, outbox, pages, prompts

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)
STATUSES = ("planned", "sent", "answered", "skipped", "missed", "late")
SETTLED = ("sent", "failed", "dropped")
LEVELS, UNRESOLVED = ("red", "orange", "yellow"), ("open", "acknowledged")
RAISING, TAKING = ("opened", "raised", "left"), ("acknowledged", "lowered", "resolved")
"""Steps after which a case waits for somebody, and those that end the wait: to lower or to resolve it ends it too."""


_Counted = dict[tuple[str, str], int]
"""By programme and status."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """How many wait, and for how many seconds the oldest does (0 when none)."""

    count: int
    oldest: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledging:
    """How many acknowledgements there were, and how long they took, in seconds from when the case was raised."""

    count: int
    median: float
    longest: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """How things stand at one moment; the keys of `cases` are programme, level and state.

    `settled` and `paged` count those of the last hour.
    """

    updates: Waiting
    aside: int
    messages: Mapping[Lane, Waiting]
    settled: Mapping[str, int]
    pages: Waiting
    paged: Mapping[str, int]
    cases: Mapping[tuple[str, str, str], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class OverDays:
    """How things went in the days before a moment; keys begin with the programme.

    `prompts` counts those due in the last day; `compliance` is a ratio of 0 to 1 over 7 days: answered among answered
    and missed. `acknowledging`, over 7 days too, is by programme and the level that the case has now. What has none of
    these is left out there.
    """

    prompts: Mapping[tuple[str, str], int]
    compliance: Mapping[str, float]
    acknowledging: Mapping[tuple[str, str], Acknowledging]


async def gathered(tx: Tx, now: datetime) -> Figures:
    """Return how things stand now: what tells of stuck work."""
    return Figures(
        updates=await _updates(tx, now),
        aside=await set_aside_count(tx),
        messages=await _messages(tx, now),
        settled=await _settled(tx, outbox, now - HOUR),
        pages=await _pages(tx, now),
        paged=await _settled(tx, pages, now - HOUR),
        cases=dict.fromkeys(product(await _programmes(tx), LEVELS, UNRESOLVED), 0) | await _cases(tx),
    )


async def gathered_over_days(tx: Tx, now: datetime) -> OverDays:
    """Return how things went lately, which takes seconds with 100,000 participants."""
    return OverDays(
        prompts=dict.fromkeys(product(await _programmes(tx), STATUSES), 0) | await _prompts(tx, now - DAY, now),
        compliance=await _compliance(tx, now - WEEK, now),
        acknowledging=await _acknowledging(tx, now - WEEK),
    )


async def _programmes(tx: Tx) -> tuple[str, ...]:
    found = await tx.all(select(members.c.programme).distinct())
    return tuple(row.programme for row in found)


async def _updates(tx: Tx, now: datetime) -> Waiting:
    query = select(func.count().label("number"), func.min(inbox.c.received_at).label("first"))
    return _waiting(await tx.one(query.where(inbox.c.done_at.is_(None))), now)


async def _messages(tx: Tx, now: datetime) -> Mapping[Lane, Waiting]:
    query = select(outbox.c.lane, func.count().label("number"), func.min(outbox.c.created_at).label("first"))
    rows = await tx.all(query.where(outbox.c.state == "ready").group_by(outbox.c.lane))
    found = {row.lane: row for row in rows}
    return {lane: _waiting(found.get(int(lane)), now) for lane in Lane}


async def _pages(tx: Tx, now: datetime) -> Waiting:
    """Count the pages that should have gone out; one that waits whether its alert fails is not due."""
    query = select(func.count().label("number"), func.min(pages.c.created_at).label("first"))
    due = or_(pages.c.not_before <= now, pages.c.attempts > 0)
    return _waiting(await tx.one(query.where(pages.c.state == "ready", due)), now)


async def _settled(tx: Tx, table: Table, since: datetime) -> Mapping[str, int]:
    query = select(table.c.state, func.count().label("number")).where(table.c.settled_at > since)
    rows = await tx.all(query.group_by(table.c.state))
    return dict.fromkeys(SETTLED, 0) | {row.state: row.number for row in rows}


async def _prompts(tx: Tx, since: datetime, until: datetime) -> _Counted:
    """Count the prompts due in a time by programme and status."""
    query = (
        select(members.c.programme, prompts.c.status, func.count().label("number"))
        .join(members, members.c.id == prompts.c.member_id)
        .where(prompts.c.due_at > since, prompts.c.due_at <= until)
        .group_by(members.c.programme, prompts.c.status)
    )
    return {(row.programme, row.status): row.number for row in await tx.all(query)}


async def _compliance(tx: Tx, since: datetime, until: datetime) -> Mapping[str, float]:
    """Return the share of answered by programme; by member first, since to look up each prompt's takes three times."""
    answered, missed = (func.sum(case((prompts.c.status == status, 1), else_=0)) for status in ("answered", "missed"))
    theirs = (
        select(prompts.c.member_id, answered.label("answered"), missed.label("missed"))
        .where(prompts.c.due_at > since, prompts.c.due_at <= until)
        .group_by(prompts.c.member_id)
        .subquery()
    )
    sums = func.sum(theirs.c.answered).label("answered"), func.sum(theirs.c.missed).label("missed")
    query = select(members.c.programme, *sums).join(members, members.c.id == theirs.c.member_id)
    rows = [row for row in await tx.all(query.group_by(members.c.programme)) if row.answered + row.missed]
    return {row.programme: float(row.answered / (row.answered + row.missed)) for row in rows}


async def _cases(tx: Tx) -> dict[tuple[str, str, str], int]:
    key = (cases.c.programme, cases.c.level, cases.c.state)
    query = select(*key, func.count().label("number")).where(cases.c.state != "resolved").group_by(*key)
    return {(row.programme, row.level, row.state): row.number for row in await tx.all(query)}


async def _acknowledging(tx: Tx, since: datetime) -> Mapping[tuple[str, str], Acknowledging]:
    taken = select(case_events.c.case_id).where(case_events.c.at >= since, case_events.c.kind.in_(TAKING))
    query = (
        select(cases.c.programme, cases.c.level, case_events.c.case_id, case_events.c.kind, case_events.c.at)
        .join(cases, cases.c.id == case_events.c.case_id)
        .where(case_events.c.case_id.in_(taken), case_events.c.kind.in_(RAISING + TAKING))
        .order_by(case_events.c.id)
    )
    return {
        key: Acknowledging(count=len(took), median=median(took), longest=max(took))
        for key, took in _times(await tx.all(query), since).items()
    }


def _times(events: Sequence[Row], since: datetime) -> Mapping[tuple[str, str], list[float]]:
    """Return by programme and level how many seconds each raising waited that somebody took since; events in order."""
    raised, took = dict[int, datetime](), defaultdict[tuple[str, str], list[float]](list)
    for row in events:
        if row.kind == "left":  # a case that nobody had taken yet goes on waiting
            raised.setdefault(row.case_id, row.at)
        elif row.kind in RAISING:
            raised[row.case_id] = row.at
        elif (began := raised.pop(row.case_id, None)) and row.at >= since:
            took[row.programme, row.level].append((row.at - began).total_seconds())
    return took


def _waiting(row: Row | None, now: datetime) -> Waiting:
    if row is None or row.first is None:
        return Waiting(count=0, oldest=0.0)
    return Waiting(count=row.number, oldest=max(0.0, (now - row.first).total_seconds()))
