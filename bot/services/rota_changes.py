"""Changes of a rota from the command line, and a look at it: whole shifts, stand-ins, days away."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from bot.content.library import Content
from bot.domain import localtime
from bot.domain.people import CARING
from bot.domain.programme import Programme
from bot.domain.rota import DUTIES, LONGEST_SHIFT, Absence, Cover, Duty, Shift, watches
from bot.services.rota import BadRota, rota_of
from bot.storage import audit, people
from bot.storage import rota as records
from bot.storage.people import Member
from bot.storage.store import Store, Tx

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
COLUMNS = ("member", "duty", "days", "from", "hours", "every_weeks", "since")
"""The columns of a rota's file, in their order; the last two may be empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One line of a rota as staff write it: whose duty, on which days of the week, from when, for how many hours."""

    member: str
    duty: str = "on-call"
    days: str = "mon,tue,wed,thu,fri"
    starts: str = "09:00"
    hours: float = 8
    every_weeks: int = 1
    since: date | None = None


async def add(store: Store, content: Content, programme: str, asked: Sequence[Asked], now: datetime) -> int:
    """Add shifts, all or none; return how many. Raises BadRota."""
    known = _programme(content, programme)
    today = localtime.local(known.timezone, localtime.seconds(now)).date()
    async with store.begin() as tx:
        found = [shift for one in asked for shift in _shifts(await _member(tx, known, one.member), one, today)]
        await records.add_shifts(tx, known.id, found, now)
        await audit.note(tx, "change rota", now, subject=known.id, added=str(len(found)))
    return len(found)


async def remove(store: Store, content: Content, programme: str, code: str, now: datetime) -> int:
    """End all shifts of somebody from today on; return how many. Raises BadRota."""
    known = _programme(content, programme)
    today = localtime.local(known.timezone, localtime.seconds(now)).date()
    async with store.begin() as tx:
        member = await _member(tx, known, code)
        ended = await records.end_shifts(tx, known.id, today, member_id=member.id)
        await audit.note(tx, "change rota", now, subject=known.id, ended=str(ended))
    return ended


async def stand_in(
    store: Store, content: Content, programme: str, code: str, starts: str, hours: float, duty: str, now: datetime
) -> Cover:
    """Let somebody stand in from a local time such as 2026-12-24T09:00 on; return it. Raises BadRota."""
    known = _programme(content, programme)
    try:
        wall = datetime.fromisoformat(starts)
    except ValueError:
        raise BadRota(f"'{starts}' is no time: write it such as 2026-12-24T09:00") from None
    if wall.tzinfo:
        raise BadRota(f"'{starts}' names a zone: write the time by the programme's clock, such as 2026-12-24T09:00")
    begins = wall.replace(tzinfo=localtime.zone_info(known.timezone)).astimezone(now.tzinfo)
    async with store.begin() as tx:
        member = await _member(tx, known, code)
        ends = begins + timedelta(minutes=_minutes(hours))
        cover = Cover(member_id=member.id, duty=_duty(duty), starts_at=begins, ends_at=ends)
        await records.add_cover(tx, known.id, cover, now)
        await audit.note(tx, "change rota", now, subject=known.id, cover=starts)
    return cover


async def away(
    store: Store, content: Content, programme: str, code: str, first: date, last: date, now: datetime
) -> None:
    """Keep that somebody is away on these days, both included. Raises BadRota."""
    if last < first:
        raise BadRota(f"{last} is before {first}: name the first day, then the last")
    known = _programme(content, programme)
    async with store.begin() as tx:
        member = await _member(tx, known, code)
        await records.add_absence(tx, Absence(member_id=member.id, first=first, last=last), now)
        await audit.note(tx, "change rota", now, subject=known.id, away=str(first))


