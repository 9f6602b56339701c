"""A safety plan is filled in step by step, kept in every version, and there when it is hard."""

from datetime import UTC, datetime

import pytest
from cast import Cast
from sqlalchemy import update

from bot.domain.safety_plan import LONGEST
from bot.services import cases, conversation, enrolment, follow_ups, plan_proposals, safety, safety_plan
from bot.services.access import Refused
from bot.storage import people
from bot.storage.store import AlreadyDone
from bot.storage.tables import answers, audit, flags, safety_plans
from bot.storage.tables import plan_proposals as proposals
from bot.telegram.message import units

RED, ORANGE = "I want to kill myself tonight", "I wish I was dead"
NOON = datetime(2026, 11, 4, 17, 0, tzinfo=UTC)
WALK, ANA = "walk down to the river", "my sister Ana, 555-0134, any time"


@pytest.fixture
async def noon(clinic: Cast) -> Cast:
    clinic.now = NOON
    return clinic


async def plan(cast: Cast, name: str = "Robin") -> None:
    await safety_plan.show(cast.store, cast.content, await cast.turn(name))


async def presses(cast: Cast, label: str, name: str = "Robin") -> None:
    """Tap a button under the plan or a suggestion."""
    tap = await cast.button(name, label)
    service = {"plan": safety_plan.choose, "proposal": plan_proposals.decide}[tap.menu]
    await service(cast.store, cast.content, await cast.turn(name), tap.value)


async def sets(cast: Cast, title: str, text: str) -> None:
    """Change one step of Robin's plan."""
    await safety_plan.choose(cast.store, cast.content, await cast.turn("Robin"), "edit")
    await presses(cast, title)
    await cast.writes("Robin", text)


async def last(cast: Cast, name: str = "Robin") -> str:
    return (await cast.got(name))[-1].text


async def stored(cast: Cast) -> list[dict]:
    """The texts of each version, the oldest first."""
    rows = sorted(await cast.kept(safety_plans), key=lambda row: row.version)
    robin = (await cast.member("Robin")).id
    async with cast.store.read() as tx:
        versions = [await safety_plan.safety_plans.version(tx, robin, row.version) for row in rows]
    return [dict(version.plan.texts) for version in versions]


async def audited(cast: Cast) -> list[str]:
    return [row.action for row in await cast.kept(audit)]


async def test_it_is_filled_in_step_by_step_and_each_step_is_a_version(noon: Cast) -> None:
    await plan(noon)
    assert "A safety plan" in await last(noon)
    await presses(noon, "Make my plan")
    assert "My warning signs" in await last(noon)
    await noon.writes("Robin", "I stop eating")
    assert "Kept: My warning signs" in await last(noon)
    assert "What I can do by myself" in await last(noon)
    await noon.writes("Robin", WALK)
    await presses(noon, "Skip this step")
    assert "Whom could you tell" in await last(noon)
    await presses(noon, "Stop here")
    assert await stored(noon) == [
        {"warning-signs": "I stop eating"},
        {"warning-signs": "I stop eating", "by-myself": WALK},
    ]
    await noon.writes("Robin", "sunny today")
    assert len(await stored(noon)) == 2
    await plan(noon)
    shown = await last(noon)
    assert shown.index("I stop eating") < shown.index(WALK)
    assert "Nothing here yet." in shown


async def test_it_goes_on_where_it_was_after_days_and_comes_back_to_what_was_skipped(noon: Cast) -> None:
    await plan(noon)
    await presses(noon, "Make my plan")
    await presses(noon, "Skip this step")
    await noon.writes("Robin", WALK)
    noon.later(days=5)
    await plan(noon)
    await presses(noon, "Fill in: People and places that distract me")
    for _ in range(3):
        await noon.writes("Robin", "something")
    await noon.writes("Robin", "my aunt has the key")
    assert "That was the last step" in await last(noon)
    await presses(noon, "Fill in: My warning signs")
    await noon.writes("Robin", "I stop eating")
    assert next(iter((await stored(noon))[-1])) == "warning-signs"
    assert not any(label.startswith("Fill in") for label in await noon.labels("Robin"))


