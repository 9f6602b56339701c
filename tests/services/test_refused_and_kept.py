"""Forged, stale and other people's buttons and invitations do nothing, and that they were tried is kept."""

from types import SimpleNamespace

import pytest
from cast import Cast

from bot.handlers import taps
from bot.handlers.refusals import Refusals
from bot.services import enrolment
from bot.storage.tables import audit, members, prompts, runs
from bot.telegram.taps import CaseTap, MenuTap, PromptTap, RunTap, tap_data, write_id


async def tapped(cast: Cast, name: str, data: str) -> str:
    """Have somebody tap a button with these data, whoever made it; return the word that the tap was answered with."""
    turn, answers = await cast.turn(name), [""]

    async def answer(text: str | None = None) -> None:
        answers.append(text or "")

    async def act(query: SimpleNamespace, data: dict) -> None:
        await taps.tapped(query, **data, link_base="https://t.me/interlude_test_bot?start=")

    given = {"store": cast.store, "content": cast.content, "turn": turn}
    await Refusals()(act, SimpleNamespace(data=data, answer=answer), given)
    return answers[-1]


async def tried(cast: Cast, since: int) -> list[tuple[str, str, int | None]]:
    """What the audit trail says was tried and refused since."""
    rows = (await cast.kept(audit))[since:]
    return [(row.action, row.subject, row.by) for row in rows if row.action in ("refused", "stale")]


async def lines(cast: Cast) -> int:
    return len(await cast.kept(audit))


MADE_UP = ("", "made up", "r:1:1", "r:-1:1:0:0", "r:zzz:1:99:0", "m:no-such-menu:x", "x:1", "🙂")


@pytest.mark.parametrize("name", ["Robin", "Stranger"])
async def test_made_up_buttons_do_nothing_and_are_kept(clinic: Cast, name: str) -> None:
    by = None if name == "Stranger" else (await clinic.member(name)).id
    before, posted = await lines(clinic), len(await clinic.got("Robin"))
    for data in MADE_UP:
        await tapped(clinic, name, data)
    assert await tried(clinic, before) == [("refused", "button", by)] * len(MADE_UP)
    assert len(await clinic.got("Robin")) == posted


async def test_a_button_of_a_step_that_is_over_does_nothing_and_is_kept(clinic: Cast) -> None:
    await clinic.begins("Robin", "box-breathing")
    by, before = (await clinic.member("Robin")).id, await lines(clinic)
    run = await clinic.run("Robin")
    old = RunTap(run=run.id, turn=run.state.turn, act="stop")
    assert await tapped(clinic, "Robin", tap_data(old)) == ""
    assert await tried(clinic, before) == []
    kept = [row.state_sealed for row in await clinic.kept(runs)]
    assert await tapped(clinic, "Robin", tap_data(old)) != ""
    assert await tapped(clinic, "Robin", tap_data(RunTap(run=7, turn=1, act="go"))) != ""
    assert await tried(clinic, before) == [("stale", "run", by), ("stale", "run", by)]
    assert [row.state_sealed for row in await clinic.kept(runs)] == kept


@pytest.mark.parametrize("verb", ["start", "skip", "2h"])
async def test_a_prompt_that_is_not_open_is_left_and_that_is_kept(clinic: Cast, verb: str) -> None:
    by, before = (await clinic.member("Robin")).id, await lines(clinic)
    planned = await clinic.kept(prompts)
    for number in (planned[0].id, 7):
        assert await tapped(clinic, "Robin", tap_data(PromptTap(prompt=number, verb=verb))) != ""
    assert await tried(clinic, before) == [("stale", "prompt", by), ("stale", "prompt", by)]
    assert await clinic.kept(prompts) == planned


async def test_the_last_button_of_an_erasure_found_weeks_later_erases_nothing_and_is_kept(clinic: Cast) -> None:
    by, before = (await clinic.member("Robin")).id, await lines(clinic)
    stamp = f"now-{write_id(int(clinic.now.timestamp()))}"
    clinic.later(days=14)
    await tapped(clinic, "Robin", tap_data(MenuTap(menu="forget", value=stamp)))
    assert await tried(clinic, before) == [("stale", "forget", by)]
    assert (await clinic.person("Robin")).name == "Robin Sample"


async def test_what_is_anothers_is_refused_and_kept_with_who_tried(clinic: Cast) -> None:
    await clinic.writes("Robin", "I want to kill myself tonight")
    await clinic.begins("Robin", "box-breathing")
    (case,), run = await clinic.cases(), await clinic.run("Robin")
    by, before = (await clinic.member("Other")).id, await lines(clinic)
    for tap in (CaseTap(case=case.id, verb="ack"), RunTap(run=run.id, turn=1, act="go"), CaseTap(case=7, verb="ack")):
        await tapped(clinic, "Other", tap_data(tap))
    assert await tried(clinic, before) == [("refused", what, by) for what in ("case", "run", "case")]
    assert (await clinic.cases())[0].acknowledged_by is None


async def test_staff_who_ask_for_an_invitation_to_another_programme_are_refused_and_that_is_kept(clinic: Cast) -> None:
    await clinic.invited("Sam", "staff")
    by, before = (await clinic.member("Sam")).id, await lines(clinic)
    for value in ("adult-day|participant", "adult-evening|owner"):
        await tapped(clinic, "Sam", tap_data(MenuTap(menu="invite", value=value)))
    assert await tried(clinic, before) == [("refused", "invite", by)] * 2
    assert "t.me" not in await clinic.said_to("Sam")


async def test_invitations_that_let_nobody_in_are_kept_without_their_token(clinic: Cast) -> None:
    made = {"programme": "adult-evening", "role": "participant", "now": clinic.now}
    used, old = [await enrolment.invite(clinic.store, clinic.content, **made) for _ in range(2)]
    await enrolment.start(clinic.store, clinic.content, await clinic.turn("Kim"), used)
    before, places = await lines(clinic), len(await clinic.kept(members))
    await enrolment.start(clinic.store, clinic.content, await clinic.turn("Sly"), used)
    clinic.later(days=7)
    for token in (old, "made-up-token"):
        await enrolment.start(clinic.store, clinic.content, await clinic.turn("Sly"), token)
    await enrolment.start(clinic.store, clinic.content, await clinic.turn("Kim"), used)
    kim = (await clinic.member("Kim")).id
    assert await tried(clinic, before) == [
        ("refused", "invitation-used", None),
        ("refused", "invitation-expired", None),
        ("refused", "invitation-unknown", None),
        ("refused", "invitation-yours-already", kim),
    ]
    assert len(await clinic.kept(members)) == places
    trail = str(await clinic.kept(audit))
    assert not [token for token in (used, old, "made-up-token") if token in trail]
