"""When somebody hears from Interlude again: after a case, and in caring contacts after they left."""

from calendar import monthrange
from datetime import date, timedelta

PLAN_OFFERED_AFTER = timedelta(days=2)
"""How long after a red or orange flag who has no safety plan is offered to make one. The time is our own."""

CARING_MONTHS = (1, 2, 3, 4, 6, 8, 10, 12)
"""Months after the end in which a caring contact is sent, beside the one on the next day.

The rhythm follows the trials of Motto & Bostrom (2001), Psychiatric Services 52, 828-833, with their first year.
"""


def caring_days(ended: date) -> tuple[date, ...]:
    """Return the days of the caring contacts after the day on which somebody left."""
    return (ended + timedelta(days=1), *(_months_later(ended, months) for months in CARING_MONTHS))


def _months_later(day: date, months: int) -> date:
    """Return the same day of a later month, or its last day where it has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
