"""Work that is due in one transaction, or, when that fails, each by itself: what fails keeps nothing else back."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import timedelta
from typing import TypeVar

import structlog

AGAIN_AFTER = timedelta(minutes=10)
"""How much later what failed by itself is tried again."""

One = TypeVar("One")
Work = Callable[[Sequence[int]], Awaitable[int]]
"""Does what is due of some ids in one transaction; returns how many there were."""
PutOff = Callable[[One], Awaitable[None]]
"""Has one that failed by itself wait, so that the others go on."""

log = structlog.get_logger()


async def together_or_alone(ids: Sequence[int], work: Work, put_off: PutOff[int] | None = None) -> int:
    """Do what is due; what fails by itself is put off. Returns how many were due. Raises what keeps it from that.

    Without `put_off` what fails stays due, and its failure is raised when the others are done.
    """
    try:
        return await work(ids) if ids else 0
    except Exception:
        log.exception("what is due fails together, each is tried by itself")
    await each_alone(ids, lambda one: work([one]), put_off)
    return len(ids)


async def each_alone(
    ones: Iterable[One], work: Callable[[One], Awaitable[object]], put_off: PutOff[One] | None = None
) -> None:
    """Do the work for each; who fails is put off, or without `put_off` the last failure is raised at the end."""
    failure: Exception | None = None
    for one in ones:
        try:
            await work(one)
        except Exception as error:
            log.exception("something that is due fails, the others go on")
            if put_off:
                await put_off(one)
            else:
                failure = error
    if failure:
        raise failure
