"""How much one person may send at once: a bucket of tokens that tells a flood from somebody who writes fast."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

Verdict = Literal["free", "tell", "quiet"]
"""`free`: answered as ever. `tell`: a flood begins, and its sender is told so. `quiet`: it goes on, they were told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """`burst` at once after a rest, then one each `every`. A flood ends when `rested` could be sent at once again."""

    burst: int
    every: timedelta
    rested: int = 1


UPDATES = Pace(burst=20, every=timedelta(seconds=1), rested=5)
"""Telegram lets a bot answer once a second in a chat: who sends more for long cannot be answered in time anyway.

Nobody taps or types 20 times within some seconds; pictures sent as two albums, or a long text pasted, come to less.
"""

INVITATIONS = Pace(burst=5, every=timedelta(minutes=12))
"""Wrong invitations: somebody who copied a link in part tries a few times. A guesser gets five an hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """How many more may come at a moment, and whether a flood goes on."""

    left: float
    at: datetime
    flooding: bool = False


def take(pace: Pace, bucket: Bucket | None, now: datetime) -> tuple[Bucket, Verdict]:
    """Count one that was sent at `now`; None is somebody who sent nothing before."""
    held = refilled(pace, bucket, now)
    still = held.flooding and held.left < pace.rested
    if held.left >= 1 and not still:
        return replace(held, left=held.left - 1, flooding=False), "free"
    return replace(held, left=max(0.0, held.left - 1), flooding=True), "quiet" if still else "tell"


def spent(pace: Pace, bucket: Bucket | None, now: datetime) -> bool:
    """Return whether one more at `now` would be too much."""
    return refilled(pace, bucket, now).left < 1


def refilled(pace: Pace, bucket: Bucket | None, now: datetime) -> Bucket:
    """Return the bucket as it is at `now`. A clock that was set back refills nothing, and counts from there."""
    if bucket is None:
        return Bucket(left=pace.burst, at=now)
    rest = max(timedelta(0), now - bucket.at)
    return replace(bucket, left=min(pace.burst, bucket.left + rest / pace.every), at=now)
