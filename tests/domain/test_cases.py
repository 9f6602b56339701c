"""Cases: levels only rise, deadlines count working days where they should, alerts go on till somebody answers."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.activity import LEVELS, Level
from bot.domain.cases import (
    AlreadyAcknowledged,
    Case,
    NoteMissing,
    NotLower,
    NotOpen,
    NotResolved,
    Working,
    acknowledged,
    after,
    alert_is_due,
    alert_roles,
    alerted,
    assigned,
    flagged,
    graver,
    highest,
    is_open,
    lowered,
    opened,
    opening,
    reopened,
    resolved,
    works_on,
)
from bot.domain.programme import SEEN_TO, AlertRule, Delay, Hours, WorkingHours

WEEKDAYS = frozenset(range(5))
HOURS = Hours(start=time(9), end=time(17))
OFFICE = Working(hours=WorkingHours(days=WEEKDAYS, hours=HOURS), zone="America/New_York")
RED = AlertRule(
    acknowledge_within=Delay(elapsed=timedelta(minutes=5)),
    chain=("on-call", "backup", "supervisor"),
    again_every=Delay(elapsed=timedelta(minutes=5)),
)
ORANGE = AlertRule(
    acknowledge_within=Delay(elapsed=timedelta(hours=1)),
    chain=("primary", "on-call", "supervisor"),
    again_every=Delay(elapsed=timedelta(minutes=30)),
)
YELLOW = AlertRule(
    acknowledge_within=Delay(working_days=1), chain=("primary", "supervisor"), again_every=Delay(working_days=1)
)
RULES: dict[Level, AlertRule] = {"red": RED, "orange": ORANGE, "yellow": YELLOW}
FRIDAY = date(2026, 11, 6)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """Return a moment of November 2026 on New York's clock (winter time), as UTC."""
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC) + timedelta(hours=5)


def case(level: Level, now: datetime) -> Case:
    return opened(level, now, RULES[level], OFFICE)


def test_a_red_case_alerts_at_once_and_is_due_in_five_minutes_at_any_hour() -> None:
    night = at(7, 3)
    found = case("red", night)
    assert (found.state, found.next_alert) == ("open", night)
    assert found.deadline == night + timedelta(minutes=5)


def test_a_yellow_case_of_friday_evening_waits_for_monday_and_is_due_on_tuesday() -> None:
    found = case("yellow", at(6, 20))
    assert found.next_alert == at(9, 9)
    assert found.deadline == at(10, 9)


def test_a_yellow_case_found_at_work_waits_for_the_next_digest_which_comes_before_its_deadline() -> None:
    tuesday = case("yellow", at(3, 10))
    assert (tuesday.next_alert, tuesday.deadline) == (at(4, 9), at(4, 10))
    friday = case("yellow", at(6, 12))
    assert (friday.next_alert, friday.deadline) == (at(9, 9), at(9, 12))
    early = case("yellow", at(3, 7))
    assert (early.next_alert, early.deadline) == (at(3, 9), at(4, 9))


def test_a_yellow_case_found_as_work_starts_is_in_that_digest() -> None:
    assert case("yellow", at(3, 9)).next_alert == at(3, 9)


def test_yellow_cases_of_a_programme_that_is_in_a_hurry_are_told_of_as_soon_as_it_works() -> None:
    hurried = replace(YELLOW, acknowledge_within=Delay(elapsed=timedelta(hours=4)))
    assert opened("yellow", at(3, 10), hurried, OFFICE).next_alert == at(3, 10)
    assert opened("yellow", at(3, 22), hurried, OFFICE).next_alert == at(4, 9)


def test_a_yellow_case_goes_on_to_the_digest_of_the_next_working_day_however_late_the_last_one_was() -> None:
    found = case("yellow", at(5, 10))
    late = alerted(found, at(6, 14, 23), YELLOW, OFFICE)
    assert (late.alerts, late.next_alert) == (1, at(9, 9))
    assert alerted(late, at(9, 9), YELLOW, OFFICE).next_alert == at(10, 9)


def test_holidays_are_no_working_days() -> None:
    off = Working(hours=OFFICE.hours, zone=OFFICE.zone, holidays=frozenset({date(2026, 11, 9)}))
    assert after(at(6, 12), Delay(working_days=1), off) == at(10, 12)
    assert opening(at(9, 12), off) == at(10, 9)


def test_working_days_keep_the_hour_when_clocks_change() -> None:
    before_winter = datetime(2026, 10, 30, 16, tzinfo=UTC)
    assert after(before_winter, Delay(working_days=1), OFFICE) == datetime(2026, 11, 2, 17, tzinfo=UTC)


