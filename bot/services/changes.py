"""How much scores changed since somebody began: for clinicians in the field's terms, for the person in plain words.

What is shown tells of numbers and diagnoses nothing. It stands in no alert.
"""

from zoneinfo import ZoneInfo

from babel.dates import format_skeleton

from bot.content.library import Content
from bot.domain.activity import Measure
from bot.domain.scoring import RATED_BY, Change, change, remitted, responded
from bot.domain.words import Words
from bot.services.voice import Voice
from bot.storage import runs
from bot.storage.store import Tx
from bot.storage.tables import Row

_KEYS: dict[Change, str] = {"better": "better", "worse": "worse", "no reliable change": "same"}


async def for_clinicians(tx: Tx, content: Content, voice: Voice, member_id: int, zone: ZoneInfo) -> tuple[Words, ...]:
    """Return a line for each measure with two scores: both totals, since when, reliable change, response, remission."""
    found = await _found(tx, content, voice, member_id)
    return tuple(_line(voice, measure, first, last, zone) for measure, first, last in found)


async def for_oneself(tx: Tx, content: Content, voice: Voice, member_id: int, zone: ZoneInfo) -> tuple[Words, ...]:
    """Return a line for each measure with two scores, without numbers and without names of illnesses."""
    found = await _found(tx, content, voice, member_id)
    return tuple(
        voice.words(
            f"own-change-{_KEYS[change(first.total, last.total, measure)]}",
            title=measure.title,
            day=_day(voice, first, zone),
        )
        for measure, first, last in found
    )


async def _found(tx: Tx, content: Content, voice: Voice, member_id: int) -> list[tuple[Measure, Row, Row]]:
    """Return the measures that say what a reliable change is, with the first and the last score."""
    found = []
    for name in content.measures:
        measure = content.measure(name, voice.language)
        if measure.reliable_change and (both := await runs.first_and_last(tx, member_id, name)):
            found.append((measure, *both))
    return found


def _line(voice: Voice, measure: Measure, first: Row, last: Row, zone: ZoneInfo) -> Words:
    what = [voice.label(f"change-{_KEYS[change(first.total, last.total, measure)]}")]
    if measure.id in RATED_BY:
        what.append(voice.label("change-response" if responded(first.total, last.total) else "change-no-response"))
        what.append(voice.label("change-remission" if remitted(last.total) else "change-no-remission"))
    return voice.words(
        "change",
        title=measure.title,
        before=f"{first.total:g}",
        after=f"{last.total:g}",
        day=_day(voice, first, zone),
        what=", ".join(what),
    )


def _day(voice: Voice, row: Row, zone: ZoneInfo) -> str:
    return str(format_skeleton("MMMd", row.at.astimezone(zone), locale=voice.language))
