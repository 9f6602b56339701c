"""Something worrying becomes a case and alerts in the same commit, and somebody answers."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from cast import EVENING, Cast
from sqlalchemy import select

from bot.services import (
    alerts,
    case_handing,
    cases,
    conversation,
    digests,
    follow_ups,
    menus,
    practice,
    safety,
    safety_plan,
)
from bot.services.access import Refused
from bot.storage import cases as records
from bot.storage import people
from bot.storage.outbox import Lane
from bot.storage.store import AlreadyDone
from bot.storage.tables import answers, audit, case_events, flags, outbox, scores
from bot.telegram.taps import RunTap, write_id

RED = "I want to kill myself tonight"


async def test_a_red_answer_its_case_and_its_alerts_are_one_commit(clinic: Cast, monkeypatch) -> None:
    async def broken(*_given, **_more) -> None:
        raise RuntimeError("broken on purpose, after everything else")

    monkeypatch.setattr(safety, "reply", broken)
    with pytest.raises(RuntimeError):
        await clinic.writes("Robin", RED)
    assert await clinic.cases() == []
    assert await clinic.alerts_to("Quill") == 0
    async with clinic.store.read() as tx:
        assert await tx.all(select(answers)) == []
    monkeypatch.undo()
    await clinic.writes("Robin", RED)
    assert [case.level for case in await clinic.cases()] == ["red"]
    assert await clinic.alerts_to("Quill") == 1


async def test_a_text_longer_than_telegrams_is_examined_whole_while_others_work_goes_on(clinic: Cast) -> None:
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    work = asyncio.create_task(others())
    found = await safety.examine(clinic.content, "The bus was late again. " * 1000 + RED, None)
    work.cancel()
    assert found[0].level == "red"
    assert len({flag.rule for flag in found}) == len(found)
    assert turns >= 24_000 // 4096, "between any two pieces everybody else had a turn"
    assert safety.is_cry(clinic.content, "x" * 4097), "what nobody can write is not waited for"


async def test_to_who_is_in_a_hurry_nothing_is_said_twice_that_still_waits(clinic: Cast) -> None:
    before = len(await clinic.got("Robin"))
    for _ in range(4):
        hurried = replace(await clinic.turn("Robin"), hurried=True)
        await conversation.wrote(clinic.store, clinic.content, hurried, RED)
        await conversation.wrote(clinic.store, clinic.content, replace(await clinic.turn("Robin"), hurried=True), "bus")
    assert len(await clinic.got("Robin")) == before + 1
    assert len({flag.answer_id for flag in await clinic.kept(flags)}) == 4, "each is flagged"
    assert len(await clinic.kept(answers)) == 8
    async with clinic.store.begin() as tx:
        await tx.run(outbox.update().values(state="sent"))
    await conversation.wrote(clinic.store, clinic.content, replace(await clinic.turn("Robin"), hurried=True), RED)
    assert len(await clinic.got("Robin")) == before + 2, "what went out is said again"


async def test_the_participant_gets_the_contacts_first_and_at_once(clinic: Cast) -> None:
    before = len(await clinic.got("Robin"))
    await clinic.writes("Robin", RED)
    first = (await clinic.got("Robin"))[before]
    assert "988" in first.text
    lanes = [row.lane for row in await clinic.kept(outbox) if row.chat_id == clinic.ids["Robin"]]
    assert lanes[before] == Lane.SAFETY
    assert "clinician on call" in first.text


async def test_an_alert_holds_no_name_and_no_word_of_what_was_written(clinic: Cast) -> None:
    await clinic.writes("Robin", RED)
    alert = (await clinic.got("Quill"))[-1]
    assert (await clinic.person("Robin")).code in alert.text
    for secret in ("Robin", "Sample", "kill", "tonight"):
        assert secret not in alert.text
    assert alert.protect


async def test_the_same_update_twice_does_the_same_as_once(clinic: Cast) -> None:
    turn = await clinic.turn("Robin")
    await conversation.wrote(clinic.store, clinic.content, turn, RED)
    with pytest.raises(AlreadyDone):
        await conversation.wrote(clinic.store, clinic.content, turn, RED)
    assert await clinic.alerts_to("Quill") == 1


async def test_a_participant_has_one_open_case_that_only_a_graver_flag_raises(clinic: Cast) -> None:
    await clinic.writes("Robin", "I wish I was dead")
    (case,) = await clinic.cases()
    assert case.level == "orange"
    clinic.later(minutes=1)
    await clinic.writes("Robin", "I wish I could just not wake up")
    assert await clinic.alerts_to("Quill") == 1
    clinic.later(minutes=1)
    await clinic.writes("Robin", RED)
    (case,) = await clinic.cases()
    assert (case.level, case.raised_at) == ("red", clinic.now)
    assert await clinic.alerts_to("Quill") == 2
    async with clinic.store.read() as tx:
        assert len(await tx.all(select(flags))) >= 3


async def test_nobody_acknowledges_so_the_chain_is_gone_along_and_on_and_on(clinic: Cast) -> None:
    await clinic.writes("Robin", RED)
    told = []
    for _ in range(5):
        told.append([await clinic.alerts_to(name) for name in ("Quill", "Backup", "Senior", "Other")])
        clinic.later(minutes=4, seconds=59)
        assert await alerts.alert_due(clinic.store, clinic.content, clinic.now) == 0
        clinic.later(seconds=1)
        assert await alerts.alert_due(clinic.store, clinic.content, clinic.now) == 1
    assert told[:3] == [[1, 1, 0, 0], [1, 1, 1, 0], [2, 2, 2, 0]], "without a rota all clinicians are on call"
    assert all(later >= earlier for later, earlier in zip(told[4], told[3], strict=True))
    assert sum(told[4]) > sum(told[3])
    assert told[4][3] == 0


async def test_alerts_that_are_due_go_out_once_however_often_the_tick_runs(clinic: Cast) -> None:
    await clinic.writes("Robin", RED)
    clinic.later(minutes=6)
    for _ in range(3):
        await alerts.alert_due(clinic.store, clinic.content, clinic.now)
    assert await clinic.alerts_to("Senior") == 1


async def test_a_clinician_who_cannot_be_reached_is_passed_over_at_once(clinic: Cast) -> None:
    blocking = [await clinic.person(name) for name in ("Quill", "Backup")]
    async with clinic.store.begin() as tx:
        for person in blocking:
            await people.change_person(tx, person.id, blocked_at=clinic.now)
    await clinic.writes("Robin", RED)
    assert await clinic.alerts_to("Senior") == 1
    (case,) = await clinic.cases()
    async with clinic.store.begin() as tx:
        await alerts.alert_unreachable(tx, clinic.content, case.id, clinic.now)
    assert await clinic.alerts_to("Senior") == 2


async def test_a_lone_staff_member_is_told_when_there_is_no_clinician_at_all(cast: Cast) -> None:
    await cast.invited("Sam", "staff")
    await cast.joined("Robin")
    await cast.writes("Robin", RED)
    assert await cast.alerts_to("Sam") == 1


async def test_one_acknowledgement_wins_and_the_others_see_who(clinic: Cast) -> None:
    await clinic.writes("Robin", RED)
    (case,) = await clinic.cases()
    first = await cases.acknowledge(clinic.store, clinic.content, await clinic.turn("Backup"), case.id)
    assert first == "case-acknowledged"
    second = await cases.acknowledge(clinic.store, clinic.content, await clinic.turn("Quill"), case.id)
    assert second == "case-acknowledged-by-other"
    shown = (await clinic.got("Quill"))[-1]
    assert "acknowledged by Backup Sample" in shown.text
    assert not shown.fresh
    clinic.later(hours=3)
    assert await alerts.alert_due(clinic.store, clinic.content, clinic.now) == 0
    (case,) = await clinic.cases()
    assert case.acknowledged_by == (await clinic.member("Backup")).id


async def test_of_two_who_acknowledge_at_the_same_moment_one_wins_and_the_other_sees_who(clinic: Cast) -> None:
    await clinic.writes("Robin", RED)
    (case,) = await clinic.cases()
    turns = [await clinic.turn(name) for name in ("Quill", "Backup")]
    acknowledge = partial(cases.acknowledge, clinic.store, clinic.content)
    said = await asyncio.gather(*(acknowledge(turn, case.id) for turn in turns), return_exceptions=True)
    for index, failed in enumerate(said):
        if isinstance(failed, RuntimeError):  # the update is handled again a moment later
            said[index] = await acknowledge(turns[index], case.id)
    assert sorted(map(str, said)) == ["case-acknowledged", "case-acknowledged-by-other"]
    winner, other = ("Quill", "Backup") if said[0] == "case-acknowledged" else ("Backup", "Quill")
    assert f"acknowledged by {winner} Sample" in (await clinic.got(other))[-1].text
    assert (await clinic.cases())[0].acknowledged_by == (await clinic.member(winner)).id
    assert [row.kind for row in await clinic.kept(case_events)].count("acknowledged") == 1


@pytest.mark.parametrize("who", ["Other", "Robin", "Nobody"])
async def test_who_is_not_in_the_chain_sees_and_changes_nothing(clinic: Cast, who: str) -> None:
    await clinic.writes("Robin", RED)
    (case,) = await clinic.cases()
    for act in (cases.acknowledge, cases.assign, cases.open_card, cases.show_answers, cases.ask_note):
        with pytest.raises(Refused):
            await act(clinic.store, clinic.content, await clinic.turn(who), case.id)
    assert (await clinic.cases())[0].state == "open"


async def test_a_clinician_removed_a_minute_ago_is_refused(clinic: Cast) -> None:
    await clinic.writes("Robin", RED)
    (case,) = await clinic.cases()
    turn = await clinic.turn("Quill")
    async with clinic.store.begin() as tx:
        await people.change_member(tx, turn.members[0].id, standing="removed")
    with pytest.raises(Refused):
        await cases.acknowledge(clinic.store, clinic.content, turn, case.id)


async def test_a_case_is_resolved_with_a_disposition_and_a_note_that_is_sealed(clinic: Cast) -> None:
    await clinic.writes("Robin", RED)
    (case,) = await clinic.cases()
    await cases.choose_disposition(clinic.store, clinic.content, await clinic.turn("Quill"), case.id)
    await cases.ask_note(clinic.store, clinic.content, await clinic.turn("Quill"), case.id, "contacted-safe")
    await clinic.writes("Quill", "Called, is with her sister.")
    (case,) = await clinic.cases()
    assert (case.state, case.disposition) == ("resolved", "contacted-safe")
    async with clinic.store.read() as tx:
        kept = await tx.all(select(case_events).where(case_events.c.kind == "resolved"))
        assert b"sister" not in kept[0].note_sealed
        assert records.event_note(tx, kept[0]) == "Called, is with her sister."
    await clinic.writes("Robin", RED)
    assert [one.state for one in await clinic.cases()] == ["resolved", "open"]


async def test_after_cancel_nothing_that_is_typed_resolves_a_case(clinic: Cast) -> None:
    await clinic.writes("Robin", RED)
    (case,) = await clinic.cases()
    await cases.ask_note(clinic.store, clinic.content, await clinic.turn("Quill"), case.id, "false-alarm")
    cancel = await clinic.button("Quill", "Cancel")
    assert (cancel.case, cancel.verb) == (case.id, "open")
    await cases.open_card(clinic.store, clinic.content, await clinic.turn("Quill"), case.id)
    await clinic.writes("Quill", "hello?")
    assert [one.state for one in await clinic.cases()] == ["open"]


async def test_a_note_that_was_asked_for_is_refused_once_the_clinician_is_removed(clinic: Cast) -> None:
    await clinic.writes("Robin", RED)
    (case,) = await clinic.cases()
    await cases.ask_note(clinic.store, clinic.content, await clinic.turn("Quill"), case.id, "false-alarm")
    quill = await clinic.member("Quill")
    async with clinic.store.begin() as tx:
        await people.change_member(tx, quill.id, standing="removed")
    await clinic.writes("Quill", "all is well")
    assert "can't show you that" in (await clinic.got("Quill"))[-1].text
    assert [one.state for one in await clinic.cases()] == ["open"]


async def test_answers_are_shown_in_a_private_chat_only_and_cannot_be_forwarded(clinic: Cast) -> None:
    await clinic.writes("Robin", RED)
    (case,) = await clinic.cases()
    in_group = await clinic.turn("Quill", private=False)
    assert await cases.show_answers(clinic.store, clinic.content, in_group, case.id) == "case-private-only"
    await cases.show_answers(clinic.store, clinic.content, await clinic.turn("Quill"), case.id)
    shown = (await clinic.got("Quill"))[-1]
    assert RED in shown.text
    assert shown.protect
    async with clinic.store.read() as tx:
        assert "read answers" in [row.action for row in await tx.all(select(audit))]


async def test_the_queue_shows_the_gravest_and_oldest_first(clinic: Cast) -> None:
    await clinic.joined("Kim")
    await clinic.joined("Lee")
    for name, text in (("Kim", "I wish I was dead"), ("Robin", RED), ("Lee", "I wish I was dead")):
        clinic.later(minutes=1)
        await clinic.writes(name, text)
    await cases.show_queue(clinic.store, clinic.content, await clinic.turn("Senior"))
    shown = (await clinic.got("Senior"))[-1]
    codes = [(await clinic.person(name)).code for name in ("Robin", "Kim", "Lee")]
    assert [next(code for code in codes if code in row[0].text) for row in shown.keyboard] == codes


async def test_everything_typed_is_examined_whatever_it_was_meant_for(clinic: Cast) -> None:
    robin = await clinic.person("Robin")
    async with clinic.store.begin() as tx:
        await people.change_person(tx, robin.id, dialogue={"kind": "zone"})
    await clinic.writes("Robin", RED)
    assert len(await clinic.cases()) == 1
    await clinic.joined("Kim")
    await clinic.begins("Kim", "daily-check-in", "measure")
    await clinic.writes("Kim", RED)
    assert len(await clinic.cases()) == 2
    assert (await clinic.run("Kim")).state.step == "mood"
    await clinic.joined("Lee")
    await conversation.edited(clinic.store, clinic.content, await clinic.turn("Lee"), RED)
    await clinic.joined("Max")
    await conversation.sent_other(clinic.store, clinic.content, await clinic.turn("Max"), RED)
    assert len(await clinic.cases()) == 4


async def test_help_now_with_a_yes_is_red(clinic: Cast) -> None:
    await safety.help_now(clinic.store, clinic.content, await clinic.turn("Robin"))
    assert "988" in (await clinic.got("Robin"))[-1].text
    assert await clinic.cases() == []
    await safety.help_now_answered(clinic.store, clinic.content, await clinic.turn("Robin"), "tell")
    assert [case.level for case in await clinic.cases()] == ["red"]


async def test_item_nine_of_the_phq_flags_at_once_and_is_not_softened_by_the_end(clinic: Cast) -> None:
    await clinic.begins("Robin", "phq-9", "measure")
    for _ in range(8):
        await clinic.taps("Robin", "Not at all")
    assert await clinic.cases() == []
    await clinic.taps("Robin", "Several days")
    assert [case.level for case in await clinic.cases()] == ["orange"]


async def test_item_nine_of_the_phq_offers_the_c_ssrs_at_once_and_the_phq_goes_on_after_it(clinic: Cast) -> None:
    await clinic.begins("Robin", "phq-9", "measure")
    for _ in range(8):
        await clinic.taps("Robin", "Not at all")
    assert "Answer now" not in await clinic.labels("Robin")
    await clinic.taps("Robin", "Several days")
    offered = await clinic.button("Robin", "Answer now")
    assert (offered.menu, offered.value) == ("measure", "c-ssrs")
    await menus.begin_measure(clinic.store, clinic.content, await clinic.turn("Robin"), offered.value)
    for answer in ("Yes", "Yes", "Yes", "No", "No", "Yes", "No"):
        await clinic.taps("Robin", answer)
    assert [(row.measure, row.total, row.band) for row in await clinic.kept(scores)] == [("c-ssrs", None, "moderate")]
    assert "how difficult have these problems" in (await clinic.got("Robin"))[-1].text
    await clinic.taps("Robin", "Leave this out")
    assert {(row.measure, row.total) for row in await clinic.kept(scores)} == {("c-ssrs", None), ("phq-9", 1)}


async def test_a_zero_at_item_nine_offers_nothing(clinic: Cast) -> None:
    await clinic.begins("Robin", "phq-9", "measure")
    for _ in range(9):
        await clinic.taps("Robin", "Not at all")
    assert all("Safety questions" not in message.text for message in await clinic.got("Robin"))


async def test_a_step_about_danger_flags_whoever_comes_to_it(clinic: Cast) -> None:
    await clinic.begins("Robin", "chain-analysis")
    await clinic.taps("Robin", "I'm hurt, or took something")
    assert [case.level for case in await clinic.cases()] == ["red"]
    assert "988" in await clinic.said_to("Robin")


async def test_a_skill_left_in_high_distress_is_worth_a_look_when_the_programme_works(clinic: Cast) -> None:
    clinic.now = datetime(2026, 11, 7, 23, 0, tzinfo=UTC)
    await clinic.begins("Robin", "box-breathing")
    for label in ("9", "Start"):
        await clinic.taps("Robin", label)
    await clinic.taps("Robin", "Go on now")
    await clinic.taps("Robin", "9")
    (case,) = await clinic.cases()
    assert case.level == "yellow"
    assert await clinic.alerts_to("Quill") == 0
    monday = datetime(2026, 11, 9, 14, 0, tzinfo=UTC)
    assert case.next_alert == monday
    await digests.send_due(clinic.store, clinic.content, monday)
    assert "Yellow cases" in await clinic.said_to("Quill")
    assert case.deadline == monday + timedelta(days=1)


async def test_another_persons_practice_is_refused(clinic: Cast) -> None:
    await clinic.joined("Kim")
    await clinic.begins("Robin", "box-breathing")
    run = await clinic.run("Robin")
    tap = RunTap(run=run.id, turn=run.state.turn, act="number", value=5)
    with pytest.raises(Refused):
        await practice.tap(clinic.store, clinic.content, await clinic.turn("Kim"), tap)
    assert (await clinic.run("Robin")).state == run.state


async def test_nothing_that_was_written_can_be_read_in_the_database_file(clinic: Cast, tmp_path) -> None:
    await clinic.writes("Robin", "my very own secret sentence")
    files = list(tmp_path.glob("test.db*"))
    for file in files:
        raw = file.read_bytes()
        assert b"secret sentence" not in raw
        assert b"Robin" not in raw


@pytest.mark.parametrize("said", ["2 kill myself tonight", "2, I want to die"])
async def test_words_around_a_typed_number_are_examined_and_kept(clinic: Cast, said: str) -> None:
    await clinic.begins("Robin", "daily-check-in", "measure")
    await clinic.writes("Robin", said)
    assert (await clinic.run("Robin")).state.step == "distress"
    (case,) = await clinic.cases()
    assert case.level in ("orange", "red")
    await cases.show_answers(clinic.store, clinic.content, await clinic.turn("Quill"), case.id)
    assert said in (await clinic.got("Quill"))[-1].text


async def test_words_around_a_typed_time_are_examined(clinic: Cast) -> None:
    await clinic.begins("Robin", "sleep-wind-down")
    for said in ("5", "Still up", "nothing"):
        await clinic.writes("Robin", said)
    assert await clinic.cases() == []
    await clinic.writes("Robin", "I will kill myself at 7:30")
    assert [case.level for case in await clinic.cases()] == ["red"]


async def test_what_led_to_a_flag_is_shown_even_when_the_participant_went_back(clinic: Cast) -> None:
    await clinic.begins("Robin", "daily-check-in", "measure")
    await clinic.writes("Robin", "2 kill myself tonight")
    await clinic.taps("Robin", "← Back")
    (case,) = await clinic.cases()
    await cases.show_answers(clinic.store, clinic.content, await clinic.turn("Quill"), case.id)
    assert "2 kill myself tonight (taken back)" in (await clinic.got("Quill"))[-1].text


@pytest.mark.parametrize("command", ["/skills", "/stop", "/start", "/help_now", "/checkin", "/xyzzy"])
async def test_words_after_a_command_are_examined_and_kept(clinic: Cast, command: str) -> None:
    said = f"{command} {RED}"
    assert await conversation.worries_beside_command(clinic.content, await clinic.turn("Robin"), said)
    await conversation.wrote_beside_command(clinic.store, clinic.content, await clinic.turn("Robin"), said)
    (case,) = await clinic.cases()
    assert case.level == "red"
    assert "988" in (await clinic.got("Robin"))[-1].text
    await cases.show_answers(clinic.store, clinic.content, await clinic.turn("Quill"), case.id)
    assert RED in (await clinic.got("Quill"))[-1].text


@pytest.mark.parametrize("said", ["/skills", "/skills sleep", "/start kms-token", "/preview box-breathing", RED])
async def test_a_command_with_its_own_words_stays_a_command(clinic: Cast, said: str) -> None:
    assert not await conversation.worries_beside_command(clinic.content, await clinic.turn("Robin"), said)


async def test_a_clinicians_words_after_a_command_are_nobodys_cry(clinic: Cast) -> None:
    assert not await conversation.worries_beside_command(clinic.content, await clinic.turn("Quill"), f"/queue {RED}")


async def test_a_cry_of_an_outsider_is_answered_in_an_edit_and_after_a_command(clinic: Cast) -> None:
    await conversation.edited(clinic.store, clinic.content, await clinic.turn("Stranger"), RED)
    await conversation.unknown_command(clinic.store, clinic.content, await clinic.turn("Stranger"), f"/{RED}", ["help"])
    await conversation.wrote_beside_command(
        clinic.store, clinic.content, await clinic.turn("Stranger"), f"/start {RED}"
    )
    got = await clinic.got("Stranger")
    assert len(got) == 3
    assert all("I can tell nobody" in message.text and "988" in message.text for message in got)
    assert await clinic.cases() == []


async def test_an_alert_names_each_reason_of_the_answer_and_says_when_it_is_overdue(clinic: Cast) -> None:
    await clinic.writes("Robin", RED)
    first = (await clinic.got("Quill"))[-1].text
    assert "intent" in first
    assert "thoughts of death or suicide" in first
    assert "Please acknowledge by" in first
    clinic.later(minutes=21)
    await alerts.alert_due(clinic.store, clinic.content, clinic.now)
    await alerts.alert_due(clinic.store, clinic.content, clinic.later(minutes=6))
    late = "\n".join([await clinic.said_to(name) for name in ("Quill", "Backup", "Senior")])
    assert "Overdue: nobody has acknowledged it" in late


async def test_a_case_that_was_acknowledged_has_no_deadline_any_more(clinic: Cast) -> None:
    await clinic.writes("Robin", RED)
    (case,) = await clinic.cases()
    await cases.open_card(clinic.store, clinic.content, await clinic.turn("Quill"), case.id)
    assert "acknowledge by" in (await clinic.got("Quill"))[-1].text
    await cases.acknowledge(clinic.store, clinic.content, await clinic.turn("Quill"), case.id)
    assert "acknowledge by" not in (await clinic.got("Quill"))[-1].text


async def test_the_last_answers_are_named_as_people_know_them(clinic: Cast) -> None:
    await clinic.begins("Robin", "daily-check-in", "measure")
    await clinic.taps("Robin", "2")
    await conversation.edited(clinic.store, clinic.content, await clinic.turn("Robin"), RED)
    await safety_plan.choose(clinic.store, clinic.content, await clinic.turn("Robin"), "edit=by-myself")
    await clinic.writes("Robin", "a walk")
    await safety.help_now_answered(clinic.store, clinic.content, await clinic.turn("Robin"), "tell")
    await follow_ups.deliver_due(clinic.store, clinic.content, clinic.later(hours=4))
    tap = await clinic.button("Robin", "About the same")
    await follow_ups.answer(clinic.store, clinic.content, await clinic.turn("Robin"), tap.value)
    (case,) = await clinic.cases()
    await cases.show_answers(clinic.store, clinic.content, await clinic.turn("Quill"), case.id)
    shown = (await clinic.got("Quill"))[-1].text
    assert "Check-in / mood: 2" in shown
    assert f"of their own accord: {RED}" in shown
    assert "Safety plan / What I can do by myself: a walk" in shown
    assert "/help_now: asked for help now" in shown
    assert "how they are some time after: About the same" in shown


async def test_after_an_answer_to_high_distress_the_next_question_comes_below_it(clinic: Cast) -> None:
    await clinic.begins("Robin", "daily-check-in", "measure")
    for label in ("2", "9"):
        await clinic.taps("Robin", label)
    answer, question = (await clinic.got("Robin"))[-2:]
    assert "I have let your team know" in answer.text
    assert "urges" in question.text
    assert question.fresh


async def test_from_which_distress_on_a_skill_is_worth_a_look_is_the_programmes_to_say(clinic: Cast) -> None:
    stricter = replace(clinic.content.programme(EVENING, "en"), high_distress=6)
    clinic.with_content(programmes={EVENING: {"en": stricter}})
    await clinic.begins("Robin", "box-breathing")
    for label in ("9", "Start", "Go on now", "6"):
        await clinic.taps("Robin", label)
    assert [case.level for case in await clinic.cases()] == ["yellow"]


async def test_a_caption_that_worries_is_answered_and_it_is_said_that_nobody_looks_at_the_picture(
    clinic: Cast,
) -> None:
    before = len(await clinic.got("Robin"))
    await conversation.sent_other(clinic.store, clinic.content, await clinic.turn("Robin"), RED)
    answer, honest = (await clinic.got("Robin"))[before:]
    assert "988" in answer.text
    assert "nobody else does here" in honest.text


async def test_a_case_is_handed_to_a_colleague_who_is_told_and_an_open_one_goes_on_alerting(clinic: Cast) -> None:
    await clinic.writes("Robin", RED)
    (case,) = await clinic.cases()
    await case_handing.hand_to(clinic.store, clinic.content, await clinic.turn("Quill"), case.id, "")
    tap = await clinic.button("Quill", "Backup Sample")
    said = await case_handing.hand_to(clinic.store, clinic.content, await clinic.turn("Quill"), case.id, tap.value)
    assert said == "case-handed"
    told = (await clinic.got("Backup"))[-1].text
    assert "Quill Sample hands this case to you" in await clinic.said_to("Backup")
    assert "assigned to Backup Sample" in told
    assert "Robin" not in told
    (case,) = await clinic.cases()
    assert (case.state, case.assigned_to) == ("open", (await clinic.member("Backup")).id)
    before = await clinic.alerts_to("Senior")
    for _ in range(3):
        await alerts.alert_due(clinic.store, clinic.content, clinic.later(minutes=6))
    assert await clinic.alerts_to("Senior") > before


async def test_a_case_is_handed_to_nobody_outside_of_the_programme(clinic: Cast) -> None:
    await clinic.writes("Robin", RED)
    (case,) = await clinic.cases()
    await case_handing.hand_to(clinic.store, clinic.content, await clinic.turn("Quill"), case.id, "")
    assert set(await clinic.labels("Quill")) == {"Backup Sample", "Senior Sample", "Cancel"}
    for name in ("Other", "Robin", "Quill"):
        member = await clinic.member(name)
        with pytest.raises(Refused):
            await case_handing.hand_to(
                clinic.store, clinic.content, await clinic.turn("Quill"), case.id, write_id(member.id)
            )
    with pytest.raises(Refused):
        await case_handing.hand_to(clinic.store, clinic.content, await clinic.turn("Other"), case.id, "")
    assert (await clinic.cases())[0].assigned_to is None
