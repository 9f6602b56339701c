"""Emergency numbers by country from the tables, and where a time zone lies."""

from zoneinfo import available_timezones

import pytest
from phonenumbers.shortnumberinfo import is_emergency_number

from bot.services.emergency_numbers import MEDICAL_FIRST, MOST, ONE_FOR_ALL, emergency_numbers
from bot.services.geography import country_of_zone, near

PLACES = sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "SystemV/")))
COUNTRIES = sorted({country_of_zone(zone) for zone in PLACES})
NONE_KNOWN = {"AQ", "GA", "GM", "GN", "GQ", "GS", "IO", "KI", "PN", "TF", "TK", "UM", "UZ"}
"""Antarctica, islands, and countries of which the tables have nothing, or too much to choose from."""


@pytest.mark.parametrize(
    ("country", "numbers"),
    [
        ("US", ("911",)),
        ("CA", ("911",)),
        ("JM", ("911",)),
        ("MX", ("911",)),
        ("AR", ("911",)),
        ("CO", ("123",)),
        ("GB", ("999",)),
        ("IE", ("999",)),
        ("ES", ("112",)),
        ("FR", ("112",)),
        ("DE", ("112",)),
        ("PL", ("112",)),
        ("ZA", ("112",)),
        ("IN", ("112",)),
        ("RU", ("112",)),
        ("AU", ("000",)),
        ("NZ", ("111",)),
        ("BR", ("192", "190", "193")),
        ("JP", ("110", "119")),
        ("KR", ("112", "119")),
        ("TH", ("191", "199", "1669")),
        ("GF", ("15", "17", "18")),
        ("XX", ()),
        ("", ()),
    ],
)
def test_one_number_where_it_reaches_every_service_else_those_of_each(country: str, numbers: tuple[str, ...]) -> None:
    assert emergency_numbers(country) == numbers


def test_every_country_with_a_zone_has_few_numbers_that_the_tables_know_or_honestly_none() -> None:
    shown = {country: emergency_numbers(country) for country in COUNTRIES}
    assert {country for country, numbers in shown.items() if not numbers} == NONE_KNOWN
    for country, numbers in shown.items():
        assert len(numbers) <= MOST
        assert all(is_emergency_number(number, country) for number in numbers), country


def test_what_is_preferred_is_in_the_tables() -> None:
    """An update of the tables that takes a number away is noticed here; until then, what they have is shown."""
    for number, countries in ONE_FOR_ALL.items():
        assert [country for country in countries if emergency_numbers(country) != (number,)] == []
    for country, numbers in MEDICAL_FIRST.items():
        assert all(is_emergency_number(number, country) for number in numbers)


def test_every_place_has_a_country_also_by_its_former_names() -> None:
    assert [zone for zone in PLACES if not country_of_zone(zone)] == []
    known = {
        "America/New_York": "US",
        "Asia/Calcutta": "IN",
        "Asia/Kolkata": "IN",
        "Europe/Kiev": "UA",
        "US/Pacific": "US",
    }
    assert {zone: country_of_zone(zone) for zone in known} == known
    assert {country_of_zone(zone) for zone in ("UTC", "Etc/GMT+5", "", "Nowhere/Land")} == {""}


def test_the_nearest_countries_come_first_beginning_with_ones_own() -> None:
    assert near("America/Tijuana")[:2] == ("MX", "US")
    assert near("America/New_York")[:2] == ("US", "CA")
    assert near("Europe/Madrid")[:4] == ("ES", "AD", "GI", "PT")
    assert near("Pacific/Apia")[:2] == ("WS", "AS"), "across the date line"
    assert near("UTC") == ()
