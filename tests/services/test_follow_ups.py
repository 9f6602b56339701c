"""Who was in danger is asked again, who is silent is missed, who left is remembered."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cast import EVENING, Cast
from sqlalchemy import select

from bot.services import alerts, cases, enrolment, follow_ups, menus, presence, prompts, week
from bot.services.access import Refused
from bot.storage import people
from bot.storage.tables import case_events, flags
from bot.storage.tables import follow_ups as table
from bot.storage.tables import prompts as planned

RED, ORANGE = "I want to kill myself tonight", "I wish I was dead"
NOON = datetime(2026, 11, 4, 17, 0, tzinfo=UTC)


@pytest.fixture
async def noon(clinic: Cast) -> Cast:
    clinic.now = NOON
    return clinic


async def pass_by(cast: Cast, **time: float) -> None:
    cast.later(**time)
    while await follow_ups.deliver_due(cast.store, cast.content, cast.now):
        pass


async def answers(cast: Cast, label: str, name: str = "Robin", *, label_of: str = "Robin") -> None:
    tap = await cast.button(label_of, label)
    await follow_ups.answer(cast.store, cast.content, await cast.turn(name), tap.value)


async def after_case(cast: Cast) -> list:
    return [row for row in await cast.kept(table) if row.kind == "case"]


@pytest.mark.parametrize(("text", "hours"), [(RED, 4), (ORANGE, 24)])
async def test_after_a_case_the_participant_is_asked_how_they_are(noon: Cast, text: str, hours: int) -> None:
    await noon.writes("Robin", text)
    await pass_by(noon, hours=hours, minutes=-1)
    assert "How are you now?" not in await noon.said_to("Robin")
    await pass_by(noon, minutes=1)
    await pass_by(noon, minutes=1)
    assert (await noon.said_to("Robin")).count("I told a clinician. How are you now?") == 1


async def test_who_writes_of_danger_again_after_they_were_asked_is_asked_again(noon: Cast) -> None:
    await noon.writes("Robin", RED)
    await pass_by(noon, hours=2)
    await noon.writes("Robin", RED)
    await pass_by(noon, hours=2)
    await pass_by(noon, hours=1)
    assert (await noon.said_to("Robin")).count("How are you now?") == 1, "once for both"
    await noon.writes("Robin", RED)
    await pass_by(noon, hours=4)
    assert (await noon.said_to("Robin")).count("How are you now?") == 2


async def test_they_are_told_when_a_clinician_has_seen_it(noon: Cast) -> None:
    await noon.writes("Robin", RED)
    (case,) = await noon.cases()
    await cases.acknowledge(noon.store, noon.content, await noon.turn("Quill"), case.id)
    await pass_by(noon, hours=4)
    assert "A clinician has seen it." in await noon.said_to("Robin")


async def test_who_was_reached_is_not_asked_and_who_could_not_be_reached_is(noon: Cast) -> None:
    for disposition, asked in (("contacted-safe", 0), ("could-not-reach", 1)):
        await noon.writes("Robin", RED)
        case = (await noon.cases())[-1]
        await cases.ask_note(noon.store, noon.content, await noon.turn("Quill"), case.id, disposition)
        await noon.writes("Quill", "Called.")
        await pass_by(noon, hours=4)
        assert (await noon.said_to("Robin")).count("How are you now?") == asked
        noon.now = NOON


async def test_nothing_is_asked_in_quiet_hours(noon: Cast) -> None:
    noon.now = datetime(2026, 11, 5, 4, 0, tzinfo=UTC)
    await noon.writes("Robin", RED)
    await pass_by(noon, hours=4)
    assert "How are you now?" not in await noon.said_to("Robin")
    (row,) = await after_case(noon)
    assert row.due_at == datetime(2026, 11, 5, 13, 0, tzinfo=UTC)
    await pass_by(noon, hours=5)
    assert "How are you now?" in await noon.said_to("Robin")


async def test_worse_is_a_flag_and_counts_once(noon: Cast) -> None:
    await noon.writes("Robin", ORANGE)
    (case,) = await noon.cases()
    await cases.acknowledge(noon.store, noon.content, await noon.turn("Quill"), case.id)
    await pass_by(noon, hours=24)
    alerted = await noon.alerts_to("Quill")
    for _ in range(2):
        await answers(noon, "Worse")
    assert [row.rule for row in await noon.kept(flags)].count("worse-after-case") == 1
    assert await noon.alerts_to("Quill") == alerted + 1
    assert "988" in (await noon.got("Robin"))[-1].text


async def test_better_is_kept_and_flags_nothing_and_anothers_tap_does_nothing(noon: Cast) -> None:
    await noon.joined("Kim")
    await noon.writes("Robin", ORANGE)
    await pass_by(noon, hours=24)
    with pytest.raises(Refused):
        await answers(noon, "Worse", "Kim")
    assert [row.outcome for row in await after_case(noon)] == [""]
    await answers(noon, "A bit better")
    assert [row.outcome for row in await after_case(noon)] == ["better"]
    assert all(row.rule != "worse-after-case" for row in await noon.kept(flags))


@pytest.mark.parametrize("said", ["A bit better", "About the same", "Worse"])
async def test_who_left_since_is_told_that_nobody_sees_their_answer(noon: Cast, said: str) -> None:
    await noon.writes("Robin", RED)
    await pass_by(noon, hours=4)
    await enrolment.leave(noon.store, noon.content, await noon.turn("Robin"), "yes")
    await answers(noon, said)
    answer = (await noon.got("Robin"))[-1].text
    assert ("I can tell nobody" in answer and "988" in answer) is (said != "A bit better")
    assert "your team" not in answer.lower()


@pytest.mark.parametrize("choice", ["pause=7d", "pause=open"])
async def test_a_pause_of_prompts_keeps_nobody_from_being_asked_after_a_case(noon: Cast, choice: str) -> None:
    await week.choose(noon.store, noon.content, await noon.turn("Robin"), choice)
    await noon.writes("Robin", RED)
    await pass_by(noon, hours=4)
    assert (await noon.said_to("Robin")).count("How are you now?") == 1


async def test_a_new_red_word_hours_after_the_acknowledgement_alerts_again(noon: Cast) -> None:
    await noon.writes("Robin", RED)
    (case,) = await noon.cases()
    await cases.acknowledge(noon.store, noon.content, await noon.turn("Quill"), case.id)
    before = await noon.alerts_to("Quill")
    noon.later(minutes=14)
    await noon.writes("Robin", RED)
    assert await noon.alerts_to("Quill") == before
    noon.later(minutes=2)
    await noon.writes("Robin", RED)
    assert await noon.alerts_to("Quill") == before + 1
    await alerts.alert_due(noon.store, noon.content, noon.later(minutes=5))
    assert await noon.alerts_to("Backup") >= 1


async def test_a_level_is_lowered_by_a_clinician_with_a_reason(noon: Cast) -> None:
    await noon.writes("Robin", RED)
    (case,) = await noon.cases()
    await cases.choose_level(noon.store, noon.content, await noon.turn("Quill"), case.id)
    tap = await noon.button("Quill", "🟡 YELLOW")
    await cases.ask_note(noon.store, noon.content, await noon.turn("Quill"), case.id, tap.value)
    await noon.writes("Quill", "She quoted a song, we spoke on the phone.")
    (case,) = await noon.cases()
    assert (case.level, case.state) == ("yellow", "acknowledged")
    async with noon.store.read() as tx:
        (event,) = await tx.all(select(case_events).where(case_events.c.kind == "lowered"))
    assert event.note_sealed


async def test_a_resolved_case_is_opened_again_unless_there_is_another(noon: Cast) -> None:
    await noon.writes("Robin", RED)
    (case,) = await noon.cases()
    await cases.ask_note(noon.store, noon.content, await noon.turn("Quill"), case.id, "false-alarm")
    await noon.writes("Quill", "A film.")
    assert await cases.reopen(noon.store, noon.content, await noon.turn("Backup"), case.id) == "case-reopened"
    (case,) = await noon.cases()
    assert (case.state, case.disposition, case.resolved_at) == ("acknowledged", None, None)
    assert await cases.reopen(noon.store, noon.content, await noon.turn("Backup"), case.id) == "case-open-already"


async def missed(cast: Cast, days: range) -> list[str]:
    """Let the check-ins of these days of November pass by."""
    for day in days:
        cast.now = datetime(2026, 11, day, 15, 29, 59, tzinfo=UTC)
        while await prompts.deliver_due(cast.store, cast.content, cast.now):
            pass
        await prompts.expire(cast.store, cast.content, cast.later(hours=7))
        await pass_by(cast, hours=16)
    return [row.level for row in await cast.kept(flags) if row.rule == "missed-in-a-row"]


async def test_missed_check_ins_bring_a_gentle_word_and_then_a_yellow_flag(clinic: Cast) -> None:
    assert await missed(clinic, range(3, 5)) == []
    assert (await clinic.said_to("Robin")).count("I have not heard from you for a bit") == 1
    assert await missed(clinic, range(5, 6)) == ["yellow"]
    assert (await clinic.said_to("Robin")).count("I have not heard from you for a bit") == 1
    assert await missed(clinic, range(6, 9)) == ["yellow", "yellow"]


async def test_they_are_orange_within_14_days_of_a_red_or_orange_case(clinic: Cast) -> None:
    clinic.now = datetime(2026, 11, 2, 17, 0, tzinfo=UTC)
    await clinic.writes("Robin", ORANGE)
    (case,) = await clinic.cases()
    await cases.ask_note(clinic.store, clinic.content, await clinic.turn("Quill"), case.id, "contacted-safe")
    await clinic.writes("Quill", "Called.")
    assert await missed(clinic, range(3, 6)) == ["orange"]


async def test_a_case_that_was_open_within_these_days_counts_however_old_its_flags_are(clinic: Cast) -> None:
    clinic.now = datetime(2026, 11, 2, 17, 0, tzinfo=UTC)
    await clinic.writes("Robin", ORANGE)
    (case,) = await clinic.cases()
    clinic.now = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
    await cases.ask_note(clinic.store, clinic.content, await clinic.turn("Quill"), case.id, "contacted-safe")
    await clinic.writes("Quill", "Called.")
    assert await missed(clinic, range(21, 24)) == ["orange"]


async def test_who_checks_in_by_themselves_has_missed_nothing(clinic: Cast) -> None:
    for day in range(3, 9):
        clinic.now = datetime(2026, 11, day, 15, 29, 59, tzinfo=UTC)
        while await prompts.deliver_due(clinic.store, clinic.content, clinic.now):
            pass
        if day % 2:
            clinic.later(hours=7)  # its prompt is over by then
            await prompts.expire(clinic.store, clinic.content, clinic.now)
        await menus.check_in(clinic.store, clinic.content, await clinic.turn("Robin"))
        await clinic.taps("Robin", "6")
        await prompts.expire(clinic.store, clinic.content, clinic.later(hours=7))
        await pass_by(clinic)
    kept = [row.status for row in await clinic.kept(planned) if row.stream == "check-in" and row.sent_at]
    assert (kept.count("answered"), kept.count("missed")) == (3, 3)
    assert await clinic.cases() == []
    assert "I have not heard from you" not in await clinic.said_to("Robin")


async def test_who_blocks_the_bot_is_missed_too_and_goes_on_when_they_are_back(clinic: Cast) -> None:
    await presence.reachable(clinic.store, clinic.content, await clinic.turn("Robin"), blocked=True)
    before = len(await clinic.got("Robin"))
    assert await missed(clinic, range(3, 5)) == []
    assert await missed(clinic, range(5, 6)) == ["yellow"]
    assert len(await clinic.got("Robin")) == before, "nothing is sent to who wants none"
    await presence.reachable(clinic.store, clinic.content, await clinic.turn("Robin"), blocked=False)
    await missed(clinic, range(6, 7))
    assert len(await clinic.got("Robin")) > before


async def test_for_how_long_missed_check_ins_weigh_more_is_the_programmes_to_say(clinic: Cast) -> None:
    programme = clinic.content.programme(EVENING, "en")
    assert programme.missed
    shorter = replace(programme, missed=replace(programme.missed, orange_within=timedelta(days=1)))
    clinic.with_content(programmes={**clinic.content.programmes, EVENING: {"en": shorter}})
    clinic.now = datetime(2026, 11, 2, 17, 0, tzinfo=UTC)
    await clinic.writes("Robin", ORANGE)
    (case,) = await clinic.cases()
    await cases.ask_note(clinic.store, clinic.content, await clinic.turn("Quill"), case.id, "contacted-safe")
    await clinic.writes("Quill", "Called.")
    assert await missed(clinic, range(3, 6)) == ["yellow"]


async def test_who_leaves_chooses_caring_contacts_and_can_end_them(clinic: Cast) -> None:
    await enrolment.leave(clinic.store, clinic.content, await clinic.turn("Robin"), "yes")
    assert await clinic.kept(table) == []
    await follow_ups.choose_caring(clinic.store, clinic.content, await clinic.turn("Robin"), "yes")
    assert len(await clinic.kept(table)) == 9
    await pass_by(clinic, days=1, hours=3)
    assert (await clinic.said_to("Robin")).count("It was good to walk a part of the way with you.") == 1
    await follow_ups.choose_caring(clinic.store, clinic.content, await clinic.turn("Robin"), "no")
    before = len(await clinic.got("Robin"))
    for _ in range(14):
        await pass_by(clinic, days=30)
    assert len(await clinic.got("Robin")) == before


async def test_caring_contacts_come_by_day_and_stop_when_somebody_is_back_or_gone(clinic: Cast) -> None:
    await enrolment.leave(clinic.store, clinic.content, await clinic.turn("Robin"), "yes")
    await follow_ups.choose_caring(clinic.store, clinic.content, await clinic.turn("Robin"), "yes")
    clinic.now = datetime(2026, 12, 3, 7, 0, tzinfo=UTC)
    await pass_by(clinic)
    assert sum(row.sent_at is not None for row in await clinic.kept(table)) == 0
    await pass_by(clinic, hours=9)
    assert sum(row.sent_at is not None for row in await clinic.kept(table)) == 2
    person = await clinic.person("Robin")
    async with clinic.store.begin() as tx:
        await people.change_person(tx, person.id, blocked_at=clinic.now)
    before = len(await clinic.got("Robin"))
    await pass_by(clinic, days=400)
    assert len(await clinic.got("Robin")) == before
    assert {row.outcome for row in await clinic.kept(table)} == {"", "left out"}


async def test_who_is_back_in_a_programme_gets_no_words_of_farewell(clinic: Cast) -> None:
    await enrolment.leave(clinic.store, clinic.content, await clinic.turn("Robin"), "yes")
    await follow_ups.choose_caring(clinic.store, clinic.content, await clinic.turn("Robin"), "yes")
    await clinic.joined("Robin")
    await follow_ups.choose_caring(clinic.store, clinic.content, await clinic.turn("Robin"), "yes")
    await pass_by(clinic, days=40, hours=3)
    assert [row.outcome for row in await clinic.kept(table) if row.kind == "caring"] == ["withdrawn"] * 9
    assert "It was good to walk" not in await clinic.said_to("Robin")


async def test_who_answers_a_caring_word_is_not_taken_for_a_stranger(clinic: Cast) -> None:
    await enrolment.leave(clinic.store, clinic.content, await clinic.turn("Robin"), "yes")
    await follow_ups.choose_caring(clinic.store, clinic.content, await clinic.turn("Robin"), "yes")
    await pass_by(clinic, days=1, hours=3)
    await clinic.writes("Robin", "thank you for that")
    answer = (await clinic.got("Robin"))[-1].text
    assert answer.startswith("It is good to hear from you.")
    assert "/help_now" in answer


@pytest.mark.parametrize("language", ["en", "es"])
async def test_a_year_of_caring_words_comes_on_its_days_and_asks_nothing(clinic: Cast, language: str) -> None:
    robin = await clinic.person("Robin")
    async with clinic.store.begin() as tx:
        await people.change_person(tx, robin.id, language=language)
    await enrolment.leave(clinic.store, clinic.content, await clinic.turn("Robin"), "yes")
    await follow_ups.choose_caring(clinic.store, clinic.content, await clinic.turn("Robin"), "yes")
    before, days = len(await clinic.got("Robin")), []
    for _ in range(400):
        count = len(await clinic.got("Robin"))
        clinic.later(days=1)
        await follow_ups.deliver_due(clinic.store, clinic.content, clinic.now.replace(hour=18))
        days += [clinic.now.date().isoformat()] * (len(await clinic.got("Robin")) - count)
    assert days == [
        *("2026-11-03", "2026-12-02", "2027-01-02", "2027-02-02", "2027-03-02"),
        *("2027-05-02", "2027-07-02", "2027-09-02", "2027-11-02"),
    ]
    words = (await clinic.got("Robin"))[before:]
    assert all("?" not in one.text and not one.keyboard for one in words)
    assert len({one.text for one in words[:5]}) == 5


async def test_a_stranger_cannot_choose_or_answer(clinic: Cast) -> None:
    await follow_ups.choose_caring(clinic.store, clinic.content, await clinic.turn("Nobody"), "yes")
    for value in ("1-worse", "x-worse", "", "99999999999999999999999-better"):
        await follow_ups.answer(clinic.store, clinic.content, await clinic.turn("Robin"), value)
    assert await clinic.kept(table) == []


async def test_the_times_after_a_flag_are_the_programmes_to_say(noon: Cast) -> None:
    programme = noon.content.programme(EVENING, "en")
    red = replace(programme.alerts["red"], new_after=timedelta(minutes=40), follow_up=timedelta(hours=1))
    changed = replace(programme, alerts={**programme.alerts, "red": red})
    noon.with_content(programmes={**noon.content.programmes, EVENING: {"en": changed}})
    await noon.writes("Robin", RED)
    (case,) = await noon.cases()
    await cases.acknowledge(noon.store, noon.content, await noon.turn("Quill"), case.id)
    noon.later(minutes=39)
    await noon.writes("Robin", RED)
    assert await noon.alerts_to("Quill") == 1
    noon.later(minutes=1)
    await noon.writes("Robin", RED)
    assert await noon.alerts_to("Quill") == 2
    noon.later(minutes=20)
    before = len(await noon.got("Robin"))
    await follow_ups.deliver_due(noon.store, noon.content, noon.now)
    assert len(await noon.got("Robin")) == before + 1
