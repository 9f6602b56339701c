"""Who is on duty when: weekly shifts by the programme's clock, stand-ins, days away, and what nobody covers."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Literal

from bot.domain import localtime

Duty = Literal["on-call", "backup"]
DUTIES: tuple[Duty, ...] = ("on-call", "backup")
LONGEST_SHIFT = 7 * 24 * 60
"""Minutes: a shift is over when its next week begins."""

AHEAD = timedelta(weeks=5)
"""How far the next shift is looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """Somebody's duty that repeats: on `weekday` (Monday is 0) from `starts`, `minutes` (up to a week) by the clock.

    It counts on days from `since` to `until` (both included; None: for ever), in every `every_weeks`th week, Monday to
    Sunday, counted from the week that holds `since`. Where clocks change, it is as long as the clock says.
    """

    member_id: int
    duty: Duty
    weekday: int
    starts: time
    minutes: int
    since: date
    until: date | None = None
    every_weeks: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """Somebody stands in from `starts_at` until `ends_at`: for one member, or (None) for whoever is on duty."""

    member_id: int
    duty: Duty
    starts_at: datetime
    ends_at: datetime
    instead_of: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """Somebody is away on these days of the programme, both included."""

    member_id: int
    first: date
    last: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Rota:
    """One programme's rota in its `zone`; covers stand in the order in which they were made: a later one wins."""

    zone: str
    shifts: tuple[Shift, ...] = ()
    covers: tuple[Cover, ...] = ()
    absences: tuple[Absence, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """From `starts_at` until `ends_at` (not included) these members are on duty; nobody where there are none."""

    starts_at: datetime
    ends_at: datetime
    members: tuple[int, ...]


def on_duty(rota: Rota, duty: Duty, moment: datetime) -> tuple[int, ...]:
    """Return the ids of the members who are on duty at this moment and not away; none where nobody is."""
    on = [shift.member_id for shift in rota.shifts if shift.duty == duty and _runs(rota.zone, shift, moment)]
    for cover in rota.covers:
        if cover.duty == duty and cover.starts_at <= moment < cover.ends_at:
            on = _with(on, cover, away=is_away(rota, cover.member_id, moment))
    return tuple(dict.fromkeys(one for one in on if not is_away(rota, one, moment)))


def is_away(rota: Rota, member_id: int, moment: datetime) -> bool:
    """Return whether a member is away at this moment."""
    theirs = (_days(rota.zone, one) for one in rota.absences if one.member_id == member_id)
    return any(start <= moment < end for start, end in theirs)


def watches(rota: Rota, duty: Duty, since: datetime, until: datetime) -> tuple[Watch, ...]:
    """Return who is on duty from `since` until `until`, without a break: a new watch wherever it changes."""
    found: list[Watch] = []
    for start, end in pairwise(sorted({since, until, *_edges(rota, duty, since, until)})):
        members = on_duty(rota, duty, start)
        if found and found[-1].members == members:
            start = found.pop().starts_at  # noqa: PLW2901 - the watch goes on
        found.append(Watch(starts_at=start, ends_at=end, members=members))
    return tuple(found)


def next_change(rota: Rota, duty: Duty, moment: datetime) -> datetime | None:
    """Return when somebody else is on duty than now; None when that is not within AHEAD."""
    present, *later = watches(rota, duty, moment, moment + AHEAD)
    return present.ends_at if later else None


def gaps(rota: Rota, duty: Duty, since: datetime, until: datetime) -> tuple[Watch, ...]:
    """Return the times when nobody is on duty."""
    return tuple(watch for watch in watches(rota, duty, since, until) if not watch.members)


def turns(rota: Rota, duty: Duty, member_id: int, since: datetime, until: datetime) -> tuple[Watch, ...]:
    """Return when a member is on duty, alone or with others: shifts that touch are one turn."""
    found: list[Watch] = []
    for watch in watches(rota, duty, since, until):
        if member_id in watch.members:
            goes_on = bool(found) and found[-1].ends_at == watch.starts_at
            start = found.pop().starts_at if goes_on else watch.starts_at
            found.append(Watch(starts_at=start, ends_at=watch.ends_at, members=(member_id,)))
    return tuple(found)


def next_turn(rota: Rota, duty: Duty, member_id: int, moment: datetime) -> Watch | None:
    """Return the member's first turn that begins after this moment and within AHEAD."""
    ahead = turns(rota, duty, member_id, moment, moment + AHEAD)
    return next((turn for turn in ahead if turn.starts_at > moment), None)


def _with(on: list[int], cover: Cover, *, away: bool) -> list[int]:
    """Return who is on duty with the stand-in; one who is away stands in for nobody."""
    if away:
        return on
    if cover.instead_of is None:
        return [cover.member_id]
    return [cover.member_id if one == cover.instead_of else one for one in on]


def _runs(zone: str, shift: Shift, moment: datetime) -> bool:
    return any(start <= moment < end for start, end in _times(zone, shift, moment, moment))


def _times(zone: str, shift: Shift, since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield when the shift is, of all its days that can touch the time from `since` to `until`."""
    longest = shift.minutes // (24 * 60) + 2
    first = localtime.day_at(zone, localtime.seconds(since)) - longest
    last = localtime.day_at(zone, localtime.seconds(until)) + 1
    for day in range(first, last + 1):
        if _counts(shift, day):
            minute = shift.starts.hour * 60 + shift.starts.minute
            yield _moment(zone, day, minute), _moment(zone, day, minute + shift.minutes)


def _counts(shift: Shift, day: int) -> bool:
    since = localtime.day_number(shift.since)
    if localtime.weekday(day) != shift.weekday or day < since:
        return False
    if shift.until is not None and day > localtime.day_number(shift.until):
        return False
    monday = since - localtime.weekday(since)
    return (day - monday) // 7 % shift.every_weeks == 0


def _moment(zone: str, day: int, minute: int) -> datetime:
    """Return when the clock first shows so many minutes after a day's midnight."""
    days, rest = divmod(minute, 24 * 60)
    return localtime.utc(localtime.moment_of(zone, day + days, time(rest // 60, rest % 60)))


def _days(zone: str, absence: Absence) -> tuple[datetime, datetime]:
    first, last = localtime.day_number(absence.first), localtime.day_number(absence.last)
    return _moment(zone, first, 0), _moment(zone, last + 1, 0)


def _edges(rota: Rota, duty: Duty, since: datetime, until: datetime) -> Iterator[datetime]:
    """Yield every moment between the two at which it can change who is on duty."""
    for moment in _all_edges(rota, duty, since, until):
        if since < moment < until:
            yield moment


def _all_edges(rota: Rota, duty: Duty, since: datetime, until: datetime) -> Iterator[datetime]:
    for shift in rota.shifts:
        if shift.duty == duty:
            for times in _times(rota.zone, shift, since, until):
                yield from times
    for cover in rota.covers:
        if cover.duty == duty:
            yield from (cover.starts_at, cover.ends_at)
    for absence in rota.absences:
        yield from _days(rota.zone, absence)
