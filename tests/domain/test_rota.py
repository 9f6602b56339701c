"""The rota: shifts by the programme's clock, also where it changes; stand-ins, days away, gaps."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.rota import (
    AHEAD,
    Absence,
    Cover,
    Rota,
    Shift,
    gaps,
    is_away,
    next_change,
    next_turn,
    on_duty,
    turns,
    watches,
)

NEW_YORK = "America/New_York"
ADA, BO, CY = 1, 2, 3
MONDAY = date(2026, 11, 2)


def at(day: date, hour: int, minute: int = 0, zone: str = NEW_YORK) -> datetime:
    return datetime.combine(day, time(hour, minute), tzinfo=ZoneInfo(zone)).astimezone(UTC)


def shift(member: int, weekday: int, hour: int, hours: float, **more) -> Shift:
    given = {"duty": "on-call", "since": date(2026, 1, 5)} | more
    return Shift(member_id=member, weekday=weekday, starts=time(hour), minutes=round(hours * 60), **given)


def cover(member: int, starts_at: datetime, ends_at: datetime, instead_of: int | None = None) -> Cover:
    return Cover(member_id=member, duty="on-call", starts_at=starts_at, ends_at=ends_at, instead_of=instead_of)


NIGHTS = Rota(zone=NEW_YORK, shifts=tuple(shift(ADA, day, 20, 12) for day in range(7)))
ROUND = replace(NIGHTS, shifts=(*NIGHTS.shifts, *(shift(BO, day, 8, 12) for day in range(7))))
"""Ada at night, Bo by day, every day."""


def test_a_shift_begins_with_its_first_minute_and_is_over_with_its_last() -> None:
    assert on_duty(NIGHTS, "on-call", at(MONDAY, 19, 59)) == ()
    assert on_duty(NIGHTS, "on-call", at(MONDAY, 20)) == (ADA,)
    assert on_duty(NIGHTS, "on-call", at(date(2026, 11, 3), 7, 59)) == (ADA,)
    assert on_duty(NIGHTS, "on-call", at(date(2026, 11, 3), 8)) == ()


def test_one_duty_says_nothing_of_the_other() -> None:
    backup = replace(NIGHTS, shifts=(*NIGHTS.shifts, shift(CY, 0, 20, 12, duty="backup")))
    assert on_duty(backup, "on-call", at(MONDAY, 21)) == (ADA,)
    assert on_duty(backup, "backup", at(MONDAY, 21)) == (CY,)


@pytest.mark.parametrize(
    ("evening", "hours"), [(date(2026, 3, 7), 11), (date(2026, 10, 31), 13), (date(2026, 11, 7), 12)]
)
def test_a_night_in_which_clocks_change_ends_when_the_clock_says_so(evening: date, hours: int) -> None:
    begins = at(evening, 20)
    assert next_change(NIGHTS, "on-call", begins) == begins + timedelta(hours=hours)
    assert at(evening + timedelta(days=1), 8) == begins + timedelta(hours=hours)


def test_a_shift_that_ends_in_the_hour_that_is_skipped_ends_when_the_clocks_have_moved() -> None:
    early = Rota(zone=NEW_YORK, shifts=(shift(ADA, 6, 0, 2.5),))
    skipped = date(2026, 3, 8)
    assert on_duty(early, "on-call", at(skipped, 3) - timedelta(seconds=1)) == (ADA,)
    assert on_duty(early, "on-call", at(skipped, 3)) == ()


def test_weeks_take_turns_from_the_week_that_holds_the_first_day() -> None:
    wednesday = date(2026, 11, 4)
    first = shift(ADA, 0, 9, 7 * 24, every_weeks=2, since=date(2026, 11, 2))
    second = shift(BO, 0, 9, 7 * 24, every_weeks=2, since=date(2026, 11, 9))
    late = shift(CY, 0, 9, 1, every_weeks=2, since=wednesday)
    rota = Rota(zone=NEW_YORK, shifts=(first, second))
    weeks = [on_duty(rota, "on-call", at(MONDAY + timedelta(weeks=week), 10)) for week in range(4)]
    assert weeks == [(ADA,), (BO,), (ADA,), (BO,)]
    only = Rota(zone=NEW_YORK, shifts=(late,))
    found = [bool(on_duty(only, "on-call", at(MONDAY + timedelta(weeks=week), 9))) for week in range(4)]
    assert found == [False, False, True, False]


def test_a_shift_is_over_after_its_last_day_but_its_last_night_ends_in_the_morning() -> None:
    ending = Rota(zone=NEW_YORK, shifts=tuple(replace(one, until=MONDAY) for one in NIGHTS.shifts))
    assert on_duty(ending, "on-call", at(date(2026, 11, 3), 7)) == (ADA,)
    assert on_duty(ending, "on-call", at(date(2026, 11, 3), 21)) == ()
    before = Rota(zone=NEW_YORK, shifts=(shift(ADA, 0, 20, 12, since=date(2026, 11, 3)),))
    assert on_duty(before, "on-call", at(MONDAY, 21)) == ()


def test_a_stand_in_replaces_one_or_all_and_the_later_word_counts() -> None:
    two = Rota(zone=NEW_YORK, shifts=(shift(ADA, 0, 9, 8), shift(BO, 0, 9, 8)))
    noon, evening = at(MONDAY, 12), at(MONDAY, 17)
    for_ada = replace(two, covers=(cover(CY, noon, evening, ADA),))
    assert on_duty(for_ada, "on-call", at(MONDAY, 11)) == (ADA, BO)
    assert on_duty(for_ada, "on-call", noon) == (CY, BO)
    for_all = replace(two, covers=(cover(CY, noon, evening),))
    assert on_duty(for_all, "on-call", noon) == (CY,)
    passed_on = replace(two, covers=(cover(CY, noon, evening, ADA), cover(BO, noon, evening, CY)))
    assert on_duty(passed_on, "on-call", noon) == (BO,)
    assert on_duty(replace(two, covers=(cover(CY, noon, evening, 99),)), "on-call", noon) == (ADA, BO)


def test_a_stand_in_counts_where_no_shift_is() -> None:
    covered = Rota(zone=NEW_YORK, covers=(cover(CY, at(MONDAY, 1), at(MONDAY, 2)),))
    assert on_duty(covered, "on-call", at(MONDAY, 1)) == (CY,)
    assert on_duty(covered, "on-call", at(MONDAY, 2)) == ()


def test_who_is_away_is_not_on_duty_from_midnight_to_midnight_of_the_programme() -> None:
    away = replace(NIGHTS, absences=(Absence(member_id=ADA, first=MONDAY, last=MONDAY),))
    assert on_duty(away, "on-call", at(MONDAY, 0) - timedelta(seconds=1)) == (ADA,)
    assert on_duty(away, "on-call", at(MONDAY, 0)) == ()
    assert on_duty(away, "on-call", at(MONDAY, 23, 59)) == ()
    assert on_duty(away, "on-call", at(date(2026, 11, 3), 0)) == (ADA,)
    assert is_away(away, ADA, at(MONDAY, 12))
    assert not is_away(away, BO, at(MONDAY, 12))


def test_a_stand_in_who_is_away_leaves_the_duty_with_whose_it_was() -> None:
    away = Absence(member_id=CY, first=MONDAY, last=MONDAY)
    stood_in = replace(NIGHTS, covers=(cover(CY, at(MONDAY, 20), at(MONDAY, 22), ADA),), absences=(away,))
    assert on_duty(stood_in, "on-call", at(MONDAY, 21)) == (ADA,)


def test_a_stand_in_for_somebody_away_is_on_duty() -> None:
    away = Absence(member_id=ADA, first=MONDAY, last=MONDAY)
    stood_in = replace(NIGHTS, covers=(cover(CY, at(MONDAY, 20), at(MONDAY, 22), ADA),), absences=(away,))
    assert on_duty(stood_in, "on-call", at(MONDAY, 21)) == (CY,)


def test_what_nobody_covers_is_a_gap() -> None:
    week = at(MONDAY, 0), at(MONDAY + timedelta(days=7), 0)
    assert gaps(ROUND, "on-call", *week) == ()
    holes = gaps(NIGHTS, "on-call", *week)
    assert [(hole.starts_at, hole.ends_at) for hole in holes] == [
        (at(day, 8), at(day, 20)) for day in (MONDAY + timedelta(days=count) for count in range(7))
    ]
    assert [(hole.starts_at, hole.ends_at) for hole in gaps(Rota(zone=NEW_YORK), "on-call", *week)] == [week]


def test_the_next_turn_is_one_that_has_not_begun_and_joins_shifts_that_touch() -> None:
    rota = Rota(zone=NEW_YORK, shifts=(shift(ADA, 0, 9, 3), shift(ADA, 0, 12, 5), shift(BO, 0, 12, 2)))
    found = next_turn(rota, "on-call", ADA, at(MONDAY, 8))
    assert found
    assert (found.starts_at, found.ends_at) == (at(MONDAY, 9), at(MONDAY, 17))
    following = next_turn(rota, "on-call", ADA, at(MONDAY, 9))
    assert following
    assert following.starts_at == at(MONDAY + timedelta(days=7), 9)
    assert next_turn(rota, "on-call", CY, at(MONDAY, 8)) is None


def test_who_is_on_duty_for_ever_is_never_relieved() -> None:
    always = Rota(zone=NEW_YORK, shifts=(shift(ADA, 0, 0, 7 * 24),))
    assert next_change(always, "on-call", at(MONDAY, 12)) is None


ZONES = st.sampled_from(
    ["America/New_York", "Europe/Madrid", "Australia/Lord_Howe", "America/Havana", "Asia/Beirut", "Pacific/Apia", "UTC"]
)
MOMENTS = st.timedeltas(timedelta(0), timedelta(days=4 * 365)).map(
    lambda passed: datetime(2024, 1, 1, tzinfo=UTC) + passed
)
MEMBERS = st.integers(1, 4)
SHIFTS = st.builds(
    Shift,
    member_id=MEMBERS,
    duty=st.just("on-call"),
    weekday=st.integers(0, 6),
    starts=st.builds(time, st.integers(0, 23), st.sampled_from([0, 30])),
    minutes=st.sampled_from([30, 60, 90, 480, 720, 1440, 7 * 1440]),
    since=st.dates(date(2023, 12, 1), date(2024, 6, 1)),
    until=st.one_of(st.none(), st.dates(date(2026, 1, 1), date(2029, 1, 1))),
    every_weeks=st.integers(1, 3),
)
COVERS = st.builds(
    lambda member, instead, start, hours: cover(member, start, start + timedelta(hours=hours), instead),
    MEMBERS,
    st.one_of(st.none(), MEMBERS),
    MOMENTS,
    st.integers(1, 200),
)
ABSENCES = st.builds(
    lambda member, first, days: Absence(member_id=member, first=first, last=first + timedelta(days=days)),
    MEMBERS,
    st.dates(date(2024, 1, 1), date(2028, 1, 1)),
    st.integers(0, 20),
)
ROTAS = st.builds(
    Rota,
    zone=ZONES,
    shifts=st.lists(SHIFTS, max_size=6).map(tuple),
    covers=st.lists(COVERS, max_size=4).map(tuple),
    absences=st.lists(ABSENCES, max_size=3).map(tuple),
)


@given(ROTAS, MOMENTS, st.integers(0, 14 * 24 * 60))
def test_watches_tell_at_every_moment_who_is_on_duty(rota: Rota, since: datetime, minutes: int) -> None:
    until = since + timedelta(days=14)
    found = watches(rota, "on-call", since, until)
    assert (found[0].starts_at, found[-1].ends_at) == (since, until)
    assert all(one.ends_at == other.starts_at and one.members != other.members for one, other in pairwise(found))
    moment = min(since + timedelta(minutes=minutes), until - timedelta(seconds=1))
    (watch,) = [one for one in found if one.starts_at <= moment < one.ends_at]
    assert watch.members == on_duty(rota, "on-call", moment)


@given(ROTAS, MOMENTS)
def test_until_the_next_change_nobody_else_is_on_duty(rota: Rota, moment: datetime) -> None:
    change = next_change(rota, "on-call", moment)
    last = (change or moment + AHEAD) - timedelta(seconds=1)
    assert on_duty(rota, "on-call", max(moment, last)) == on_duty(rota, "on-call", moment)
    if change:
        assert on_duty(rota, "on-call", change) != on_duty(rota, "on-call", moment)


@given(ROTAS, MOMENTS, MEMBERS)
def test_nobody_who_is_away_is_ever_on_duty(rota: Rota, moment: datetime, member: int) -> None:
    if is_away(rota, member, moment):
        assert member not in on_duty(rota, "on-call", moment)
    for turn in turns(rota, "on-call", member, moment, moment + timedelta(days=7)):
        assert not is_away(rota, member, turn.starts_at)


@given(ZONES, MOMENTS, st.lists(st.integers(0, 24 * 60 - 1), min_size=1, max_size=4, unique=True))
def test_shifts_that_meet_by_the_clock_leave_no_gap_and_no_overlap_whatever_clocks_do(
    zone: str, moment: datetime, walls: list[int]
) -> None:
    walls.sort()
    lengths = [(later - wall) % (24 * 60) or 24 * 60 for wall, later in zip(walls, walls[1:] + walls[:1], strict=True)]
    rota = Rota(
        zone=zone,
        shifts=tuple(
            Shift(
                member_id=number,
                duty="on-call",
                weekday=day,
                starts=time(wall // 60, wall % 60),
                minutes=minutes,
                since=date(2023, 1, 2),
            )
            for day in range(7)
            for number, (wall, minutes) in enumerate(zip(walls, lengths, strict=True))
        ),
    )
    assert len(on_duty(rota, "on-call", moment)) == 1
    assert gaps(rota, "on-call", moment, moment + timedelta(days=3)) == ()
