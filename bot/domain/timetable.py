"""When a person gets what: windows, spacing, quiet and session hours, pauses, time zones and daylight saving.

All of it is a pure function of the plan. What is decided for a moment depends only on what was known by then: a later
move or pause changes nothing before it. So the timetable is the same in whatever pieces, and however often, it is
computed.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from functools import lru_cache, partial
from hashlib import blake2b
from itertools import chain, pairwise, zip_longest
from typing import Literal

from bot.domain import localtime
from bot.domain.localtime import DAY, FARTHEST, HOUR, LONGEST
from bot.domain.plan import (
    NEVER,
    ClosedHours,
    LeftOut,
    Move,
    Pause,
    Plan,
    Preferences,
    Turn,
    allowed,
    closed_around,
    closed_by,
    closed_hours,
    first_allowed,
    plan_for,
    turn_at,
    turns_of,
)
from bot.domain.programme import Hours, Stream
from bot.domain.spans import MINUTE, Span, Spans, draw, less, span_at, within

__all__ = [
    "LeftOut",
    "Move",
    "Pause",
    "Plan",
    "Preferences",
    "Slot",
    "allowed",
    "finder",
    "first_allowed",
    "next_slot",
    "plan_for",
    "slots",
]

LATENESS = timedelta(hours=1)
"""How long after an exact time its prompt may still come."""

MINIMUM_GAP = timedelta(minutes=5)
"""Two streams never have prompts closer than this: exact times wait for it, drawn ones keep away."""

COMFORTABLE_GAP = timedelta(minutes=30)
"""Drawn moments keep this from other prompts wherever there is room."""

LOOK_AHEAD = timedelta(days=200)
"""How far `next_slot` looks."""

LONGEST_APART = timedelta(hours=20)
"""More than this cannot be kept between the prompts of one day and those of the next."""

_LATENESS = LATENESS // timedelta(seconds=1)
_MINIMUM = MINIMUM_GAP // timedelta(seconds=1)
_COMFORTABLE = COMFORTABLE_GAP // timedelta(seconds=1)
_SLACK = 4 * HOUR
"""How far waiting and skipped hours can carry a prompt beyond its window, and then some."""

_NEAR = 2
"""Prompts of days farther from each other than this cannot come close: windows last a day at most."""

_MEMORY = 12
"""How many moves and pauses back a day looks for what they left standing; so that no number of them costs much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One place in the timetable.

    `key` names it for ever, so that it is never sent twice: "2026-11-02/0" is its local day and its number on that day.
    `due` is the moment, `latest` the last moment at which it may still be sent (both UTC, both outside quiet and
    session hours, `latest` also far enough from the stream's next). `local` is `due` where the person then is. `reason`
    is empty for what is sent; else why it was left out, and `due` is when it would have been.
    """

    stream: str
    key: str
    due: datetime
    latest: datetime
    local: datetime
    reason: LeftOut | Literal[""] = ""


def slots(plan: Plan, since: datetime, until: datetime) -> tuple[Slot, ...]:
    """Return all slots, sent and left out, with `since <= due < until`, in order of due."""
    first, end = localtime.seconds(since), localtime.seconds(until)
    calendar = _Calendar(plan)
    days = range((first - FARTHEST - LONGEST) // DAY, (end + FARTHEST) // DAY + 1)
    found = [place for day in days for place in calendar.decided(day) if first <= place.due < end]
    found.sort(key=lambda place: (place.due, place.stream, place.day, place.number))
    return tuple(calendar.slot(place) for place in found)


def next_slot(plan: Plan, stream_id: str, after: datetime) -> Slot | None:
    """Return the stream's first slot after this moment that is to be sent, None when there is none for a long time."""
    return finder(plan)(stream_id, after)


def finder(plan: Plan) -> Callable[[str, datetime], Slot | None]:
    """Return `next_slot` of one plan, for several of its streams: they share what was worked out of each day."""
    return partial(_next_slot, plan, _Calendar(plan))


def _next_slot(plan: Plan, calendar: "_Calendar", stream_id: str, after: datetime) -> Slot | None:
    stream = next((index for index, stream in enumerate(plan.streams) if stream.id == stream_id), None)
    if stream is None:
        return None
    past = localtime.seconds(after + timedelta(microseconds=1))
    for day in calendar.days_of(stream, past):
        found = calendar.next_of(stream, day, past)
        if found and localtime.day_at(found.zone, found.due) > day:
            following = calendar.next_of(stream, day + 1, past)
            found = min(found, following, key=lambda place: place.due) if following else found
        if found:
            return calendar.slot(found)
    return None


@dataclass(frozen=True, slots=True)
class _Opening:
    """When a window is: `raw` by the clock, `free` of what closes it; an `exact` one is for its first moment."""

    raw: Spans
    free: Spans
    exact: bool


@dataclass(frozen=True, slots=True)
class _Place:
    """A slot in the making: `stream` is its index, `zone` where the person is then."""

    stream: int
    day: int
    number: int
    due: int
    latest: int
    zone: str
    reason: LeftOut | Literal[""] = ""


_Taken = tuple[int, int]
"""A moment that is taken, by which stream (first)."""


class _Calendar:
    """Works a plan out, day by day.

    A turn is a move or the beginning of a pause: what was due before stands, the rest of the day is placed anew by
    what is known then. Days whose windows come close to each other are placed in three groups, each around those
    before it, so that no day waits for an endless chain of others. `back` counts the turns gone back so far.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.closed = closed_hours(plan)
        self.turns = turns_of(plan)
        self.gaps = tuple(_own_gap(stream) for stream in plan.streams)
        self.phase = _chance(plan.seed) % MINUTE
        self.began = localtime.day_number(plan.began)
        begin, end = _reach(plan.streams)
        self.spills = end + _SLACK > DAY
        self.crowded = DAY + begin - end < max(self.gaps, default=0) + _COMFORTABLE + _SLACK
        self._placed: dict[tuple[int, int, int], tuple[_Place, ...]] = {}
        self._kept: dict[tuple[int, int, int], tuple[_Place, ...]] = {}

    def decided(self, day: int) -> tuple[_Place, ...]:
        """Return the places of a local day as they stand in the end."""
        over = day * DAY + LONGEST + FARTHEST
        return self.kept(bisect_left(self.turns, over, key=lambda turn: turn.since) - 1, day, 0)

    def slot(self, place: _Place) -> Slot:
        """Return a place as others see it."""
        return Slot(
            stream=self.plan.streams[place.stream].id,
            key=f"{localtime.date_of(place.day)}/{place.number}",
            due=localtime.utc(place.due),
            latest=localtime.utc(place.latest),
            local=localtime.local(place.zone, place.due),
            reason=place.reason,
        )

    def days_of(self, stream: int, since: int) -> Iterator[int]:
        """Yield the days on which the stream may have a prompt from `since` on."""
        today = localtime.day_at(turn_at(self.turns, since).zone, since)
        first = max(self.began, today - (self.spills + (len(self.turns) > 1)))
        for day in range(first, first + LOOK_AHEAD.days):
            if _stopped(self.turns[-1].pauses, day * DAY - FARTHEST):
                return
            if self.is_on(stream, day):
                yield day

    def next_of(self, stream: int, day: int, since: int) -> _Place | None:
        """Return the first place of the stream's day that is to be sent from `since` on."""
        if not self.is_on(stream, day):
            return None
        sent = (place for place in self.decided(day) if place.stream == stream and not place.reason)
        return min((place for place in sent if place.due >= since), key=lambda place: place.due, default=None)

    def is_on(self, stream: int, day: int) -> bool:
        """Return whether the stream has prompts on this day."""
        told = self.plan.streams[stream]
        if day < self.began or localtime.weekday(day) not in told.days:
            return False
        weeks = (_monday(day) - _monday(self.began)) // 7
        return (weeks if told.every.unit == "weeks" else day - self.began) % told.every.count == 0

    def kept(self, turn: int, day: int, back: int) -> tuple[_Place, ...]:
        """Return the places of a day as known at a turn, the daily maximum kept."""
        key = turn, day, back
        if key not in self._kept:
            over = self._over(turn, day, back)
            places = [
                replace(place, reason="daily maximum", latest=place.due) if place in over else place
                for place in self.placed(turn, day, back)
            ]
            self._kept[key] = tuple(self._before_next(place, places) for place in places)
        return self._kept[key]

    def placed(self, turn: int, day: int, back: int) -> tuple[_Place, ...]:
        """Return the places of a day as known at a turn, before the daily maximum."""
        key = turn, day, back
        if key not in self._placed:
            self._placed[key] = tuple(self._place(turn, day, back))
        return self._placed[key]

    def _place(self, turn: int, day: int, back: int) -> list[_Place]:
        now = self.turns[turn]
        before = self._before(turn, day, back)
        places = _standing(before, now.since)
        if not localtime.exists(now.zone, day):
            return places
        due_before = {(place.stream, place.number): place.due for place in before}
        done = {(place.stream, place.number) for place in places}
        around = [*self._around(turn, day, back), *_taken(places)]
        openings = list(self._openings(now, day))
        exact = [(stream, opening.raw[0][0]) for stream, _, opening in openings if opening.exact and opening.free]
        for stream, numbers, opening in openings:
            left = [number for number in numbers if (stream, number) not in done]
            if opening.raw:
                later = [taken for taken in exact if taken[0] > stream]
                new = self._fill(now, stream, day, left, opening, around, later)
            else:
                new = [self._missed(now, stream, day, number, due_before) for number in left]
            places += new
            around += _taken(new)
        return places

    def _openings(self, now: Turn, day: int) -> Iterator[tuple[int, Sequence[int], _Opening]]:
        """Yield the windows of a day that are left at a turn: the stream, the numbers of its prompts, and when."""
        for stream, told in enumerate(self.plan.streams):
            if self.is_on(stream, day):
                for numbers, window in _windows(told):
                    yield stream, numbers, _left(_opening(window, now.zone, day, self.closed), now)

    def _fill(
        self,
        now: Turn,
        stream: int,
        day: int,
        numbers: Sequence[int],
        opening: _Opening,
        around: list[_Taken],
        later: list[_Taken],
    ) -> list[_Place]:
        """Return the places of these numbers in an opening; what there is no room for is left out."""
        if opening.exact:
            dues: Sequence[int] = self._in_turn(stream, len(numbers), opening.free, around)
        else:
            dues = self._drawn(stream, day, numbers, opening.free, around, later)
        places = []
        for number, due in zip_longest(numbers, dues):
            here = span_at(opening.free, due) if due is not None else None
            if due is not None and here:
                places.append(_Place(stream, day, number, due, here[1] - 1, now.zone))
            else:
                places.append(self._left_out(now, stream, day, number, opening))
        return places

    def _in_turn(self, stream: int, count: int, free: Spans, around: list[_Taken]) -> list[int]:
        """Return the first free moments, one after another, as many as there is room for."""
        dues: list[int] = []
        for _ in range(count):
            around = [*around, *((stream, due) for due in dues[-1:])]
            room = less(free, _away(stream, around, _MINIMUM, self.gaps[stream]))
            dues += [room[0][0]] if room else []
        return dues

    def _drawn(
        self,
        stream: int,
        day: int,
        numbers: Sequence[int],
        free: Spans,
        around: list[_Taken],
        later: list[_Taken],
    ) -> tuple[int, ...]:
        """Return moments drawn at random, as comfortable as there is room for, as many as there is room for."""
        if not free or not numbers:
            return ()
        gap = self.gaps[stream]
        wide = gap if self.plan.streams[stream].apart else _COMFORTABLE
        chance = _chance(self.plan.seed, self.plan.streams[stream].id, day, numbers[0])
        dues: tuple[int, ...] = ()
        for others, distance, apart in (
            ([*around, *later], _COMFORTABLE, wide),
            (around, _COMFORTABLE, gap),
            (around, _MINIMUM, gap),
        ):
            room = less(free, _away(stream, others, distance, apart))
            dues = draw(room, len(numbers), apart=apart, chance=chance, phase=self.phase)
            if len(dues) == len(numbers):
                break
        return dues

    def _left_out(self, now: Turn, stream: int, day: int, number: int, opening: _Opening) -> _Place:
        chance = _chance(self.plan.seed, self.plan.streams[stream].id, day, number, "left out")
        drawn = () if opening.exact else draw(opening.raw, 1, apart=0, chance=chance, phase=self.phase)
        due = drawn[0] if drawn else opening.raw[0][0]
        paused: LeftOut | Literal[""] = "paused" if span_at(now.pauses, due) else ""
        reason = paused or closed_by(self.closed, now.zone, due) or "spacing"
        return _Place(stream, day, number, due, due, now.zone, reason)

    def _missed(
        self, now: Turn, stream: int, day: int, number: int, due_before: Mapping[tuple[int, int], int]
    ) -> _Place:
        """Return the place of a window that was over when the person arrived."""
        due = due_before.get((stream, number), now.since)
        return _Place(stream, day, number, due, due, now.zone, "moved")

    def _before(self, turn: int, day: int, back: int) -> tuple[_Place, ...]:
        """Return the places of a day as they were known before a turn that may leave some of them standing."""
        if turn == 0 or back >= _MEMORY or self.turns[turn].since <= day * DAY - FARTHEST:
            return ()
        return self.kept(turn - 1, day, back + 1)

    def _around(self, turn: int, day: int, back: int) -> Iterator[_Taken]:
        """Yield the moments of other days that this day keeps away from."""
        since = self.turns[turn].since
        if not self.crowded and since <= (day - _NEAR) * DAY - FARTHEST:
            return
        for other in range(day - _NEAR, day + _NEAR + 1):
            if self.crowded and _group(other) < _group(day):
                yield from _taken(self.placed(turn, other, back))
            elif other != day:
                yield from _taken(_standing(self._before(turn, other, back), since))

    def _over(self, turn: int, day: int, back: int) -> frozenset[_Place]:
        """Return the places above the daily maximum. What stands comes first, then the streams in their order."""
        near = (day - 1, day, day + 1) if self.spills else (day,)
        by_date: dict[int, list[_Place]] = {}
        for place in chain.from_iterable(self.placed(turn, other, back) for other in near):
            if not place.reason:
                date_there = localtime.day_at(place.zone, place.due) if self.spills else day
                by_date.setdefault(date_there, []).append(place)
        since, most = self.turns[turn].since, self.plan.most_per_day
        ranked = (
            sorted(places, key=lambda one: (one.due >= since, one.stream, one.due)) for places in by_date.values()
        )
        return frozenset(place for places in ranked for place in places[most:])

    def _before_next(self, place: _Place, places: Sequence[_Place]) -> _Place:
        """Return the place with its `latest` far enough before the stream's next."""
        following = [
            other.due for other in places if other.stream == place.stream and other.due > place.due and not other.reason
        ]
        if place.reason or not following:
            return place
        return replace(place, latest=min(place.latest, max(place.due, min(following) - self.gaps[place.stream])))


def _stopped(pauses: Spans, since: int) -> bool:
    """Return whether a pause without an end has begun."""
    return bool(pauses) and pauses[-1][1] == NEVER and pauses[-1][0] <= since


def _own_gap(stream: Stream) -> int:
    """Return how many seconds two prompts of the stream keep from each other: no more than its own times do."""
    if stream.apart:
        return min(stream.apart, LONGEST_APART) // timedelta(seconds=1)
    walls = sorted({localtime.second_of_day(wall) for wall in stream.at})
    around = pairwise((*walls, *(wall + DAY for wall in walls[:1])))
    return min(_COMFORTABLE, *(later - earlier for earlier, later in around)) if walls else MINUTE


def _reach(streams: Sequence[Stream]) -> Span:
    """Return when the first window of a day begins and the last one ends, in seconds since midnight by the clock."""
    walls = [localtime.walls(0, stream.between) for stream in streams if stream.between]
    walls += [(second, second + _LATENESS) for stream in streams for second in map(localtime.second_of_day, stream.at)]
    return min((start for start, _ in walls), default=0), max((end for _, end in walls), default=0)


def _windows(stream: Stream) -> Iterator[tuple[Sequence[int], Hours | time]]:
    """Yield each window of a stream's day with the numbers of the prompts in it."""
    if stream.between:
        yield range(stream.times), stream.between
    for number, wall in enumerate(sorted(set(stream.at))):
        yield (number,), wall


@lru_cache(maxsize=8192)
def _opening(window: Hours | time, zone: str, day: int, closed: ClosedHours) -> _Opening:
    """Return when a window is on a day. One that the clocks skip is for the first moment after, like an exact time."""
    drawn = isinstance(window, Hours) and localtime.hours_of(zone, day, window)
    start = localtime.moment_of(zone, day, window.start if isinstance(window, Hours) else window)
    raw = drawn or ((start, start + _LATENESS + 1),)
    return _Opening(raw, less(raw, closed_around(closed, zone, day)), exact=not drawn)


def _left(opening: _Opening, now: Turn) -> _Opening:
    """Return what is left of an opening at a turn."""
    raw = within(opening.raw, now.since, NEVER)
    free = less(within(opening.free, now.since, NEVER), now.pauses)
    if opening.exact and raw:
        here = span_at(free, raw[0][0])
        free = (here,) if here else ()
    return _Opening(raw, free, opening.exact)


def _away(stream: int, around: Iterable[_Taken], distance: int, apart: int) -> Iterator[Span]:
    """Yield the spans within `apart` of the stream's own moments and within `distance` of others'."""
    for other, moment in around:
        gap = apart if other == stream else distance
        yield moment - gap + 1, moment + gap


def _standing(places: Iterable[_Place], since: int) -> list[_Place]:
    """Return the places that a turn leaves as they are; they are sent before it or never."""
    return [replace(place, latest=min(place.latest, since - 1)) for place in places if place.due < since]


def _taken(places: Iterable[_Place]) -> list[_Taken]:
    return [(place.stream, place.due) for place in places if not place.reason]


def _group(day: int) -> int:
    """Return which of the groups of days a day is placed with; days near each other are in different ones."""
    return day % (_NEAR + 1)


def _monday(day: int) -> int:
    return day - localtime.weekday(day)


def _chance(*what: object) -> int:
    """Return a large number that is random, yet always the same for the same things."""
    return int.from_bytes(blake2b("\n".join(map(str, what)).encode(), digest_size=32).digest())
