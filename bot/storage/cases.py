"""Queries on cases, their flags and their history, which only grows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, insert, select, update
from sqlalchemy import case as choice

from bot.domain.activity import Level
from bot.domain.cases import Case
from bot.storage.marks import mark
from bot.storage.store import Tx
from bot.storage.tables import Row, case_events, cases, flags, members, new_id
from bot.storage.vault import readable

IN_DIGEST, AS_NEWS = "yes", "news"
"""How an alert that came in a digest is marked in a case's history: as one that waits, or as news of one taken."""

_LEVEL_ORDER = {"red": 0, "orange": 1, "yellow": 2}
_GRAVITY = choice(_LEVEL_ORDER, value=cases.c.level)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """A case with what the database knows of it. `number` is what people call it by, within its programme."""

    id: int
    number: int
    member_id: int
    programme: str
    case: Case


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """One finding. `answer_id` is what it rests on (None where no answer is).

    `similar_to` names the examples that an answer is like, the nearest first, where the second opinion found that.
    """

    level: Level
    category: str
    rule: str
    version: str
    answer_id: int | None = None
    lowered_by: str = ""
    similar_to: str = ""


async def open_case(tx: Tx, member_id: int) -> Filed | None:
    """Return the member's case that is not resolved."""
    row = await tx.one(select(cases).where(cases.c.member_id == member_id, cases.c.state != "resolved"))
    return _filed(row) if row else None


async def had_since(tx: Tx, member_id: int, levels: Sequence[Level], since: datetime) -> bool:
    """Return whether the member has, or had since then, a case with a flag of one of these levels."""
    query = (
        select(flags.c.id)
        .join(cases, cases.c.id == flags.c.case_id)
        .where(cases.c.member_id == member_id, flags.c.level.in_(levels))
        .where((flags.c.at >= since) | (cases.c.state != "resolved") | (cases.c.resolved_at >= since))
        .limit(1)
    )
    return await tx.value(query) is not None


async def filed(tx: Tx, case_id: int) -> Filed | None:
    """Return the case with this id."""
    row = await tx.one(select(cases).where(cases.c.id == case_id))
    return _filed(row) if row else None


async def add_case(tx: Tx, member_id: int, programme: str, case: Case) -> Filed:
    """Add a case under the programme's next number; that of an erased case is not used again."""
    last = await tx.value(select(func.max(cases.c.number)).where(cases.c.programme == programme))
    erased = int(await mark(tx, f"case-number:{programme}") or 0)
    new = Filed(id=new_id(), number=max(last or 0, erased) + 1, member_id=member_id, programme=programme, case=case)
    row = {"id": new.id, "number": new.number, "member_id": member_id, "programme": programme}
    await tx.run(insert(cases).values(**row, **_columns(case)))
    return new


async def save_case(tx: Tx, case_id: int, before: Case, after: Case, **changes: Any) -> bool:  # noqa: ANN401
    """Keep a case that changed; False when somebody else changed it meanwhile."""
    unchanged = (
        (cases.c.id == case_id)
        & (cases.c.state == before.state)
        & (cases.c.level == before.level)
        & (cases.c.alerts == before.alerts)
    )
    saved = await tx.run(update(cases).where(unchanged).values(**_columns(after), **changes))
    return saved.rowcount == 1


async def add_flags(tx: Tx, case_id: int, found: Sequence[Flag], now: datetime) -> None:
    """Add findings to a case."""
    rows = [
        {
            "id": new_id(),
            "case_id": case_id,
            "answer_id": flag.answer_id,
            "level": flag.level,
            "category": flag.category,
            "rule": flag.rule,
            "version": flag.version,
            "lowered_by": flag.lowered_by,
            "similar_to": flag.similar_to,
            "at": now,
        }
        for flag in found
    ]
    await tx.run(insert(flags), rows)


async def flags_of(tx: Tx, case_id: int) -> tuple[Row, ...]:
    """Return a case's findings, the oldest first; those of one moment always in the same order."""
    return tuple(await tx.all(select(flags).where(flags.c.case_id == case_id).order_by(flags.c.at, flags.c.rule)))


async def add_event(
    tx: Tx, case_id: int, kind: str, now: datetime, *, by: int | None = None, note: str = "", **detail: str
) -> None:
    """Add a step to a case's history: who did what, and their note, which is sealed."""
    key = new_id()
    sealed = tx.vault.seal("case_events.note", key, note) if note else None
    row = {"case_id": case_id, "by": by, "kind": kind, "detail": detail, "key": key, "note_sealed": sealed, "at": now}
    await tx.run(insert(case_events).values(**row))


async def events_of(tx: Tx, case_id: int) -> tuple[Row, ...]:
    """Return a case's history, the oldest first."""
    query = select(case_events).where(case_events.c.case_id == case_id).order_by(case_events.c.id)
    return tuple(await tx.all(query))


def event_note(tx: Tx, row: Row) -> str | None:
    """Return the note of a step in a case's history; None where it cannot be read."""
    return readable(tx.vault, "case_events.note", row.key, row.note_sealed) if row.note_sealed else ""