async def test_what_is_typed_long_after_the_question_is_not_taken_for_it(noon: Cast) -> None:
    await plan(noon)
    await presses(noon, "Make my plan")
    noon.later(hours=12)
    await noon.writes("Robin", "good morning to you")
    assert await stored(noon) == []
    assert len(await noon.kept(answers)) == 1


@pytest.mark.parametrize("other", ["/plan", "help now", "a practice"])
async def test_whoever_turns_to_something_else_is_not_asked_any_more(noon: Cast, other: str) -> None:
    await plan(noon)
    await presses(noon, "Make my plan")
    if other == "/plan":
        await plan(noon)
    elif other == "help now":
        await safety.help_now(noon.store, noon.content, await noon.turn("Robin"))
    else:
        await noon.begins("Robin", "box-breathing")
    await noon.writes("Robin", "just a word")
    assert await stored(noon) == []


async def test_a_long_text_is_told_and_kept_and_a_shorter_one_is_taken(noon: Cast) -> None:
    await plan(noon)
    await presses(noon, "Make my plan")
    await noon.writes("Robin", "a " * LONGEST)
    assert f"That has {2 * LONGEST - 1} characters" in await last(noon)
    assert await stored(noon) == []
    assert len(await noon.kept(answers)) == 1
    await noon.writes("Robin", "I stop eating")
    assert await stored(noon) == [{"warning-signs": "I stop eating"}]


async def test_a_duplicate_update_and_the_same_text_again_make_no_version(noon: Cast) -> None:
    await plan(noon)
    await presses(noon, "Make my plan")
    turn = await noon.turn("Robin")
    await conversation.wrote(noon.store, noon.content, turn, "I stop eating")
    with pytest.raises(AlreadyDone):
        await conversation.wrote(noon.store, noon.content, turn, "I stop eating")
    await sets(noon, "My warning signs", "I stop eating")
    assert len(await stored(noon)) == 1


async def test_an_edited_message_changes_no_plan_and_says_so(noon: Cast) -> None:
    await sets(noon, "What I can do by myself", "walk")
    await conversation.edited(noon.store, noon.content, await noon.turn("Robin"), "walk slowly")
    assert "Your safety plan did not change" in await last(noon)
    assert await stored(noon) == [{"by-myself": "walk"}]


async def test_a_step_is_shown_to_copy_changed_and_cleared_and_every_version_stays(noon: Cast) -> None:
    await sets(noon, "What I can do by myself", "walk")
    await safety_plan.choose(noon.store, noon.content, await noon.turn("Robin"), "edit=by-myself")
    shown = (await noon.got("Robin"))[-1]
    assert "Now it says:\nwalk" in shown.text
    assert "pre" in [entity.type for entity in shown.entities]
    await noon.writes("Robin", WALK)
    await presses(noon, "Change a step")
    await presses(noon, "What I can do by myself")
    await presses(noon, "Clear this step")
    await presses(noon, "Yes, clear it")
    assert await stored(noon) == [{"by-myself": "walk"}, {"by-myself": WALK}, {}]
    await presses(noon, "Earlier versions")
    labels = await noon.labels("Robin")
    assert [label.split(" · ")[0] for label in labels] == ["2", "1", "← Back"]
    await presses(noon, labels[0])
    assert WALK in await last(noon)


async def test_an_old_button_clears_nothing_that_was_written_since(noon: Cast) -> None:
    await sets(noon, "What I can do by myself", "walk")
    await safety_plan.choose(noon.store, noon.content, await noon.turn("Robin"), "clear=by-myself")
    tap = await noon.button("Robin", "Yes, clear it")
    await sets(noon, "What I can do by myself", WALK)
    await safety_plan.choose(noon.store, noon.content, await noon.turn("Robin"), tap.value)
    assert (await stored(noon))[-1] == {"by-myself": WALK}


