"""A participant's own week: own hours, quiet hours, days off, streams, pauses; all planned by at once."""

from datetime import UTC, datetime, time, timedelta

import pytest
from cast import Cast
from sqlalchemy import select

from bot.services import prompts as service
from bot.services import week
from bot.storage.tables import audit, cases, prompts


async def chooses(cast: Cast, choice: str, name: str = "Robin") -> None:
    await week.choose(cast.store, cast.content, await cast.turn(name), choice)


async def ahead(cast: Cast, stream: str = "check-in") -> datetime | None:
    """When the next prompt of a stream comes."""
    async with cast.store.read() as tx:
        query = select(prompts.c.due_at).where(prompts.c.stream == stream, prompts.c.status == "planned")
        return await tx.value(query)


async def test_the_week_shows_what_comes_and_when_nothing_does(robin: Cast) -> None:
    await week.show(robin.store, robin.content, await robin.turn("Robin"))
    shown = (await robin.got("Robin"))[-1].text
    for said in ("America/New_York", "Check-in", "Skill practice", "Nothing comes between 21:30 and 08:00"):
        assert said in shown
    assert shown.index("Check-in") < shown.index("PHQ-9")


async def test_own_hours_move_one_stream_and_leave_the_others(robin: Cast) -> None:
    measure = await ahead(robin, "phq-9")
    await chooses(robin, "window=check-in")
    await robin.writes("Robin", "from 11 to 11:30 am")
    assert time(16, 0) <= (await ahead(robin)).time() < time(16, 30)
    assert await ahead(robin, "phq-9") == measure
    assert (await robin.member("Robin")).preferences == {"windows": {"check-in": ["11:00", "11:30"]}}


async def test_the_programmes_hours_come_back_for_the_stream_that_was_asked_about(robin: Cast) -> None:
    for stream, typed in (("check-in", "11:00-11:30"), ("skill", "18:00-19:00")):
        await chooses(robin, f"window={stream}")
        await robin.writes("Robin", typed)
    await chooses(robin, "window=check-in")
    tap = await robin.button("Robin", "As in the programme")
    await chooses(robin, tap.value)
    assert (await robin.member("Robin")).preferences["windows"] == {"skill": ["18:00", "19:00"]}
    assert (await ahead(robin)).hour in (14, 15)


@pytest.mark.parametrize("typed", ["whenever", "9", "25:00-26:00", "9:00-9:00", "1 2 3"])
async def test_hours_that_are_not_understood_are_asked_for_again(robin: Cast, typed: str) -> None:
    await chooses(robin, "window=check-in")
    await robin.writes("Robin", typed)
    assert "did not get that" in (await robin.got("Robin"))[-1].text
    assert (await robin.member("Robin")).preferences == {}
    await robin.writes("Robin", "11:00-11:30")
    assert (await ahead(robin)).hour == 16


async def test_own_quiet_hours_hold_beside_the_programmes(robin: Cast) -> None:
    await chooses(robin, "quiet")
    await robin.writes("Robin", "20:00-10:00")
    assert (await ahead(robin)).time() >= time(15, 0)
    shown = (await robin.got("Robin"))[-1].text
    assert "21:30 and 08:00" in shown
    assert "20:00 and 10:00" in shown
    await chooses(robin, "quiet")
    await chooses(robin, (await robin.button("Robin", "As in the programme")).value)
    assert "20:00" not in (await robin.got("Robin"))[-1].text


async def test_who_goes_back_is_not_asked_for_hours_any_more(robin: Cast) -> None:
    await chooses(robin, "window=check-in")
    await chooses(robin, (await robin.button("Robin", "← Back")).value)
    await robin.writes("Robin", "panic")
    assert "This is what I found" in (await robin.got("Robin"))[-1].text


async def test_who_begins_a_check_in_is_not_asked_for_hours_any_more(robin: Cast) -> None:
    await chooses(robin, "quiet")
    await robin.begins("Robin", "daily-check-in", "measure")
    await robin.writes("Robin", "seven")
    assert (await robin.run("Robin")).state.step == "distress"


