"""Puts right what a clock that ran ahead left behind, so that nothing waits for a time that it made up."""

from datetime import datetime

from bot.content.library import Content
from bot.domain import cases as life
from bot.services.alerts import moved_on, working
from bot.storage import cases, clock_set_back, people
from bot.storage.store import Store, Tx


async def put_right(store: Store, content: Content, now: datetime) -> int:
    """Bring alerts, waits, pauses and slots back that lie further ahead than they can; return how many.

    Where no clock was wrong it only ends the waits for another try, so that it may run at every start as well.
    """
    async with store.begin() as tx:
        alerts = await _bring_alerts_back(tx, content, now)
        waits = await clock_set_back.end_waits(tx, now)
        pauses = await clock_set_back.shorten_pauses(tx, now)
        return alerts + waits + pauses + await clock_set_back.give_back_slots(tx, now)


async def _bring_alerts_back(tx: Tx, content: Content, now: datetime) -> int:
    changed = 0
    names = {*content.programmes, *await people.programmes_taken_part_in(tx)}
    for filed in await cases.queue(tx, tuple(names)):
        programme = content.standing_programme(filed.programme, "")
        earlier = life.brought_back(filed.case, now, programme.alerts[filed.case.level], working(programme))
        if earlier != filed.case:
            await moved_on(tx, filed, earlier)
            changed += 1
    return changed
