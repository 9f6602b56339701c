"""Time zones as people name them: near the programme, or found by a city that was typed."""

from datetime import datetime
from difflib import get_close_matches
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

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


def search(text: str) -> tuple[str, ...]:
    """Return the zones whose city or region the text names, or nearly names; at most MOST."""
    said = folded(text).replace(" ", "_")
    if not said:
        return ()
    names = _by_city()
    exact = [zone for city, zone in names.items() if said in (city, zone.casefold())]
    starting = [zone for city, zone in names.items() if city.startswith(said)]
    similar = [names[city] for city in get_close_matches(said, names, n=MOST, cutoff=0.75)]
    found = exact or starting or similar
    return tuple(dict.fromkeys(found))[:MOST]


def city(zone: str) -> str:
    """Return the city that a zone is called after."""
    return zone.rpartition("/")[2].replace("_", " ")


def label(zone: str, now: datetime) -> str:
    """Return a zone as people read it: its city and the time there."""
    return f"{city(zone)} ({now.astimezone(ZoneInfo(zone)):%H:%M})"


@lru_cache(maxsize=1)
def _by_city() -> dict[str, str]:
    zones = sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "SystemV/")))
    return {folded(zone.rpartition("/")[2]).replace(" ", "_"): zone for zone in zones}
