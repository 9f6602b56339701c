"""What databases hold when tests begin."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from bot.storage.migrate import upgrade
from bot.storage.store import Store


@dataclass(frozen=True)
class Filling:
    """Done once for each kind of database, which is then copied for each test."""

    name: str
    fill: Callable[[Store], Awaitable[None]] = field(compare=False)


EMPTY = Filling("empty", upgrade)
