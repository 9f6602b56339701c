"""Time zones as people name them: near the programme, or found by a city that was typed."""

from collections.abc import Mapping
from datetime import datetime
from difflib import get_close_matches
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from babel import Locale, UnknownLocaleError

from bot.domain.understanding import folded

MOST = 8
"""Zones offered at once."""

_NEAR = {
    "America/New_York": ("America/Chicago", "America/Denver", "America/Phoenix", "America/Los_Angeles"),
    "Europe/Madrid": ("Atlantic/Canary", "Europe/Lisbon", "Europe/London"),
    "America/Mexico_City": ("America/Monterrey", "America/Tijuana", "America/Cancun"),
}


def near(zone: str) -> tuple[str, ...]:
    """Return the zone itself and those that neighbours live by."""
    for first, others in _NEAR.items():
        if zone in (first, *others):
            return tuple(dict.fromkeys((zone, first, *others)))
    return (zone,)


def search(text: str, language: str = "en") -> tuple[str, ...]:
    """Return the zones whose city or region the text names or nearly names, in English or `language`; at most MOST."""
    said = folded(text).replace(" ", "_")
    if not said:
        return ()
    names = _by_city(language)
    exact = [zone for city, zone in names.items() if said in (city, zone.casefold())]
    starting = [zone for city, zone in names.items() if city.startswith(said)]
    similar = [names[city] for city in get_close_matches(said, names, n=MOST, cutoff=0.75)]
    found = exact or starting or similar
    return tuple(dict.fromkeys(found))[:MOST]


def city(zone: str, language: str = "en") -> str:
    """Return the city that a zone is called after, by its name in the language where it has one of its own there."""
    return _own_names(language).get(zone) or zone.rpartition("/")[2].replace("_", " ")


def label(zone: str, now: datetime, language: str = "en") -> str:
    """Return a zone as people read it: its city and the time there."""
    return f"{city(zone, language)} ({now.astimezone(ZoneInfo(zone)):%H:%M})"


@lru_cache(maxsize=8)
def _by_city(language: str) -> dict[str, str]:
    zones = sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "SystemV/")))
    own = {folded(name).replace(" ", "_"): zone for zone, name in _own_names(language).items() if zone in zones}
    return own | {folded(zone.rpartition("/")[2]).replace(" ", "_"): zone for zone in zones}


@lru_cache(maxsize=8)
def _own_names(language: str) -> Mapping[str, str]:
    """Return what cities are called in a language, by their zones; English names are those of the zones."""
    if language == "en":
        return {}
    try:
        known = Locale.parse(language, sep="-").time_zones
    except (UnknownLocaleError, ValueError):
        return {}
    return {zone: told["city"] for zone, told in known.items() if "city" in told}
