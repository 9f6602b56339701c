"""When a person gets what: windows, spacing, quiet and session hours, pauses, time zones and daylight saving."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from bot.domain.programme import Hours, Session, Stream

LeftOut = Literal["quiet hours", "session", "paused", "daily maximum", "spacing", "not on this level", "not enrolled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """From the moment `at` (UTC) on the person lives by `zone` (an IANA name)."""

    at: datetime
    zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """No prompts from `since` until `until` (UTC, `until` not included; None: until further notice)."""

    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that decides one person's timetable: the streams in order of priority, and the person's own settings.

    `seed` makes drawn moments the person's own; `began` is the local day on which `every` and the weeks start to count.
    `zone` is where the person lived first, `moves` (in order) where they went since.
    """

    seed: str
    began: date
    zone: str
    streams: tuple[Stream, ...]
    quiet: Hours | None = None
    sessions: tuple[Session, ...] = ()
    most_per_day: int = 4
    moves: tuple[Move, ...] = ()
    pauses: tuple[Pause, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One place in the timetable.

    `key` names it for ever ("2026-11-02/0": its local day and its number on that day in its stream), so that it is never
    sent twice.
    `due` is the moment, `latest` the last moment at which it may still be sent (both UTC, both outside quiet and
    session hours). `reason` is empty for what is sent; else why it was left out, and `due` is when it would have been.
    """

    stream: str
    key: str
    due: datetime
    latest: datetime
    local: datetime
    reason: LeftOut | Literal[""] = ""
