"""Queries on the rota: shifts, stand-ins and offers of them, days away, and who was told to be on call."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import ColumnElement, and_, delete, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bot.domain.people import CARING
from bot.domain.rota import Absence, Cover, Duty, Rota, Shift
from bot.storage.store import Tx
from bot.storage.tables import Row, absences, covers, members, new_id, on_call, shifts

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A stand-in that somebody was asked for; `open` until it is accepted or withdrawn."""

    id: int
    programme: str
    cover: Cover
    open: bool


async def rota(tx: Tx, programme: str, zone: str, since: datetime) -> Rota:
    """Return a programme's rota from `since` on, as far as it is of people who look after cases there now."""
    theirs = (members.c.role.in_(CARING), members.c.standing == "active")
    planned = select(shifts).join(members, members.c.id == shifts.c.member_id).where(*theirs)
    standing_in = select(covers).join(members, members.c.id == covers.c.member_id).where(*theirs)
    accepted = (covers.c.accepted_at.is_not(None), covers.c.withdrawn_at.is_(None), covers.c.ends_at > since)
    away = select(absences).join(members, members.c.id == absences.c.member_id).where(*theirs)
    lasts = (members.c.programme == programme, absences.c.last >= since.date() - 2 * _DAY)
    in_order = planned.where(shifts.c.programme == programme).order_by(shifts.c.created_at, shifts.c.id)
    as_made = standing_in.where(covers.c.programme == programme, *accepted).order_by(covers.c.accepted_at, covers.c.id)
    return Rota(
        zone=zone,
        shifts=tuple(_shift(row) for row in await tx.all(in_order)),
        covers=tuple(_cover(row) for row in await tx.all(as_made)),
        absences=tuple(
            Absence(member_id=row.member_id, first=row.first, last=row.last) for row in await tx.all(away.where(*lasts))
        ),
    )


async def add_shifts(tx: Tx, programme: str, added: Sequence[Shift], now: datetime) -> None:
    """Add shifts to a programme's rota."""
    rows = [
        {
            "id": new_id(),
            "programme": programme,
            "duty": shift.duty,
            "member_id": shift.member_id,
            "weekday": shift.weekday,
            "starts": f"{shift.starts:%H:%M}",
            "minutes": shift.minutes,
            "every_weeks": shift.every_weeks,
            "since": shift.since,
            "until": shift.until,
            "created_at": now,
        }
        for shift in added
    ]
    await tx.run(insert(shifts), rows)


async def end_shifts(
    tx: Tx,
    programme: str,
    first_without: date,
    *,
    member_id: int | None = None,
    duty: Duty | None = None,
    weekdays: frozenset[int] | None = None,
) -> int:
    """End the shifts of this programme (member, duty, days of the week) before a day; return how many there were."""
    which = [shifts.c.programme == programme, or_(shifts.c.until.is_(None), shifts.c.until >= first_without)]
    which += [shifts.c.member_id == member_id] if member_id is not None else []
    which += [shifts.c.duty == duty] if duty else []
    which += [shifts.c.weekday.in_(weekdays)] if weekdays is not None else []
    gone = await tx.run(delete(shifts).where(*which, shifts.c.since >= first_without))
    ended = await tx.run(update(shifts).where(*which).values(until=first_without - _DAY))
    return gone.rowcount + ended.rowcount


async def add_cover(
    tx: Tx, programme: str, cover: Cover, now: datetime, *, made_by: int | None = None, accepted: bool = True
) -> int:
    """Add a stand-in, or the offer of one; return its id."""
    cover_id = new_id()
    row = {
        "id": cover_id,
        "programme": programme,
        "duty": cover.duty,
        "member_id": cover.member_id,
        "instead_of": cover.instead_of,
        "starts_at": cover.starts_at,
        "ends_at": cover.ends_at,
        "made_by": made_by,
        "created_at": now,
        "accepted_at": now if accepted else None,
    }
    await tx.run(insert(covers).values(**row))
    return cover_id


async def offer(tx: Tx, cover_id: int) -> Offer | None:
    """Return an offer, when it was made of one member's time to another; the others of that time wait till we are done.

    Two colleagues who accept the same time at once are taken one after the other.
    """
    row = await tx.one(select(covers).where(covers.c.id == cover_id, covers.c.instead_of.is_not(None)))
    if row is None:
        return None
    rivals = select(covers.c.id).where(_same_time(row.instead_of, row.starts_at)).order_by(covers.c.id)
    await tx.all(rivals.with_for_update())
    return _offer(await tx.one(select(covers).where(covers.c.id == cover_id)))


