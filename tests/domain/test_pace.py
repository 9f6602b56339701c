"""Who writes fast is not taken for a flood; who floods is told once, and free again after a rest."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.pace import INVITATIONS, UPDATES, Bucket, Pace, spent, take

NOW = datetime(2026, 11, 2, 14, 0, tzinfo=UTC)


def verdicts(pace: Pace, *seconds: float) -> list[str]:
    bucket: Bucket | None = None
    said = []
    for second in seconds:
        bucket, verdict = take(pace, bucket, NOW + timedelta(seconds=second))
        said.append(verdict)
    return said


def test_twenty_at_once_are_free_and_the_next_is_told_once() -> None:
    assert verdicts(UPDATES, *[0.0] * 25) == ["free"] * 20 + ["tell"] + ["quiet"] * 4


def test_one_a_second_is_free_for_ever() -> None:
    assert set(verdicts(UPDATES, *range(500))) == {"free"}


def test_a_flood_that_goes_on_is_told_once_however_long() -> None:
    said = verdicts(UPDATES, *(number / 5 for number in range(1000)))
    assert said.count("tell") == 1
    assert set(said[said.index("tell") + 1 :]) == {"quiet"}


def test_after_a_rest_of_five_seconds_somebody_is_answered_again() -> None:
    assert verdicts(UPDATES, *[0.0] * 22, 4.9)[-2:] == ["quiet", "quiet"]
    assert verdicts(UPDATES, *[0.0] * 22, 5.1, 5.2)[-2:] == ["free", "free"]


def test_a_clock_set_back_or_forward_by_a_day_slows_nobody_who_writes_as_people_do() -> None:
    day = 24 * 3600
    assert set(verdicts(UPDATES, *[0.0] * 10, day, 2, 4, 6, day, 8, 10)) == {"free"}
    assert verdicts(UPDATES, *(day + one for one in range(10)), *(3.0 * one for one in range(30))) == ["free"] * 40


def test_five_wrong_invitations_an_hour() -> None:
    assert verdicts(INVITATIONS, *[0.0] * 7) == ["free"] * 5 + ["tell", "quiet"]
    empty = Bucket(left=0, at=NOW, flooding=True)
    assert spent(INVITATIONS, empty, NOW + timedelta(minutes=11))
    assert not spent(INVITATIONS, empty, NOW + timedelta(minutes=12))
    assert not spent(INVITATIONS, None, NOW)


@given(st.lists(st.floats(-5, 60), max_size=200))
def test_never_more_are_free_than_the_burst_and_what_was_refilled(gaps: list[float]) -> None:
    moments = [sum(gaps[: number + 1]) for number in range(len(gaps))]
    free = verdicts(UPDATES, *moments).count("free")
    assert free <= UPDATES.burst + sum(gap for gap in gaps if gap > 0) / UPDATES.every.total_seconds()
