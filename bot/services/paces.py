"""How much each Telegram account sent lately."""

from collections import OrderedDict
from datetime import datetime

from bot.domain.pace import Bucket, Pace, Verdict, spent, take

SENDERS_REMEMBERED = 10_000


class Paces:
    """Counts what each Telegram account sends, in this process's memory: a restart forgets it, and that harms nobody.

    The accounts that sent something last are remembered: a flood never forgets who makes it.
    """

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._buckets: OrderedDict[int, Bucket] = OrderedDict()

    def take(self, telegram_id: int, sent_at: datetime) -> Verdict:
        """Count one more, and return how it is to be answered."""
        self._buckets[telegram_id], verdict = take(self._pace, self._buckets.pop(telegram_id, None), sent_at)
        while len(self._buckets) > SENDERS_REMEMBERED:
            self._buckets.popitem(last=False)
        return verdict

    def spent(self, telegram_id: int, now: datetime) -> bool:
        """Return whether one more would be too much."""
        return spent(self._pace, self._buckets.get(telegram_id), now)
