"""What is wrong with one case, or with the file of one programme, keeps no alert of another back."""

import pytest
from cast import DAY, EVENING, Cast
from sqlalchemy import update

from bot.scheduler import EVERY_SECONDS
from bot.services import alerts, oncall, prompts
from bot.storage.tables import flags, people
from bot.storage.tables import prompts as planned
from bot.storage.vault import Unreadable

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
    robin = (await clinic.person("Robin")).id
    async with clinic.store.begin() as tx:
        await tx.run(update(people).where(people.c.id == robin).values(name_sealed=b"k1 of another row"))
    clinic.later(minutes=5)
    with pytest.raises(Unreadable):
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
