"""Public holidays by country and region. The library takes 17 MB and is loaded once a programme names a country."""

from collections.abc import Container, Mapping
from datetime import date
from functools import lru_cache

from bot.content.findings import closest
from bot.content.timing import Malformed


def country_code(text: str) -> str:
    """Read a country by its code of two letters (ISO 3166), such as US."""
    from holidays.registry import COUNTRIES  # noqa: PLC0415

    codes = {names[1]: (module, *names) for module, names in COUNTRIES.items()}
    if text in codes:
        return text
    spelt = {_folded(name): code for code, names in codes.items() for name in names}
    meant = spelt.get(_folded(text)) or spelt.get(closest(_folded(text), spelt), "")
    hint = f"did you mean '{meant}'?" if meant else "two letters, such as US; leave it out and list the days in closed"
    raise Malformed(f"no public holidays are known of '{text}'", hint, code="C005")


def region_code(country: str, text: str) -> str:
    """Read a part of a country by its code (ISO 3166-2), such as NY or US-NY."""
    if not country:
        raise Malformed("a region goes with a country", "add the country, such as US", code="C005")
    regions = _regions(country)
    code = text.removeprefix(f"{country}-")
    if code in regions.values():
        return code
    spelt = {_folded(name): code for name, code in regions.items()}
    meant = spelt.get(_folded(code)) or spelt.get(closest(_folded(code), spelt), "")
    known = f"one of {', '.join(sorted(set(regions.values())))}" if regions else "leave it out"
    hint = f"did you mean '{meant}'?" if meant else known
    raise Malformed(f"'{text}' is no region of {country}", hint, code="C005")


@lru_cache(maxsize=64)
def days_closed(country: str, region: str, closed: tuple[date, ...]) -> Container[date]:
    """Return the days on which a programme does not work besides its weekends, of whatever year one asks for."""
    if not country:
        return frozenset(closed)
    from holidays import country_holidays  # noqa: PLC0415

    days = country_holidays(country, subdiv=region or None)
    days.update(list(closed))
    return days


def _regions(country: str) -> Mapping[str, str]:
    """Return the codes of a country's regions, by code and by every other name."""
    from holidays import country_holidays  # noqa: PLC0415

    kind = type(country_holidays(country))
    codes = {code: code for code in kind.subdivisions}
    return {**kind.subdivisions_aliases, **codes}


def _folded(name: str) -> str:
    return name.casefold().replace("_", "").replace(" ", "").replace(".", "")
