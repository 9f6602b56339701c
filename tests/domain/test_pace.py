"""So much at once after a rest, then one after another; whatever the clock does."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.domain import pace
from bot.domain.pace import Allowance, Pace

NOW = datetime(2026, 11, 2, 14, 0, tzinfo=UTC)
THREE = Allowance(burst=3, each=timedelta(seconds=10))


def test_a_few_go_at_once_and_then_one_after_another() -> None:
    of = Pace(THREE)
    assert [of.allows(1, NOW) for _ in range(5)] == [True, True, True, False, False]
    assert [of.allows(1, NOW + timedelta(seconds=10)) for _ in range(2)] == [True, False]
    assert [of.allows(1, NOW + timedelta(minutes=1)) for _ in range(4)] == [True, True, True, False]


def test_each_person_has_their_own_pace() -> None:
    of = Pace(THREE)
    assert [of.allows(1, NOW) for _ in range(4)][-1] is False
    assert of.allows(2, NOW)


def test_a_clock_that_was_set_back_locks_nobody_out() -> None:
    of = Pace(THREE)
    assert of.allows(1, NOW + timedelta(days=1))
    assert of.allows(1, NOW)


def test_the_longest_silent_is_forgotten_first(monkeypatch) -> None:
    monkeypatch.setattr(pace, "REMEMBERED", 2)
    of = Pace(Allowance(burst=1, each=timedelta(days=1)))
    assert [of.allows(who, NOW) for who in (1, 2, 3, 1, 3)] == [True, True, True, True, False]


@given(st.lists(st.integers(0, 30), min_size=1, max_size=80))
def test_in_no_time_do_more_go_than_the_allowance(waits: list[int]) -> None:
    of, now, went = Pace(THREE), NOW, []
    for wait in waits:
        now += timedelta(seconds=wait)
        if of.allows(1, now):
            went.append(now)
    for first, start in enumerate(went):
        for last in range(first, len(went)):
            assert last - first + 1 <= THREE.burst + (went[last] - start) / THREE.each
