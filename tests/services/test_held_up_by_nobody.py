"""What is wrong with one case, or with the file of one programme, keeps no alert of another back."""

import pytest
from cast import DAY, EVENING, Cast
from sqlalchemy import delete, update

from bot.content.library import UnknownContent
from bot.domain.rota import Rota
from bot.scheduler import EVERY_SECONDS
from bot.services import alerts, digests, follow_ups, handovers, menus, oncall, practice, prompts, week
from bot.storage.follow_ups import new, plan
from bot.storage.tables import flags, members, people, runs
from bot.storage.tables import prompts as planned

RED, ORANGE = "I want to kill myself tonight", "I wish I was dead"


def take_file_away(cast: Cast) -> dict:
    """Leave the evening programme without a file; return the programmes there were."""
    before = cast.content.programmes
    cast.with_content(programmes={name: one for name, one in before.items() if name != EVENING})
    return before


async def tick(cast: Cast) -> None:
    for service in EVERY_SECONDS:
        while await service(cast.store, cast.content, cast.now):
            pass


async def test_an_alert_that_fails_holds_up_no_other(clinic: Cast) -> None:
    await clinic.joined("Kim")
    for name in ("Robin", "Kim"):
        await clinic.writes(name, RED)
    robin, _ = await clinic.cases()
    async with clinic.store.begin() as tx:
        await tx.run(update(flags).where(flags.c.case_id == robin.id).values(category="unheard-of"))
    clinic.later(minutes=5)
    with pytest.raises(UnknownContent):
        await alerts.alert_due(clinic.store, clinic.content, clinic.now)
    assert [case.alerts > 2 for case in await clinic.cases()] == [False, True]
    assert await clinic.alerts_to("Senior") == 1


async def test_red_is_alerted_before_what_waited_longer(clinic: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alerts, "AT_ONCE", 1)
    await clinic.joined("Kim")
    await clinic.writes("Kim", ORANGE)
    clinic.later(hours=2)
    await clinic.writes("Robin", RED)
    clinic.later(minutes=5)
    orange, red = await clinic.cases()
    assert await alerts.alert_due(clinic.store, clinic.content, clinic.now) == 1
    now_orange, now_red = await clinic.cases()
    assert now_orange.alerts == orange.alerts
    assert now_red.alerts > red.alerts


async def test_a_programme_whose_file_is_gone_alerts_all_who_care_there_and_holds_up_no_other(clinic: Cast) -> None:
    await clinic.joined("Dana", DAY)
    await clinic.joined("Kim")
    await clinic.writes("Robin", RED)
    await clinic.writes("Dana", ORANGE)
    take_file_away(clinic)
    before = {name: await clinic.alerts_to(name) for name in ("Quill", "Backup", "Senior", "Other")}
    told = len(await clinic.got("Kim"))
    await clinic.writes("Kim", RED)
    assert "988" in (await clinic.got("Kim"))[told].text, "the lines of the country"
    after = {name: await clinic.alerts_to(name) - count for name, count in before.items()}
    assert after == {"Quill": 1, "Backup": 1, "Senior": 1, "Other": 0}
    for minutes in (61, 30, 24 * 60):
        clinic.later(minutes=minutes)
        await tick(clinic)
    assert await clinic.alerts_to("Other") > before["Other"], "the chain of the other programme goes on"
    assert await clinic.alerts_to("Senior") > before["Senior"] + 1
    await oncall.show(clinic.store, clinic.content, await clinic.turn("Quill"))
    assert {flag.level for flag in await clinic.kept(flags)} >= {"red", "orange"}


async def test_staff_are_told_once_that_a_file_is_gone_and_prompts_come_again_when_it_is_back(clinic: Cast) -> None:
    await clinic.invited("Ellis", "staff")
    await prompts.programmes_changed(clinic.store, clinic.content, clinic.now)
    there = take_file_away(clinic)
    for _ in range(2):
        await prompts.programmes_changed(clinic.store, clinic.content, clinic.later(minutes=1))
    told = [message.text for message in await clinic.got("Ellis") if "its file is gone or broken" in message.text]
    assert len(told) == 1
    await tick(clinic)
    assert not [row for row in await clinic.kept(planned) if row.status == "planned"]
    clinic.with_content(programmes=there)
    assert EVENING in await prompts.programmes_changed(clinic.store, clinic.content, clinic.later(minutes=1))
    await tick(clinic)
    assert [row for row in await clinic.kept(planned) if row.status == "planned"]


@pytest.mark.parametrize(("language", "kind"), [("en", "It is not your fault"), ("es", "No es culpa tuya")])
async def test_who_asks_where_a_programme_has_no_file_is_told_kindly_what_still_works(
    clinic: Cast, language: str, kind: str
) -> None:
    robin = (await clinic.person("Robin")).id
    async with clinic.store.begin() as tx:
        await tx.run(update(people).where(people.c.id == robin).values(language=language))
    take_file_away(clinic)
    for asked in (menus.check_in, week.show, lambda *given: week.choose(*given, "pause")):
        before = len(await clinic.got("Robin"))
        await asked(clinic.store, clinic.content, await clinic.turn("Robin"))
        (answer,) = (await clinic.got("Robin"))[before:]
        assert kind in answer.text
        assert "/help_now" in answer.text


async def due_prompts(cast: Cast, kind: str, activity: str) -> None:
    """Have a prompt of each participant due, Robin's for something that no file describes."""
    rows = {row.member_id: row for row in await cast.kept(planned) if row.stream == "check-in"}
    robin = (await cast.member("Robin")).id
    async with cast.store.begin() as tx:
        for row in rows.values():
            await tx.run(update(planned).where(planned.c.id == row.id).values(due_at=cast.now, latest_at=row.latest_at))
        gone = {"kind": kind, "activity": activity}
        await tx.run(update(planned).where(planned.c.id == rows[robin].id).values(**gone))


