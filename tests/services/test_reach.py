"""No participant is told that a clinician knows when no alert got to one; staff are told loudly, and everybody else."""

import pytest
from cast import DAY, EVENING, Cast

from bot.services import alerts, cases, channels, enrolment, follow_ups, safety
from bot.services.presence import found_blocked
from bot.storage import channels as channel_rows
from bot.storage import outbox as messages
from bot.storage import people, reach
from bot.storage.tables import outbox, pages

RED, ORANGE, YELLOW = "I want to kill myself tonight", "I wish I was dead", "I feel hopeless"
NOBODY = "I could not tell anybody on your team"
CLINICIAN_TOLD = ("I have told your programme's clinician", "I have told your clinician", "I have let your team know")


async def block(cast: Cast, *names: str) -> None:
    blocking = [(await cast.person(name)).id for name in names]
    async with cast.store.begin() as tx:
        for one in blocking:
            await people.change_person(tx, one, blocked_at=cast.now)


async def refuse_all(cast: Cast, *names: str) -> None:
    """Have Telegram refuse for good whatever is under way to somebody, as the sender does it."""
    for name in names:
        for row in [row for row in await cast.kept(outbox) if row.chat_id == cast.ids[name] and row.state == "ready"]:
            async with cast.store.begin() as tx:
                if await messages.settle(tx, row.id, "failed", cast.now, error="blocked"):
                    await found_blocked(tx, cast.content, row.chat_id, cast.now)
                    if row.case_id and row.member_id:
                        await alerts.alert_unreachable(tx, cast.content, row.case_id, cast.now)


@pytest.mark.parametrize("text", [RED, ORANGE])
async def test_with_nobody_at_all_the_participant_is_told_so_below_the_contacts(cast: Cast, text: str) -> None:
    await cast.joined("Robin")
    await cast.writes("Robin", text)
    told = (await cast.got("Robin"))[-1].text
    assert NOBODY in told
    assert told.index("988") < told.index(NOBODY)
    said = await cast.said_to("Robin")
    assert not any(words in said for words in CLINICIAN_TOLD)
    assert "gets alerts" not in told
    assert len(await cast.cases()) == 1


async def test_with_staff_only_the_participant_is_told_that_it_is_no_clinician(cast: Cast) -> None:
    await cast.invited("Sam", "staff")
    await cast.joined("Robin")
    await cast.writes("Robin", RED)
    told = (await cast.got("Robin"))[-1].text
    assert "I could not reach a clinician" in told
    assert "staff of your programme" in told
    assert await cast.alerts_to("Sam") == 1


async def test_staff_are_told_loudly_and_once_an_hour_without_a_code(cast: Cast) -> None:
    await cast.invited("Sam", "staff")
    await cast.joined("Robin")
    await cast.writes("Robin", RED)
    cast.later(minutes=6)
    await alerts.alert_due(cast.store, cast.content, cast.now)
    loud = [message.text for message in await cast.got("Sam") if "an alert reached no clinician" in message.text]
    assert len(loud) == 1
    assert (await cast.person("Robin")).code not in loud[0]
    cast.later(hours=1)
    await alerts.alert_due(cast.store, cast.content, cast.now)
    assert (await cast.said_to("Sam")).count("an alert reached no clinician") == 2


async def test_a_programme_without_staff_has_those_of_others_told(cast: Cast) -> None:
    await cast.invited("Elsewhere", "staff", DAY)
    await cast.joined("Robin")
    await cast.writes("Robin", RED)
    assert "an alert reached no clinician" in await cast.said_to("Elsewhere")
    assert await cast.alerts_to("Elsewhere") == 0
    assert (await cast.person("Robin")).code not in await cast.said_to("Elsewhere")


async def test_when_all_have_blocked_the_bot_nobody_was_told(clinic: Cast) -> None:
    await block(clinic, "Quill", "Backup", "Senior")
    await clinic.writes("Robin", RED)
    assert NOBODY in (await clinic.got("Robin"))[-1].text


async def test_when_all_have_blocked_the_bot_staff_get_the_alert(clinic: Cast) -> None:
    await clinic.invited("Sam", "staff")
    await block(clinic, "Quill", "Backup", "Senior")
    await clinic.writes("Robin", RED)
    assert await clinic.alerts_to("Sam") == 1


async def test_alerts_that_turn_out_to_reach_nobody_are_taken_back_once(clinic: Cast) -> None:
    await clinic.writes("Robin", RED)
    assert CLINICIAN_TOLD[0] in (await clinic.got("Robin"))[-1].text
    await refuse_all(clinic, "Quill", "Backup")
    assert "That did not work" not in await clinic.said_to("Robin")
    await refuse_all(clinic, "Senior")
    await refuse_all(clinic, "Quill", "Backup", "Senior")
    corrected = [message for message in await clinic.got("Robin") if "That did not work" in message.text]
    assert len(corrected) == 1
    assert corrected[0].text.index("988") < corrected[0].text.index("That did not work")


