"""People come in by an invitation that opens once, agree, say where they live, and may leave again."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest
from cast import DAY, EVENING, Cast
from sqlalchemy import func, select

from bot.domain.people import Role
from bot.services import enrolment, practice, presence, week
from bot.services.access import Refused
from bot.services.enrolment import CannotInvite
from bot.storage.tables import consents, invitations, members, people, prompts, runs

LINK = "https://t.me/example_bot"


async def invitation(cast: Cast, role: Role = "participant", programme: str = EVENING, **more: str) -> str:
    return await enrolment.invite(cast.store, cast.content, programme=programme, role=role, now=cast.now, **more)


async def opens(cast: Cast, name: str, token: str) -> None:
    await enrolment.start(cast.store, cast.content, await cast.turn(name), token)


async def consents_to(cast: Cast, name: str, choice: str) -> None:
    await enrolment.consent(cast.store, cast.content, await cast.turn(name), choice)


async def agreed(cast: Cast, name: str) -> None:
    """Somebody opened an invitation and agreed; they said nothing of where they live."""
    await opens(cast, name, await invitation(cast))
    await consents_to(cast, name, "yes")


async def picks_zone(cast: Cast, name: str, zone: str) -> None:
    await enrolment.choose_zone(cast.store, cast.content, await cast.turn(name), zone)


async def leaves(cast: Cast, name: str, choice: str = "yes") -> None:
    await enrolment.leave(cast.store, cast.content, await cast.turn(name), choice)


async def test_an_invitation_opens_once_whoever_opens_it_again(cast: Cast) -> None:
    token = await invitation(cast)
    for name in ("Robin", "Kim", "Robin"):
        await opens(cast, name, token)
    assert len(await cast.kept(members)) == 1
    assert "was used before" in await cast.said_to("Kim")
    assert "you are in" in await cast.said_to("Robin")


async def test_of_two_who_open_an_invitation_at_once_one_gets_in(cast: Cast) -> None:
    token = await invitation(cast)
    await asyncio.gather(*(opens(cast, name, token) for name in ("Robin", "Kim")))
    (member,) = await cast.kept(members)
    said = [await cast.said_to(name) for name in ("Robin", "Kim")]
    assert sum("was used before" in one for one in said) == 1
    winner = next(name for name, one in zip(("Robin", "Kim"), said, strict=True) if "Do you agree?" in one)
    assert member.person_id == (await cast.person(winner)).id


async def test_an_invitation_holds_a_week_to_the_second(cast: Cast) -> None:
    token, other = await invitation(cast), await invitation(cast)
    cast.later(days=6, hours=23, minutes=59, seconds=59)
    await opens(cast, "Robin", token)
    cast.later(seconds=1)
    await opens(cast, "Kim", other)
    assert "too old" in await cast.said_to("Kim")
    assert [row.person_id for row in await cast.kept(members)] == [(await cast.person("Robin")).id]


@pytest.mark.parametrize("token", ["forged", "x" * 64, "' OR 1=1 --", "ключ"])
async def test_a_forged_invitation_lets_nobody_in(cast: Cast, token: str) -> None:
    await invitation(cast)
    await opens(cast, "Kim", token)
    assert "don't know this invitation" in await cast.said_to("Kim")
    assert await cast.kept(people) == []


async def test_who_is_in_already_does_not_use_up_another_invitation(cast: Cast) -> None:
    await cast.joined("Robin")
    token = await invitation(cast)
    await opens(cast, "Robin", token)
    assert "in this programme already" in (await cast.got("Robin"))[-1].text
    await opens(cast, "Kim", token)
    assert "Do you agree?" in await cast.said_to("Kim")


async def test_the_database_does_not_know_a_token_that_opens_an_invitation(cast: Cast) -> None:
    token = await invitation(cast)
    assert token not in str(await cast.kept(invitations))


@pytest.mark.parametrize(("programme", "level"), [("no-such", ""), (EVENING, "no-such")])
async def test_nobody_is_invited_to_what_does_not_exist(cast: Cast, programme: str, level: str) -> None:
    with pytest.raises(CannotInvite, match="choose from"):
        await invitation(cast, programme=programme, level=level)
    assert await cast.kept(invitations) == []


async def test_consent_is_kept_with_its_version_and_language_and_can_be_declined(cast: Cast) -> None:
    await cast.invited("Robin", "participant")
    await consents_to(cast, "Robin", "no")
    assert await cast.kept(consents) == []
    assert await cast.kept(prompts) == []
    await opens(cast, "Robin", "")
    assert "Do you agree?" in (await cast.got("Robin"))[-1].text
    await consents_to(cast, "Robin", "es")
    assert "Consentimiento" in (await cast.got("Robin"))[-1].text
    await consents_to(cast, "Robin", "yes")
    (kept,) = await cast.kept(consents)
    assert (kept.version, kept.language, kept.at) == (1, "es", cast.now)


async def test_nothing_is_planned_and_nobody_takes_part_before_the_consent(cast: Cast) -> None:
    await cast.invited("Robin", "participant")
    await picks_zone(cast, "Robin", "America/New_York")
    assert (await cast.member("Robin")).standing == "invited"
    assert await cast.kept(prompts) == []


async def test_who_joins_is_told_when_the_first_prompt_comes(cast: Cast) -> None:
    member = await cast.joined("Robin")
    assert (member.standing, member.level, member.began) == ("active", "iop", date(2026, 11, 2))
    assert {row.stream for row in await cast.kept(prompts)} == {
        "check-in",
        "skill",
        "phq-9",
        "gad-7",
        "weekly-review",
    }
    first = min(row.due_at for row in await cast.kept(prompts))
    assert f"{first - timedelta(hours=5):%H:%M}" in (await cast.got("Robin"))[-1].text


async def test_the_first_day_is_the_one_where_the_person_lives(cast: Cast) -> None:
    cast.now = datetime(2026, 11, 2, 23, 0, tzinfo=UTC)
    await agreed(cast, "Robin")
    await picks_zone(cast, "Robin", "Asia/Tokyo")
    assert (await cast.member("Robin")).began == date(2026, 11, 3)


@pytest.mark.parametrize(
    ("typed", "zone"),
    [
        ("madrid", "Europe/Madrid"),
        ("  New York City! ", "America/New_York"),
        ("new yrok", "America/New_York"),
        ("Mexico City", "America/Mexico_City"),
        ("europe/lisbon", "Europe/Lisbon"),
    ],
)
async def test_a_time_zone_is_found_by_its_city(cast: Cast, typed: str, zone: str) -> None:
    await agreed(cast, "Robin")
    await picks_zone(cast, "Robin", "other")
    await cast.writes("Robin", typed)
    assert (await cast.person("Robin")).zone == zone
    assert (await cast.member("Robin")).standing == "active"


async def test_a_city_that_is_not_known_can_be_typed_again_in_other_words(cast: Cast) -> None:
    await agreed(cast, "Robin")
    await picks_zone(cast, "Robin", "other")
    for nonsense in ("Zzyzx Corner", "🙂", "x" * 400):
        await cast.writes("Robin", nonsense)
        assert "don't know that city" in (await cast.got("Robin"))[-1].text
    await cast.writes("Robin", "madrid")
    assert (await cast.person("Robin")).zone == "Europe/Madrid"


async def test_of_several_cities_one_is_chosen_by_a_tap(cast: Cast) -> None:
    await agreed(cast, "Robin")
    await picks_zone(cast, "Robin", "other")
    await cast.writes("Robin", "san")
    assert len(await cast.labels("Robin")) > 1
    await picks_zone(cast, "Robin", "America/Santiago")
    assert (await cast.person("Robin")).zone == "America/Santiago"
    await cast.writes("Robin", "panic")
    assert "This is what I found" in (await cast.got("Robin"))[-1].text


async def test_a_zone_that_no_clock_knows_changes_nothing(cast: Cast) -> None:
    await cast.joined("Robin")
    await picks_zone(cast, "Robin", "Mars/Olympus")
    assert (await cast.person("Robin")).zone == "America/New_York"


async def test_who_moves_keeps_where_they_lived_and_is_planned_for_anew(cast: Cast) -> None:
    await cast.joined("Robin")
    cast.later(hours=1)
    await picks_zone(cast, "Robin", "Europe/Madrid")
    assert [zone for _, zone in (await cast.person("Robin")).zones] == ["America/New_York", "Europe/Madrid"]
    ahead = {row.stream: row.due_at for row in await cast.kept(prompts)}
    assert ahead["check-in"].hour in (8, 9)


@pytest.mark.parametrize("role", ["clinician", "supervisor", "staff"])
async def test_a_colleague_is_in_at_once_and_told_what_to_do(cast: Cast, role: Role) -> None:
    await cast.invited("Quill", role)
    member = await cast.member("Quill")
    assert (member.role, member.standing, member.programme) == (role, "active", EVENING)
    assert "Welcome" in await cast.said_to("Quill")
    assert await cast.kept(prompts) == []


async def test_staff_invite_to_their_own_programme_only(cast: Cast) -> None:
    await cast.invited("Sam", "staff")
    await enrolment.show_invite_menu(cast.store, cast.content, await cast.turn("Sam"))
    assert any("step-down" in label for label in await cast.labels("Sam"))
    assert not any("day track" in label for label in await cast.labels("Sam"))
    before = len(await cast.kept(invitations))
    forged = (
        f"{DAY}|participant|",
        f"{DAY}|staff|",
        f"{EVENING}|owner|",
        f"{EVENING}|participant|no-such",
        "",
        "no-such|staff|",
    )
    for forbidden in forged:
        turn = await cast.turn("Sam")
        with pytest.raises(Refused, match="invite"):
            await enrolment.send_invitation(cast.store, cast.content, turn, forbidden, link_base=LINK)
    assert len(await cast.kept(invitations)) == before


async def test_an_invitation_by_staff_is_a_link_and_a_picture_that_work(cast: Cast) -> None:
    await cast.invited("Sam", "staff")
    value = f"{EVENING}|participant|step-down"
    await enrolment.send_invitation(cast.store, cast.content, await cast.turn("Sam"), value, link_base=LINK)
    sent = (await cast.got("Sam"))[-1]
    assert sent.drawn
    (link,) = [word for word in sent.text.split() if word.startswith(LINK)]
    await opens(cast, "Robin", link.partition("start=")[2])
    assert (await cast.member("Robin")).level == "step-down"


@pytest.mark.parametrize("role", ["participant", "clinician", None])
async def test_who_is_no_staff_invites_nobody(cast: Cast, role: Role | None) -> None:
    if role:
        await cast.invited("Kim", role)
    value = f"{EVENING}|staff|"
    before = len(await cast.kept(invitations))
    with pytest.raises(Refused):
        await enrolment.show_invite_menu(cast.store, cast.content, await cast.turn("Kim"))
    with pytest.raises(Refused):
        await enrolment.send_invitation(cast.store, cast.content, await cast.turn("Kim"), value, link_base=LINK)
    assert len(await cast.kept(invitations)) == before


async def test_who_leaves_after_being_asked_gets_nothing_more(cast: Cast) -> None:
    await cast.joined("Robin")
    for choice in ("", "no"):
        await leaves(cast, "Robin", choice)
        assert (await cast.member("Robin")).standing == "active"
    await leaves(cast, "Robin")
    assert (await cast.turn("Robin")).members == ()
    (member,) = await cast.kept(members)
    assert member.standing == "discharged"
    assert await cast.kept(prompts) == []
    await week.show(cast.store, cast.content, await cast.turn("Robin"))
    assert "for participants of a programme" in (await cast.got("Robin"))[-1].text


async def test_a_pause_that_ends_after_somebody_left_sends_nothing(cast: Cast) -> None:
    await cast.joined("Robin")
    await cast.begins("Robin", "box-breathing")
    for label in ("7", "Start"):
        await cast.taps("Robin", label)
    await leaves(cast, "Robin")
    before = len(await cast.got("Robin"))
    cast.later(hours=1)
    while await practice.elapse(cast.store, cast.content, cast.now):
        pass
    assert len(await cast.got("Robin")) == before
    async with cast.store.read() as tx:
        assert await tx.value(select(func.count()).select_from(runs).where(runs.c.due_at.is_not(None))) == 0


async def test_who_left_can_come_back_by_a_new_invitation(cast: Cast) -> None:
    await cast.joined("Robin")
    await leaves(cast, "Robin")
    cast.later(days=1)
    await cast.joined("Robin")
    assert [row.standing for row in sorted(await cast.kept(members), key=lambda row: row.created_at)] == [
        "discharged",
        "active",
    ]
    assert len(await cast.kept(consents)) == 2


async def test_blocking_and_coming_back_are_kept(cast: Cast) -> None:
    await cast.joined("Robin")
    await presence.reachable(cast.store, cast.content, await cast.turn("Robin"), blocked=True)
    assert (await cast.person("Robin")).blocked_at == cast.now
    await presence.reachable(cast.store, cast.content, await cast.turn("Robin"), blocked=False)
    assert (await cast.person("Robin")).blocked_at is None
