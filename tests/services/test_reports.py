"""/progress: what a participant gets, from whose answers, and from which days."""

import base64
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from conftest import NOW

from bot.content.library import Content
from bot.domain.flow import STOPPED, Answer, State
from bot.services.reports import show_progress
from bot.services.turn import Turn
from bot.storage import inbox, outbox, people, runs
from bot.storage.inbox import Arrived
from bot.storage.people import Member
from bot.storage.runs import Run
from bot.storage.store import AlreadyDone, Store
from bot.storage.tables import new_id
from bot.telegram.message import CAPTION_LIMIT, Message, units, unpacked

CHAT = 7001


async def enrolled(store: Store, *, language: str = "en", role: str = "participant", telegram_id: int = CHAT) -> Turn:
    """Add somebody invented to a programme; return their turn for update 1."""
    async with store.begin() as tx:
        person = await people.add_person(
            tx, telegram_id=telegram_id, name="Robin", language=language, zone="America/New_York", now=NOW
        )
        member = Member(
            id=new_id(),
            person_id=person.id,
            programme="adult-evening",
            role=role,  # type: ignore[arg-type]
            standing="active",
            level="iop",
            began=NOW.date(),
            consent_version=1,
            preferences={},
            pauses=[],
            primary_id=None,
            plan_at=None,
            created_at=NOW,
        )
        await people.add_member(tx, member)
        await inbox.keep(tx, [Arrived(update_id=1, chat_id=telegram_id, payload="{}")], NOW)
    return Turn(
        update_id=1,
        chat_id=telegram_id,
        private=True,
        telegram_id=telegram_id,
        name="Robin",
        language=language,
        person=person,
        members=(member,),
        now=NOW,
    )


async def feels(store: Store, turn: Turn, mood: float, at: datetime) -> None:
    async with store.begin() as tx:
        await runs.add_answer(tx, turn.members[0].id, None, "answer", Answer(step="mood", number=mood), at)


async def practises(
    store: Store, turn: Turn, skill: str, rated: Sequence[float], *, outcome: str = "helped", preview: bool = False
) -> None:
    answers = {step: Answer(step=step, number=number) for step, number in zip(runs.DISTRESS, rated, strict=False)}
    run = Run(
        id=new_id(),
        member_id=turn.members[0].id,
        kind="skill",
        activity=skill,
        language=turn.language,
        version="v1",
        card="",
        preview=preview,
        state=State(phase="ended", answers=answers, outcome=outcome),
        started_at=NOW - timedelta(days=1),
        updated_at=NOW - timedelta(days=1),
    )
    async with store.begin() as tx:
        await runs.add_run(tx, run)


async def answered(store: Store, content: Content, turn: Turn) -> Message:
    await show_progress(store, content, turn)
    async with store.read() as tx:
        (parcel,) = await outbox.ready(tx, NOW, busy=frozenset(), limit=10)
    assert parcel.chat_id == turn.chat_id
    return unpacked(parcel.payload)


async def test_a_participant_gets_a_picture_and_its_content_in_words(store: Store, content: Content):
    turn = await enrolled(store)
    await feels(store, turn, 4, NOW - timedelta(days=2))
    await feels(store, turn, 7, NOW - timedelta(hours=1))
    await practises(store, turn, "box-breathing", (8, 4))
    await practises(store, turn, "box-breathing", (7, 4))

    message = await answered(store, content, turn)

    assert base64.b64decode(message.drawn).startswith(b"\x89PNG")
    assert "Oct 6 – Nov 2" in message.text
    assert "Days with a mood: 2. Lowest 4, highest 7, last 7." in message.text
    assert "1. Box breathing (2×): distress 7.5 → 4" in message.text
    assert message.alt == message.text


async def test_in_spanish_the_words_and_numbers_are_spanish(store: Store, content: Content):
    turn = await enrolled(store, language="es")
    await feels(store, turn, 6.5, NOW)

    message = await answered(store, content, turn)

    assert "6 oct – 2 nov" in message.text
    assert "6,5" in message.text


async def test_with_nothing_answered_there_is_no_picture(store: Store, content: Content):
    message = await answered(store, content, await enrolled(store))

    assert message.drawn == ""
    assert message.text.startswith("There is nothing to show yet")


async def test_who_is_no_participant_is_told_so(store: Store, content: Content):
    message = await answered(store, content, await enrolled(store, role="clinician"))

    assert message.drawn == ""
    assert message.text.startswith("This is for participants")


async def test_another_participants_answers_are_not_shown(store: Store, content: Content):
    other = await enrolled(store, telegram_id=7002)
    await feels(store, other, 4, NOW)
    await practises(store, other, "box-breathing", (8, 4))

    assert (await answered(store, content, await enrolled(store))).drawn == ""


async def test_four_weeks_of_the_participants_own_days_are_shown(store: Store, content: Content):
    turn = await enrolled(store)
    first_midnight = datetime.fromisoformat("2026-10-06T00:00-04:00")
    await feels(store, turn, 1, first_midnight - timedelta(seconds=1))
    await feels(store, turn, 5, first_midnight)

    assert "Days with a mood: 1. Lowest 5, highest 5" in (await answered(store, content, turn)).text


async def test_two_moods_of_one_local_day_count_as_one_day(store: Store, content: Content):
    turn = await enrolled(store)
    await feels(store, turn, 4, datetime.fromisoformat("2026-10-20T23:00-04:00"))
    await feels(store, turn, 5, datetime.fromisoformat("2026-10-20T08:00-04:00"))

    assert "Days with a mood: 1. Lowest 4.5, highest 4.5" in (await answered(store, content, turn)).text


async def test_what_was_stopped_unrated_and_previews_do_not_count(store: Store, content: Content):
    turn = await enrolled(store)
    await practises(store, turn, "box-breathing", (8,), outcome=STOPPED)
    await practises(store, turn, "box-breathing", (8, 0), preview=True)

    assert (await answered(store, content, turn)).drawn == ""


async def test_a_practice_that_was_not_rated_counts_and_says_so(store: Store, content: Content):
    turn = await enrolled(store)
    await practises(store, turn, "box-breathing", ())

    assert "– Box breathing (1×): not rated" in (await answered(store, content, turn)).text


async def test_a_skill_that_is_no_longer_in_the_content_keeps_its_place(store: Store, content: Content):
    turn = await enrolled(store)
    await practises(store, turn, "old-skill", (8, 4))

    assert "1. old skill (1×)" in (await answered(store, content, turn)).text


async def test_however_much_there_is_to_tell_the_caption_fits(store: Store, content: Content):
    turn = await enrolled(store)
    for skill in [*content.skills, *(f"{'long-' * 12}{n}" for n in range(8))]:
        await practises(store, turn, skill, (9, 1))

    assert units((await answered(store, content, turn)).text) <= CAPTION_LIMIT


async def test_the_same_update_twice_is_answered_once(store: Store, content: Content):
    turn = await enrolled(store)
    await feels(store, turn, 4, NOW)
    await show_progress(store, content, turn)
    with pytest.raises(AlreadyDone):
        await show_progress(store, content, replace(turn))

    async with store.read() as tx:
        assert len(await outbox.ready(tx, NOW, busy=frozenset(), limit=10)) == 1
