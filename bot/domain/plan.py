"""What a person's timetable rests on: own settings, the zone of the moment, and when nothing may be sent unasked.

Of two clocks that differ, the careful reading counts: quiet hours are those of where the person is, repeated hours
included; session hours are kept free by the programme's clock and by the person's own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import chain
from operator import itemgetter
from types import MappingProxyType
from typing import Literal

from bot.domain import localtime
from bot.domain.programme import Hours, Programme, Session, Stream
from bot.domain.spans import Spans, span_at, union

LeftOut = Literal["quiet hours", "session", "paused", "moved", "daily maximum", "spacing"]

NEVER = 1 << 60
"""A moment after all others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """From the moment `at` on the person lives by `zone` (an IANA name)."""

    at: datetime
    zone: str

    def __post_init__(self) -> None:
        _refuse_naive(self.at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """No prompts from `since` until `until`, `until` not included (None: until further notice)."""

    since: datetime
    until: datetime | None

    def __post_init__(self) -> None:
        _refuse_naive(self.since)
        _refuse_naive(self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that decides one person's timetable: the streams in order of priority, and the person's own settings.

    `seed` makes drawn moments the person's own; `began` is the local day on which `every` and the weeks start to count.
    `zone` is where the person lived first, `moves` where they went since. Sessions meet by `session_zone`'s clock.
    """

    seed: str
    began: date
    zone: str
    session_zone: str
    streams: tuple[Stream, ...]
    quiet: tuple[Hours, ...] = ()
    sessions: tuple[Session, ...] = ()
    most_per_day: int = 4
    moves: tuple[Move, ...] = ()
    pauses: tuple[Pause, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """What a person asked for. Days are those of `date.weekday`.

    `windows` replace a stream's: hours to draw from, or exact times, of which no more count than the programme has
    prompts a day. `quiet` comes on top of the programme's. `days_off` are for all streams, `stream_days_off` for one.
    """

    windows: Mapping[str, Hours | tuple[time, ...]] = field(default_factory=lambda: MappingProxyType({}))
    quiet: Hours | None = None
    days_off: frozenset[int] = frozenset()
    stream_days_off: Mapping[str, frozenset[int]] = field(default_factory=lambda: MappingProxyType({}))
    switched_off: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ClosedHours:
    """A plan's quiet and session hours, which many people share. Sessions meet by `session_zone`'s clock."""

    quiet: tuple[Hours, ...]
    sessions: tuple[Session, ...]
    session_zone: str


@dataclass(frozen=True, slots=True)
class Turn:
    """What is known from the moment `since` on, until the next turn."""

    since: int
    zone: str
    pauses: Spans


def plan_for(
    programme: Programme,
    level: str,
    preferences: Preferences,
    *,
    seed: str,
    began: date,
    zone: str,
    moves: tuple[Move, ...] = (),
    pauses: tuple[Pause, ...] = (),
) -> Plan:
    """Return a person's plan. A level that the programme does not have (any more) counts as its first one."""
    streams = programme.levels.get(level, programme.levels[programme.first_level])
    own = (_own(stream, preferences) for stream in streams.values() if stream.id not in preferences.switched_off)
    return Plan(
        seed=seed,
        began=began,
        zone=zone,
        session_zone=programme.timezone,
        streams=tuple(own),
        quiet=tuple(hours for hours in (programme.quiet, preferences.quiet) if hours),
        sessions=programme.sessions,
        most_per_day=programme.most_per_day,
        moves=moves,
        pauses=pauses,
    )


def allowed(plan: Plan, moment: datetime) -> LeftOut | Literal[""]:
    """Return why nothing unasked may be sent at this moment; empty when it may."""
    if any(pause.since <= moment and (pause.until is None or moment < pause.until) for pause in plan.pauses):
        return "paused"
    whole = (moment - localtime.EPOCH) // timedelta(seconds=1)
    return closed_by(closed_hours(plan), turn_at(turns_of(plan), whole).zone, whole)


def first_allowed(plan: Plan, moment: datetime, before: datetime) -> datetime | None:
    """Return the first moment from `moment` on, but before `before`, at which something unasked may be sent."""
    if moment < before and not allowed(plan, moment):
        return moment
    whole, end = localtime.seconds(moment), localtime.seconds(before)
    hours, turns = closed_hours(plan), turns_of(plan)
    while whole < end:
        turn = turn_at(turns, whole)
        closed = closed_around(hours, turn.zone, localtime.day_at(turn.zone, whole))
        closing = span_at(turn.pauses, whole) or span_at(closed, whole)
        if closing is None:
            return localtime.utc(whole)
        whole = min(closing[1], next((later.since for later in turns if later.since > whole), closing[1]))
    return None


def turns_of(plan: Plan) -> tuple[Turn, ...]:
    """Return what is known from when on; the first turn is for all time before."""
    moves = sorted(((localtime.seconds(move.at), move.zone) for move in plan.moves), key=itemgetter(0))
    pauses = [(localtime.seconds(p.since), localtime.seconds(p.until) if p.until else NEVER) for p in plan.pauses]
    turns = [Turn(-NEVER, plan.zone, ())]
    for since in sorted({at for at, _ in (*moves, *pauses)}):
        zone = next((zone for at, zone in reversed(moves) if at <= since), plan.zone)
        turns.append(Turn(since, zone, union(pause for pause in pauses if pause[0] <= since)))
    return tuple(turns)


def turn_at(turns: Sequence[Turn], moment: int) -> Turn:
    """Return what is known at a moment."""
    return next(turn for turn in reversed(turns) if turn.since <= moment)


def closed_hours(plan: Plan) -> ClosedHours:
    """Return the plan's quiet and session hours."""
    return ClosedHours(plan.quiet, plan.sessions, plan.session_zone)


@lru_cache(maxsize=4096)
def closed_around(closed: ClosedHours, zone: str, day: int) -> Spans:
    """Return the quiet and session hours around a day."""
    quiet = (localtime.all_hours(zone, day, hours) for hours in closed.quiet)
    clocks = {zone, closed.session_zone}
    meetings = (localtime.all_hours(clock, day, s.hours, s.days) for clock in clocks for s in closed.sessions)
    return union(chain.from_iterable((*quiet, *meetings)))


@lru_cache(maxsize=4096)
def closed_by(closed: ClosedHours, zone: str, moment: int) -> LeftOut | Literal[""]:
    """Return which of the hours hold the moment; empty when none do."""
    clocks = {zone, closed.session_zone}
    if any(localtime.shows(clock, moment, s.hours, s.days) for clock in clocks for s in closed.sessions):
        return "session"
    return "quiet hours" if any(localtime.shows(zone, moment, hours) for hours in closed.quiet) else ""


def _refuse_naive(moment: datetime | None) -> None:
    if moment is not None and moment.utcoffset() is None:
        raise ValueError("a moment needs a time zone")


def _own(stream: Stream, preferences: Preferences) -> Stream:
    """Return the stream as the person wants it."""
    off = preferences.days_off | preferences.stream_days_off.get(stream.id, frozenset())
    window = preferences.windows.get(stream.id)
    wanted = replace(stream, days=stream.days - off) if off else stream
    if isinstance(window, Hours):
        return replace(wanted, between=window, at=(), times=len(stream.at) or stream.times)
    if window:
        return replace(wanted, between=None, at=window[: len(stream.at) or stream.times])
    return wanted
