"""Whom an alert reached: no participant is told of help that nobody sends, and staff are told when it was nobody."""

from collections.abc import Collection
from datetime import datetime
from typing import Literal

import structlog

from bot.content.library import Content
from bot.domain.people import CARING
from bot.domain.words import join
from bot.services.contacts import contact_words, country_key, country_of, number_keys, programme_of
from bot.services.voice import Voice
from bot.storage import cases, people
from bot.storage import reach as records
from bot.storage.cases import Filed
from bot.storage.outbox import Lane, Posting, post
from bot.storage.people import Member, Person
from bot.storage.store import Tx
from bot.telegram.message import Message, packed, written

Reached = Literal["clinician", "staff", "nobody"]
"""Whom alerts get to: somebody who looks after participants, or only staff, who don't; or nobody at all."""

UNASKED = "missed"
"""The category of flags of which the participant is told nothing."""

log = structlog.get_logger()


async def reached(tx: Tx, filed: Filed) -> Reached:
    """Return whom the alerts of a case reached, or are on their way to; of a yellow one, who can be told."""
    if filed.case.state == "acknowledged":
        return "clinician"
    if filed.case.level == "yellow":
        return await reachable(tx, filed.programme)
    paged = await records.is_paged(tx, filed.id)
    return "clinician" if paged else _foremost(await records.roles_alerted(tx, filed.id))


async def reachable(tx: Tx, programme: str) -> Reached:
    """Return who of a programme an alert would get to now."""
    return _foremost(await records.roles_reachable(tx, programme))


async def tell_where_nobody(tx: Tx, content: Content, filed: Filed, now: datetime) -> None:
    """Tell staff loudly, once an hour, that no alert of this programme gets to who looks after participants."""
    if await reached(tx, filed) == "clinician":
        return
    log.error("an alert reached nobody who looks after participants")
    await tell_staff(tx, content, filed.programme, "nobody-to-alert", f"nobody:{filed.programme}:{now:%y%m%d%H}", now)


async def tell_staff(tx: Tx, content: Content, programme: str, key: str, cause: str, now: datetime) -> None:
    """Tell the programme's staff, or all there are where none of its own can be reached; no participant is named."""
    staff = [(member, person) for member, person in await people.staff(tx) if _hears(person)]
    own = [(member, person) for member, person in staff if member.programme == programme]
    postings = [
        Posting(
            key=f"{cause}:{person.id}",
            chat_id=person.telegram_id or 0,
            lane=Lane.SAFETY,
            payload=packed(_named(content, person, key, programme)),
        )
        for person in {person.id: person for _, person in own or staff}.values()
    ]
    await post(tx, postings, now)


async def correct(tx: Tx, content: Content, filed: Filed, now: datetime) -> None:
    """Tell a participant, who was told that somebody knows, when the alerts turn out to have reached no clinician."""
    found = await reached(tx, filed)
    asked = any(flag.category != UNASKED for flag in await cases.flags_of(tx, filed.id))
    member = await people.member(tx, filed.member_id)
    if found == "clinician" or not asked or member is None:
        return
    person = await people.person(tx, member.person_id)
    if _hears(person):
        await post(tx, [_correction(content, filed, member, person, found)], now)


def _correction(content: Content, filed: Filed, member: Member, person: Person, found: Reached) -> Posting:
    voice = Voice(content, person.language)
    programme = programme_of(content, member, person.language)
    country = country_of(person, programme)
    words = join((contact_words(content, voice, programme, country), voice.words(f"not-told-{found}")))
    keyboard = (*number_keys(content, voice, programme, country), (country_key(voice, country),))
    return Posting(
        key=f"n{filed.id}:{filed.case.raised_at:%y%m%d%H%M%S%f}:{found}",
        chat_id=person.telegram_id or 0,
        lane=Lane.SAFETY,
        payload=packed(written(words, keyboard)),
    )


def _named(content: Content, person: Person, key: str, programme: str) -> Message:
    title = content.standing_programme(programme, person.language).title
    return Voice(content, person.language).message(key, (), programme=title)


def _hears(person: Person) -> bool:
    return person.telegram_id is not None and person.blocked_at is None


def _foremost(roles: Collection[str]) -> Reached:
    if CARING & set(roles):
        return "clinician"
    return "staff" if "staff" in roles else "nobody"
