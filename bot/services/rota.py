"""Who is on call in a programme, and the changes of its rota."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.people import CARING
from bot.domain.programme import Programme
from bot.domain.rota import Duty, Rota, is_away, on_duty
from bot.storage import people
from bot.storage import rota as records
from bot.storage.people import Member
from bot.storage.store import Tx


class BadRota(ValueError):
    """The rota cannot be changed like that. The message says what to do instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Duties:
    """Who alerts go to now. `on_call` is whoever the rota names, or else every clinician who is not away."""

    on_call: tuple[Member, ...]
    backup: tuple[Member, ...]
    away: frozenset[int]


async def rota_of(tx: Tx, programme: Programme, since: datetime) -> Rota:
    """Return a programme's rota from `since` on."""
    return await records.rota(tx, programme.id, programme.timezone, since)


async def duties(tx: Tx, programme: Programme, now: datetime) -> Duties:
    """Return who has which duty now. Without a backup on the rota it is the clinicians who are not on call."""
    rota = await rota_of(tx, programme, now)
    carers = await people.members_in(tx, programme.id, tuple(CARING))
    away = frozenset(one.id for one in carers if is_away(rota, one.id, now))
    present = tuple(one for one in carers if one.role == "clinician" and one.id not in away)

    def named(duty: Duty) -> tuple[Member, ...]:
        on = on_duty(rota, duty, now)
        return tuple(one for one in carers if one.id in on)

    def less(some: Sequence[Member]) -> tuple[Member, ...]:
        return tuple(one for one in some if one not in on_call)

    on_call = named("on-call") or present
    return Duties(on_call=on_call, backup=less(named("backup")) or less(present), away=away)
