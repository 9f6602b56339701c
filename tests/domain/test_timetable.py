"""The timetable at moments worked out by hand. 2026-11-02 is a Monday."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest

from bot.domain.programme import Every, Hours, Session, Stream
from bot.domain.timetable import Move, Pause, Plan, Slot, allowed, first_allowed, next_slot, slots

NEW_YORK = "America/New_York"


def wall(text: str) -> time:
    return time.fromisoformat(text)


def between(start: str, end: str) -> Hours:
    return Hours(start=wall(start), end=wall(end))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def at(*walls: str, name: str = "phq-9", **said: object) -> Stream:
    return replace(Stream(id=name, measure="phq-9", at=tuple(map(wall, walls))), **said)


def drawn(start: str, end: str, name: str = "skill", **said: object) -> Stream:
    return replace(Stream(id=name, adaptive=True, between=between(start, end)), **said)


def plan(*streams: Stream, zone: str = NEW_YORK, began: str = "2026-01-01", **said: object) -> Plan:
    told = Plan(seed="1", began=date.fromisoformat(began), zone=zone, session_zone=zone, streams=streams)
    return replace(told, **said)


def on(told: Plan, day: str, days: int = 1) -> list[Slot]:
    """The slots whose key is of this day, or of so many days."""
    first = date.fromisoformat(day)
    keys = tuple(str(first + timedelta(days=ahead)) for ahead in range(days))
    around = datetime.combine(first, wall("12:00"), tzinfo=UTC)
    found = slots(told, around - timedelta(days=4), around + timedelta(days=4 + days))
    return [slot for slot in found if slot.key.startswith(keys)]


def moments(told: Plan, day: str) -> list[datetime]:
    return [slot.due for slot in on(told, day) if not slot.reason]


def reasons(told: Plan, day: str) -> list[str]:
    return [slot.reason for slot in on(told, day)]


@pytest.mark.parametrize(
    ("zone", "day", "clock", "expected"),
    [
        pytest.param(NEW_YORK, "2026-07-01", "16:00", "2026-07-01T20:00", id="summer"),
        pytest.param(NEW_YORK, "2026-12-01", "16:00", "2026-12-01T21:00", id="winter"),
        pytest.param(NEW_YORK, "2026-03-08", "02:30", "2026-03-08T07:00", id="skipped"),
        pytest.param(NEW_YORK, "2026-03-08", "03:00", "2026-03-08T07:00", id="first after the skipped"),
        pytest.param(NEW_YORK, "2026-11-01", "01:30", "2026-11-01T05:30", id="repeated"),
        pytest.param("Australia/Lord_Howe", "2026-10-04", "02:15", "2026-10-03T15:30", id="half an hour skipped"),
        pytest.param("Australia/Lord_Howe", "2026-04-05", "01:45", "2026-04-04T14:45", id="half an hour repeated"),
        pytest.param("America/Santiago", "2026-09-06", "00:15", "2026-09-06T04:00", id="midnight skipped"),
        pytest.param("America/Santiago", "2026-04-04", "23:30", "2026-04-05T02:30", id="hour before midnight repeated"),
        pytest.param("Antarctica/Troll", "2026-03-29", "01:30", "2026-03-29T01:00", id="two hours skipped"),
        pytest.param("Asia/Kathmandu", "2026-06-01", "09:00", "2026-06-01T03:15", id="three quarters of an hour"),
        pytest.param("Pacific/Kiritimati", "2026-06-02", "00:30", "2026-06-01T10:30", id="farthest east"),
    ],
)
def test_an_exact_time_is_that_of_the_local_clock(zone: str, day: str, clock: str, expected: str) -> None:
    assert moments(plan(at(clock), zone=zone), day) == [utc(expected)]


def test_a_window_that_the_clocks_skip_moves_to_the_first_moment_after() -> None:
    (slot,) = on(plan(drawn("02:00", "03:00")), "2026-03-08")
    assert (slot.due, slot.latest) == (utc("2026-03-08T07:00"), utc("2026-03-08T08:00"))


def test_a_window_skipped_in_part_keeps_the_rest() -> None:
    for seed in "abcdefgh":
        (due,) = moments(plan(drawn("01:30", "02:30"), seed=seed), "2026-03-08")
        assert utc("2026-03-08T06:30") <= due < utc("2026-03-08T07:00")


def test_a_window_in_the_repeated_hour_happens_the_first_time() -> None:
    for seed in "abcdefgh":
        (due,) = moments(plan(drawn("01:00", "02:00"), seed=seed), "2026-11-01")
        assert utc("2026-11-01T05:00") <= due < utc("2026-11-01T06:00")


def test_quiet_hours_that_end_in_the_repeated_hour_are_quiet_both_times() -> None:
    told = plan(quiet=(between("21:30", "01:30"),))
    assert allowed(told, utc("2026-11-01T05:29")) == "quiet hours"
    assert allowed(told, utc("2026-11-01T05:30")) == ""
    assert allowed(told, utc("2026-11-01T06:29")) == "quiet hours"
    assert allowed(told, utc("2026-11-01T06:30")) == ""


def test_a_day_that_a_zone_left_out_has_no_slots() -> None:
    told = plan(at("12:00"), zone="Pacific/Apia", began="2011-01-01")
    assert moments(told, "2011-12-29") == [utc("2011-12-29T22:00")]
    assert on(told, "2011-12-30") == []
    assert moments(told, "2011-12-31") == [utc("2011-12-30T22:00")]


def test_moments_are_drawn_from_what_quiet_hours_and_sessions_leave_of_the_window() -> None:
    told = plan(
        drawn("17:00", "22:00"),
        quiet=(between("21:30", "08:00"),),
        sessions=(Session(days=frozenset({0}), hours=between("18:00", "21:00"), kind="group"),),
    )
    hours = Counter(
        due.astimezone(slot.local.tzinfo).hour
        for seed in range(300)
        for slot in on(replace(told, seed=str(seed)), "2026-11-02")
        for due in [slot.due]
    )
    assert set(hours) == {17, 21}
    assert 160 <= hours[17] <= 240  # two thirds of what is left


def test_what_quiet_hours_or_a_session_cover_is_left_out() -> None:
    told = plan(
        drawn("18:30", "20:00", days=frozenset({0, 1})),
        at("22:00", name="late"),
        quiet=(between("21:30", "08:00"),),
        sessions=(Session(days=frozenset({0}), hours=between("18:00", "21:00"), kind="group"),),
    )
    assert reasons(told, "2026-11-02") == ["session", "quiet hours"]
    assert reasons(told, "2026-11-03") == ["", "quiet hours"]


def test_a_session_across_midnight_belongs_to_the_day_it_begins() -> None:
    session = Session(days=frozenset({0}), hours=between("23:00", "01:00"), kind="group")
    told = plan(at("00:30"), sessions=(session,))
    assert reasons(told, "2026-11-02") == [""]
    assert reasons(told, "2026-11-03") == ["session"]


def test_sessions_are_kept_free_by_the_programmes_clock_and_by_the_persons_own() -> None:
    session = Session(days=frozenset({0}), hours=between("18:00", "21:00"), kind="group")
    told = plan(
        at("15:30", "17:30", "18:30", "21:00"), zone="America/Los_Angeles", session_zone=NEW_YORK, sessions=(session,)
    )
    assert reasons(told, "2026-11-02") == ["session", "session", "session", ""]


def test_the_last_moment_is_before_what_closes_the_window() -> None:
    told = plan(
        drawn("11:00", "20:00"),
        at("21:00", name="exact"),
        quiet=(between("21:30", "08:00"),),
        sessions=(Session(days=frozenset({0}), hours=between("18:00", "21:00"), kind="group"),),
    )
    latest = {slot.stream: slot.latest for slot in on(told, "2026-11-02")}
    assert latest == {"skill": utc("2026-11-02T22:59:59"), "exact": utc("2026-11-03T02:29:59")}


def test_an_exact_time_may_come_an_hour_late() -> None:
    (slot,) = on(plan(at("16:00")), "2026-11-02")
    assert slot.latest - slot.due == timedelta(hours=1)


def test_a_late_prompt_still_keeps_its_distance_to_the_streams_next() -> None:
    for seed in "abcdefgh":
        one, other = on(plan(drawn("11:00", "20:00", times=2, apart=timedelta(hours=3)), seed=seed), "2026-11-02")
        assert one.latest == other.due - timedelta(hours=3)


def test_several_a_day_fit_even_when_only_just() -> None:
    stream = drawn("09:00", "12:01", times=4, apart=timedelta(hours=1))
    for seed in "abcdefgh":
        found = [slot.local.strftime("%H:%M") for slot in on(plan(stream, seed=seed), "2026-11-02")]
        assert found == ["09:00", "10:00", "11:00", "12:00"]


def test_what_the_window_has_no_room_for_is_left_out() -> None:
    stream = drawn("09:00", "12:00", times=3, apart=timedelta(hours=2))
    assert Counter(reasons(plan(stream), "2026-11-02")) == {"": 2, "spacing": 1}


def test_spacing_is_time_that_really_passes() -> None:
    stream = drawn("00:00", "05:00", times=2, apart=timedelta(hours=4, minutes=30))
    assert Counter(reasons(plan(stream), "2026-03-07")) == {"": 2}
    assert Counter(reasons(plan(stream), "2026-03-08")) == {"": 1, "spacing": 1}


def test_windows_without_a_break_keep_their_spacing_over_midnight() -> None:
    stream = drawn("00:00", "00:00", times=3, apart=timedelta(hours=6))
    found = on(plan(stream), "2026-11-02", days=12)
    sent = [slot for slot in found if not slot.reason]
    assert len(sent) >= 30
    assert all(b.due - a.due >= timedelta(hours=6) for a, b in pairwise(sent))


def test_an_evening_and_the_next_morning_keep_their_spacing() -> None:
    told = plan(drawn("06:00", "23:30", times=2, apart=timedelta(hours=8)))
    found = [slot.due for slot in slots(told, utc("2026-11-02"), utc("2026-12-12")) if not slot.reason]
    assert len(found) == 80
    assert all(b - a >= timedelta(hours=8) for a, b in pairwise(found))


def test_exact_times_stay_exact_when_a_night_is_short() -> None:
    told = plan(at("09:00", "21:00"))
    assert moments(told, "2026-03-07") == [utc("2026-03-07T14:00"), utc("2026-03-08T02:00")]
    assert moments(told, "2026-03-08") == [utc("2026-03-08T13:00"), utc("2026-03-09T01:00")]


def test_a_window_of_almost_a_day_keeps_away_from_what_comes_two_days_on() -> None:
    told = plan(at("00:00"), drawn("23:59", "23:58"), quiet=(between("00:05", "23:50"),))
    found = [slot for slot in slots(told, utc("2026-11-02"), utc("2026-12-12")) if not slot.reason]
    assert {slot.stream for slot in found} == {"phq-9", "skill"}
    assert all(b.due - a.due >= timedelta(minutes=5) for a, b in pairwise(found) if a.stream != b.stream)


def test_the_next_slot_is_found_where_waiting_puts_two_days_in_another_order() -> None:
    told = plan(
        at("23:50", "23:54", "23:58", name="first"), at("00:01", "23:50", apart=timedelta(minutes=3)), most_per_day=9
    )
    first, last = utc("2026-11-02T12:00"), utc("2026-11-12T12:00")
    found = [slot for slot in slots(told, first, last) if slot.stream == "phq-9" and not slot.reason]
    assert [slot.key for slot in found] != sorted(slot.key for slot in found)
    followed = [next_slot(told, "phq-9", after) for after in (first, *(slot.due for slot in found[:-1]))]
    assert followed == found


def test_drawn_moments_keep_away_from_exact_ones() -> None:
    told = plan(drawn("15:00", "17:00"), at("16:00"))
    for seed in range(40):
        found = on(replace(told, seed=str(seed)), "2026-11-02")
        assert [slot.reason for slot in found] == ["", ""]
        assert abs(found[1].due - found[0].due) >= timedelta(minutes=30)


def test_an_exact_time_waits_where_another_stream_comes_first() -> None:
    told = plan(at("16:00", name="first"), at("16:00", name="second"))
    assert [(slot.stream, slot.due) for slot in on(told, "2026-11-02")] == [
        ("first", utc("2026-11-02T21:00")),
        ("second", utc("2026-11-02T21:05")),
    ]


def test_an_exact_time_that_finds_no_gap_is_left_out() -> None:
    told = plan(at("16:00", name="first"), at("16:00", name="second"), quiet=(between("16:03", "08:00"),))
    assert reasons(told, "2026-11-02") == ["", "spacing"]


def test_the_daily_maximum_leaves_out_the_streams_listed_last() -> None:
    told = plan(
        at("18:00", name="first"), at("09:00", "12:00", name="second"), at("08:00", name="third"), most_per_day=2
    )
    assert [(slot.stream, slot.reason) for slot in on(told, "2026-11-02")] == [
        ("third", "daily maximum"),
        ("second", ""),
        ("second", "daily maximum"),
        ("first", ""),
    ]


def test_what_was_sent_before_a_move_counts_first() -> None:
    """At 18:00 in New York a session meets in London; at 18:00 in Los Angeles none does, but one was sent by then."""
    told = plan(
        at("18:00", name="first"),
        at("09:00", name="second"),
        most_per_day=1,
        session_zone="Europe/London",
        sessions=(Session(days=frozenset({0}), hours=between("22:30", "23:30"), kind="group"),),
        moves=(Move(at=utc("2026-11-02T17:00"), zone="America/Los_Angeles"),),
    )
    assert [(slot.stream, slot.reason) for slot in on(told, "2026-11-02")] == [
        ("second", ""),
        ("first", "daily maximum"),
    ]


def test_what_comes_after_midnight_counts_for_the_day_on_which_it_comes() -> None:
    told = plan(drawn("23:58", "00:30", times=4, name="night"), at("12:00"), most_per_day=4)
    for seed in range(12):
        found = on(replace(told, seed=str(seed)), "2026-11-02", days=5)
        counted = Counter(slot.local.date() for slot in found if not slot.reason)
        assert max(counted.values()) <= 4


@pytest.mark.parametrize(
    ("every", "days", "expected"),
    [
        (Every(count=3), range(7), [4, 7, 10, 13, 16]),
        (Every(count=3), [0, 5], [7, 16]),
        (Every(count=2, unit="weeks"), [6], [8]),
        (Every(count=2, unit="weeks"), [0, 2], [4, 16]),
        (Every(count=1, unit="weeks"), [2], [4, 11]),
    ],
)
def test_days_and_weeks_count_from_the_beginning(every: Every, days: list[int], expected: list[int]) -> None:
    told = plan(at("12:00", every=every, days=frozenset(days)), began="2026-11-04")
    found = slots(told, utc("2026-11-01"), utc("2026-11-18"))
    assert [slot.local.day for slot in found] == expected


def test_nothing_is_planned_before_the_beginning() -> None:
    found = slots(plan(at("12:00"), began="2026-11-04"), utc("2026-11-01"), utc("2026-11-06"))
    assert [slot.key for slot in found] == ["2026-11-04/0", "2026-11-05/0"]


def test_another_seed_draws_other_moments() -> None:
    found = {moments(plan(drawn("09:00", "20:00"), seed=str(seed)), "2026-11-02")[0] for seed in range(20)}
    assert len(found) == 20


def test_a_pause_leaves_out_what_it_covers_and_nothing_before() -> None:
    told = plan(at("09:00", "12:00", "15:00"))
    paused = replace(told, pauses=(Pause(since=utc("2026-11-02T15:00"), until=utc("2026-11-02T20:00")),))
    assert reasons(paused, "2026-11-02") == ["", "paused", ""]


def test_a_window_that_outlasts_a_pause_is_drawn_from_the_rest() -> None:
    pause = Pause(since=utc("2026-11-01T20:00"), until=utc("2026-11-02T15:00"))
    for seed in "abcdefgh":
        (due,) = moments(plan(drawn("09:00", "11:00"), seed=seed, pauses=(pause,)), "2026-11-02")
        assert utc("2026-11-02T15:00") <= due < utc("2026-11-02T16:00")


def test_nothing_comes_next_in_a_pause_without_an_end() -> None:
    told = plan(at("09:00"), pauses=(Pause(since=utc("2026-11-02T00:00"), until=None),))
    assert next_slot(told, "phq-9", utc("2026-11-02T12:00")) is None


def test_who_flies_west_gets_the_rest_of_the_day_by_the_new_clock() -> None:
    told = plan(at("09:00", "15:00"), moves=(Move(at=utc("2026-11-02T18:00"), zone="America/Los_Angeles"),))
    assert moments(told, "2026-11-02") == [utc("2026-11-02T14:00"), utc("2026-11-02T23:00")]


def test_who_flies_west_gets_nothing_twice() -> None:
    told = plan(at("09:00"), moves=(Move(at=utc("2026-11-02T14:30"), zone="Pacific/Honolulu"),))
    assert moments(told, "2026-11-02") == [utc("2026-11-02T14:00")]
    assert moments(told, "2026-11-03") == [utc("2026-11-03T19:00")]


def test_who_flies_east_past_a_window_does_without() -> None:
    told = plan(at("09:00", "15:00", "21:00"), moves=(Move(at=utc("2026-11-02T18:00"), zone="Europe/London"),))
    assert [(slot.due, slot.reason) for slot in on(told, "2026-11-02")] == [
        (utc("2026-11-02T14:00"), ""),
        (utc("2026-11-02T20:00"), "moved"),
        (utc("2026-11-02T21:00"), ""),
    ]


def test_who_crosses_the_date_line_west_keeps_the_day_that_comes_again_free() -> None:
    """10:00 on Monday in Auckland is 11:00 on Sunday in Honolulu."""
    move = Move(at=utc("2026-11-01T21:00"), zone="Pacific/Honolulu")
    told = plan(at("09:00", "15:00"), zone="Pacific/Auckland", moves=(move,))
    assert moments(told, "2026-11-01") == [utc("2026-10-31T20:00"), utc("2026-11-01T02:00")]
    assert moments(told, "2026-11-02") == [utc("2026-11-01T20:00"), utc("2026-11-03T01:00")]


def test_spacing_holds_across_a_move() -> None:
    stream = drawn("11:00", "20:00", times=2, apart=timedelta(hours=3))
    for seed in range(40):
        told = plan(stream, seed=str(seed), moves=(Move(at=utc("2026-11-02T18:00"), zone="America/Los_Angeles"),))
        found = moments(told, "2026-11-02")
        assert len(found) == 2
        assert found[1] - found[0] >= timedelta(hours=3)


def test_quiet_hours_are_those_of_where_the_person_is() -> None:
    told = plan(quiet=(between("21:30", "08:00"),), moves=(Move(at=utc("2026-11-02T18:00"), zone="Europe/London"),))
    assert allowed(told, utc("2026-11-02T17:59")) == ""
    assert allowed(told, utc("2026-11-02T21:45")) == "quiet hours"
    assert allowed(told, utc("2026-11-03T02:00")) == "quiet hours"
    assert allowed(told, utc("2026-11-03T08:00")) == ""


def test_the_first_allowed_moment_is_after_quiet_hours_pause_and_session() -> None:
    told = plan(
        quiet=(between("21:30", "08:00"),),
        sessions=(Session(days=frozenset({1}), hours=between("08:00", "09:00"), kind="group"),),
        pauses=(Pause(since=utc("2026-11-02T20:00"), until=utc("2026-11-03T04:00")),),
    )
    assert first_allowed(told, utc("2026-11-02T19:00:00.5"), utc("2026-11-04")) == utc("2026-11-02T19:00:00.5")
    assert first_allowed(told, utc("2026-11-02T22:00"), utc("2026-11-04")) == utc("2026-11-03T14:00")
    assert first_allowed(told, utc("2026-11-02T22:00"), utc("2026-11-03T14:00")) is None


def test_the_next_slot_is_strictly_later() -> None:
    told = plan(at("16:00"))
    first = next_slot(told, "phq-9", utc("2026-11-02T12:00"))
    assert first
    second = next_slot(told, "phq-9", first.due)
    assert second
    assert (first.key, second.key) == ("2026-11-02/0", "2026-11-03/0")


def test_the_next_slot_may_be_months_away() -> None:
    told = plan(at("16:00", every=Every(count=26, unit="weeks"), days=frozenset({6})), began="2026-01-05")
    found = next_slot(told, "phq-9", utc("2026-01-12"))
    assert found
    assert found.key == "2026-07-12/0"


def test_an_unknown_stream_has_no_next_slot() -> None:
    assert next_slot(plan(at("16:00")), "other", utc("2026-11-02")) is None


def test_a_stream_always_in_quiet_hours_has_no_next_slot() -> None:
    assert next_slot(plan(at("23:00"), quiet=(between("21:30", "08:00"),)), "phq-9", utc("2026-11-02")) is None


def test_many_moves_in_an_hour_cost_no_more_than_patience() -> None:
    zones = ("Asia/Tokyo", "Pacific/Honolulu", NEW_YORK)
    start = utc("2026-11-02T12:00")
    moves = tuple(Move(at=start + timedelta(seconds=number), zone=zones[number % 3]) for number in range(1500))
    found = slots(plan(drawn("00:00", "00:00", times=2), moves=moves), utc("2026-11-01"), utc("2026-11-05"))
    assert len({slot.key for slot in found}) == len(found)


def test_naive_moments_are_refused() -> None:
    naive = utc("2026-11-02").replace(tzinfo=None)
    with pytest.raises(ValueError, match="time zone"):
        Move(at=naive, zone=NEW_YORK)
    with pytest.raises(ValueError, match="time zone"):
        Pause(since=utc("2026-11-02"), until=naive)
    with pytest.raises(TypeError):
        slots(plan(at("16:00")), naive, naive)