async def table(
    store: Store, content: Content, programme: str, now: datetime, weeks: int
) -> list[tuple[str, str, str]]:
    """Return who has which duty when, in the programme's time: (duty, from – until, who). Raises BadRota."""
    known = _programme(content, programme)
    rows: list[tuple[str, str, str]] = []
    async with store.read() as tx:
        rota = await rota_of(tx, known, now)
        for duty in DUTIES:
            for watch in watches(rota, duty, now, now + timedelta(weeks=weeks)):
                named = await people.members_with_people(tx, watch.members)
                who = ", ".join(f"{person.name or '?'} ({person.code})" for _, person in named)
                zone = localtime.zone_info(known.timezone)
                times = [moment.astimezone(zone) for moment in (watch.starts_at, watch.ends_at)]
                rows.append((duty, " – ".join(f"{one:%a %Y-%m-%d %H:%M}" for one in times), who or "NOBODY"))
    return rows


def read_file(lines: Iterable[str]) -> list[Asked]:
    """Read a rota's file: CSV with COLUMNS in its first line. Raises BadRota with the line and what to do."""
    rows = csv.DictReader(lines)
    if missing := [name for name in COLUMNS[:5] if name not in (rows.fieldnames or ())]:
        raise BadRota(f"line 1: no column '{missing[0]}': the first line is {','.join(COLUMNS)}")
    return [_asked(row, rows.line_num) for row in rows]


def _asked(row: dict[str, str | None], line: int) -> Asked:
    cells = {name: (row.get(name) or "").strip() for name in COLUMNS}
    try:
        asked = Asked(
            member=cells["member"],
            duty=cells["duty"],
            days=cells["days"],
            starts=cells["from"],
            hours=float(cells["hours"]),
            every_weeks=int(cells["every_weeks"] or 1),
            since=date.fromisoformat(cells["since"]) if cells["since"] else None,
        )
        _shifts(None, asked, date.min)
    except ValueError as error:
        raise BadRota(f"line {line}: {error}") from None
    return asked


def _shifts(member: Member | None, asked: Asked, today: date) -> list[Shift]:
    days = [day.strip().lower() for day in asked.days.replace(";", ",").split(",")]
    if unknown := [day for day in days if day not in DAYS]:
        raise BadRota(f"'{unknown[0]}' is no day: use {', '.join(DAYS)}")
    if asked.every_weeks < 1:
        raise BadRota("every_weeks is 1 for each week, 2 for every second")
    try:
        starts = time.fromisoformat(asked.starts)
    except ValueError:
        raise BadRota(f"'{asked.starts}' is no time of day: write it such as 09:00") from None
    if starts.tzinfo:
        raise BadRota(f"'{asked.starts}' names a zone: write the time by the programme's clock, such as 09:00")
    return [
        Shift(
            member_id=member.id if member else 0,
            duty=_duty(asked.duty),
            weekday=DAYS.index(day),
            starts=starts,
            minutes=_minutes(asked.hours),
            since=asked.since or today,
            every_weeks=asked.every_weeks,
        )
        for day in dict.fromkeys(days)
    ]


def _minutes(hours: float) -> int:
    minutes = round(hours * 60) if 0 < hours <= LONGEST_SHIFT / 60 else 0
    if not minutes:
        raise BadRota(f"{hours:g} hours are no shift: from a quarter of an hour up to a week (168)")
    return minutes


def _duty(text: str) -> Duty:
    for duty in DUTIES:
        if duty == text.strip().lower():
            return duty
    raise BadRota(f"'{text}' is no duty: use {' or '.join(DUTIES)}")


def _programme(content: Content, name: str) -> Programme:
    if name not in content.programmes:
        raise BadRota(f"there is no programme '{name}': use one of {', '.join(content.programmes)}")
    return content.programme(name, "")


async def _member(tx: Tx, programme: Programme, code: str) -> Member:
    person = await people.person_by_code(tx, code.strip().upper())
    places = await people.memberships(tx, person.id) if person else ()
    for place in places:
        if place.programme == programme.id and place.role in CARING and place.standing == "active":
            return place
    see = f"see `interlude people list {programme.id}`"
    raise BadRota(f"'{code}' is no clinician or supervisor of {programme.id}: {see}")