@pytest.mark.parametrize(
    "choice", ["skip=x", "edit=x", "clear=x", "version=x", "versions=-1", "version=9999999999", "x"]
)
async def test_a_button_that_no_version_wrote_only_shows_the_plan(noon: Cast, choice: str) -> None:
    await sets(noon, "What I can do by myself", WALK)
    await safety_plan.choose(noon.store, noon.content, await noon.turn("Robin"), choice)
    assert len(await stored(noon)) == 1


async def test_a_plan_of_six_long_steps_is_shown_whole(noon: Cast) -> None:
    await plan(noon)
    await presses(noon, "Make my plan")
    for number in range(6):
        await noon.writes("Robin", f"{number}" * LONGEST)
    before = len(await noon.got("Robin"))
    await plan(noon)
    shown = (await noon.got("Robin"))[before:]
    assert len(shown) == 2
    assert all(f"{number}" * LONGEST in shown[0].text + shown[1].text for number in range(6))
    assert not shown[0].keyboard
    assert shown[1].keyboard


async def test_what_is_written_into_the_plan_is_examined_and_kept_and_nothing_more_is_asked(noon: Cast) -> None:
    await plan(noon)
    await presses(noon, "Make my plan")
    before = len(await noon.got("Robin"))
    await noon.writes("Robin", ORANGE)
    assert [case.level for case in await noon.cases()] == ["orange"]
    (answer,) = await noon.kept(answers)
    assert answer.step == "plan#warning-signs"
    assert await stored(noon) == [{"warning-signs": ORANGE}]
    crisis, kept = (await noon.got("Robin"))[before:]
    assert "988" in crisis.text
    assert "The rest can wait" in kept.text
    await noon.writes("Robin", "thank you for that")
    assert len(await stored(noon)) == 1


async def test_red_begins_with_ones_own_words_and_ends_with_the_contacts(noon: Cast) -> None:
    await sets(noon, "My warning signs", "I stop eating")
    await sets(noon, "People I can ask for help", ANA)
    await sets(noon, "What I can do by myself", WALK)
    before = len(await noon.got("Robin"))
    await noon.writes("Robin", RED)
    crisis = (await noon.got("Robin"))[before]
    order = [crisis.text.index(part) for part in (WALK, ANA, "Thank you for telling me", "988")]
    assert order == sorted(order)
    assert "I stop eating" not in crisis.text
    assert crisis.keyboard[0][0].text == "My safety plan"


