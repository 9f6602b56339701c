"""What databases hold when tests begin."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from bot.storage import store as stores
from bot.storage.migrate import upgrade
from bot.storage.store import Store

SHIPPED_PRAGMAS = stores.PRAGMAS
stores.PRAGMAS = (*SHIPPED_PRAGMAS, "synchronous=OFF")  # no test cuts the power


@dataclass(frozen=True)
class Filling:
    """Done once for each kind of database, which is then copied for each test."""

    name: str
    fill: Callable[[Store], Awaitable[None]] = field(compare=False)


EMPTY = Filling("empty", upgrade)