async def queue(tx: Tx, programmes: Sequence[str], limit: int | None = None) -> tuple[Filed, ...]:
    """Return the cases that are not resolved: the gravest first, among equals the oldest."""
    query = select(cases).where(cases.c.programme.in_(programmes), cases.c.state != "resolved")
    found = [_filed(row) for row in await tx.all(query)]
    found.sort(key=lambda one: (_LEVEL_ORDER[one.case.level], one.case.opened_at))
    return tuple(found[:limit])


async def held_by(tx: Tx, member_id: int) -> tuple[Filed, ...]:
    """Return the cases that are not resolved and that the member acknowledged or was assigned."""
    theirs = (cases.c.acknowledged_by == member_id) | (cases.c.assigned_to == member_id)
    query = select(cases).where(cases.c.state != "resolved", theirs).order_by(cases.c.number)
    return tuple(_filed(row) for row in await tx.all(query))


async def due_for_alert(tx: Tx, now: datetime, limit: int) -> tuple[int, ...]:
    """Return the ids of the red and orange cases whose next alert is due, the gravest first, then the longest due."""
    query = select(cases.c.id).where(_due(now)).order_by(_GRAVITY, cases.c.next_alert).limit(limit)
    return tuple(row[0] for row in await tx.all(query))


async def to_alert(tx: Tx, now: datetime, case_ids: Sequence[int]) -> tuple[Filed, ...]:
    """Return those of these cases whose alert is still due, and which nobody else alerts just now."""
    query = select(cases).where(_due(now), cases.c.id.in_(case_ids)).order_by(_GRAVITY, cases.c.next_alert)
    return tuple(_filed(row) for row in await tx.all(query.with_for_update(skip_locked=True)))


async def digests_due(tx: Tx, now: datetime) -> Mapping[str, Sequence[int]]:
    """Return the ids of the cases that are to be told of in a digest now, by programme."""
    due: dict[str, list[int]] = {}
    for row in await tx.all(select(cases.c.id, cases.c.programme).where(_in_digest(now))):
        due.setdefault(row.programme, []).append(row.id)
    return due


async def to_digest(tx: Tx, now: datetime, case_ids: Sequence[int]) -> tuple[Filed, ...]:
    """Return those of these cases that are still to be told of in a digest, the oldest first."""
    query = select(cases).where(_in_digest(now), cases.c.id.in_(case_ids)).order_by(cases.c.opened_at, cases.c.number)
    return tuple(_filed(row) for row in await tx.all(query.with_for_update(skip_locked=True)))


async def digested_to(tx: Tx, member_id: int) -> tuple[Filed, ...]:
    """Return the cases of digests of which this member was told last: yellow ones that nobody took, and news."""
    events = select(case_events, cases.c.state).join(cases, cases.c.id == case_events.c.case_id)
    theirs_too = cases.c.programme == select(members.c.programme).where(members.c.id == member_id).scalar_subquery()
    waiting = (cases.c.level == "yellow") & (cases.c.state == "open") | (cases.c.state == "acknowledged")
    alerts = events.where(case_events.c.kind == "alerted", waiting, theirs_too).order_by(case_events.c.id)
    last: dict[int, tuple[datetime, set[int]]] = {}
    for row in await tx.all(alerts):
        at, told = last.get(row.case_id, (row.at, set()))
        counts = row.state == "open" or row.detail.get("digest") == AS_NEWS
        last[row.case_id] = (row.at, {*(told if at == row.at else ()), *([int(row.detail["to"])] if counts else ())})
    theirs = [case_id for case_id, (_, told) in last.items() if member_id in told]
    return tuple(_filed(row) for row in await tx.all(select(cases).where(cases.c.id.in_(theirs))))


async def next_alert(tx: Tx) -> datetime | None:
    """Return when the next alert of any case is due."""
    found: datetime | None = await tx.value(select(func.min(cases.c.next_alert)))
    return found


async def alerted_members(tx: Tx, case_id: int) -> tuple[int, ...]:
    """Return who got an alert of a case by itself so far; who met it in a digest has no card of it."""
    query = select(case_events.c.detail).where(case_events.c.case_id == case_id, case_events.c.kind == "alerted")
    alone = (row.detail for row in await tx.all(query) if "digest" not in row.detail)
    return tuple(dict.fromkeys(int(detail["to"]) for detail in alone))


def _due(now: datetime) -> ColumnElement[bool]:
    return (cases.c.next_alert <= now) & (cases.c.level != "yellow") & (cases.c.state == "open")


def _in_digest(now: datetime) -> ColumnElement[bool]:
    """Hold for yellow cases that wait, and for cases that somebody took and that have something new."""
    return ((cases.c.level == "yellow") | (cases.c.state == "acknowledged")) & (cases.c.next_alert <= now)


def _columns(case: Case) -> dict[str, Any]:
    return {field.name: getattr(case, field.name) for field in fields(case)}


def _filed(row: Row) -> Filed:
    case = Case(**{field.name: getattr(row, field.name) for field in fields(Case)})
    return Filed(id=row.id, number=row.number, member_id=row.member_id, programme=row.programme, case=case)
