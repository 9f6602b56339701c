"""Practices go on where they were, with the version they began with; previews keep nothing."""

from dataclasses import replace

import pytest
from cast import Cast
from sqlalchemy import func, select

from bot.domain.words import say
from bot.services import menus, practice, previews
from bot.services.access import Refused
from bot.storage import runs
from bot.storage.tables import answers, contents, scores


async def count(cast: Cast, table) -> int:
    async with cast.store.read() as tx:
        return await tx.value(select(func.count()).select_from(table))


async def test_a_practice_goes_on_after_days_with_the_version_it_began_with(robin: Cast) -> None:
    await robin.begins("Robin", "box-breathing")
    await robin.taps("Robin", "7")
    new = robin.content.skill("box-breathing", "en")
    steps = {name: replace(step, heading=say("All is new")) for name, step in new.steps.items()}
    changed = replace(new, version="another", steps=steps)
    robin.with_content(skills={**robin.content.skills, "box-breathing": {"en": changed}})
    robin.later(days=9)
    await menus.again(robin.store, robin.content, await robin.turn("Robin"))
    shown = (await robin.got("Robin"))[-1]
    assert "Settle in" in shown.text
    assert shown.fresh
    await robin.taps("Robin", "Stop")
    await robin.begins("Robin", "box-breathing")
    assert "All is new" in (await robin.got("Robin"))[-1].text
    assert await count(robin, contents) == 2


async def test_a_text_that_is_no_answer_is_kept_and_asked_again(robin: Cast) -> None:
    await robin.begins("Robin", "daily-check-in", "measure")
    await robin.writes("Robin", "my dog is well")
    said = await robin.said_to("Robin")
    assert "looking for a number" in said
    async with robin.store.read() as tx:
        (remark,) = await tx.all(select(answers).where(answers.c.kind == "remark"))
        assert runs.answer_text(tx, remark) == "my dog is well"
    await robin.writes("Robin", "seven")
    assert (await robin.run("Robin")).state.step == "distress"


async def test_a_double_tap_counts_once(robin: Cast) -> None:
    await robin.begins("Robin", "daily-check-in", "measure")
    tap = await robin.button("Robin", "7")
    for said in ("", "tap-old"):
        assert await practice.tap(robin.store, robin.content, await robin.turn("Robin"), tap) == said
    assert await count(robin, answers) == 1


async def test_going_back_withdraws_an_answer_and_keeps_it(robin: Cast) -> None:
    await robin.begins("Robin", "daily-check-in", "measure")
    await robin.taps("Robin", "7")
    await robin.taps("Robin", "← Back")
    await robin.taps("Robin", "3")
    async with robin.store.read() as tx:
        rows = await tx.all(select(answers).order_by(answers.c.number))
    assert [(row.number, row.withdrawn_at is None) for row in rows] == [(3, True), (7, False)]


async def test_a_finished_measure_is_scored(robin: Cast) -> None:
    await robin.begins("Robin", "gad-7", "measure")
    for _ in range(7):
        await robin.taps("Robin", "Several days")
    async with robin.store.read() as tx:
        (score,) = await tx.all(select(scores))
    assert (score.total, score.band) == (7, "mild")


async def test_a_pause_is_over_also_when_it_is_noticed_late(robin: Cast) -> None:
    await robin.begins("Robin", "box-breathing")
    for label in ("7", "Start"):
        await robin.taps("Robin", label)
    assert (await robin.run("Robin")).state.phase == "waiting"
    robin.later(days=2)
    assert await practice.elapse(robin.store, robin.content, robin.now) == 1
    assert await practice.elapse(robin.store, robin.content, robin.now) == 0
    assert "now?" in (await robin.got("Robin"))[-1].text


async def test_a_switch_goes_on_with_the_other_skill_in_the_same_message(robin: Cast) -> None:
    await robin.begins("Robin", "box-breathing")
    first = await robin.run("Robin")
    await robin.taps("Robin", "7")
    await robin.taps("Robin", "Holding my breath feels bad")
    run = await robin.run("Robin")
    if run.activity == "box-breathing":
        await robin.taps("Robin", next(iter(k.text for row in (await robin.got("Robin"))[-1].keyboard for k in row)))
        run = await robin.run("Robin")
    assert run.activity != "box-breathing"
    assert run.card == first.card


async def test_a_preview_leads_through_and_keeps_nothing(cast: Cast) -> None:
    await cast.invited("Sam", "staff")
    await previews.preview(cast.store, cast.content, await cast.turn("Sam"), "box-breathing")
    await cast.taps("Sam", "7")
    await cast.taps("Sam", "Start")
    assert await count(cast, answers) == 0
    await cast.joined("Robin")
    with pytest.raises(Refused):
        await previews.preview(cast.store, cast.content, await cast.turn("Robin"), "box-breathing")