def test_the_day_ends_when_working_hours_end() -> None:
    assert is_open(at(6, 16, 59), OFFICE)
    assert not is_open(at(6, 17), OFFICE)
    assert opening(at(6, 8), OFFICE) == at(6, 9)


def test_a_programme_that_never_opens_delays_nothing_without_end() -> None:
    shut = Working(hours=WorkingHours(days=frozenset(), hours=HOURS), zone="UTC")
    moment = datetime(2026, 11, 6, 8, tzinfo=UTC)
    assert moment <= after(moment, Delay(working_days=1), shut) <= moment + timedelta(days=3)


def test_alerts_go_up_the_chain_and_past_its_end_to_its_last_and_the_group_for_ever() -> None:
    now, found, told = at(6, 12), case("red", at(6, 12)), []
    for _ in range(5):
        told.append(alert_roles(found, RED))
        found = alerted(found, now, RED, OFFICE)
        assert found.next_alert == now + timedelta(minutes=5)
        now += timedelta(minutes=5)
    assert told == [("on-call",), ("backup",), ("supervisor",), ("supervisor", "group"), ("supervisor", "group")]


def test_the_first_alert_waits_for_acknowledgement_and_later_ones_come_more_often() -> None:
    now = at(6, 12)
    once = alerted(case("orange", now), now, ORANGE, OFFICE)
    assert once.next_alert == now + timedelta(hours=1)
    assert alerted(once, now, ORANGE, OFFICE).next_alert == now + timedelta(minutes=30)


def test_a_graver_flag_raises_the_case_and_alerts_from_the_start_of_the_chain() -> None:
    now, later = at(6, 12), at(6, 15)
    seen = acknowledged(alerted(case("yellow", now), now, YELLOW, OFFICE), by=1)
    raised = flagged(seen, "red", later, RED, OFFICE, new_after=SEEN_TO["red"])
    assert (raised.level, raised.state, raised.next_alert, raised.alerts) == ("red", "open", later, 0)
    assert raised.deadline == later + timedelta(minutes=5)
    assert (raised.opened_at, raised.raised_at, raised.assigned_to) == (now, later, 1)


@pytest.mark.parametrize("level", LEVELS)
def test_a_flag_that_is_no_graver_changes_nothing_while_somebody_sees_to_it(level: Level) -> None:
    red, now = acknowledged(case("red", at(6, 12)), by=1), at(6, 12) + timedelta(minutes=14)
    again = flagged(red, level, now, RED, OFFICE, new_after=SEEN_TO.get(level))
    assert again == replace(red, next_alert=at(9, 9) if level == "yellow" else None), "yellow is in Monday's digest"
    assert not alert_is_due(again, at(9, 9))


@pytest.mark.parametrize(
    ("level", "wait", "alerts"),
    [("red", 15, True), ("orange", 119, False), ("orange", 120, True), ("yellow", 9999, False)],
)
def test_a_flag_long_after_somebody_acknowledged_alerts_again(level: Level, wait: int, alerts: bool) -> None:
    red, now = acknowledged(case("red", at(6, 12)), by=1), at(6, 12) + timedelta(minutes=wait)
    again = flagged(red, level, now, RED, OFFICE, new_after=SEEN_TO.get(level))
    if not alerts:
        assert replace(again, next_alert=None) == red
        return
    assert (again.level, again.state, again.alerts, again.next_alert) == ("red", "open", 0, now)
    assert (again.opened_at, again.assigned_to) == (red.opened_at, 1)


def test_a_level_is_lowered_with_a_reason_and_counts_as_acknowledged() -> None:
    low = lowered(case("red", at(6, 12)), "yellow", by=1, reason="Spoke with her, she meant the traffic.")
    assert (low.level, low.state, low.acknowledged_by, low.next_alert) == ("yellow", "acknowledged", 1, None)
    with pytest.raises(NoteMissing):
        lowered(case("red", at(6, 12)), "orange", by=1, reason=" ")
    with pytest.raises(NotLower):
        lowered(case("orange", at(6, 12)), "red", by=1, reason="worse")


def test_a_resolved_case_is_opened_again_in_the_hands_of_who_does_it() -> None:
    with pytest.raises(NotResolved):
        reopened(case("red", at(6, 12)), by=1)
    again = reopened(resolved(case("red", at(6, 12)), "false-alarm", "A film."), by=2)
    assert (again.state, again.acknowledged_by, again.assigned_to, again.disposition) == ("acknowledged", 2, 2, None)


