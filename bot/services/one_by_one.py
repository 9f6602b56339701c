"""Work that is due in one transaction, or, when that fails, each by itself: what fails keeps nothing else back."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

import structlog

AGAIN_AFTER = timedelta(minutes=10)
"""How much later what failed by itself is tried again."""

Work = Callable[[Sequence[int]], Awaitable[int]]
"""Does what is due of some ids in one transaction; returns how many there were."""

log = structlog.get_logger()


async def together_or_alone(ids: Sequence[int], work: Work, put_off: Callable[[int], Awaitable[None]]) -> int:
    """Do what is due; what fails by itself is put off. Returns how many were due. Raises what keeps it from that."""
    try:
        return await work(ids) if ids else 0
    except Exception:
        log.exception("what is due fails together, each is tried by itself")
    for one in ids:
        await _alone(one, work, put_off)
    return len(ids)


async def _alone(one: int, work: Work, put_off: Callable[[int], Awaitable[None]]) -> None:
    try:
        await work([one])
    except Exception:
        log.exception("something that is due fails, the others go on")
        await put_off(one)