def prompted(messages: list) -> list:
    return [one for one in messages if one.card.startswith("prompt:")]


@pytest.mark.parametrize(("kind", "offered"), [("skill", 1), ("measure", 0)])
async def test_a_prompt_whose_file_is_gone_falls_back_and_holds_up_no_other(
    clinic: Cast, kind: str, offered: int
) -> None:
    await clinic.invited("Ellis", "staff")
    await clinic.joined("Kim")
    clinic.later(hours=1)
    await due_prompts(clinic, kind, "gone-away")
    await prompts.deliver_due(clinic.store, clinic.content, clinic.now)
    assert len(prompted(await clinic.got("Kim"))) == 1
    assert len(prompted(await clinic.got("Robin"))) == offered
    assert (await clinic.said_to("Ellis")).count("gone-away") == 1


async def test_a_prompt_that_fails_by_itself_holds_up_no_other(clinic: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    await clinic.joined("Kim")
    clinic.later(hours=1)
    await due_prompts(clinic, "measure", "daily-check-in")
    robin, sent = (await clinic.member("Robin")).id, prompts._sent

    def broken(content, wording, receiver, prompt, now):
        if prompt.member_id == robin:
            raise RuntimeError("broken on purpose")
        return sent(content, wording, receiver, prompt, now)

    monkeypatch.setattr(prompts, "_sent", broken)
    await prompts.deliver_due(clinic.store, clinic.content, clinic.now)
    assert len(prompted(await clinic.got("Kim"))) == 1
    assert await prompts.deliver_due(clinic.store, clinic.content, clinic.now) == 0, "it waits, and is not asked again"
    monkeypatch.setattr(prompts, "_sent", sent)
    await prompts.deliver_due(clinic.store, clinic.content, clinic.later(minutes=11))
    assert len(prompted(await clinic.got("Robin"))) == 1


async def test_a_follow_up_that_fails_holds_up_no_other(clinic: Cast) -> None:
    await clinic.joined("Kim")
    members = [(await clinic.member(name)).id for name in ("Robin", "Kim")]
    async with clinic.store.begin() as tx:
        await plan(tx, [new("caring:x:broken", members[0], "proposal", clinic.now)])
        await plan(tx, [new("missed:2", members[1], "missed", clinic.now)])
    clinic.later(hours=1)
    told = len(await clinic.got("Kim"))
    assert await follow_ups.deliver_due(clinic.store, clinic.content, clinic.now) == 2
    assert len(await clinic.got("Kim")) == told + 1
    assert await follow_ups.deliver_due(clinic.store, clinic.content, clinic.now) == 0


async def test_a_practice_whose_content_is_lost_holds_up_no_other_pause(clinic: Cast) -> None:
    await clinic.joined("Kim")
    for name in ("Robin", "Kim"):
        await clinic.begins(name, "daily-check-in", "measure")
    robin = (await clinic.member("Robin")).id
    async with clinic.store.begin() as tx:
        await tx.run(update(runs).values(due_at=clinic.now))
        await tx.run(update(runs).where(runs.c.member_id == robin).values(activity="gone-away"))
    clinic.later(minutes=1)
    assert await practice.elapse(clinic.store, clinic.content, clinic.now) == 2
    later = {row.member_id: row.due_at for row in await clinic.kept(runs)}
    assert later.pop(robin) > clinic.now
    assert list(later.values()) == [None]


async def test_a_case_that_fails_keeps_no_other_out_of_the_digest(
    clinic: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    await clinic.joined("Kim")
    for name in ("Robin", "Kim"):
        await clinic.writes(name, "I feel like a burden to everyone")
    robin, _ = await clinic.cases()
    along_the_chain = digests.along_the_chain

    async def fails_for_robin(tx, content, filed, now):
        if filed.id == robin.id:
            raise RuntimeError("broken on purpose")
        return await along_the_chain(tx, content, filed, now)

    monkeypatch.setattr(digests, "along_the_chain", fails_for_robin)
    clinic.later(days=1)
    with pytest.raises(RuntimeError):
        await digests.send_due(clinic.store, clinic.content, clinic.now)
    assert [(case.level, case.alerts) for case in await clinic.cases()] == [("yellow", 0), ("yellow", 1)]


async def test_a_timetable_that_fails_holds_up_no_other(clinic: Cast) -> None:
    await clinic.joined("Kim")
    robin, kim = [(await clinic.member(name)).id for name in ("Robin", "Kim")]
    async with clinic.store.begin() as tx:
        await tx.run(update(members).where(members.c.id.in_([robin, kim])).values(plan_at=clinic.now))
        await tx.run(update(members).where(members.c.id == robin).values(preferences={"quiet": ["at night"]}))
        await tx.run(delete(planned))
    assert await prompts.replan(clinic.store, clinic.content, clinic.now) == 2
    assert {row.member_id for row in await clinic.kept(planned)} == {kim}
    assert await prompts.replan(clinic.store, clinic.content, clinic.now) == 0, "it waits"
    assert await prompts.replan(clinic.store, clinic.content, clinic.later(minutes=11)) == 1


async def test_a_rota_that_fails_holds_up_no_other_programmes_hand_over(
    clinic: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at: list[str] = []

    async def fails_first(_tx, programme, _now) -> Rota:
        looked_at.append(programme.id)
        if len(looked_at) == 1:
            raise RuntimeError("broken on purpose")
        return Rota(zone=programme.timezone)

    monkeypatch.setattr(handovers, "rota_of", fails_first)
    with pytest.raises(RuntimeError):
        await handovers.hand_over(clinic.store, clinic.content, clinic.now)
    assert looked_at == list(clinic.content.programmes)
