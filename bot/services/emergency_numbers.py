"""The emergency numbers of a country, from the tables of phonenumbers, which are loaded when first asked for."""

import re
from functools import lru_cache

GENERAL = ("000", "111", "999", "112", "911")
"""Numbers that reach every service; of several that a country has, the first here is its best known."""

NORTH_AMERICAN = ("911",)
"""What comes before these in the countries of the North American numbering plan."""

MOST = 3
"""Where there is no general number, so many separate ones are shown; more would only confuse."""


@lru_cache(maxsize=256)
def emergency_numbers(country: str) -> tuple[str, ...]:
    """Return the emergency number of a country (ISO 3166, two letters); several where each service has its own.

    Empty where the tables have none, or so many that nobody could choose.
    """
    from phonenumbers import country_code_for_region  # noqa: PLC0415 - its tables take megabytes
    from phonenumbers.phonemetadata import PhoneMetadata  # noqa: PLC0415

    short = PhoneMetadata.short_metadata_for_region(country)
    if short is None or short.emergency is None or not short.emergency.national_number_pattern:
        return ()
    pattern = re.compile(short.emergency.national_number_pattern)
    for number in (*(NORTH_AMERICAN if country_code_for_region(country) == 1 else ()), *GENERAL):
        if pattern.fullmatch(number):
            return (number,)
    separate = tuple(number for number in map(str, range(100, 1000)) if pattern.fullmatch(number))
    return separate if len(separate) <= MOST else ()
