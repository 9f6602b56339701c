"""The clock jumps, or the machine sleeps: nothing twice, nothing late, alerts at once, and nothing waits for ever."""

import asyncio
from datetime import UTC, datetime, timedelta

import apscheduler.schedulers.base
import pytest
from cast import Cast
from conftest import NOW
from sqlalchemy import select, update

import bot.clock
from bot import scheduler
from bot.clock import Clock
from bot.content.library import Content
from bot.headway import Headway
from bot.scheduler import EVERY_SECONDS, Every, Ticks
from bot.services import alerts, clock_set_back
from bot.storage.outbox import Lane, Posting, post
from bot.storage.outbox import ready as ready_to_go
from bot.storage.store import Store
from bot.storage.tables import cases, inbox, outbox, prompts

A_DAY = timedelta(days=1)
TUESDAY = datetime(2026, 11, 3, 13, 0, tzinfo=UTC)
"""08:00 in New York; the check-in of that day goes out at 10:29."""

CHECK_IN = datetime(2026, 11, 3, 15, 29, 59, tzinfo=UTC)


@pytest.fixture
async def cast(store: Store, content: Content) -> Cast:
    return Cast(store=store, content=content)


@pytest.fixture
async def clinic(cast: Cast) -> Cast:
    for name, role in (("Quill", "clinician"), ("Senior", "supervisor")):
        await cast.invited(name, role)
    await cast.joined("Robin")
    return cast


async def tick(cast: Cast, at: datetime) -> None:
    """Work off everything that is due at a moment, in the order of the timetable's jobs."""
    cast.now = at
    for service in EVERY_SECONDS:
        while await service(cast.store, cast.content, at):
            pass


async def set_back(cast: Cast, to: datetime) -> None:
    await clock_set_back.put_right(cast.store, cast.content, to)
    await tick(cast, to)


async def nudges(cast: Cast) -> int:
    return sum("Check-in" in one.text and one.card.startswith("prompt:") for one in await cast.got("Robin"))


async def alerts_about(cast: Cast) -> int:
    async with cast.store.read() as tx:
        return len(await tx.all(select(outbox.c.id).where(outbox.c.key.startswith("a"), outbox.c.case_id.is_not(None))))


async def test_a_day_forward_brings_no_prompt_late_and_none_twice(clinic: Cast) -> None:
    await tick(clinic, TUESDAY)
    await tick(clinic, TUESDAY + A_DAY)
    assert await nudges(clinic) == 0, "Tuesday's is over, Wednesday's is still to come"
    for _ in range(2):
        await tick(clinic, CHECK_IN + A_DAY)
    assert await nudges(clinic) == 1


async def test_a_day_forward_and_back_again_todays_prompt_still_comes_once(clinic: Cast) -> None:
    await tick(clinic, TUESDAY)
    await tick(clinic, TUESDAY + A_DAY)
    await set_back(clinic, TUESDAY)
    for _ in range(2):
        await tick(clinic, CHECK_IN)
    assert await nudges(clinic) == 1
    await tick(clinic, CHECK_IN + A_DAY)
    assert await nudges(clinic) == 2


async def test_what_was_sent_before_the_clock_went_back_is_not_sent_again(clinic: Cast) -> None:
    await tick(clinic, TUESDAY)
    await tick(clinic, CHECK_IN)
    await set_back(clinic, CHECK_IN - A_DAY)
    await tick(clinic, CHECK_IN)
    assert await nudges(clinic) == 1


async def test_after_six_hours_asleep_alerts_catch_up_before_anything_else(clinic: Cast) -> None:
    await tick(clinic, TUESDAY)
    await clinic.writes("Robin", "I want to kill myself tonight")
    before = await alerts_about(clinic)
    await tick(clinic, TUESDAY + timedelta(hours=6))
    assert await alerts_about(clinic) > before, "nobody acknowledged: the next of the chain"
    assert await nudges(clinic) == 0
    assert next(iter(EVERY_SECONDS)) is alerts.alert_due


