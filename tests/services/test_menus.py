"""What can be asked for: check-in, skills by topic and by typing, the last one again, help, settings."""

import pytest
from cast import Cast

from bot.domain.people import Role
from bot.services import conversation, enrolment, menus
from bot.storage.tables import answers, runs


async def last(cast: Cast, name: str = "Robin") -> str:
    return (await cast.got(name))[-1].text


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("panic", "Box breathing"),
        ("box breating", "Box breathing"),
        ("Thought Record", "Thought record"),
        ("URGES", "Urge surfing"),
    ],
)
async def test_skills_are_found_by_typing_a_topic_or_nearly_a_title(robin: Cast, typed: str, found: str) -> None:
    await robin.writes("Robin", typed)
    assert any(label.startswith(found) for label in await robin.labels("Robin"))


async def test_what_finds_nothing_is_kept_for_the_team(robin: Cast) -> None:
    for said in ("xyzzy", "it was a long day and box breathing did not do much for me, honestly"):
        await robin.writes("Robin", said)
        assert "I keep that for your team" in await last(robin)
    assert [row.kind for row in await robin.kept(answers)] == ["remark", "remark"]


async def test_from_a_topic_to_a_skill_to_its_first_step(robin: Cast) -> None:
    await menus.show_topics(robin.store, robin.content, await robin.turn("Robin"))
    topic = await robin.button("Robin", "Panic")
    await menus.show_skills(robin.store, robin.content, await robin.turn("Robin"), topic.value)
    (label,) = [label for label in await robin.labels("Robin") if label.startswith("Box breathing")]
    skill = await robin.button("Robin", label)
    await menus.show_skill(robin.store, robin.content, await robin.turn("Robin"), skill.value)
    assert "It takes about" in await last(robin)
    assert len({one.card for one in (await robin.got("Robin"))[-3:]}) == 1
    begin = await robin.button("Robin", "Begin")
    await menus.begin_skill(robin.store, robin.content, await robin.turn("Robin"), begin.value)
    assert (await robin.run("Robin")).activity == "box-breathing"


async def test_a_skill_that_is_not_for_everybody_says_so_before_it_begins(robin: Cast) -> None:
    await menus.show_skill(robin.store, robin.content, await robin.turn("Robin"), "cold-water")
    assert "leave this one out if you have" in await last(robin)


async def test_a_skill_that_is_gone_says_so(robin: Cast) -> None:
    robin.with_content(skills={name: one for name, one in robin.content.skills.items() if name != "cold-water"})
    for ask in (menus.show_skill, menus.begin_skill):
        await ask(robin.store, robin.content, await robin.turn("Robin"), "cold-water")
        assert "not here any more" in await last(robin)
    assert await robin.kept(runs) == []


async def test_again_begins_the_last_skill_anew_and_goes_on_with_an_open_one(robin: Cast) -> None:
    async def again() -> None:
        await menus.again(robin.store, robin.content, await robin.turn("Robin"))

    await again()
    assert "nothing to go on with" in await last(robin)
    await robin.begins("Robin", "box-breathing")
    first = await robin.run("Robin")
    await again()
    assert (await robin.run("Robin")).id == first.id
    robin.later(minutes=1)
    await robin.taps("Robin", "Stop")
    assert await robin.run("Robin") is None
    await again()
    assert (await robin.run("Robin")).activity == "box-breathing"
    assert (await robin.run("Robin")).id != first.id


async def test_the_check_in_is_the_one_of_the_programme(robin: Cast) -> None:
    await menus.check_in(robin.store, robin.content, await robin.turn("Robin"))
    assert (await robin.run("Robin")).activity == "daily-check-in"


@pytest.mark.parametrize("ask", [menus.check_in, menus.again])
async def test_who_takes_no_part_is_told_so(cast: Cast, ask) -> None:
    await cast.invited("Quill", "clinician")
    await ask(cast.store, cast.content, await cast.turn("Quill"))
    assert "for participants of a programme" in await last(cast, "Quill")
    assert await cast.kept(runs) == []


@pytest.mark.parametrize(
    ("role", "told", "not_told"),
    [("participant", "/checkin", "/queue"), ("clinician", "/queue", "/invite"), ("staff", "/invite", "/queue")],
)
async def test_help_says_what_this_person_can_ask_for(cast: Cast, role: Role, told: str, not_told: str) -> None:
    await cast.invited("Kim", role)
    await menus.show_help(cast.store, cast.content, await cast.turn("Kim"))
    assert told in await last(cast, "Kim")
    assert not_told not in await last(cast, "Kim")


async def test_settings_show_language_and_zone_and_change_them(robin: Cast) -> None:
    await menus.show_settings(robin.store, robin.content, await robin.turn("Robin"))
    assert "English" in await last(robin)
    assert "America/New_York" in await last(robin)
    await menus.show_settings(robin.store, robin.content, await robin.turn("Robin"), "language")
    choice = await robin.button("Robin", "Español")
    await enrolment.choose_language(robin.store, robin.content, await robin.turn("Robin"), choice.value)
    assert (await robin.person("Robin")).language == "es"
    await menus.show_settings(robin.store, robin.content, await robin.turn("Robin"))
    assert "Español" in await last(robin)


async def test_settings_have_a_week_for_participants_only(cast: Cast) -> None:
    await cast.joined("Robin")
    await cast.invited("Quill", "clinician")
    for name in ("Robin", "Quill"):
        await menus.show_settings(cast.store, cast.content, await cast.turn(name))
    assert "My times and pauses" in await cast.labels("Robin")
    assert "My times and pauses" not in await cast.labels("Quill")


async def test_a_language_that_nobody_wrote_changes_nothing(robin: Cast) -> None:
    await enrolment.choose_language(robin.store, robin.content, await robin.turn("Robin"), "xx")
    assert (await robin.person("Robin")).language == "en"


async def test_an_unknown_command_names_the_one_that_is_like_it_and_is_kept(robin: Cast) -> None:
    known = ["/checkin", "/skills", "/help"]
    await conversation.unknown_command(robin.store, robin.content, await robin.turn("Robin"), "/chekin", known)
    assert "/checkin" in await last(robin) or "help" in await last(robin)
    assert len(await robin.kept(answers)) == 1


async def test_a_stranger_is_told_how_to_begin_and_nothing_is_kept(cast: Cast) -> None:
    await cast.writes("Nobody", "hello?")
    assert "you need an invitation" in await last(cast, "Nobody")
    assert await cast.kept(answers) == []
