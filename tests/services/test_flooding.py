"""Whoever floods is told once; what they write is kept and examined, and danger is answered as ever."""

from dataclasses import replace

import pytest
from cast import Cast
from sqlalchemy import select, update

from bot.domain.pace import Verdict
from bot.services import access, conversation, enrolment, flooding, safety
from bot.services.paces import SENDERS_REMEMBERED, Paces
from bot.services.turn import Turn
from bot.storage.tables import answers, audit, flags, inbox, outbox
from bot.telegram.taps import CaseTap, MenuTap, PromptTap, RunTap, tap_data

CRY = "I want to kill myself tonight"


async def flood(cast: Cast, name: str, verdict: Verdict, text: str) -> None:
    turn = replace(await cast.turn(name), pace=verdict)
    await flooding.wrote(cast.store, cast.content, turn, text)
    assert await done(cast, turn.update_id)


async def told(cast: Cast, name: str) -> int:
    return (await cast.said_to(name)).count("You send a lot at once")


async def lines(cast: Cast, action: str) -> list:
    return [line for line in await cast.kept(audit) if line.action == action]


async def done(cast: Cast, update_id: int) -> bool:
    async with cast.store.read() as tx:
        return await tx.value(select(inbox.c.done_at).where(inbox.c.update_id == update_id)) is not None


async def test_words_of_a_flood_are_all_kept_and_its_sender_is_told_once(clinic: Cast) -> None:
    before = len(await clinic.kept(outbox))
    await flood(clinic, "Robin", "tell", "one")
    for word in ("two", "three", "four"):
        await flood(clinic, "Robin", "quiet", word)
    assert await told(clinic, "Robin") == 1
    assert len(await clinic.kept(outbox)) == before + 1
    async with clinic.store.read() as tx:
        kept = [tx.vault.open("answers.text", one.id, one.text_sealed) for one in await clinic.kept(answers)]
    assert sorted(kept) == sorted(["one", "two", "three", "four"])
    assert len(await lines(clinic, "slowed")) == 1


@pytest.mark.parametrize("verdict", ["tell", "quiet"])
async def test_red_words_in_a_flood_are_answered_and_alert(clinic: Cast, verdict: Verdict) -> None:
    await flood(clinic, "Robin", verdict, CRY)
    assert "988" in (await clinic.got("Robin"))[-1].text
    assert await told(clinic, "Robin") == 0
    [case] = await clinic.cases()
    assert case.level == "red"
    assert await clinic.alerts_to("Quill") == 1


async def test_a_flood_of_red_words_does_not_pile_up_answers_that_say_the_same(clinic: Cast) -> None:
    before = len(await clinic.got("Robin"))
    for _ in range(6):
        await flood(clinic, "Robin", "quiet", CRY)
    assert len(await clinic.got("Robin")) == before + 1
    assert len({flag.answer_id for flag in await clinic.kept(flags)}) == 6, "each is flagged"
    async with clinic.store.begin() as tx:
        await tx.run(update(outbox).values(state="sent"))
    await flood(clinic, "Robin", "quiet", CRY)
    assert len(await clinic.got("Robin")) == before + 2, "what went out is said again"


async def test_a_graver_answer_does_not_wait_for_a_lesser_one(clinic: Cast) -> None:
    await flood(clinic, "Robin", "quiet", "I wish I was dead")
    await flood(clinic, "Robin", "quiet", CRY)
    levels = [one.key.split(":")[1] for one in await clinic.kept(outbox) if one.key.startswith("flood:")]
    assert levels == ["orange", "red"]


async def test_a_stranger_who_floods_is_told_once_and_a_cry_is_answered(cast: Cast) -> None:
    await flood(cast, "Nobody", "tell", "hello")
    await flood(cast, "Nobody", "quiet", "hello")
    await flood(cast, "Nobody", "quiet", CRY)
    assert [await told(cast, "Nobody"), len(await cast.got("Nobody"))] == [1, 2]
    assert "988" in (await cast.got("Nobody"))[-1].text
    assert await cast.kept(answers) == [], "nothing of a stranger is kept"


async def test_taps_of_a_flood_do_nothing(clinic: Cast) -> None:
    before = len(await clinic.kept(outbox))
    for verdict in ("tell", "quiet", "quiet"):
        turn = replace(await clinic.turn("Robin"), pace=verdict)
        await flooding.tapped(clinic.store, clinic.content, turn)
        assert await done(clinic, turn.update_id)
    assert len(await clinic.kept(outbox)) == before + 1


