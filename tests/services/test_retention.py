"""What is over its time is removed, in batches; what something that is kept refers to stays."""

from dataclasses import replace
from datetime import timedelta

from cast import EVENING, Cast
from conftest import NOW
from sqlalchemy import update

from bot.domain.programme import Retention
from bot.services import retention
from bot.storage import audit as trail
from bot.storage import inbox as updates
from bot.storage.marks import set_mark
from bot.storage.outbox import Lane, Posting, post
from bot.storage.tables import answers, audit, cases, flags, follow_ups, inbox, members, outbox, people, runs

RED = "I want to kill myself tonight"


def keeps(clinic: Cast, **times: timedelta) -> None:
    """Have the evening programme keep things no longer than that."""
    languages = {
        language: replace(programme, retention=Retention(**times))
        for language, programme in clinic.content.programmes[EVENING].items()
    }
    clinic.with_content(programmes={**clinic.content.programmes, EVENING: languages})


async def a_day_later(clinic: Cast, **delta: float) -> None:
    """Let time go by, with all messages sent, and remove what is over its time."""
    async with clinic.store.begin() as tx:
        await tx.run(update(outbox).where(outbox.c.state == "ready").values(state="sent", settled_at=clinic.now))
        await tx.run(update(follow_ups).values(sent_at=clinic.now))
        await set_mark(tx, retention.DONE, (clinic.later(**delta) - retention.DAILY).isoformat(), clinic.now)
    while await retention.remove_due(clinic.store, clinic.content, clinic.now):
        pass


async def resolve_all(clinic: Cast) -> None:
    async with clinic.store.begin() as tx:
        await tx.run(update(cases).values(state="resolved", resolved_at=clinic.now, next_alert=None))


async def practised_and_wrote(clinic: Cast) -> None:
    await clinic.writes("Robin", "the bus was late")
    await clinic.begins("Robin", "box-breathing")
    await clinic.taps("Robin", "7")


async def test_nothing_a_person_gave_goes_unless_the_programme_says_so(clinic: Cast) -> None:
    await practised_and_wrote(clinic)
    before = (len(await clinic.kept(answers)), len(await clinic.kept(runs)))
    await a_day_later(clinic, days=4000)
    assert (len(await clinic.kept(answers)), len(await clinic.kept(runs))) == before


async def test_answers_go_when_they_are_over_their_time_and_not_before(clinic: Cast) -> None:
    keeps(clinic, answers=timedelta(days=366))
    await practised_and_wrote(clinic)
    await a_day_later(clinic, days=365)
    assert await clinic.kept(answers)
    assert await clinic.kept(runs)
    await a_day_later(clinic, days=2)
    assert not await clinic.kept(answers)
    assert not await clinic.kept(runs)


async def test_an_answer_that_a_kept_case_rests_on_stays_until_the_case_goes(clinic: Cast) -> None:
    keeps(clinic, answers=timedelta(days=10), closed_cases=timedelta(days=100))
    await clinic.writes("Robin", RED)
    await resolve_all(clinic)
    await a_day_later(clinic, days=50)
    assert await clinic.kept(answers)
    await a_day_later(clinic, days=51)
    for table in (cases, flags, answers):
        assert not await clinic.kept(table)
    await clinic.writes("Robin", RED)
    assert [case.number for case in await clinic.cases()] == [2]


async def test_an_open_case_is_kept_however_old_it_is(clinic: Cast) -> None:
    keeps(clinic, answers=timedelta(days=1), closed_cases=timedelta(days=1))
    await clinic.writes("Robin", RED)
    await a_day_later(clinic, days=900)
    assert await clinic.kept(cases)
    assert await clinic.kept(flags)
    assert await clinic.kept(answers)


async def test_who_left_is_erased_when_their_time_is_over_others_stay(clinic: Cast) -> None:
    keeps(clinic, ended_members=timedelta(days=30))
    await clinic.joined("Sam")
    robin = await clinic.person("Robin")
    async with clinic.store.begin() as tx:
        gone = members.c.person_id == robin.id
        await tx.run(update(members).where(gone).values(standing="ended", ended_at=clinic.now))
    await a_day_later(clinic, days=29)
    assert robin.id in {row.id for row in await clinic.kept(people)}
    await a_day_later(clinic, days=2)
    assert robin.id not in {row.id for row in await clinic.kept(people)}
    assert await clinic.person("Sam")
    async with clinic.store.read() as tx:
        assert (await trail.verify(tx)).broken_id is None


async def test_handled_updates_and_sent_messages_go_after_30_days_but_not_the_last(clinic: Cast) -> None:
    async with clinic.store.read() as tx:
        last = await updates.last_update_id(tx)
    newest = max(row.id for row in await clinic.kept(outbox))
    await a_day_later(clinic, days=29)
    assert len(await clinic.kept(outbox)) > 1
    await a_day_later(clinic, days=2)
    async with clinic.store.read() as tx:
        assert await updates.last_update_id(tx) == last
        waiting = await tx.all(inbox.select().where(inbox.c.done_at.is_not(None)))
    assert [row.update_id for row in waiting if row.update_id != last] == []
    assert [row.id for row in await clinic.kept(outbox)] == [newest]


async def test_the_key_of_an_alert_of_an_open_case_stays(clinic: Cast) -> None:
    await clinic.writes("Robin", RED)
    (case,) = await clinic.cases()
    posting = Posting(key="again", chat_id=1, lane=Lane.SAFETY, payload="{}", case_id=case.id)
    async with clinic.store.begin() as tx:
        await post(tx, [posting, replace(posting, key="newest", case_id=None)], clinic.now)
    await a_day_later(clinic, days=60)
    assert "again" in {row.key for row in await clinic.kept(outbox)}


async def test_what_was_set_aside_stays_for_staff_to_see(clinic: Cast) -> None:
    turn = await clinic.turn("Robin")
    async with clinic.store.begin() as tx:
        await updates.set_aside(tx, turn.update_id, clinic.now, "Broken")
    await clinic.turn("Robin")
    await a_day_later(clinic, days=60)
    async with clinic.store.read() as tx:
        assert await updates.set_aside_count(tx) == 1


async def test_it_works_in_batches_once_a_day_and_notes_how_much_went(clinic: Cast, monkeypatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    keeps(clinic, answers=timedelta(days=1))
    for number in range(5):
        await clinic.writes("Robin", f"bus number {number}")
    clinic.later(days=2)
    before = len(await clinic.kept(answers))
    await retention.remove_due(clinic.store, clinic.content, clinic.now)
    assert len(await clinic.kept(answers)) == before - 2
    await a_day_later(clinic)
    lines = [row for row in await clinic.kept(audit) if row.action == "retention" and row.subject == EVENING]
    assert sum(row.detail["rows_remarks"] for row in lines) == before
    await clinic.writes("Robin", "later")
    clinic.later(hours=23)
    assert await retention.remove_due(clinic.store, clinic.content, clinic.now) == 0
    assert clinic.now > NOW


async def test_a_clock_that_leapt_ahead_removes_nothing_for_a_day(clinic: Cast) -> None:
    keeps(clinic, answers=timedelta(days=366))
    await practised_and_wrote(clinic)
    await a_day_later(clinic, days=1)
    clinic.later(days=5000)
    assert await retention.remove_due(clinic.store, clinic.content, clinic.now) == 0
    clinic.later(hours=23)
    assert await retention.remove_due(clinic.store, clinic.content, clinic.now) == 0
    clinic.later(hours=1)
    assert await retention.remove_due(clinic.store, clinic.content, clinic.now) > 0