async def test_on_a_day_off_nothing_comes_until_it_is_taken_back(robin: Cast) -> None:
    due = await ahead(robin)
    day = due.weekday()
    await chooses(robin, f"days={day}")
    assert (await ahead(robin)).weekday() != day
    assert (await robin.labels("Robin"))[day].startswith("☐")
    await chooses(robin, f"days={day}")
    assert await ahead(robin) == due


async def test_with_every_day_off_nothing_is_planned(robin: Cast) -> None:
    for day in range(7):
        await chooses(robin, f"days={day}")
    assert await ahead(robin) is None
    await week.show(robin.store, robin.content, await robin.turn("Robin"))
    assert "Nothing is planned" in (await robin.got("Robin"))[-1].text


async def test_a_skill_stream_is_switched_off_and_on_but_what_the_team_looks_at_stays(robin: Cast) -> None:
    due = await ahead(robin, "skill")
    await chooses(robin, "stream=skill")
    assert await ahead(robin, "skill") is None
    await chooses(robin, "stream=skill")
    assert await ahead(robin, "skill") == due
    for untouched in ("stream=check-in", "stream=phq-9", "stream=no-such"):
        await chooses(robin, untouched)
    assert await ahead(robin) is not None
    assert (await robin.member("Robin")).preferences == {"switched_off": []}


async def test_a_pause_holds_back_everything_until_its_end(robin: Cast) -> None:
    await chooses(robin, "pause=3d")
    until = robin.now + timedelta(days=3)
    for stream in ("check-in", "skill", "phq-9"):
        assert await ahead(robin, stream) >= until
    assert "Paused until" in (await robin.got("Robin"))[-1].text


async def test_an_open_pause_plans_nothing_and_is_over_when_resumed(robin: Cast) -> None:
    due = await ahead(robin)
    await chooses(robin, "pause=open")
    assert await ahead(robin) is None
    assert "Paused until you resume" in (await robin.got("Robin"))[-1].text
    for _ in range(3):
        await service.replan(robin.store, robin.content, robin.later(days=1))
        assert await service.deliver_due(robin.store, robin.content, robin.now) == 0
    await chooses(robin, "pause=end")
    assert robin.now < await ahead(robin) < robin.now + timedelta(days=2)
    assert await ahead(robin) > due


async def test_days_in_a_pause_are_not_missed_ones(robin: Cast) -> None:
    await chooses(robin, "pause=7d")
    for _ in range(28):
        robin.later(hours=6)
        for job in (service.replan, service.deliver_due, service.remind, service.expire):
            await job(robin.store, robin.content, robin.now)
    assert await robin.kept(cases) == []


async def test_hours_typed_in_distress_are_looked_at_too(robin: Cast) -> None:
    await chooses(robin, "quiet")
    await robin.writes("Robin", "I want to kill myself tonight between 9 and 10")
    assert [case.level for case in await robin.cases()] == ["red"]


async def test_each_change_is_in_the_audit_trail(robin: Cast) -> None:
    await chooses(robin, "pause=1d")
    assert [row.by for row in await robin.kept(audit) if row.action == "change week"] == [
        (await robin.member("Robin")).id
    ]


@pytest.mark.parametrize("choice", ["", "pause=1d", "quiet", "days=1"])
async def test_who_takes_no_part_has_no_week(cast: Cast, choice: str) -> None:
    await cast.invited("Quill", "clinician")
    await chooses(cast, choice, "Quill")
    assert "for participants of a programme" in (await cast.got("Quill"))[-1].text


async def test_the_week_of_a_summer_is_planned_by_summer_time(cast: Cast) -> None:
    cast.now = datetime(2026, 7, 6, 13, 0, tzinfo=UTC)
    await cast.joined("Robin")
    await chooses(cast, "window=check-in")
    await cast.writes("Robin", "11:00-11:30")
    assert (await ahead(cast)).hour == 15