def test_who_acknowledges_stops_the_alerts_and_has_the_case() -> None:
    seen = acknowledged(case("red", at(6, 12)), by=1)
    assert (seen.state, seen.acknowledged_by, seen.assigned_to, seen.next_alert) == ("acknowledged", 1, 1, None)
    assert acknowledged(seen, by=1) == seen


def test_of_two_who_acknowledge_the_second_is_told_so() -> None:
    seen = acknowledged(case("red", at(6, 12)), by=1)
    with pytest.raises(AlreadyAcknowledged):
        acknowledged(seen, by=2)


def test_who_has_the_case_keeps_it_when_another_acknowledges() -> None:
    assert acknowledged(assigned(case("red", at(6, 12)), to=3), by=1).assigned_to == 3


def test_a_case_is_resolved_with_a_note_and_then_allows_nothing_more() -> None:
    with pytest.raises(NoteMissing):
        resolved(case("red", at(6, 12)), "contacted-safe", "  \n")
    done = resolved(case("red", at(6, 12)), "contacted-safe", "Called, is with her sister.")
    assert (done.state, done.disposition, done.next_alert) == ("resolved", "contacted-safe", None)
    for step in (
        lambda: acknowledged(done, by=1),
        lambda: assigned(done, to=1),
        lambda: resolved(done, "false-alarm", "again"),
        lambda: flagged(done, "red", at(6, 13), RED, OFFICE, new_after=SEEN_TO["red"]),
    ):
        with pytest.raises(NotOpen):
            step()


def test_the_gravest_of_no_levels_is_none() -> None:
    assert highest([]) is None
    assert highest(["yellow", "red", "orange"]) == "red"


MOMENTS = st.timedeltas(timedelta(0), timedelta(days=7 * 365)).map(
    lambda passed: datetime(2024, 1, 1, tzinfo=UTC) + passed
)
OFFICES = st.builds(
    Working,
    hours=st.builds(
        WorkingHours,
        days=st.sets(st.integers(0, 6), min_size=1).map(frozenset),
        hours=st.sampled_from([HOURS, Hours(start=time(7), end=time(21, 30)), Hours(start=time(12), end=time(12, 30))]),
    ),
    zone=st.sampled_from(["America/New_York", "Europe/Madrid", "Pacific/Apia", "Asia/Kathmandu", "UTC"]),
)


@given(MOMENTS, st.lists(st.sampled_from(LEVELS), min_size=1, max_size=8))
def test_levels_only_rise_whatever_is_found_and_whoever_takes_notice(now: datetime, levels: list[Level]) -> None:
    found = case(levels[0], now)
    for count, level in enumerate(levels[1:]):
        now += timedelta(minutes=7)
        before, found = found, flagged(found, level, now, RULES[level], OFFICE, new_after=SEEN_TO.get(level))
        assert not graver(before.level, found.level)
        assert found != before or not graver(level, before.level)
        found = acknowledged(found, by=1) if count % 2 else alerted(found, now, RULES[found.level], OFFICE)
    assert found.level == highest(levels)


@given(MOMENTS, OFFICES)
def test_a_programme_opens_when_it_works_and_not_before_it_is_asked(moment: datetime, office: Working) -> None:
    opens = opening(moment, office)
    assert opens >= moment
    assert is_open(opens, office)
    assert opens - moment <= timedelta(days=8)


@given(MOMENTS, OFFICES, st.integers(1, 5), st.timedeltas(timedelta(0), timedelta(days=4)))
def test_a_deadline_in_working_days_falls_into_working_hours_and_never_earlier_for_a_later_flag(
    moment: datetime, office: Working, days: int, later: timedelta
) -> None:
    delay = Delay(working_days=days)
    due = after(moment, delay, office)
    assert due > moment
    assert is_open(due, office)
    assert after(moment + later, delay, office) >= due


@given(MOMENTS, OFFICES, st.integers(1, 3))
def test_a_yellow_case_is_in_a_digest_before_its_deadline(moment: datetime, office: Working, days: int) -> None:
    rule = replace(YELLOW, acknowledge_within=Delay(working_days=days))
    found = opened("yellow", moment, rule, office)
    assert found.next_alert
    assert moment <= found.next_alert <= found.deadline
    start = found.next_alert.astimezone(ZoneInfo(office.zone))
    assert works_on(start.date(), office)
    assert start.time() == office.hours.hours.start


@given(MOMENTS, OFFICES)
def test_a_working_day_is_a_day_of_the_week_that_is_no_holiday(moment: datetime, office: Working) -> None:
    day = moment.date()
    shut = Working(hours=office.hours, zone=office.zone, holidays=frozenset({day}))
    assert works_on(day, office) == (day.weekday() in office.hours.days)
    assert not works_on(day, shut)
