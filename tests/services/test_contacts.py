"""Whom one can turn to: the programme's contacts first, then those of the country, never a number twice."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cast import Cast

from bot.domain.programme import Contact
from bot.domain.safety_plan import STEPS, SafetyPlan
from bot.domain.words import plain, say
from bot.services import conversation, countries, enrolment, erasure, menus, safety, safety_plan, week
from bot.services.contacts import contact_lines, contacts_for, country_of, number_keys
from bot.services.voice import Voice
from bot.storage import people
from bot.telegram.message import TEXT_LIMIT, units
from bot.telegram.taps import read_tap


async def test_the_country_is_that_of_the_zone_until_another_is_chosen(clinic: Cast) -> None:
    person = await clinic.person("Robin")
    assert country_of(person, None) == "US"
    assert country_of(replace(person, zones=[["2026-01-01", "Europe/Madrid"]]), None) == "ES"
    assert country_of(replace(person, zones=[["2026-01-01", "UTC"]]), None) == ""
    assert country_of(replace(person, country="MX"), None) == "MX"


async def test_the_programmes_contacts_come_first_and_no_number_comes_twice(clinic: Cast) -> None:
    programme = clinic.content.programme("adult-evening", "en")
    found = contacts_for(clinic.content, Voice(clinic.content, "en"), programme, "US")
    assert [one.name for one in found[:3]] == [one.name for one in programme.contacts]
    calls = [one.call for one in found if one.call]
    assert calls.count("988") == 1
    assert calls.count("911") == 1
    abroad = contacts_for(clinic.content, Voice(clinic.content, "es"), programme, "ES")
    assert [one.call for one in abroad[-2:]] == ["024", "112"]


async def test_another_country_is_chosen_in_two_taps_and_kept(clinic: Cast) -> None:
    await safety.help_now(clinic.store, clinic.content, await clinic.turn("Robin"))
    first = (await clinic.got("Robin"))[-1]
    assert "988" in first.text
    assert {key.copy for row in first.keyboard for key in row} >= {"988", "911"}
    tap = await clinic.button("Robin", "Country: United States · change")
    await countries.choose(clinic.store, clinic.content, await clinic.turn("Robin"), tap.value)
    tap = await clinic.button("Robin", "United Kingdom")
    await countries.choose(clinic.store, clinic.content, await clinic.turn("Robin"), tap.value)
    shown = (await clinic.got("Robin"))[-1].text
    assert "116 123" in shown
    assert "999" in shown
    assert (await clinic.person("Robin")).country == "GB"


@pytest.mark.parametrize(("typed", "country"), [("Spain", "ES"), ("españa", "ES"), ("Germny", "DE"), ("mx", "MX")])
async def test_a_country_is_typed_in_either_language_and_with_a_slip(clinic: Cast, typed: str, country: str) -> None:
    person = await clinic.person("Robin")
    async with clinic.store.begin() as tx:
        await people.change_person(tx, person.id, language="es")
    await countries.choose(clinic.store, clinic.content, await clinic.turn("Robin"), "other")
    await clinic.writes("Robin", typed)
    if (await clinic.person("Robin")).country is None:
        tap = await clinic.button("Robin", "Alemania")
        await countries.choose(clinic.store, clinic.content, await clinic.turn("Robin"), tap.value)
    assert (await clinic.person("Robin")).country == country


async def test_a_country_that_is_none_is_asked_for_again_and_what_was_typed_is_examined(clinic: Cast) -> None:
    await countries.choose(clinic.store, clinic.content, await clinic.turn("Robin"), "other")
    await clinic.writes("Robin", "I want to kill myself tonight")
    assert [case.level for case in await clinic.cases()] == ["red"]
    await clinic.writes("Robin", "France")
    assert (await clinic.person("Robin")).country == "FR"
    assert "3114" in (await clinic.got("Robin"))[-1].text


async def test_a_forged_country_shows_the_choice(clinic: Cast) -> None:
    await countries.choose(clinic.store, clinic.content, await clinic.turn("Robin"), "ZZZ")
    assert "In which country are you?" in (await clinic.got("Robin"))[-1].text
    assert (await clinic.person("Robin")).country is None


async def test_out_of_hours_it_says_when_the_team_is_back_by_the_persons_own_clock(clinic: Cast) -> None:
    clinic.now = datetime(2026, 11, 7, 3, 0, tzinfo=UTC)
    await clinic.writes("Robin", "I want to kill myself tonight")
    said = await clinic.said_to("Robin")
    assert "it is back Mon 9 Nov, 09:00" in said
    assert "Mon 9 Nov, 09:00" not in said.partition("988")[0]


@pytest.mark.parametrize(
    ("at", "zone", "language", "back"),
    [
        (datetime(2026, 11, 7, 3, 0, tzinfo=UTC), "Asia/Tokyo", "en", "Mon 9 Nov, 23:00"),
        (datetime(2026, 11, 26, 16, 0, tzinfo=UTC), "America/New_York", "en", "Fri 27 Nov, 09:00"),
        (datetime(2026, 10, 31, 16, 0, tzinfo=UTC), "America/New_York", "es", "lun 2 nov, 09:00"),
        (datetime(2027, 3, 13, 20, 0, tzinfo=UTC), "America/Chicago", "es", "lun 15 mar, 08:00"),
    ],
    ids=["abroad", "holiday", "clocks go back", "clocks go forward"],
)
@pytest.mark.parametrize("said", ["I want to kill myself tonight", "I wish I was dead", "nothing will ever get better"])
async def test_every_level_names_the_next_staffed_hour(
    clinic: Cast, said: str, at: datetime, zone: str, language: str, back: str
) -> None:
    clinic.now = at
    robin = await clinic.person("Robin")
    async with clinic.store.begin() as tx:
        await people.change_person(tx, robin.id, language=language, zones=[[at.isoformat(), zone]])
    await clinic.writes("Robin", said)
    assert back in (await clinic.got("Robin"))[-1].text


@pytest.mark.parametrize("at", [datetime(2026, 11, 7, 3, 0, tzinfo=UTC), datetime(2026, 11, 6, 16, 0, tzinfo=UTC)])
@pytest.mark.parametrize("said", ["I want to kill myself tonight", "I wish I was dead"])
async def test_red_and_orange_say_at_every_hour_what_is_watched_and_what_is_not(
    clinic: Cast, at: datetime, said: str
) -> None:
    clinic.now = at
    await clinic.writes("Robin", said)
    answer = (await clinic.got("Robin"))[-1].text
    assert "I have told your" in answer
    assert "gets alerts" in answer
    assert "this chat is not watched around the clock" in answer or "nobody watches this chat all the time" in answer


async def test_help_now_is_there_for_everybody_in_every_state(clinic: Cast) -> None:
    await clinic.begins("Robin", "box-breathing")
    await menus.show_settings(clinic.store, clinic.content, await clinic.turn("Robin"), "zone")
    for name in ("Robin", "Quill", "Senior", "Stranger"):
        await safety.help_now(clinic.store, clinic.content, await clinic.turn(name))
        assert "988" in (await clinic.got(name))[-1].text


async def invited(cast: Cast) -> None:
    await cast.invited("Robin", "participant")


async def paused(cast: Cast) -> None:
    await cast.joined("Robin")
    await week.choose(cast.store, cast.content, await cast.turn("Robin"), "pause=open")


async def in_a_measure(cast: Cast) -> None:
    await cast.joined("Robin")
    await cast.begins("Robin", "phq-9", "measure")


async def writing_a_plan(cast: Cast) -> None:
    await cast.joined("Robin")
    await safety_plan.choose(cast.store, cast.content, await cast.turn("Robin"), "fill")


async def discharged(cast: Cast) -> None:
    await cast.joined("Robin")
    await enrolment.leave(cast.store, cast.content, await cast.turn("Robin"), "yes")


async def erased(cast: Cast) -> None:
    await cast.joined("Robin")
    code = (await cast.person("Robin")).code
    await erasure.erase_by_code(cast.store, cast.content, code, cast.now)


@pytest.mark.parametrize("state", [invited, paused, in_a_measure, writing_a_plan, discharged, erased])
async def test_help_now_is_there_at_once_in_each_state_and_takes_no_place_away(cast: Cast, state) -> None:
    await state(cast)
    before = await cast.turn("Robin")
    open_run = await cast.run("Robin") if before.members else None
    await safety.help_now(cast.store, cast.content, await cast.turn("Robin"))
    shown = (await cast.got("Robin"))[-1]
    assert "988" in shown.text
    assert ("988" in {key.copy for row in shown.keyboard for key in row}) or state is erased
    assert (before.person is None) is (state is erased)
    if before.members:
        assert await cast.run("Robin") == open_run


@pytest.mark.parametrize(
    ("said", "cry"),
    [
        ("/help_now", True),
        ("/Help_Now", True),
        ("m:help-now:tell", True),
        ("I want to kill myself", True),
        ("nice day", False),
        ("", False),
    ],
)
async def test_a_cry_is_known_without_the_database(clinic: Cast, said: str, cry: bool) -> None:
    assert safety.is_cry(clinic.content, said) is cry


async def test_abroad_the_countrys_numbers_stand_under_its_name_below_the_programmes(clinic: Cast) -> None:
    at_home = await clinic.turn("Robin")
    programme = clinic.content.programme("adult-evening", "en")
    home = plain(contact_lines(clinic.content, at_home.voice(clinic.content), programme, "US"))
    assert "United States" not in home
    abroad = plain(contact_lines(clinic.content, at_home.voice(clinic.content), programme, "JP"))
    assert abroad.endswith("\n\nJapan:\n• Emergency: call 110 · call 119")
    assert "988" in abroad.partition("Japan:")[0]


async def test_a_line_says_its_hours_and_its_languages_to_who_speaks_none_of_them(clinic: Cast) -> None:
    lines = {
        language: plain(contact_lines(clinic.content, Voice(clinic.content, language), None, "DE"))
        for language in ("en", "es")
    }
    assert (
        "• TelefonSeelsorge: call 0800 111 0 111 · call 0800 111 0 222 (24/7, German)\n• Emergency: call 112"
        in lines["en"]
    )
    assert "(24/7, alemán)" in lines["es"]
    assert "(24/7)" in plain(contact_lines(clinic.content, Voice(clinic.content, "es"), None, "MX"))


async def test_what_a_tap_on_the_text_does_not_dial_has_a_button_to_copy_it(clinic: Cast) -> None:
    voice = Voice(clinic.content, "en")
    programme = clinic.content.programme("adult-evening", "en")
    keys = [key for row in number_keys(clinic.content, voice, programme, "DE") for key in row]
    assert [key.copy for key in keys] == ["988", "911", "0800 111 0 111", "0800 111 0 222", "112"]
    assert "+1-800-222-1222" in plain(contact_lines(clinic.content, voice, programme, "DE"))


@pytest.mark.parametrize(
    ("level", "text"),
    [
        ("red", "I want to kill myself tonight"),
        ("orange", "I wish I was dead"),
        ("yellow", "nothing will ever get better"),
    ],
)
@pytest.mark.parametrize("language", ["en", "es"])
async def test_every_level_shows_the_numbers_and_lets_the_country_be_changed(
    clinic: Cast, level: str, text: str, language: str
) -> None:
    robin = await clinic.person("Robin")
    async with clinic.store.begin() as tx:
        await people.change_person(tx, robin.id, language=language)
    await clinic.writes("Robin", text)
    assert [case.level for case in await clinic.cases()] == [level]
    (told,) = [message for message in await clinic.got("Robin") if "988" in message.text][-1:]
    assert "911" in told.text
    keys = [key for row in told.keyboard for key in row]
    assert {"988", "911"} <= {key.copy for key in keys}
    assert [read_tap(key.data).menu for key in keys if key.data] == ["country"]
    assert "?" not in told.text.partition("988")[0], "no question before the numbers"


async def test_a_stranger_is_shown_the_numbers_of_a_country_by_taps_or_by_its_name(cast: Cast) -> None:
    await safety.help_now(cast.store, cast.content, await cast.turn("Stranger"))
    assert "local emergency number" in (await cast.got("Stranger"))[-1].text
    tap = await cast.button("Stranger", "Numbers of my country")
    await countries.choose(cast.store, cast.content, await cast.turn("Stranger"), tap.value)
    tap = await cast.button("Stranger", "France")
    await countries.choose(cast.store, cast.content, await cast.turn("Stranger"), tap.value)
    assert "3114" in (await cast.got("Stranger"))[-1].text
    await countries.choose(cast.store, cast.content, await cast.turn("Stranger"), "other")
    await cast.writes("Stranger", "méxico")
    assert "800 911 2000" in (await cast.got("Stranger"))[-1].text
    assert (await cast.turn("Stranger")).person is None, "nothing is kept of who is in no programme"


async def test_a_message_edited_into_a_call_for_help_is_one(clinic: Cast) -> None:
    await conversation.edited(clinic.store, clinic.content, await clinic.turn("Robin"), "/Help_now please")
    assert (await clinic.got("Robin"))[-1].card == "help-now"


async def test_the_countries_near_by_are_offered_first(clinic: Cast) -> None:
    await countries.choose(clinic.store, clinic.content, await clinic.turn("Robin"), "")
    labels = await clinic.labels("Robin")
    assert labels[:2] == ["United States", "Canada"]
    assert {"United Kingdom", "Mexico", "Spain"} <= set(labels)
    assert labels[-1] == "Another country"


@pytest.mark.parametrize(
    ("text", "language", "country"),
    [
        ("Spain", "es", "ES"),
        ("españa", "es", "ES"),
        ("U.K.", "en", "GB"),
        ("USA", "en", "US"),
        ("EE. UU.", "es", "US"),
        ("Países Bajos", "es", "NL"),
        ("argentna", "es", "AR"),
        ("nowhere at all", "en", ""),
        ("eu", "en", ""),
    ],
)
def test_a_country_is_known_by_its_names_its_code_and_with_a_slip(text: str, language: str, country: str) -> None:
    assert next(iter(countries.named(text, language)), "") == country


async def test_who_is_in_danger_is_asked_nothing_even_while_joining(cast: Cast) -> None:
    await cast.invited("Kim", "participant")
    await enrolment.consent(cast.store, cast.content, await cast.turn("Kim"), "yes")
    await enrolment.choose_zone(cast.store, cast.content, await cast.turn("Kim"), "other")
    before = len(await cast.got("Kim"))
    await cast.writes("Kim", "I want to kill myself tonight")
    (told,) = (await cast.got("Kim"))[before:]
    assert "988" in told.text
    await cast.writes("Kim", "Chicago")
    assert (await cast.person("Kim")).zone == "America/Chicago", "what was asked still waits"


async def test_help_now_is_there_when_the_programmes_file_is_gone(clinic: Cast) -> None:
    clinic.with_content(programmes={})
    await safety.help_now(clinic.store, clinic.content, await clinic.turn("Robin"))
    shown = (await clinic.got("Robin"))[-1].text
    assert "988" in shown
    assert "911" in shown


async def test_abroad_where_no_emergency_number_is_known_that_is_said(clinic: Cast) -> None:
    programme = clinic.content.programme("adult-evening", "en")
    lines = plain(contact_lines(clinic.content, Voice(clinic.content, "en"), programme, "UZ"))
    assert lines.endswith(
        "\n\nUzbekistan:\nI don't know the emergency number there. Please ask anybody near you for it."
    )


async def test_who_speaks_another_language_is_told_how_a_line_answers_in_it(clinic: Cast) -> None:
    lines = {
        language: plain(contact_lines(clinic.content, Voice(clinic.content, language), None, "US"))
        for language in ("en", "es")
    }
    assert "(24/7, oprime 2 para español; por texto, envía AYUDA)" in lines["es"]
    assert "oprime" not in lines["en"]


@pytest.mark.parametrize(("zone", "shown"), [("Europe/Madrid", "ES"), ("America/Chicago", "GB")])
async def test_who_moves_abroad_gets_the_numbers_of_where_they_are_now(clinic: Cast, zone: str, shown: str) -> None:
    await countries.choose(clinic.store, clinic.content, await clinic.turn("Robin"), "GB")
    await enrolment.choose_zone(clinic.store, clinic.content, await clinic.turn("Robin"), zone)
    assert country_of(await clinic.person("Robin"), None) == shown


@pytest.mark.parametrize("said", ["tell", "no"])
async def test_an_old_button_never_lets_who_left_believe_that_somebody_was_told(clinic: Cast, said: str) -> None:
    await safety.help_now(clinic.store, clinic.content, await clinic.turn("Robin"))
    await enrolment.leave(clinic.store, clinic.content, await clinic.turn("Robin"), "yes")
    await safety.help_now_answered(clinic.store, clinic.content, await clinic.turn("Robin"), said)
    answer = (await clinic.got("Robin"))[-1].text
    assert ("I can tell nobody" in answer and "988" in answer) is (said == "tell")
    assert await clinic.cases() == []


async def test_no_number_is_ever_cut_off_however_long_the_rest_is(clinic: Cast) -> None:
    long = replace(
        clinic.content.programme("adult-evening", "en"),
        urgent=say("Please call. " * 60),
        contacts=tuple(Contact(name=f"Somebody {n} {'x' * 40}", call=f"555 01{n:02}") for n in range(10)),
    )
    clinic.with_content(programmes={"adult-evening": {"en": long}})
    plan = SafetyPlan(texts=dict.fromkeys(STEPS, "what I wrote " * 100))
    member, robin = await clinic.member("Robin"), await clinic.person("Robin")
    told = safety.level_message(clinic.content, member, robin, "red", plan, clinic.now)
    assert "what I wrote" in told.text
    assert all(f"555 01{n:02}" in told.text for n in range(10))
    assert "911" in told.text
    assert units(told.text) <= TEXT_LIMIT
