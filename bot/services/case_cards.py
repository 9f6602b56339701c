"""How a case looks in chat: the alert without a name or a word, the card with its flags and history."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.domain.words import Span, Words, join
from bot.services.voice import Voice
from bot.storage import cases as records
from bot.storage import people
from bot.storage.cases import Filed
from bot.storage.people import Person
from bot.storage.store import Tx
from bot.storage.tables import Row
from bot.telegram.message import Keyboard, Message
from bot.telegram.taps import CaseTap

LISTED = 20
"""Cases that one message lists."""


def alert_words(
    filed: Filed, code: str, categories: Sequence[str], voice: Voice, zone: ZoneInfo, now: datetime
) -> Words:
    key = "alert-overdue" if now > filed.case.deadline else "alert"
    return voice.words(key, category=reasons(voice, categories), **case_values(filed, code, voice, zone))


def reasons(voice: Voice, categories: Sequence[str]) -> str:
    """Return what an alert is about, in words."""
    return ", ".join(voice.label(f"category-{category}") for category in categories)


async def card_words(tx: Tx, filed: Filed, voice: Voice, zone: ZoneInfo) -> Words:
    code = (await participant_of(tx, filed)).code
    key = "case-card" if filed.case.state == "open" else "case-card-seen"
    head = voice.words(key, **case_values(filed, code, voice, zone))
    kinds = dict.fromkeys((row.at, row.level, row.category) for row in await records.flags_of(tx, filed.id))
    found = [
        voice.words(
            "case-flag",
            when=voice.moment(at, zone),
            level=voice.label(f"level-{level}"),
            category=voice.label(f"category-{category}"),
        )
        for at, level, category in kinds
    ]
    history = [await _event_line(tx, row, voice, zone) for row in await records.events_of(tx, filed.id)]
    return join((head, join(tuple(found[-8:]), "\n"), join(tuple(history[-12:]), "\n")))


async def _event_line(tx: Tx, row: Row, voice: Voice, zone: ZoneInfo) -> Words:
    who = await _code_of(tx, int(row.detail["to"]) if "to" in row.detail else row.by) or voice.label("account-erased")
    line = voice.words(f"case-event-{row.kind}", when=voice.moment(row.at, zone), who=who)
    if disposition := row.detail.get("disposition"):
        line = join((line, voice.words(f"disposition-{disposition}")), ": ")
    note = records.event_note(tx, row)
    note = voice.label("cannot-be-read") if note is None else note
    return (*line, Span(text=f"\n{note}", styles=frozenset({"italic"}))) if note else line


async def _code_of(tx: Tx, member_id: int | None) -> str:
    member = await people.member(tx, member_id) if member_id else None
    if member is None:
        return ""
    person = await people.person(tx, member.person_id)
    return person.name or person.code


def case_values(filed: Filed, code: str, voice: Voice, zone: ZoneInfo) -> dict[str, str]:
    return {
        "number": str(filed.number),
        "level": voice.label(f"level-{filed.case.level}"),
        "state": voice.label(f"state-{filed.case.state}"),
        "code": code,
        "since": voice.moment(filed.case.raised_at, zone),
        "deadline": voice.moment(filed.case.deadline, zone),
    }


def alert_keyboard(filed: Filed, voice: Voice) -> Keyboard:
    acknowledge_key = voice.button("button-acknowledge", CaseTap(case=filed.id, verb="ack"))
    return ((acknowledge_key,), (voice.button("button-open-case", CaseTap(case=filed.id, verb="open")),))


def card_keyboard(filed: Filed, voice: Voice) -> Keyboard:
    def key(label: str, verb: str) -> tuple[str, CaseTap]:
        return label, CaseTap(case=filed.id, verb=verb)

    if filed.case.state == "resolved":
        return ((voice.button(*key("button-reopen", "reopen")),),)
    first = [("button-acknowledge", "ack")] if filed.case.state == "open" else []
    pairs = [
        *first,
        ("button-assign", "mine"),
        ("button-hand-to", "give"),
        ("button-note", "note"),
        ("button-resolve", "resolve"),
    ]
    lower = [("button-lower", "lower")] if filed.case.level != "yellow" else []
    read = [("button-answers", "answers"), ("button-safety-plan", "plan")]
    taps = [key(label, verb) for label, verb in [*pairs, *lower, *read]]
    return tuple((voice.button(label, tap),) for label, tap in taps)


async def case_list(tx: Tx, cases: Sequence[Filed], voice: Voice, zone: ZoneInfo) -> tuple[Words, Keyboard]:
    """Return several cases as lines, with a button to open each; no more than LISTED, and how many are left out."""
    lines, keys = [], []
    for filed in cases[:LISTED]:
        values = case_values(filed, (await participant_of(tx, filed)).code, voice, zone)
        key = "case-line" if filed.case.state == "open" else "case-line-seen"
        lines.append(voice.words(key, **values))
        keys.append((voice.button("case-line-open", CaseTap(case=filed.id, verb="open"), **values),))
    more = len(cases) - LISTED
    lines += [voice.words("case-line-more", count=str(more))] if more > 0 else []
    return join(tuple(lines), "\n"), tuple(keys)


async def participant_of(tx: Tx, filed: Filed) -> Person:
    member = await people.member(tx, filed.member_id)
    assert member, "a case without its member"  # noqa: S101 - the foreign key holds this
    return await people.person(tx, member.person_id)


def as_card(message: Message, filed: Filed, *, fresh: bool = False) -> Message:
    return replace(message, card=f"case:{filed.id}", fresh=fresh, protect=True)
