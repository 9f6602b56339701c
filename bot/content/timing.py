"""Durations, delays, days, times of day, weekdays, time zones and paces, as staff write them."""

import re
from datetime import date, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from bot.content.findings import did_you_mean
from bot.domain.activity import Breath, Pace
from bot.domain.programme import EVERY_DAY, Delay, Every, Hours

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LONGEST_BREATH = 60
"""Seconds."""
MOST_ROUNDS = 60
DEFAULT_ROUNDS = 4
_DURATION = re.compile(r"(?:(\d{1,4})d)? ?(?:(\d{1,4})h)? ?(?:(\d{1,5})m)? ?(?:(\d{1,6})s)?")
_PERIOD = re.compile(r"(\d{1,4}) (day|week|month|year)s?")
LONGEST = {"day": 1, "week": 7, "month": 31, "year": 366}
"""Days. The longest of each, so that nothing is ever over its time too early."""
MOST_DAYS = 100 * 366
_WORKING_DAYS = re.compile(r"(\d{1,2}) working days?")
_CLOCK = re.compile(r"(\d{1,2}):(\d\d)")
_EVERY = re.compile(r"(?:(\d{1,2}) )?(day|week)s?")
_BREATH = re.compile(r"(\S.*?) (\d{1,3})")


class Malformed(ValueError):
    """A value that cannot be read, with the code under which the linter reports it."""

    def __init__(self, message: str, hint: str = "", code: str = "C014") -> None:
        super().__init__(message)
        self.hint = hint
        self.code = code


def duration(text: str) -> timedelta:
    """Read "90s", "10m", "1h30m" or "2d"; never zero."""
    found = _DURATION.fullmatch(text.strip())
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups()) if found else (0, 0, 0, 0)
    length = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    if not length:
        raise Malformed(f"'{text}' is not a duration", "write such as 90s, 10m, 1h30m or 2d")
    return length


def delay(text: str) -> Delay:
    """Read a duration, or "1 working day"."""
    if found := _WORKING_DAYS.fullmatch(text.strip()):
        return Delay(working_days=int(found[1]))
    return Delay(elapsed=duration(text))


def period(text: str) -> timedelta:
    """Read how long something is kept: "30 days", "6 months" or "7 years"; a month has 31 days, a year 366."""
    found = _PERIOD.fullmatch(text.strip())
    days = int(found[1]) * LONGEST[found[2]] if found else 0
    if not 1 <= days <= MOST_DAYS:
        raise Malformed(f"'{text}' is not a time to keep something", "write such as 30 days, 6 months or 7 years")
    return timedelta(days=days)


def clock(text: str) -> time:
    """Read a time of day such as "18:00"."""
    found = _CLOCK.fullmatch(text.strip())
    hour, minute = (int(found[1]), int(found[2])) if found else (99, 99)
    if hour > 23 or minute > 59:
        raise Malformed(f"'{text}' is not a time of day", 'write such as "08:30" or "21:00", in quotes')
    return time(hour, minute)


def day(text: str) -> date:
    """Read a day such as "2026-12-24"."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise Malformed(f"'{text}' is not a day", "write such as 2026-12-24") from None


def hours(start: str, end: str) -> Hours:
    """Read the two ends of a window."""
    window = Hours(start=clock(start), end=clock(end))
    if window.start == window.end:
        raise Malformed(f"'{start}' to '{end}' has no length")
    return window


def weekdays(text: str | list[str]) -> frozenset[int]:
    """Read "daily", or weekdays by their first three letters."""
    if text == "daily":
        return EVERY_DAY
    names = text if isinstance(text, list) else [text]
    if not names:
        raise Malformed("no days", "write such as [mon, thu], or daily")
    return frozenset(_weekday(name) for name in names)


def _weekday(name: str) -> int:
    if name not in WEEKDAYS:
        hint = did_you_mean(str(name), WEEKDAYS) or f"write {', '.join(WEEKDAYS)}"
        raise Malformed(f"'{name}' is not a day", hint)
    return WEEKDAYS.index(name)


def every(text: str) -> Every:
    """Read "2 weeks", "3 days" or "week"."""
    found = _EVERY.fullmatch(text.strip())
    count = int(found[1] or 1) if found else 0
    if not found or not count:
        raise Malformed(f"'{text}' is not an interval", "write such as 2 weeks or 3 days")
    return Every(count=count, unit="weeks" if found[2] == "week" else "days")


def zone(name: str) -> str:
    """Read an IANA time zone."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Malformed(f"'{name}' is not a time zone", did_you_mean(name, available_timezones())) from error
    return name


def pace(text: str, rounds: str | None) -> Pace:
    """Read a rhythm such as "in 4, hold 4, out 6", in seconds, and how many rounds of it."""
    phases = tuple(_breath(part.strip()) for part in text.split(","))
    if rounds is not None and not (rounds.isdecimal() and 1 <= int(rounds) <= MOST_ROUNDS):
        raise Malformed(f"rounds must be a whole number from 1 to {MOST_ROUNDS}, not '{rounds}'")
    return Pace(phases=phases, rounds=int(rounds) if rounds else DEFAULT_ROUNDS)


def _breath(text: str) -> Breath:
    found = _BREATH.fullmatch(text)
    seconds = int(found[2]) if found else 0
    if not found or not 1 <= seconds <= LONGEST_BREATH:
        hint = f'write such as "in 4, hold 4, out 6", each 1 to {LONGEST_BREATH} seconds'
        raise Malformed(f"'{text}' is not part of a pace", hint)
    return Breath(word=found[1], seconds=seconds)
