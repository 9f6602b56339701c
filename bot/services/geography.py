"""Where a time zone lies: its country, and the countries near by. From the time zone database's own table."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

from babel.core import get_global

_PLACE = re.compile(r"([+-]\d{2})(\d{2})(?:\d{2})?([+-]\d{3})(\d{2})(?:\d{2})?")
"""Degrees and minutes, north and then east, as ISO 6709 writes them; seconds are left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """The main place of a zone: its country (ISO 3166), and where it lies, in radians."""

    country: str
    north: float
    east: float


def country_of_zone(zone: str) -> str:
    """Return the country in which a zone's main place lies, by its present or a former name; empty for UTC and such."""
    spot = _spot(zone)
    return spot.country if spot else ""


@lru_cache(maxsize=256)
def near(zone: str) -> tuple[str, ...]:
    """Return the countries by their distance from a zone's main place, its own first; none for UTC and such."""
    here = _spot(zone)
    if here is None:
        return ()
    away: dict[str, float] = {}
    for spot in _spots().values():
        away[spot.country] = min(away.get(spot.country, math.inf), _angle(here, spot))
    return tuple(sorted(away, key=lambda country: (country != here.country, away[country])))


def _angle(one: Spot, other: Spot) -> float:
    """Return the distance on the globe as an angle."""
    straight = math.sin(one.north) * math.sin(other.north)
    across = math.cos(one.north) * math.cos(other.north) * math.cos(one.east - other.east)
    return math.acos(max(-1.0, min(1.0, straight + across)))


def _spot(zone: str) -> Spot | None:
    spots = _spots()
    return spots.get(zone) or spots.get(get_global("zone_aliases").get(zone, ""))


@lru_cache(maxsize=1)
def _spots() -> Mapping[str, Spot]:
    table = (resources.files("tzdata") / "zoneinfo" / "zone.tab").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in table.splitlines() if line and not line.startswith("#"))
    return {zone: _placed(country, place) for country, place, zone, *_ in rows}


def _placed(country: str, place: str) -> Spot:
    found = _PLACE.fullmatch(place)
    assert found, place  # noqa: S101 - the table's own format
    north, minutes_north, east, minutes_east = found.groups()
    return Spot(country=country, north=_radians(north, minutes_north), east=_radians(east, minutes_east))


def _radians(degrees: str, minutes: str) -> float:
    return math.radians(math.copysign(abs(int(degrees)) + int(minutes) / 60, -1 if degrees[0] == "-" else 1))