async def open_offer(tx: Tx, cover: Cover) -> Offer | None:
    """Return the offer of this time to this member that waits for an answer."""
    theirs = and_(_same_time(cover.instead_of, cover.starts_at), covers.c.member_id == cover.member_id)
    unanswered = (covers.c.accepted_at.is_(None), covers.c.withdrawn_at.is_(None), covers.c.duty == cover.duty)
    return _offer(await tx.one(select(covers).where(theirs, *unanswered)))


async def accept(tx: Tx, cover_id: int, now: datetime) -> bool:
    """Make an offer a stand-in; False when it is not open any more."""
    return await _answer(tx, cover_id, accepted_at=now)


async def withdraw(tx: Tx, cover_id: int, now: datetime) -> bool:
    """End an offer; False when it is not open any more."""
    return await _answer(tx, cover_id, withdrawn_at=now)


async def withdraw_covers(tx: Tx, programme: str, member_id: int, starts_at: datetime, now: datetime) -> int:
    """Withdraw what a member stands in for from a moment on; return how many there were."""
    theirs = (covers.c.programme == programme, covers.c.member_id == member_id, covers.c.withdrawn_at.is_(None))
    done = await tx.run(update(covers).where(*theirs, covers.c.ends_at > starts_at).values(withdrawn_at=now))
    return done.rowcount


async def add_absence(tx: Tx, absence: Absence, now: datetime) -> None:
    """Keep that a member is away."""
    row = {"id": new_id(), "member_id": absence.member_id, "first": absence.first, "last": absence.last}
    await tx.run(insert(absences).values(**row, created_at=now))


async def end_absences(tx: Tx, member_id: int, back: date) -> int:
    """Have a member who is away on this day be back on it; return how many absences that ended."""
    present = (absences.c.member_id == member_id, absences.c.first <= back, absences.c.last >= back)
    gone = await tx.run(delete(absences).where(*present, absences.c.first == back))
    ended = await tx.run(update(absences).where(*present).values(last=back - _DAY))
    return gone.rowcount + ended.rowcount


async def drop_absences(tx: Tx, member_id: int, after: date) -> int:
    """Have a member be there in all the time that they were to be away from after this day; return how many were."""
    ahead = (absences.c.member_id == member_id, absences.c.first > after)
    return (await tx.run(delete(absences).where(*ahead))).rowcount


async def told(tx: Tx, programme: str) -> frozenset[int]:
    """Return who was told to be on call, and not yet that it is over."""
    return frozenset(
        row[0] for row in await tx.all(select(on_call.c.member_id).where(on_call.c.programme == programme))
    )


async def comes_on(tx: Tx, programme: str, member_id: int, now: datetime) -> bool:
    """Keep that a member is told to be on call; False when somebody else has just done that."""
    add = sqlite.insert if tx.dialect.name == "sqlite" else postgresql.insert
    row = add(on_call).values(member_id=member_id, programme=programme, since=now)
    return (await tx.run(row.on_conflict_do_nothing(index_elements=["member_id"]))).rowcount == 1


async def goes_off(tx: Tx, member_id: int) -> bool:
    """Keep that a member is told that their time on call is over; False when somebody else has just done that."""
    return (await tx.run(delete(on_call).where(on_call.c.member_id == member_id))).rowcount == 1


async def _answer(tx: Tx, cover_id: int, **change: datetime) -> bool:
    unanswered = (covers.c.id == cover_id, covers.c.accepted_at.is_(None), covers.c.withdrawn_at.is_(None))
    return (await tx.run(update(covers).where(*unanswered).values(**change))).rowcount == 1


def _same_time(instead_of: int | None, starts_at: datetime) -> ColumnElement[bool]:
    return and_(covers.c.instead_of == instead_of, covers.c.starts_at == starts_at)


def _shift(row: Row) -> Shift:
    return Shift(
        member_id=row.member_id,
        duty=row.duty,
        weekday=row.weekday,
        starts=time.fromisoformat(row.starts),
        minutes=row.minutes,
        every_weeks=row.every_weeks,
        since=row.since,
        until=row.until,
    )


def _cover(row: Row) -> Cover:
    return Cover(
        member_id=row.member_id,
        duty=row.duty,
        instead_of=row.instead_of,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
    )


def _offer(row: Row | None) -> Offer | None:
    if row is None:
        return None
    waits = row.accepted_at is None and row.withdrawn_at is None
    return Offer(id=row.id, programme=row.programme, cover=_cover(row), open=waits)