async def test_who_was_told_nothing_is_not_corrected(clinic: Cast) -> None:
    member, person = await clinic.member("Robin"), await clinic.person("Robin")
    async with clinic.store.begin() as tx:
        flag = alerts.Flag(level="orange", category="missed", rule="missed-in-a-row", version="2")
        await alerts.add_flags(tx, clinic.content, member, person, [flag], clinic.now)
    await refuse_all(clinic, "Quill", "Backup", "Senior")
    await refuse_all(clinic, "Quill", "Backup", "Senior")
    assert "did not work" not in await clinic.said_to("Robin")


async def test_a_pager_reaches_somebody_until_it_fails(clinic: Cast) -> None:
    async with clinic.store.begin() as tx:
        await channel_rows.add_channel(
            tx, programme=EVENING, member_id=None, kind="mailto", address="mailto://x", shown="x", now=clinic.now
        )
    await block(clinic, "Quill", "Backup", "Senior")
    await clinic.writes("Robin", RED)
    assert CLINICIAN_TOLD[0] in (await clinic.got("Robin"))[-1].text
    (page,) = await clinic.kept(pages)
    async with clinic.store.begin() as tx:
        for _ in range(reach.FAILING):
            await channel_rows.try_again(tx, page.id, clinic.now, "not-reached")
        await channels.tell_failing(tx, clinic.content, page.channel_id, "not-reached", clinic.now)
        await alerts.page_unreachable(tx, clinic.content, page.id, clinic.now)
    assert "That did not work" in (await clinic.got("Robin"))[-1].text


async def test_a_page_from_before_a_case_was_raised_tells_nobody_of_what_it_is_now(clinic: Cast) -> None:
    member_id = (await clinic.member("Quill")).id
    async with clinic.store.begin() as tx:
        channel = await channel_rows.add_channel(
            tx, programme=EVENING, member_id=member_id, kind="mailto", address="mailto://x", shown="x", now=clinic.now
        )
    await clinic.writes("Robin", ORANGE)
    (page,) = await clinic.kept(pages)
    async with clinic.store.begin() as tx:
        await channel_rows.settle(tx, page.id, "sent", clinic.now)
        await channel_rows.remove_channel(tx, channel.id, clinic.now)
    await block(clinic, "Quill", "Backup", "Senior")
    clinic.later(minutes=10)
    await clinic.writes("Robin", RED)
    assert NOBODY in (await clinic.got("Robin"))[-1].text


async def test_a_case_that_somebody_acknowledged_counts_as_told(clinic: Cast) -> None:
    await clinic.writes("Robin", RED)
    (case,) = await clinic.cases()
    await cases.acknowledge(clinic.store, clinic.content, await clinic.turn("Quill"), case.id)
    await refuse_all(clinic, "Quill", "Backup", "Senior")
    assert "did not work" not in await clinic.said_to("Robin")


async def test_help_now_promises_no_alert_that_nobody_would_get(cast: Cast) -> None:
    await cast.joined("Robin")
    await safety.help_now(cast.store, cast.content, await cast.turn("Robin"))
    assert "can't reach a clinician" in (await cast.got("Robin"))[-1].text
    assert "Leave word for my programme" in await cast.labels("Robin")
    await safety.help_now_answered(cast.store, cast.content, await cast.turn("Robin"), "tell")
    assert NOBODY in (await cast.got("Robin"))[-1].text


async def test_some_time_later_it_is_not_claimed_that_somebody_was_told(cast: Cast) -> None:
    await cast.joined("Robin")
    await cast.writes("Robin", RED)
    cast.later(hours=4)
    await follow_ups.deliver_due(cast.store, cast.content, cast.now)
    assert "I could not reach a clinician for you" in (await cast.got("Robin"))[-1].text


async def test_who_joins_where_nobody_can_be_alerted_is_told_and_staff_are(cast: Cast) -> None:
    await cast.invited("Sam", "staff")
    await cast.joined("Robin")
    assert "no clinician" in (await cast.got("Robin"))[-1].text
    assert "nobody can be alerted" in (await cast.got("Sam"))[-1].text
    await cast.invited("Quill", "clinician")
    await cast.joined("Kim")
    assert "no clinician" not in (await cast.got("Kim"))[-1].text


async def test_an_invitation_to_where_nobody_can_be_alerted_says_so(cast: Cast) -> None:
    await cast.invited("Sam", "staff")

    async def invite() -> str:
        turn = await cast.turn("Sam")
        value = f"{EVENING}|participant|"
        await enrolment.send_invitation(cast.store, cast.content, turn, value, link_base="https://t.me/x")
        return (await cast.got("Sam"))[-1].text

    assert "can be alerted yet" in await invite()
    await cast.invited("Quill", "clinician")
    assert "can be alerted yet" not in await invite()


async def test_programmes_without_anybody_to_alert_are_found(clinic: Cast) -> None:
    async def without() -> tuple[str, ...]:
        async with clinic.store.read() as tx:
            return await reach.programmes_without_carers(tx)

    assert await without() == ()
    await block(clinic, "Quill", "Backup", "Senior")
    assert await without() == (EVENING,)
    await clinic.invited("New", "supervisor")
    assert await without() == ()
