"""Whom one can turn to: the programme's contacts first, then those of the country, never a number twice."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cast import Cast

from bot.services import countries, menus, safety
from bot.services.contacts import contacts_for, country_of
from bot.services.voice import Voice


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
    tap = await clinic.button("Robin", "Not in United States?")
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
        from bot.storage import people

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


async def test_help_now_is_there_for_everybody_in_every_state(clinic: Cast) -> None:
    await clinic.begins("Robin", "box-breathing")
    await menus.show_settings(clinic.store, clinic.content, await clinic.turn("Robin"), "zone")
    for name in ("Robin", "Quill", "Senior", "Stranger"):
        await safety.help_now(clinic.store, clinic.content, await clinic.turn(name))
        assert "988" in (await clinic.got(name))[-1].text


@pytest.mark.parametrize(
    ("said", "cry"),
    [
        ("/help_now", True),
        ("m:help-now:tell", True),
        ("I want to kill myself", True),
        ("nice day", False),
        ("", False),
    ],
)
async def test_a_cry_is_known_without_the_database(clinic: Cast, said: str, cry: bool) -> None:
    assert safety.is_cry(clinic.content, said) is cry