@pytest.mark.parametrize("letter", ["a", "🌊", "a "])
async def test_the_longest_plan_never_cuts_the_contacts(noon: Cast, letter: str) -> None:
    long = letter * (LONGEST // units(letter))
    for title in ("What I can do by myself", "People I can ask for help", "People and places that distract me"):
        await sets(noon, title, long)
    await sets(noon, "Professionals and services", long)
    before = len(await noon.got("Robin"))
    await noon.writes("Robin", RED)
    await safety.help_now(noon.store, noon.content, await noon.turn("Robin"))
    crisis, asked = (await noon.got("Robin"))[before], (await noon.got("Robin"))[-1]
    for message in (crisis, asked):
        assert units(message.text) <= 4096
        assert message.text.startswith("From your own plan:")
        assert "The rest of it is in /plan." in message.text
        assert "988" in message.text
    assert asked.text.endswith("without your words in it.")


async def test_without_a_plan_red_says_nothing_of_one_and_it_is_offered_days_later(noon: Cast) -> None:
    await noon.writes("Robin", RED)
    assert "plan" not in (await noon.said_to("Robin")).lower().split("clinician on call", 1)[1]
    for hours in (47, 1, 0):
        noon.later(hours=hours)
        while await follow_ups.deliver_due(noon.store, noon.content, noon.now):
            pass
        offered = (await noon.said_to("Robin")).count("Would you like to write down what helps you")
        assert offered == (0 if hours == 47 else 1)
    await presses(noon, "Make my plan")
    assert "My warning signs" in await last(noon)


async def test_who_has_a_plan_is_not_offered_one(noon: Cast) -> None:
    await sets(noon, "What I can do by myself", WALK)
    await noon.writes("Robin", RED)
    noon.later(days=3)
    while await follow_ups.deliver_due(noon.store, noon.content, noon.now):
        pass
    assert "Would you like to write down" not in await noon.said_to("Robin")


async def test_a_plan_that_cannot_be_read_holds_no_help_back(noon: Cast) -> None:
    await sets(noon, "What I can do by myself", WALK)
    async with noon.store.begin() as tx:
        await tx.run(update(safety_plans).values(steps_sealed=b"broken"))
    await noon.writes("Robin", RED)
    assert [case.level for case in await noon.cases()] == ["red"]
    await safety.help_now(noon.store, noon.content, await noon.turn("Robin"))
    assert "988" in await last(noon)


@pytest.mark.parametrize(
    ("activity", "answers"), [("daily-check-in", ("2", "8")), ("box-breathing", ("9", "Start", "Go on now", "9"))]
)
async def test_high_distress_shows_ones_own_words_before_everything_else(
    noon: Cast, activity: str, answers: tuple[str, ...]
) -> None:
    await sets(noon, "What I can do by myself", WALK)
    await noon.begins("Robin", activity, "measure" if activity == "daily-check-in" else "skill")
    for label in answers:
        await noon.taps("Robin", label)
    assert [case.level for case in await noon.cases()] == ["yellow"]
    shown = next(message for message in await noon.got("Robin") if message.text.startswith("From your own plan:"))
    order = [shown.text.index(part) for part in (WALK, "I have let your team know", "988")]
    assert order == sorted(order)


async def test_other_yellow_words_show_where_help_is_and_not_the_plan(noon: Cast) -> None:
    await sets(noon, "What I can do by myself", WALK)
    before = len(await noon.got("Robin"))
    await noon.writes("Robin", "I feel so hopeless about everything")
    assert [case.level for case in await noon.cases()] == ["yellow"]
    (answer,) = (await noon.got("Robin"))[before:]
    assert "988" in answer.text
    assert WALK not in answer.text


async def test_a_skill_left_in_high_distress_ends_with_a_button_to_the_plan(noon: Cast) -> None:
    await sets(noon, "What I can do by myself", WALK)
    await noon.begins("Robin", "box-breathing")
    for label in ("9", "Start", "Go on now", "9"):
        await noon.taps("Robin", label)
    await presses(noon, "My safety plan")
    assert WALK in await last(noon)


async def test_who_left_still_sees_the_plan_and_changes_nothing(noon: Cast) -> None:
    await sets(noon, "What I can do by myself", WALK)
    await enrolment.leave(noon.store, noon.content, await noon.turn("Robin"), "yes")
    await plan(noon)
    assert WALK in await last(noon)
    assert await noon.labels("Robin") == []
    await safety.help_now(noon.store, noon.content, await noon.turn("Robin"))
    assert (await last(noon)).startswith("From your own plan:")
    await safety_plan.choose(noon.store, noon.content, await noon.turn("Robin"), "edit=people")
    await noon.writes("Robin", "hello?")
    assert len(await noon.kept(safety_plans)) == 1


async def test_somebody_without_a_place_has_no_plan(noon: Cast) -> None:
    for name in ("Nobody", "Quill"):
        await plan(noon, name)
        assert "for participants of a programme" in await last(noon, name)


async def test_nothing_of_a_plan_can_be_read_in_the_database(noon: Cast) -> None:
    await sets(noon, "What I can do by myself", WALK)
    (row,) = await noon.kept(safety_plans)
    assert b"river" not in row.steps_sealed


async def proposed(cast: Cast, text: str = "call Dr. Quill first", title: str = "Professionals and services") -> int:
    """A red case, and Quill suggests a step; returns the case's id."""
    await cast.writes("Robin", RED)
    (case,) = await cast.cases()
    await plan_proposals.ask_change(cast.store, cast.content, await cast.turn("Quill"), case.id)
    tap = await cast.button("Quill", title)
    await plan_proposals.ask_change(cast.store, cast.content, await cast.turn("Quill"), case.id, tap.value)
    await cast.writes("Quill", text)
    await follow_ups.deliver_due(cast.store, cast.content, cast.now)
    return case.id


async def test_a_clinician_sees_the_plan_in_private_only_protected_and_audited(noon: Cast) -> None:
    await sets(noon, "What I can do by myself", WALK)
    await noon.writes("Robin", RED)
    (case,) = await noon.cases()
    assert "Safety plan" in await card_labels(noon, case.id)
    in_group = await noon.turn("Quill", private=False)
    assert await plan_proposals.show_plan(noon.store, noon.content, in_group, case.id) == "case-private-only"
    await plan_proposals.show_plan(noon.store, noon.content, await noon.turn("Quill"), case.id)
    shown = (await noon.got("Quill"))[-1]
    assert WALK in shown.text
    assert shown.protect
    assert "read safety plan" in await audited(noon)
    for who in ("Other", "Robin", "Nobody"):
        for act in (plan_proposals.show_plan, plan_proposals.ask_change):
            with pytest.raises(Refused):
                await act(noon.store, noon.content, await noon.turn(who), case.id)


async def card_labels(cast: Cast, case_id: int) -> list[str]:
    await cases.open_card(cast.store, cast.content, await cast.turn("Quill"), case_id)
    return await cast.labels("Quill")


async def test_a_suggestion_changes_nothing_until_it_is_accepted_and_the_clinician_is_told(noon: Cast) -> None:
    await sets(noon, "Professionals and services", "the clinic")
    await proposed(noon)
    assert await stored(noon) == [{"professionals": "the clinic"}]
    shown = await last(noon)
    assert shown.index("the clinic") < shown.index("call Dr. Quill first")
    await presses(noon, "Take it into my plan")
    assert (await stored(noon))[-1] == {"professionals": "call Dr. Quill first"}
    newest = max(await noon.kept(safety_plans), key=lambda row: row.version)
    assert newest.by == (await noon.member("Quill")).id
    told = (await noon.got("Quill"))[-1]
    assert "took your idea" in told.text
    assert "clinic" not in told.text
    assert {"propose plan change", "accepted plan change"} <= set(await audited(noon))


async def test_keep_mine_keeps_it_and_a_second_tap_does_nothing(noon: Cast) -> None:
    await proposed(noon)
    accept, keep = await noon.button("Robin", "Take it into my plan"), await noon.button("Robin", "Keep mine")
    for tap in (keep, accept, accept):
        await plan_proposals.decide(noon.store, noon.content, await noon.turn("Robin"), tap.value)
    assert await stored(noon) == []
    assert (await noon.said_to("Quill")).count("keeps their own words") == 1
    assert [row.state for row in await noon.kept(proposals)] == ["declined"]


async def test_when_the_step_was_changed_meanwhile_it_is_shown_again_first(noon: Cast) -> None:
    await sets(noon, "Professionals and services", "the clinic")
    await proposed(noon)
    accept = await noon.button("Robin", "Take it into my plan")
    await sets(noon, "Professionals and services", "the clinic, floor 2")
    await sets(noon, "What I can do by myself", WALK)
    await plan_proposals.decide(noon.store, noon.content, await noon.turn("Robin"), accept.value)
    shown = await last(noon)
    assert "the clinic, floor 2" in shown
    assert (await stored(noon))[-1]["professionals"] == "the clinic, floor 2"
    await presses(noon, "Take it into my plan")
    assert (await stored(noon))[-1] == {"by-myself": WALK, "professionals": "call Dr. Quill first"}


async def test_a_change_of_another_step_does_not_stand_in_the_way(noon: Cast) -> None:
    await proposed(noon)
    await sets(noon, "What I can do by myself", WALK)
    await presses(noon, "Take it into my plan")
    assert (await stored(noon))[-1] == {"by-myself": WALK, "professionals": "call Dr. Quill first"}


async def test_a_suggestion_waits_for_the_end_of_quiet_hours_and_is_in_the_plan_till_then(noon: Cast) -> None:
    noon.now = datetime(2026, 11, 5, 4, 0, tzinfo=UTC)
    await proposed(noon)
    assert "has an idea" not in await noon.said_to("Robin")
    await plan(noon)
    await presses(noon, "An idea: Professionals and services")
    assert "call Dr. Quill first" in await last(noon)
    await presses(noon, "Keep mine")
    noon.later(hours=9)
    await follow_ups.deliver_due(noon.store, noon.content, noon.now)
    assert (await noon.said_to("Robin")).count("has an idea") == 1


async def test_a_suggestion_of_somebody_removed_meanwhile_is_withdrawn(noon: Cast) -> None:
    await proposed(noon)
    quill = await noon.member("Quill")
    async with noon.store.begin() as tx:
        await people.change_member(tx, quill.id, standing="removed")
    await presses(noon, "Take it into my plan")
    assert await stored(noon) == []
    assert "is not there any more" in await last(noon)
    assert "withdraw plan change" in await audited(noon)


@pytest.mark.parametrize("who", ["Kim", "Nobody", "Other", "Quill"])
async def test_only_the_participant_decides(noon: Cast, who: str) -> None:
    await noon.joined("Kim")
    await proposed(noon)
    tap = await noon.button("Robin", "Take it into my plan")
    for value in (tap.value, tap.value.replace("accept", "show"), "zz-accept", "!-keep", ""):
        with pytest.raises(Refused):
            await plan_proposals.decide(noon.store, noon.content, await noon.turn(who), value)
    assert [row.state for row in await noon.kept(proposals)] == ["open"]


async def test_a_clinician_removed_between_question_and_text_is_refused_and_it_is_kept(noon: Cast) -> None:
    await noon.writes("Robin", RED)
    (case,) = await noon.cases()
    await plan_proposals.ask_change(noon.store, noon.content, await noon.turn("Quill"), case.id, "people")
    quill = await noon.member("Quill")
    async with noon.store.begin() as tx:
        await people.change_member(tx, quill.id, standing="removed")
    await noon.writes("Quill", "ask your sister")
    assert await noon.kept(proposals) == []
    assert "can't show you that" in await last(noon, "Quill")
    assert "refused" in await audited(noon)


async def test_what_a_clinician_types_for_a_plan_is_no_remark_and_a_long_text_is_asked_again(noon: Cast) -> None:
    await noon.writes("Robin", RED)
    kept = len(await noon.kept(answers)), len(await noon.kept(flags))
    (case,) = await noon.cases()
    await plan_proposals.ask_change(noon.store, noon.content, await noon.turn("Quill"), case.id, "people")
    await noon.writes("Quill", "b" * (LONGEST + 1))
    assert f"That has {LONGEST + 1} characters" in await last(noon, "Quill")
    await noon.writes("Quill", "your sister")
    assert len(await noon.kept(proposals)) == 1
    assert kept == (len(await noon.kept(answers)), len(await noon.kept(flags)))


async def test_the_longest_old_and_new_text_fit_one_message(noon: Cast) -> None:
    await sets(noon, "Professionals and services", "🌊" * (LONGEST // 2))
    await proposed(noon, "🌙" * (LONGEST // 2))
    assert "🌙" * (LONGEST // 2) in await last(noon)
    assert "Nothing changes unless you say so." in await last(noon)


async def test_nothing_is_suggested_to_somebody_who_left(noon: Cast) -> None:
    await noon.writes("Robin", RED)
    (case,) = await noon.cases()
    await plan_proposals.ask_change(noon.store, noon.content, await noon.turn("Quill"), case.id, "people")
    await enrolment.leave(noon.store, noon.content, await noon.turn("Robin"), "yes")
    await noon.writes("Quill", "your sister")
    assert "not in the programme any more" in await last(noon, "Quill")
    assert await noon.kept(proposals) == []