async def test_after_the_clock_went_back_an_open_case_is_alerted_within_minutes_again(clinic: Cast) -> None:
    await clinic.writes("Robin", "I want to kill myself tonight")
    await tick(clinic, NOW + A_DAY)
    before = await alerts_about(clinic)
    await set_back(clinic, NOW + timedelta(minutes=1))
    await tick(clinic, NOW + timedelta(minutes=7))
    assert await alerts_about(clinic) > before


async def test_a_right_clock_moves_no_alert(clinic: Cast) -> None:
    await clinic.writes("Robin", "I want to kill myself tonight")
    async with clinic.store.read() as tx:
        before = await tx.all(select(cases.c.next_alert))
    await clock_set_back.put_right(clinic.store, clinic.content, clinic.now + timedelta(minutes=1))
    async with clinic.store.read() as tx:
        assert await tx.all(select(cases.c.next_alert)) == before
        assert not await tx.all(select(prompts.c.id).where(prompts.c.status == "late"))


async def test_what_waited_to_be_handled_or_sent_does_not_wait_a_day(clinic: Cast) -> None:
    ahead = NOW + A_DAY
    async with clinic.store.begin() as tx:
        await tx.run(update(inbox).values(not_before=ahead, done_at=None))
        await tx.run(update(outbox).values(state="sent"))
        await post(tx, [Posting(key="alert", chat_id=1, lane=Lane.SAFETY, payload="{}")], ahead)
    await clock_set_back.put_right(clinic.store, clinic.content, NOW)
    async with clinic.store.read() as tx:
        assert not await tx.all(select(inbox.c.update_id).where(inbox.c.not_before > NOW))
        assert len(await ready_to_go(tx, NOW, busy=frozenset(), limit=9)) == 1


class Machine(datetime):
    """The machine's clock as somebody set it."""

    ahead = timedelta(0)

    @classmethod
    def now(cls, tz=None) -> datetime:
        return datetime.now(tz) + cls.ahead


@pytest.mark.parametrize("days", [1, -1])
async def test_when_the_machines_clock_is_set_the_timetable_goes_on(store: Store, content: Content, monkeypatch, days):
    turns = asyncio.Queue()

    async def job(_store: Store, _content: Content, now: datetime) -> int:
        turns.put_nowait(now)
        return 0

    monkeypatch.setattr(Machine, "ahead", timedelta(0))
    for module in (bot.clock, apscheduler.schedulers.base, scheduler):
        monkeypatch.setattr(module, "datetime", Machine)
    monkeypatch.setattr(scheduler, "EVERY_SECONDS", {job: 0.2})
    monkeypatch.setattr(scheduler, "LOOK_AT_CLOCK", 0.05)
    running = asyncio.create_task(Ticks(store, lambda: content, Clock(), Headway()).run())
    try:
        began = await asyncio.wait_for(turns.get(), 30)
        Machine.ahead = timedelta(days=days)
        seen = 0
        async with asyncio.timeout(30):  # a busy machine; without headway it would wait for days
            while seen < 4:
                seen += abs((await turns.get()) - began - Machine.ahead) < timedelta(minutes=1)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@pytest.mark.parametrize("years", [1, 30])
def test_a_clock_that_leapt_ahead_holds_nobody_up_with_counting_the_turns_it_missed(years):
    each = Every(seconds=0.25, timezone=UTC)
    due = each.get_next_fire_time(None, each.start_date)
    now = due + timedelta(days=365 * years)
    turns = []
    while due <= now and len(turns) < 100:
        turns.append(due)
        due = each.get_next_fire_time(due, now)
    assert len(turns) <= 2
    assert now <= due <= now + timedelta(seconds=0.5)


def test_without_a_leap_every_turn_comes_at_its_interval():
    each = Every(seconds=0.25, timezone=UTC)
    due = each.get_next_fire_time(None, each.start_date)
    assert each.get_next_fire_time(due, due + timedelta(seconds=0.1)) == due + timedelta(seconds=0.25)
