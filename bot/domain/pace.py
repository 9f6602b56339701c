"""How fast one person may go on: so much at once after a rest, then one after another."""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

REMEMBERED = 10_000
"""People whose pace is known; the longest silent is forgotten first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """`burst` at once after a rest, then one more after each `each`."""

    burst: int
    each: timedelta


class Pace:
    """Counts what each of many people does against one allowance. Memory is bounded; nothing outlives the process."""

    def __init__(self, allowance: Allowance) -> None:
        self._allowance = allowance
        self._rested: OrderedDict[int, datetime] = OrderedDict()

    def allows(self, who: int, now: datetime) -> bool:
        """Count one more of a person's, unless it is too many by now; what is too many does not count."""
        most = self._allowance.burst * self._allowance.each
        rested = self._rested.pop(who, now)
        if not now <= rested <= now + most:  # rested, or the clock was set back
            rested = now
        allowed = rested + self._allowance.each <= now + most
        self._rested[who] = rested + self._allowance.each if allowed else rested
        while len(self._rested) > REMEMBERED:
            self._rested.popitem(last=False)
        return allowed
