"""Yellow cases are told of together: one message a clinician, at the start of the programme's working day."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from bot.content.library import Content
from bot.domain.words import join
from bot.services.alerts import along_the_chain, moved_on, to_who_has_it
from bot.services.case_cards import case_list
from bot.services.channels import page_digest
from bot.services.one_by_one import each_alone, together_or_alone
from bot.services.voice import Voice
from bot.storage import cases as records
from bot.storage import people
from bot.storage.cases import Filed
from bot.storage.outbox import Lane, Posting, post
from bot.storage.people import Member
from bot.storage.store import Store, Tx
from bot.telegram.message import Key, packed, written


async def send_due(store: Store, content: Content, now: datetime) -> int:
    """Send the digests that are due, programme by programme; return in how many there was one.

    A case that fails by itself is raised when all others are told of: it stays due, and counts as a stall.
    """
    async with store.read() as tx:
        due = await records.digests_due(tx, now)
    await each_alone(due.values(), lambda cases: together_or_alone(cases, partial(_send, store, content, now)))
    return len(due)


@dataclass(slots=True)
class _Share:
    """What is somebody's in a digest: cases that wait, and cases that were taken and have something new."""

    member: Member
    waiting: list[Filed] = field(default_factory=list)
    news: list[Filed] = field(default_factory=list)

    def add(self, filed: Filed) -> None:
        (self.waiting if filed.case.state == "open" else self.news).append(filed)


async def _send(store: Store, content: Content, now: datetime, case_ids: Sequence[int]) -> int:
    """Tell of these cases of a programme, those that are still due; return how many there were."""
    async with store.begin() as tx:
        due = await records.to_digest(tx, now, case_ids)
        await _tell_of(tx, content, due, now)
    return len(due)


async def _tell_of(tx: Tx, content: Content, due: Sequence[Filed], now: datetime) -> None:
    """Move each case on, and tell everybody of all that is theirs at once; page whom Telegram does not get it to."""
    shares: dict[int, _Share] = {}
    unreached: dict[int, _Share] = {}
    for filed in due:
        is_open = filed.case.state == "open"
        moved, told, blocked = await (along_the_chain if is_open else to_who_has_it)(tx, content, filed, now)
        for member in told:
            kind = records.IN_DIGEST if is_open else records.AS_NEWS
            await records.add_event(tx, filed.id, "alerted", now, to=str(member.id), digest=kind)
            shares.setdefault(member.id, _Share(member)).add(moved)
        for member in blocked:
            unreached.setdefault(member.id, _Share(member)).add(moved)
    postings = {one: await _digest(tx, content, share, now) for one, share in shares.items()}
    await post(tx, list(postings.values()), now)
    keys = {one: postings[one].key if one in postings else None for one in shares | unreached}
    paged = {one: [*share.waiting, *share.news] for one, share in (unreached | shares).items()}
    await page_digest(tx, content, paged, keys, now)


async def _digest(tx: Tx, content: Content, share: _Share, now: datetime) -> Posting:
    person = await people.person(tx, share.member.person_id)
    voice, zone = Voice(content, person.language), ZoneInfo(person.zone)
    title = content.standing_programme(share.member.programme, person.language).title
    parts, keys = [], list[tuple[Key, ...]]()
    for name, cases in (("digest", share.waiting), ("digest-news", share.news)):
        if cases:
            lines, keyboard = await case_list(tx, cases, voice, zone)
            parts += [voice.words(name, count=str(len(cases)), programme=title), lines]
            keys += keyboard
    return Posting(
        key=f"d{share.member.id}:{now:%y%m%d%H%M%S%f}",
        chat_id=person.telegram_id or 0,
        lane=Lane.SAFETY,
        payload=packed(replace(written(join(tuple(parts)), tuple(keys)), protect=True)),
        member_id=share.member.id,
    )


async def pass_on(tx: Tx, member_id: int, now: datetime) -> None:
    """Somebody whom a digest told can't be reached: the next one is told of those cases in a digest now."""
    for filed in await records.digested_to(tx, member_id):
        await moved_on(tx, filed, replace(filed.case, next_alert=now))
