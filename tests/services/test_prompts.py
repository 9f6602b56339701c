"""Prompts come once, at their time, and never at a wrong one; they can be put off, skipped, begun, missed."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cast import Cast
from sqlalchemy import select, update

from bot.domain.programme import Hours
from bot.services import prompts as service
from bot.services import week
from bot.services.plans import plan_anew
from bot.storage import people
from bot.storage.tables import cases, prompts
from bot.telegram.taps import PromptTap


@pytest.fixture
async def robin(robin: Cast) -> Cast:
    """The clock stands at Tuesday 08:00."""
    robin.now = datetime(2026, 11, 3, 13, 0, tzinfo=UTC)
    return robin


async def kept(cast: Cast, stream: str = "check-in"):
    async with cast.store.read() as tx:
        query = select(prompts).where(prompts.c.stream == stream).order_by(prompts.c.due_at)
        return list(await tx.all(query))


async def deliver(cast: Cast, at: datetime | None = None) -> None:
    """Work off what is due, as the scheduler does."""
    cast.now = at or cast.now
    while await service.deliver_due(cast.store, cast.content, cast.now):
        pass


async def nudges(cast: Cast) -> int:
    return sum("Check-in" in one.text and one.card.startswith("prompt:") for one in await cast.got("Robin"))


async def sent_check_in(cast: Cast):
    """Let Tuesday's check-in be sent, and return its row."""
    await deliver(cast, datetime(2026, 11, 3, 15, 29, 59, tzinfo=UTC))
    return next(row for row in await kept(cast) if row.status == "sent")


async def tap(cast: Cast, verb: str) -> str:
    button = await cast.button("Robin", {"start": "Start", "skip": "Skip this one"}[verb])
    assert isinstance(button, PromptTap)
    act = service.start if verb == "start" else service.skip
    return await act(cast.store, cast.content, await cast.turn("Robin"), button.prompt)


async def test_one_prompt_is_planned_ahead_in_each_stream(robin: Cast) -> None:
    async with robin.store.read() as tx:
        rows = await tx.all(select(prompts.c.stream, prompts.c.status))
    streams = robin.content.programme("adult-evening", "en").levels["iop"]
    assert sorted((row.stream, row.status) for row in rows) == sorted((stream, "planned") for stream in streams)


async def test_a_due_prompt_is_sent_once_however_often_the_tick_runs(robin: Cast) -> None:
    row = await sent_check_in(robin)
    for _ in range(3):
        await deliver(robin)
    assert await nudges(robin) == 1
    assert row.sent_at == robin.now
    following = [one for one in await kept(robin) if one.status == "planned"]
    assert len(following) == 1
    assert following[0].due_at.date() > robin.now.date()


async def test_two_ticks_at_once_send_once(robin: Cast) -> None:
    await deliver(robin)
    robin.now = datetime(2026, 11, 3, 15, 29, 59, tzinfo=UTC)
    ticks = [service.deliver_due(robin.store, robin.content, robin.now) for _ in range(2)]
    await asyncio.gather(*ticks)
    assert await nudges(robin) == 1


