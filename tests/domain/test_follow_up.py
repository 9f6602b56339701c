"""Caring contacts fall on the next day and on the same day of later months."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.follow_up import CARING_MONTHS, caring_days


def test_caring_contacts_come_the_next_day_and_in_months_1_2_3_4_6_8_10_and_12() -> None:
    days = caring_days(date(2026, 3, 15))
    assert days[:2] == (date(2026, 3, 16), date(2026, 4, 15))
    assert [day.month for day in days[1:]] == [4, 5, 6, 7, 9, 11, 1, 3]
    assert days[-1] == date(2027, 3, 15)


@pytest.mark.parametrize(
    ("ended", "month_later"),
    [(date(2027, 1, 31), date(2027, 2, 28)), (date(2028, 1, 30), date(2028, 2, 29))],
)
def test_a_month_without_such_a_day_has_its_last(ended: date, month_later: date) -> None:
    assert caring_days(ended)[1] == month_later


@given(st.dates(date(2000, 1, 1), date(2090, 1, 1)))
def test_they_come_in_order_and_within_a_year(ended: date) -> None:
    days = caring_days(ended)
    assert list(days) == sorted(set(days))
    assert len(days) == 1 + len(CARING_MONTHS)
    assert (days[-1] - ended).days in (365, 366)
