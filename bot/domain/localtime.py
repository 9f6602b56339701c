"""Which real moments the hours of a local day are, in any time zone, whatever its clocks do that day.

Moments are whole seconds since 1970 (UTC), days are days since 1970.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from bot.domain.programme import EVERY_DAY, Hours
from bot.domain.spans import Span, Spans, union

HOUR = 3_600
DAY = 86_400
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
FARTHEST = 16 * HOUR
"""More than any zone is from UTC, now or ever."""

LONGEST = 2 * DAY + 2 * HOUR
"""How long after a day's beginning its last hours can end, when they begin late and cross midnight."""

_PROBE = 3 * HOUR
"""No zone changes its clocks twice within this."""

WHOLE_DAY = Hours(start=time(0), end=time(0))


class Stretch(NamedTuple):
    """From `start` until `end` the clocks of a zone show UTC plus `offset` seconds."""

    start: int
    end: int
    offset: int


def day_number(day: date) -> int:
    """Return a date as a number of days."""
    return day.toordinal() - _EPOCH_ORDINAL


def date_of(day: int) -> date:
    """Return a number of days as a date."""
    return date.fromordinal(day + _EPOCH_ORDINAL)


def weekday(day: int) -> int:
    """Return the day of the week, Monday 0."""
    return (day + _EPOCH_ORDINAL - 1) % 7


def seconds(moment: datetime) -> int:
    """Return the first whole second at or after the moment. Raises TypeError for a naive one."""
    whole, part = divmod(moment - EPOCH, timedelta(seconds=1))
    return whole + bool(part)


def utc(moment: int) -> datetime:
    """Return a moment as a datetime in UTC."""
    return EPOCH + timedelta(seconds=moment)


def local(zone: str, moment: int) -> datetime:
    """Return a moment as a datetime in a zone."""
    return utc(moment).astimezone(zone_info(zone))


def day_at(zone: str, moment: int) -> int:
    """Return the local day at a moment."""
    return day_number(local(zone, moment))


@lru_cache(maxsize=1024)
def zone_info(zone: str) -> ZoneInfo:
    """Return the zone of this name; unlike ZoneInfo's own cache, this one holds all there are."""
    return ZoneInfo(zone)


@lru_cache(maxsize=4096)
def stretches(zone: str, day: int) -> tuple[Stretch, ...]:
    """Return how the clocks go while any hours of this local day can last."""
    start, end = day * DAY - FARTHEST, day * DAY + LONGEST + FARTHEST
    found: list[Stretch] = []
    since, offset = start, _offset(zone, start)
    for probe in range(start + _PROBE, end, _PROBE):
        if (now := _offset(zone, probe)) != offset:
            change = _change(zone, probe - _PROBE, probe)
            found.append(Stretch(since, change, offset))
            since, offset = change, now
    return (*found, Stretch(since, end, offset))


def moment_of(zone: str, day: int, wall: time) -> int:
    """Return the first moment when a day's clock shows `wall` or, if that is skipped, more."""
    shown = day * DAY + second_of_day(wall)
    starts = ((max(start, shown - offset), end) for start, end, offset in stretches(zone, day))
    return next(moment for moment, end in starts if moment < end)


def exists(zone: str, day: int) -> bool:
    """Return whether the zone has this day at all (Samoa had no 30 December 2011)."""
    return bool(hours_of(zone, day, WHOLE_DAY))


def hours_of(zone: str, day: int, hours: Hours) -> Spans:
    """Return the moments of the hours that begin on this day; of an hour that the clocks repeat, the first time."""
    start, end = walls(day, hours)
    spans: list[Span] = []
    reached = start
    for since, until, offset in stretches(zone, day):
        spans.append((max(since, reached - offset), min(until, end - offset)))
        reached = max(reached, until + offset)
    return union((a, b) for a, b in spans if a < b)


def all_hours(zone: str, day: int, hours: Hours, weekdays: frozenset[int] = EVERY_DAY) -> Iterator[Span]:
    """Yield every span around this day in which the clocks show these hours, repeated ones included.

    `weekdays` are those on which the hours begin.
    """
    for since, until, offset in stretches(zone, day):
        for near in range((since + offset) // DAY - 1, (until + offset) // DAY + 1):
            if weekday(near) in weekdays:
                start, end = walls(near, hours)
                span = max(since, start - offset), min(until, end - offset)
                if span[0] < span[1]:
                    yield span


def shows(zone: str, moment: int, hours: Hours, weekdays: frozenset[int] = EVERY_DAY) -> bool:
    """Return whether the clocks show these hours at a moment; `weekdays` are those on which the hours begin."""
    here = local(zone, moment)
    today, second = day_number(here.date()), second_of_day(here.time())
    starts = (day for day in (today - 1, today) if weekday(day) in weekdays)
    return any(start <= today * DAY + second < end for start, end in (walls(day, hours) for day in starts))


def walls(day: int, hours: Hours) -> Span:
    """Return what the clock shows, in seconds since 1970 by itself, when hours of a day begin and end."""
    start, end = second_of_day(hours.start), second_of_day(hours.end)
    return day * DAY + start, day * DAY + (end if end > start else end + DAY)


def second_of_day(wall: time) -> int:
    """Return the seconds since midnight by the clock."""
    return wall.hour * HOUR + wall.minute * 60 + wall.second


def _offset(zone: str, moment: int) -> int:
    shift = local(zone, moment).utcoffset()
    assert shift is not None  # noqa: S101 - ZoneInfo always knows
    return round(shift.total_seconds())


def _change(zone: str, before: int, after: int) -> int:
    """Return the first second of the clocks' new offset."""
    old = _offset(zone, before)
    while after - before > 1:
        middle = (before + after) // 2
        before, after = (middle, after) if _offset(zone, middle) == old else (before, middle)
    return after