async def test_refusals_of_a_flood_are_neither_kept_nor_answered(clinic: Cast) -> None:
    before = len(await clinic.kept(outbox))
    for verdict in ("free", "tell", "quiet"):
        turn: Turn = replace(await clinic.turn("Robin"), pace=verdict)
        await access.refuse(clinic.store, clinic.content, turn, "case")
        assert await done(clinic, turn.update_id)
    assert len(await lines(clinic, "refused")) == 1
    assert len(await clinic.kept(outbox)) == before + 1


async def test_what_is_never_held_back(clinic: Cast) -> None:
    robin, quill = await clinic.turn("Robin"), await clinic.turn("Quill")
    assert flooding.wrote_for_help_or_work(robin, "/help_now")
    assert flooding.wrote_for_help_or_work(robin, "/help_now@example_bot please")
    assert not flooding.wrote_for_help_or_work(robin, "/help")
    assert not flooding.wrote_for_help_or_work(quill, "a note")
    assert quill.person
    asked = replace(quill, person=replace(quill.person, dialogue={"kind": "case-note"}))
    assert flooding.wrote_for_help_or_work(asked, "a note")
    for turn, tap, taken in (
        (robin, RunTap(run=1, turn=1, act="number"), True),
        (robin, MenuTap(menu=safety.HELP_NOW, value="tell"), True),
        (robin, MenuTap(menu="settings"), False),
        (robin, PromptTap(prompt=1, verb="start"), False),
        (robin, CaseTap(case=1, verb="ack"), False),
        (quill, CaseTap(case=1, verb="ack"), True),
    ):
        assert flooding.tapped_for_help_or_work(turn, tap_data(tap)) is taken, tap
    assert not flooding.tapped_for_help_or_work(robin, "no button of ours")


async def test_help_now_in_a_flood_is_answered_and_does_not_pile_up(clinic: Cast) -> None:
    before = len(await clinic.kept(outbox))
    for _ in range(5):
        await safety.help_now(clinic.store, clinic.content, replace(await clinic.turn("Robin"), pace="quiet"))
    assert len(await clinic.kept(outbox)) == before + 1


async def test_an_album_is_answered_once_and_each_caption_examined(clinic: Cast) -> None:
    before = len(await clinic.kept(outbox))
    for caption in ("", "look", "", CRY):
        turn = replace(await clinic.turn("Robin"), album="77")
        await conversation.sent_other(clinic.store, clinic.content, turn, caption)
    posted = (await clinic.kept(outbox))[before:]
    assert sum(one.key.startswith("album:") for one in posted) == 1
    assert [case.level for case in await clinic.cases()] == ["red"]
    turn = replace(await clinic.turn("Robin"), album="78")
    await conversation.sent_other(clinic.store, clinic.content, turn, "")
    assert len([one for one in await clinic.kept(outbox) if one.key.startswith("album:")]) == 2


async def test_after_five_wrong_invitations_not_even_the_right_one_opens_until_later(cast: Cast) -> None:
    right = await enrolment.invite(
        cast.store, cast.content, programme="adult-evening", role="participant", now=cast.now
    )

    async def opens(name: str, token: str) -> str:
        await enrolment.start(cast.store, cast.content, await cast.turn(name), token, cast.guesses)
        return (await cast.got(name))[-1].text

    for number in range(5):
        assert "don't know this invitation" in await opens("Mallory", f"guess-{number}")
    for token in ("guess-6", right, "guess-7"):
        assert "wrong too often" in await opens("Mallory", token)
    assert [line.subject for line in await lines(cast, "wrong invitation")] == [""] * 5 + ["too many"]
    cast.later(minutes=40)
    assert "Do you agree?" in await opens("Mallory", right)


async def test_one_who_guesses_keeps_nobody_else_out(cast: Cast) -> None:
    for number in range(8):
        await enrolment.start(cast.store, cast.content, await cast.turn("Mallory"), f"{number}", cast.guesses)
    await cast.joined("Robin")


def test_only_so_many_senders_are_remembered_and_a_flood_is_never_forgotten(cast: Cast) -> None:
    for _ in range(6):
        cast.guesses.take(1, cast.now)
    for other in range(2, SENDERS_REMEMBERED * 2):
        cast.guesses.take(other, cast.now)
        if other % 1000 == 0:
            assert cast.guesses.take(1, cast.now) == "quiet"
    assert isinstance(cast.guesses, Paces)
    assert len(cast.guesses._buckets) == SENDERS_REMEMBERED
