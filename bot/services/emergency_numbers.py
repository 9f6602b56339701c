"""The emergency numbers of a country, from the tables of phonenumbers, which are loaded when first asked for."""

import itertools
import re
from collections.abc import Iterator
from functools import lru_cache

NORTH_AMERICAN = 1
"""The calling code of the countries in which 911 reaches every service."""

ONE_FOR_ALL = {
    "000": ("AU", "CC", "CX"),
    "111": ("NZ",),
    "112": (
        *(
            "AT",
            "AX",
            "BE",
            "BG",
            "CY",
            "CZ",
            "DE",
            "DK",
            "EE",
            "ES",
            "FI",
            "FR",
            "GR",
            "HR",
            "HU",
            "IT",
            "LT",
            "LU",
            "LV",
        ),
        *("MQ", "MT", "NL", "PL", "PT", "RE", "RO", "SE", "SI", "SK", "YT"),
        *("AD", "CH", "FO", "GE", "GI", "GL", "IN", "IS", "LI", "MC", "MD", "NO", "RU", "SJ", "TR", "ZA"),
    ),
    "123": ("CO",),
    "911": ("AR", "BZ", "CR", "EC", "JO", "LR", "MX", "PA", "PH", "PY", "SV", "UY"),
    "999": ("BD", "GB", "GG", "HK", "IE", "IM", "JE", "MO", "MY"),
}
"""Countries of whose several numbers this one reaches every service. The tables do not say which number is whose, and
112 is the police alone in some countries and the fire brigade in others: where a country is not here, all are shown."""

MEDICAL_FIRST = {"BR": ("192", "190", "193")}
"""Ambulance, police, fire, where the tables have so many that they would not be shown."""

GENERAL = ("112", "911", "999")
MOST = 5
"""Numbers that somebody in need can choose from; of more, only the GENERAL ones are shown."""

LONGEST = 5
"""Digits; what is longer in the tables are local lines."""


@lru_cache(maxsize=256)
def emergency_numbers(country: str) -> tuple[str, ...]:
    """Return the emergency number of a country (ISO 3166, two letters); several where each service has its own.

    Empty where the tables have none, or too many to choose from.
    """
    from phonenumbers import country_code_for_region  # noqa: PLC0415 - its tables take megabytes

    known = _in_the_tables(country)
    for number, countries in ONE_FOR_ALL.items():
        if country in countries and number in known:
            return (number,)
    if country_code_for_region(country) == NORTH_AMERICAN and "911" in known:
        return ("911",)
    if country in MEDICAL_FIRST:
        return MEDICAL_FIRST[country]
    return known if len(known) <= MOST else tuple(number for number in GENERAL if number in known)


def _in_the_tables(country: str) -> tuple[str, ...]:
    from phonenumbers.phonemetadata import PhoneMetadata  # noqa: PLC0415

    short = PhoneMetadata.short_metadata_for_region(country)
    if short is None or short.emergency is None or not short.emergency.national_number_pattern:
        return ()
    pattern = re.compile(short.emergency.national_number_pattern)
    every = short.general_desc.possible_length if short.general_desc else ()
    numbers = _numbers(short.emergency.possible_length or every)
    return tuple(number for number in numbers if pattern.fullmatch(number))


def _numbers(lengths: tuple[int, ...]) -> Iterator[str]:
    for length in lengths:
        if length <= LONGEST:
            yield from map("".join, itertools.product("0123456789", repeat=length))
