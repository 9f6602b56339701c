"""Yellow cases are told of together: one message a clinician, at the start of the programme's working day."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.content.library import Content
from bot.domain.words import join
from bot.services.alerts import along_the_chain, moved_on
from bot.services.case_cards import case_list
from bot.services.voice import Voice
from bot.storage import cases as records
from bot.storage import people
from bot.storage.cases import Filed
from bot.storage.outbox import Lane, Posting, post
from bot.storage.people import Member
from bot.storage.store import Store, Tx
from bot.telegram.message import packed, written


async def send_due(store: Store, content: Content, now: datetime) -> int:
    """Send the digests that are due, programme by programme; return in how many there was one."""
    async with store.read() as tx:
        due = await records.digest_due(tx, now) & content.programmes.keys()
    for programme in due:
        async with store.begin() as tx:
            await _send(tx, content, programme, now)
    return len(due)


async def _send(tx: Tx, content: Content, programme: str, now: datetime) -> None:
    """Move each case on along its chain, and tell everybody of all that is theirs at once."""
    members: dict[int, Member] = {}
    theirs: dict[int, list[Filed]] = defaultdict(list)
    for filed in await records.to_digest(tx, programme, now):
        moved, told, _ = await along_the_chain(tx, content, filed, now)
        for member in told:
            await records.add_event(tx, filed.id, "alerted", now, to=str(member.id), digest="yes")
            members[member.id] = member
            theirs[member.id].append(moved)
    await post(tx, [await _digest(tx, content, members[one], cases, now) for one, cases in theirs.items()], now)


async def _digest(tx: Tx, content: Content, member: Member, cases: Sequence[Filed], now: datetime) -> Posting:
    person = await people.person(tx, member.person_id)
    voice = Voice(content, person.language)
    title = content.programme(member.programme, person.language).title
    lines, keyboard = await case_list(tx, cases, voice, ZoneInfo(person.zone))
    head = voice.words("digest", count=str(len(cases)), programme=title)
    return Posting(
        key=f"d{member.id}:{now:%y%m%d%H%M%S%f}",
        chat_id=person.telegram_id or 0,
        lane=Lane.SAFETY,
        payload=packed(replace(written(join((head, lines)), keyboard), protect=True)),
        member_id=member.id,
    )


async def pass_on(tx: Tx, member_id: int, now: datetime) -> None:
    """Somebody whom a digest told can't be reached: the next of the chain is told of those cases in a digest now."""
    for filed in await records.digested_to(tx, member_id):
        await moved_on(tx, filed, replace(filed.case, next_alert=now))