async def test_who_is_killed_between_sending_and_planning_plans_what_is_next_within_minutes(
    robin: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def killed(*_given) -> None:
        raise asyncio.CancelledError

    await deliver(robin)
    monkeypatch.setattr(service, "_plan_next", killed)
    with pytest.raises(asyncio.CancelledError):
        await sent_check_in(robin)
    assert await nudges(robin) == 1
    await the_next_is_planned_some_minutes_later(robin)


async def the_next_is_planned_some_minutes_later(robin: Cast) -> None:
    assert [row.status for row in await kept(robin)] == ["late", "sent"]
    assert await service.replan(robin.store, robin.content, robin.now) == 0
    assert await service.replan(robin.store, robin.content, robin.now + service.PLANNED_WITHIN) == 1
    assert [row.status for row in await kept(robin)] == ["late", "sent", "planned"]


async def test_while_very_many_wait_to_go_out_the_next_are_planned_some_minutes_later(
    robin: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    await deliver(robin)
    monkeypatch.setattr(service, "CROWD", 0)
    await sent_check_in(robin)
    await the_next_is_planned_some_minutes_later(robin)


async def test_the_next_of_every_stream_is_planned_though_each_was_sent_by_a_transaction_of_its_own(
    robin: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "AT_ONCE", 1)
    async with robin.store.begin() as tx:
        noon = datetime(2026, 11, 3, 17, 0, tzinfo=UTC)
        await tx.run(update(prompts).values(due_at=noon, latest_at=noon + timedelta(hours=1)))
    await deliver(robin, noon)
    async with robin.store.read() as tx:
        rows = await tx.all(select(prompts.c.stream).where(prompts.c.status == "planned"))
    assert sorted(row.stream for row in rows) == sorted(robin.content.programme("adult-evening", "en").levels["iop"])
    assert (await robin.member("Robin")).plan_at is None


async def test_who_plans_anew_between_sending_and_planning_has_the_last_word(
    robin: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan_next = service._plan_next

    async def after_a_pause(*given) -> None:
        member, person = await robin.member("Robin"), await robin.person("Robin")
        pauses = [[robin.now.isoformat(), None]]
        async with robin.store.begin() as tx:
            await people.change_member(tx, member.id, pauses=pauses)
            await plan_anew(tx, robin.content, [(replace(member, pauses=pauses), person)], robin.now)
        await plan_next(*given)

    await deliver(robin)
    monkeypatch.setattr(service, "_plan_next", after_a_pause)
    await sent_check_in(robin)
    assert [row.status for row in await kept(robin)] == ["late", "sent"]


async def test_after_six_hours_of_sleep_nothing_comes_late_and_the_next_is_planned(robin: Cast) -> None:
    await deliver(robin, datetime(2026, 11, 3, 21, 0, tzinfo=UTC))
    assert await nudges(robin) == 0
    statuses = [row.status for row in await kept(robin)]
    assert "late" in statuses
    assert statuses.count("planned") == 1


async def test_after_sleep_a_window_that_is_still_open_is_used(robin: Cast) -> None:
    await deliver(robin, datetime(2026, 11, 4, 15, 29, 59, tzinfo=UTC))
    assert await nudges(robin) == 1


@pytest.mark.parametrize(
    ("clock", "why"),
    [(datetime(2026, 11, 4, 4, 0, tzinfo=UTC), "quiet hours"), (datetime(2026, 11, 4, 23, 30, tzinfo=UTC), "session")],
)
async def test_nothing_unasked_is_sent_in_quiet_or_session_hours(robin: Cast, clock: datetime, why: str) -> None:
    async with robin.store.begin() as tx:
        await tx.run(update(prompts).values(due_at=clock, latest_at=clock + timedelta(hours=3)))
    await deliver(robin, clock)
    assert await nudges(robin) == 0, why


async def test_a_prompt_put_off_comes_again_then_and_can_be_put_off_to_tonight(robin: Cast) -> None:
    row = await sent_check_in(robin)
    assert await service.snooze(robin.store, robin.content, await robin.turn("Robin"), row.id, "30m") == "tap-snoozed"
    await deliver(robin, robin.later(minutes=29))
    assert await nudges(robin) == 1
    await deliver(robin, robin.later(minutes=1))
    assert await nudges(robin) == 2
    await service.snooze(robin.store, robin.content, await robin.turn("Robin"), row.id, "tonight")
    (again,) = [one for one in await kept(robin) if one.id == row.id]
    assert again.due_at == datetime(2026, 11, 4, 1, 0, tzinfo=UTC)


async def test_a_skipped_prompt_is_over(robin: Cast) -> None:
    row = await sent_check_in(robin)
    assert await tap(robin, "skip") == "tap-skipped"
    assert await service.skip(robin.store, robin.content, await robin.turn("Robin"), row.id) == "tap-ended"
    robin.later(hours=8)
    await service.remind(robin.store, robin.content, robin.now)
    await service.expire(robin.store, robin.content, robin.now)
    assert [one.status for one in await kept(robin) if one.id == row.id] == ["skipped"]


async def test_a_begun_prompt_goes_on_in_its_own_message_and_is_answered_at_the_end(robin: Cast) -> None:
    row = await sent_check_in(robin)
    assert await tap(robin, "start") == ""
    screen = (await robin.got("Robin"))[-1]
    assert screen.card == f"prompt:{row.id}"
    assert not screen.fresh
    assert await service.start(robin.store, robin.content, await robin.turn("Robin"), row.id) == "tap-ended"
    await service.remind(robin.store, robin.content, robin.later(hours=3))
    assert "gentle reminder" not in await robin.said_to("Robin")


async def test_it_is_reminded_once_and_then_marked_missed(robin: Cast) -> None:
    row = await sent_check_in(robin)
    await service.remind(robin.store, robin.content, robin.later(hours=1, minutes=59))
    assert "gentle reminder" not in await robin.said_to("Robin")
    robin.later(minutes=1)
    for _ in range(3):
        await service.remind(robin.store, robin.content, robin.now)
    assert (await robin.said_to("Robin")).count("gentle reminder") == 1
    await service.expire(robin.store, robin.content, robin.later(hours=4))
    assert [one.status for one in await kept(robin) if one.id == row.id] == ["missed"]
    assert "This one has passed" in await robin.said_to("Robin")


async def test_three_check_ins_missed_in_a_row_are_worth_a_look_once(robin: Cast) -> None:
    found = []
    for day in range(3, 8):
        await deliver(robin, datetime(2026, 11, day, 15, 29, 59, tzinfo=UTC))
        await service.expire(robin.store, robin.content, robin.later(hours=7))
        async with robin.store.read() as tx:
            found.append([row.level for row in await tx.all(select(cases))])
    assert found == [[], [], ["yellow"], ["yellow"], ["yellow"]]


@pytest.mark.parametrize("why", ["blocked", "paused", "discharged"])
async def test_who_blocked_paused_or_left_gets_nothing(robin: Cast, why: str) -> None:
    member, person = await robin.member("Robin"), await robin.person("Robin")
    async with robin.store.begin() as tx:
        if why == "blocked":
            await people.change_person(tx, person.id, blocked_at=robin.now)
        elif why == "paused":
            await people.change_member(tx, member.id, pauses=[[robin.now.isoformat(), None]])
        else:
            await people.change_member(tx, member.id, standing="discharged")
    await deliver(robin, datetime(2026, 11, 3, 15, 29, 59, tzinfo=UTC))
    assert await nudges(robin) == 0


async def test_a_chosen_skill_is_kept_with_how_likely_it_was(robin: Cast) -> None:
    (row,) = [one for one in await kept(robin, "skill") if one.status == "planned"]
    await deliver(robin, row.due_at)
    (sent,) = [one for one in await kept(robin, "skill") if one.id == row.id]
    assert sent.activity in robin.content.skills
    assert 0 < sent.probability < 1


async def test_when_the_programme_changes_what_is_planned_moves_and_nothing_comes_twice(robin: Cast) -> None:
    await sent_check_in(robin)
    await service.programmes_changed(robin.store, robin.content, robin.now)
    programmes = dict(robin.content.programmes)
    evening = programmes["adult-evening"]["en"]
    moved = replace(evening.levels["iop"]["check-in"], between=Hours(start=at(14), end=at(15)))
    levels = {**evening.levels, "iop": {**evening.levels["iop"], "check-in": moved}}
    programmes["adult-evening"] = {"en": replace(evening, levels=levels)}
    robin.with_content(programmes=programmes)
    assert await service.programmes_changed(robin.store, robin.content, robin.now) == ("adult-evening",)
    assert await service.replan(robin.store, robin.content, robin.now) == 1
    assert await service.replan(robin.store, robin.content, robin.now) == 0
    (ahead,) = [row for row in await kept(robin) if row.status == "planned"]
    assert ahead.due_at.hour in (19, 20)
    assert ahead.slot.startswith("2026-11-04")


async def test_who_moves_gets_nothing_twice_and_lives_by_the_new_clock(robin: Cast) -> None:
    await sent_check_in(robin)
    person, member = await robin.person("Robin"), await robin.member("Robin")
    zones = [*person.zones, [robin.now.isoformat(), "Asia/Tokyo"]]
    async with robin.store.begin() as tx:
        await people.change_person(tx, person.id, zones=zones)
        await plan_anew(tx, robin.content, [(member, replace(person, zones=zones))], robin.now)
    (ahead,) = [row for row in await kept(robin) if row.status == "planned"]
    assert ahead.due_at.hour in (0, 1)
    assert len({row.slot for row in await kept(robin)}) == len(await kept(robin))


async def test_a_prompt_due_but_unsent_when_the_timetable_is_planned_anew_still_comes_once(robin: Cast) -> None:
    before = next(row for row in await kept(robin) if row.status == "planned")
    robin.now = before.due_at
    person, member = await robin.person("Robin"), await robin.member("Robin")
    async with robin.store.begin() as tx:
        await plan_anew(tx, robin.content, [(member, person)], robin.now)
    await deliver(robin)
    assert [row.slot for row in await kept(robin) if row.status == "sent"] == [before.slot]


def programme_with(cast: Cast, start: int, end: int) -> None:
    """Have the programme's check-in between these hours from now on."""
    programmes = dict(cast.content.programmes)
    evening = programmes["adult-evening"]["en"]
    moved = replace(evening.levels["iop"]["check-in"], between=Hours(start=at(start), end=at(end)))
    programmes["adult-evening"] = {
        "en": replace(evening, levels={**evening.levels, "iop": {**evening.levels["iop"], "check-in": moved}})
    }
    cast.with_content(programmes=programmes)


async def test_a_day_whose_moment_the_programme_moved_into_the_past_still_has_its_prompt(robin: Cast) -> None:
    await deliver(robin)
    before = next(row for row in await kept(robin) if row.status == "planned")
    await service.programmes_changed(robin.store, robin.content, robin.now)
    robin.now = datetime(2026, 11, 3, 14, 1, tzinfo=UTC)
    programme_with(robin, 8, 9)
    await service.programmes_changed(robin.store, robin.content, robin.now)
    await service.replan(robin.store, robin.content, robin.now)
    (ahead,) = [row for row in await kept(robin) if row.status == "planned"]
    assert (ahead.slot, ahead.due_at) == (before.slot, before.due_at), "when they wait for it"
    await deliver(robin, before.due_at)
    (ahead,) = [row for row in await kept(robin) if row.status == "planned"]
    assert ahead.slot.startswith("2026-11-04")
    assert ahead.due_at.hour == 13


async def test_a_moment_that_passed_within_a_window_still_open_comes_at_once(robin: Cast) -> None:
    await deliver(robin)
    robin.now = datetime(2026, 11, 3, 14, 1, 30, tzinfo=UTC)
    await week.choose(robin.store, robin.content, await robin.turn("Robin"), "window=check-in")
    await robin.writes("Robin", "8:00-9:02")
    await deliver(robin, robin.later(seconds=29))
    assert [row.slot for row in await kept(robin) if row.sent_at] == ["2026-11-03/0"]


async def test_who_chose_earlier_hours_that_are_over_today_means_tomorrow(robin: Cast) -> None:
    await deliver(robin)
    robin.now = datetime(2026, 11, 3, 14, 1, tzinfo=UTC)
    await week.choose(robin.store, robin.content, await robin.turn("Robin"), "window=check-in")
    await robin.writes("Robin", "8:00-9:00")
    (ahead,) = [row for row in await kept(robin) if row.status == "planned"]
    assert ahead.slot.startswith("2026-11-04")


async def test_own_hours_quiet_days_off_and_a_pause_are_planned_by(robin: Cast) -> None:
    async def choose(choice: str) -> None:
        await week.choose(robin.store, robin.content, await robin.turn("Robin"), choice)

    await choose("window=check-in")
    await robin.writes("Robin", "11:00-11:30")
    (ahead,) = [row for row in await kept(robin) if row.status == "planned"]
    assert ahead.due_at.hour == 16
    await robin.writes("Robin", "nothing of the kind")
    await choose("quiet")
    await robin.writes("Robin", "whenever")
    assert "did not get that" in await robin.said_to("Robin")
    await robin.writes("Robin", "20:00-11:15")
    (ahead,) = [row for row in await kept(robin) if row.status == "planned"]
    assert ahead.due_at.time() >= at(16, 15)
    await choose("pause=7d")
    (ahead,) = [row for row in await kept(robin) if row.status == "planned"]
    assert ahead.due_at >= robin.now + timedelta(days=7)
    await choose("pause=end")
    (ahead,) = [row for row in await kept(robin) if row.status == "planned"]
    assert ahead.due_at < robin.now + timedelta(days=2)
    await choose("stream=skill")
    assert not [row for row in await kept(robin, "skill") if row.status == "planned"]


def at(hour: int, minute: int = 0):
    from datetime import time

    return time(hour, minute)
