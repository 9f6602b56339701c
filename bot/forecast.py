"""What a participant of a programme would get and when, worked out ahead and written as a table, CSV or JSON."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime, time, timedelta
from difflib import get_close_matches
from typing import Literal
from zoneinfo import available_timezones

from bot.content.library import Content
from bot.domain import localtime
from bot.domain.activity import Skill
from bot.domain.programme import Programme
from bot.domain.selection import Practice, candidates, choose
from bot.domain.timetable import Preferences, Slot, plan_for, slots

Format = Literal["table", "csv", "json"]

EARLIEST, LATEST = date(2000, 1, 1), date(2100, 1, 1)
MOST_DAYS = 3_660


class BadForecast(ValueError):
    """What was asked for cannot be forecast; the message says what to do instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a forecast, times in ISO 8601. `reason` says why it was left out; empty for what is sent."""

    local: str
    utc: str
    stream: str
    activity: str
    reason: str


COLUMNS = tuple(column.name for column in fields(Row))


def forecast(content: Content, programme_id: str, zone: str, first: date, days: int, seed: int = 0) -> tuple[Row, ...]:
    """Return what somebody gets who begins on `first` and lives by `zone`, on the local days from then on.

    Adaptive streams show what would be chosen for somebody who does each practice and rates none. Raises BadForecast.
    """
    programme = _programme(content, programme_id)
    zone = _zone(zone)
    if not EARLIEST <= first <= LATEST:
        raise BadForecast(f"{first} is out of range: choose a first day from {EARLIEST} to {LATEST}")
    if not 1 <= days <= MOST_DAYS:
        raise BadForecast(f"{days} days cannot be forecast: choose 1 to {MOST_DAYS}")
    plan = plan_for(programme, programme.first_level, Preferences(), seed=str(seed), began=first, zone=zone)
    since, until = (_midnight(zone, day) for day in (first, first + timedelta(days=days)))
    skills = [next(iter(versions.values())) for versions in content.skills.values()]
    return tuple(_rows(programme, skills, slots(plan, since, until), first, seed))


def render(rows: Sequence[Row], form: Format) -> str:
    """Return the rows as a text that ends in a line break."""
    if form == "csv":
        return _csv(rows)
    if form == "json":
        return json.dumps([asdict(row) for row in rows], indent=2) + "\n"
    return _table(rows)


def _rows(
    programme: Programme, skills: Sequence[Skill], found: Iterable[Slot], began: date, seed: int
) -> Iterator[Row]:
    streams = programme.levels[programme.first_level]
    history: list[Practice] = []
    for slot in found:
        stream = streams[slot.stream]
        activity = stream.measure or stream.skill
        if stream.adaptive:
            offered = candidates(programme.curriculum, skills, began, slot.local.date())
            activity = choose(offered, history, seed=f"{seed}:{slot.key}").skill if offered else ""
        if activity and not stream.measure and not slot.reason:
            history.append(Practice(skill=activity, before=None, after=None, ended_at=slot.due))
        yield Row(
            local=slot.local.isoformat(),
            utc=slot.due.isoformat(),
            stream=slot.stream,
            activity=activity,
            reason=slot.reason,
        )


def _programme(content: Content, programme_id: str) -> Programme:
    if programme_id in content.programmes:
        return next(iter(content.programmes[programme_id].values()))
    known = ", ".join(sorted(content.programmes)) or "none, see interlude content check"
    hint = _did_you_mean(programme_id, {name: name for name in content.programmes})
    raise BadForecast(f"there is no programme '{programme_id}'{hint}; there are: {known}")


def _zone(name: str) -> str:
    """Return the zone's name as the time zone database spells it."""
    zones = available_timezones()
    spelt = {zone.casefold(): zone for zone in zones}
    wanted = name.strip().replace(" ", "_")
    if wanted.casefold() in spelt:
        return spelt[wanted.casefold()]
    cities = {zone.rpartition("/")[2].casefold(): zone for zone in sorted(zones)}
    hint = _did_you_mean(wanted.casefold(), {**cities, **spelt})
    raise BadForecast(f"there is no time zone '{name}'{hint}: give an IANA name such as America/New_York")


def _did_you_mean(wanted: str, known: Mapping[str, str]) -> str:
    close = get_close_matches(wanted, known, n=1)
    return f" (did you mean '{known[close[0]]}'?)" if close else ""


def _midnight(zone: str, day: date) -> datetime:
    """Return when a local day begins."""
    return localtime.utc(localtime.moment_of(zone, localtime.day_number(day), time(0)))


def _csv(rows: Sequence[Row]) -> str:
    written = io.StringIO()
    lines = csv.writer(written, lineterminator="\n")
    lines.writerow(COLUMNS)
    lines.writerows(asdict(row).values() for row in rows)
    return written.getvalue()


def _table(rows: Sequence[Row]) -> str:
    if not rows:
        return "Nothing is sent on these days.\n"
    lines = [("day", "time", "zone", "stream", "activity", "left out for")]
    for row in rows:
        local = datetime.fromisoformat(row.local)
        lines.append((f"{local:%a %Y-%m-%d}", f"{local:%H:%M}", row.local[-6:], row.stream, row.activity, row.reason))
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() + "\n" for line in lines
    )
