"""What holds for every plan, in every time zone there is, from 2024 to 2030."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.programme import Every, Hours, Session, Stream
from bot.domain.timetable import (
    MINIMUM_GAP,
    Move,
    Pause,
    Plan,
    Slot,
    allowed,
    first_allowed,
    next_slot,
    slots,
)

ZONES = sorted(available_timezones() - {"localtime"})
FIRST, LAST = date(2024, 1, 1), date(2030, 12, 1)
MIDNIGHT = time(0)

Change = tuple[str, date]


def _changes() -> list[Change]:
    """Return each zone with the days on which its clocks change, so that they are drawn often."""
    weeks = [datetime(2024, 1, 1, tzinfo=UTC) + timedelta(weeks=week) for week in range(300)]
    return [
        (zone, (before + timedelta(days=days)).date())
        for zone, there in ((zone, ZoneInfo(zone)) for zone in ZONES)
        for before, after in pairwise(weeks)
        if before.astimezone(there).utcoffset() != after.astimezone(there).utcoffset()
        for days in range(7)
        if (before + timedelta(days=days)).astimezone(there).utcoffset()
        != (before + timedelta(days=days + 1)).astimezone(there).utcoffset()
    ]


walls = st.builds(time, st.integers(0, 23), st.sampled_from([0, 1, 15, 30, 59]))
hours = st.builds(Hours, start=walls, end=walls)
weekdays = st.one_of(st.just(frozenset(range(7))), st.frozensets(st.integers(0, 6), min_size=1))
sessions = st.builds(Session, days=weekdays, hours=hours, kind=st.just("group"))
everies = st.builds(Every, count=st.integers(1, 3), unit=st.sampled_from(["days", "weeks"]))
aparts = st.sampled_from([timedelta(minutes=minutes) for minutes in (0, 0, 7, 45, 180, 600)])
drawn = st.builds(
    Stream,
    id=st.just(""),
    adaptive=st.just(True),
    days=weekdays,
    every=everies,
    between=hours,
    times=st.integers(1, 4),
    apart=aparts,
)
exact = st.builds(
    Stream,
    id=st.just(""),
    measure=st.just("phq-9"),
    days=weekdays,
    every=everies,
    at=st.lists(walls, min_size=1, max_size=3).map(tuple),
    apart=aparts,
)
streams = st.lists(st.one_of(drawn, exact), min_size=1, max_size=3).map(
    lambda told: tuple(
        Stream(**{name: getattr(one, name) for name in Stream.__slots__} | {"id": f"s{index}"})
        for index, one in enumerate(told)
    )
)
changes = st.one_of(
    st.sampled_from(_changes()), st.tuples(st.sampled_from(ZONES), st.dates(min_value=FIRST, max_value=LAST))
)


@st.composite
def plans(draw: st.DrawFn, *, turning: bool = False) -> tuple[Plan, datetime]:
    """Draw a plan and a moment around which to look at it, mostly one when the clocks change."""
    zone, day = draw(changes)
    around = datetime.combine(day, MIDNIGHT, tzinfo=UTC)
    moments = st.integers(-3 * 1440, 3 * 1440).map(lambda minutes: around + timedelta(minutes=minutes))
    moves, pauses = (), ()
    if turning:
        moves = draw(st.lists(st.builds(Move, at=moments, zone=st.sampled_from(ZONES)), max_size=3).map(tuple))
        lengths = st.one_of(st.none(), st.integers(1, 2000))
        spans = st.lists(st.tuples(moments, lengths), max_size=2)
        pauses = tuple(
            Pause(since=since, until=None if length is None else since + timedelta(minutes=length))
            for since, length in draw(spans)
        )
    plan = Plan(
        seed=draw(st.sampled_from(["a", "b", "c"])),
        began=day - timedelta(days=draw(st.integers(0, 20))),
        zone=zone,
        session_zone=draw(st.one_of(st.just(zone), st.sampled_from(ZONES))),
        streams=draw(streams),
        quiet=draw(st.lists(hours, max_size=1).map(tuple)),
        sessions=draw(st.lists(sessions, max_size=2).map(tuple)),
        most_per_day=draw(st.integers(1, 6)),
        moves=moves,
        pauses=pauses,
    )
    return plan, around


def shown(local: datetime, hours: Hours) -> bool:
    """Whether a clock shows these hours, said as simply as can be."""
    wall = local.time()
    return hours.start <= wall < hours.end if hours.start < hours.end else wall >= hours.start or wall < hours.end


def in_session(local: datetime, session: Session) -> bool:
    after_midnight = session.hours.end <= session.hours.start and local.time() < session.hours.end
    day = local.date() - timedelta(days=1) if after_midnight else local.date()
    full_day = session.hours.start == session.hours.end
    weekday_there = day.weekday() in session.days
    if full_day and after_midnight:
        return weekday_there
    return shown(local, session.hours) and weekday_there


def zone_at(plan: Plan, moment: datetime) -> ZoneInfo:
    zone = plan.zone
    for move in sorted(plan.moves, key=lambda move: move.at):
        zone = move.zone if move.at <= moment else zone
    return ZoneInfo(zone)


def forbidden(plan: Plan, moment: datetime) -> bool:
    local, meeting = moment.astimezone(zone_at(plan, moment)), moment.astimezone(ZoneInfo(plan.session_zone))
    return (
        any(shown(local, quiet) for quiet in plan.quiet)
        or any(in_session(clock, session) for clock in (local, meeting) for session in plan.sessions)
        or any(pause.since <= moment and (pause.until is None or moment < pause.until) for pause in plan.pauses)
    )


def sent(found: tuple[Slot, ...]) -> list[Slot]:
    return [slot for slot in found if not slot.reason]


def week(plan: Plan, around: datetime) -> tuple[Slot, ...]:
    return slots(plan, around - timedelta(days=4), around + timedelta(days=4))


def gaps(plan: Plan, found: list[Slot]) -> Iterator[tuple[Slot, Slot, timedelta]]:
    """Yield each two slots that are next to each other, in a stream and at all, and what they must keep."""
    apart = {stream.id: stream.apart for stream in plan.streams}
    for one, other in pairwise(found):
        if one.stream != other.stream:
            yield one, other, MINIMUM_GAP
    for stream, own in apart.items():
        for one, other in pairwise(slot for slot in found if slot.stream == stream):
            yield one, other, max(own, timedelta(minutes=1))


@settings(max_examples=150, deadline=None)
@given(plans(turning=True))
def test_nothing_is_sent_in_quiet_or_session_hours_or_a_pause(drawn_plan: tuple[Plan, datetime]) -> None:
    plan, around = drawn_plan
    for slot in sent(week(plan, around)):
        assert slot.due <= slot.latest
        for moment in (slot.due, slot.latest, slot.due + (slot.latest - slot.due) / 2):
            assert not forbidden(plan, moment)
            assert not allowed(plan, moment)


@settings(max_examples=150, deadline=None)
@given(plans(turning=True))
def test_no_slot_comes_twice_and_none_without_its_gap(drawn_plan: tuple[Plan, datetime]) -> None:
    plan, around = drawn_plan
    found = week(plan, around)
    assert max(Counter((slot.stream, slot.key) for slot in found).values(), default=1) == 1
    for one, other, gap in gaps(plan, sent(found)):
        assert other.due - one.due >= gap


@settings(max_examples=120, deadline=None)
@given(plans(turning=True))
def test_no_local_day_gets_more_than_its_maximum(drawn_plan: tuple[Plan, datetime]) -> None:
    plan, around = drawn_plan
    days = Counter(slot.local.date() for slot in sent(week(plan, around)))
    assert max(days.values(), default=0) <= plan.most_per_day


@settings(max_examples=120, deadline=None)
@given(plans(turning=True), st.integers(-4 * 1440, 4 * 1440))
def test_the_timetable_is_the_same_in_whatever_pieces(drawn_plan: tuple[Plan, datetime], minutes: int) -> None:
    plan, around = drawn_plan
    since, until, cut = (around + timedelta(minutes=at) for at in (-4 * 1440, 4 * 1440, minutes))
    assert slots(plan, since, cut) + slots(plan, cut, until) == slots(plan, since, until)


@settings(max_examples=120, deadline=None)
@given(plans(turning=True), st.integers(-4 * 1440, 4 * 1440))
def test_the_next_slot_is_the_next_one_of_the_timetable(drawn_plan: tuple[Plan, datetime], minutes: int) -> None:
    plan, around = drawn_plan
    after, until = around + timedelta(minutes=minutes), around + timedelta(days=14)
    ahead = [slot for slot in sent(slots(plan, after, until)) if slot.due > after]
    for stream in plan.streams:
        found = next_slot(plan, stream.id, after)
        assert (found if found and found.due < until else None) == next(
            (slot for slot in ahead if slot.stream == stream.id), None
        )


@settings(max_examples=60, deadline=None)
@given(plans(turning=True))
def test_what_is_known_later_changes_nothing_before(drawn_plan: tuple[Plan, datetime]) -> None:
    plan, around = drawn_plan
    turns = [*(move.at for move in plan.moves), *(pause.since for pause in plan.pauses)]
    for turn in turns:
        known = Plan(
            **{name: getattr(plan, name) for name in Plan.__slots__}
            | {
                "moves": tuple(move for move in plan.moves if move.at < turn),
                "pauses": tuple(pause for pause in plan.pauses if pause.since < turn),
            }
        )
        given_then = [
            (slot.stream, slot.key, slot.due, slot.reason) for slot in slots(known, around - timedelta(days=6), turn)
        ]
        given_now = [
            (slot.stream, slot.key, slot.due, slot.reason) for slot in slots(plan, around - timedelta(days=6), turn)
        ]
        assert given_then == given_now


@settings(max_examples=120, deadline=None)
@given(plans())
def test_moments_lie_in_their_window_or_right_after_what_the_clocks_skip(drawn_plan: tuple[Plan, datetime]) -> None:
    plan, around = drawn_plan
    told = {stream.id: stream for stream in plan.streams}
    for slot in sent(week(plan, around)):
        window, before = told[slot.stream].between, (slot.due - timedelta(hours=3)).astimezone(slot.local.tzinfo)
        clocks_changed = before.utcoffset() != slot.local.utcoffset()
        if window and not clocks_changed:
            assert shown(slot.local, window)
        if not window and not clocks_changed:
            waits = ((slot.local - timedelta(minutes=late)).time().replace(second=0) for late in range(61))
            assert set(waits) & set(told[slot.stream].at)


@settings(max_examples=100, deadline=None)
@given(plans())
def test_a_lone_window_with_room_is_never_left_out(drawn_plan: tuple[Plan, datetime]) -> None:
    plan, around = drawn_plan
    alone = Plan(
        **{name: getattr(plan, name) for name in Plan.__slots__} | {"streams": plan.streams[:1], "most_per_day": 99}
    )
    stream = alone.streams[0]
    if stream.between is None or stream.between.start == stream.between.end or stream.apart:
        return
    for slot in week(alone, around):
        if slot.reason and slot.key.endswith("/0"):
            minutes = (slot.due + timedelta(minutes=minute) for minute in range(-1440, 1440, 7))
            day = date.fromisoformat(slot.key[:10])
            assert all(
                forbidden(alone, at)
                for at in minutes
                if _in_window_of(at.astimezone(ZoneInfo(alone.zone)), day, stream)
            )


def _in_window_of(local: datetime, day: date, stream: Stream) -> bool:
    window = stream.between
    assert window
    begin = (
        local.date() - timedelta(days=1) if window.end <= window.start and local.time() < window.end else local.date()
    )
    return begin == day and shown(local, window) and local.fold == 0


@settings(max_examples=150, deadline=None)
@given(plans(turning=True), st.integers(-2 * 86_400, 2 * 86_400), st.integers(1, 48))
def test_the_first_allowed_moment_is_allowed_and_none_before_it_is(
    drawn_plan: tuple[Plan, datetime], seconds: int, ahead: int
) -> None:
    plan, around = drawn_plan
    moment = around + timedelta(seconds=seconds, microseconds=7)
    before = moment + timedelta(hours=ahead)
    found = first_allowed(plan, moment, before)
    assert found is None or (moment <= found < before and not forbidden(plan, found))
    closed_until = found or before
    probe = moment
    while probe < closed_until:
        assert forbidden(plan, probe)
        probe += timedelta(minutes=11)
