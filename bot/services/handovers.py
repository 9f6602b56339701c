"""Hand-over: at a change of shift, who goes off call and who comes on get one list of what is open."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.content.library import Content
from bot.domain.people import CARING
from bot.domain.programme import Programme
from bot.domain.rota import AHEAD, Rota, next_change, on_duty, turns
from bot.domain.words import Words, join
from bot.services.case_cards import case_list
from bot.services.one_by_one import each_alone
from bot.services.rota import rota_of
from bot.services.voice import Voice
from bot.storage import cases, people
from bot.storage import rota as records
from bot.storage.cases import Filed
from bot.storage.outbox import Lane, Posting, post
from bot.storage.people import Member, Person
from bot.storage.store import Store, Tx
from bot.telegram.message import packed, written


async def hand_over(store: Store, content: Content, now: datetime) -> int:
    """Hand over wherever others are on call than were told so; return in how many programmes.

    What counts is who is on call now: after a standstill only the latest change is told, and nothing is told twice.
    """
    changed: list[str] = []

    async def look(name: str) -> None:
        programme = content.programme(name, "")
        if await _is_changed(store, programme, now):
            async with store.begin() as tx:
                await _hand_over(tx, content, programme, now)
            changed.append(name)

    await each_alone(content.programmes, look)
    return len(changed)


async def _is_changed(store: Store, programme: Programme, now: datetime) -> bool:
    async with store.read() as tx:
        on = on_duty(await rota_of(tx, programme, now), "on-call", now)
        return await records.told(tx, programme.id) != frozenset(on)


async def _hand_over(tx: Tx, content: Content, programme: Programme, now: datetime) -> None:
    rota = await rota_of(tx, programme, now)
    on, told = frozenset(on_duty(rota, "on-call", now)), await records.told(tx, programme.id)
    gone = [member_id for member_id in told - on if await records.goes_off(tx, member_id)]
    come = [member_id for member_id in on - told if await records.comes_on(tx, programme.id, member_id, now)]
    waiting = await cases.queue(tx, [programme.id])
    postings = [
        await _message(tx, content, rota, member, person, waiting, now)
        for member, person in await people.members_with_people(tx, [*gone, *come])
        if member.standing == "active" and member.role in CARING
    ]
    await post(tx, postings, now)


async def _message(
    tx: Tx, content: Content, rota: Rota, member: Member, person: Person, waiting: Sequence[Filed], now: datetime
) -> Posting:
    voice, zone = Voice(content, person.language), ZoneInfo(person.zone)
    title = content.programme(member.programme, person.language).title
    head = _head(voice, zone, rota, member, title, now)
    lines, keyboard = await case_list(tx, waiting, voice, zone)
    body = voice.words("handover-open", count=str(len(waiting))) if waiting else voice.words("handover-nothing")
    message = replace(written(join((head, body, lines)), keyboard), protect=True)
    return Posting(
        key=f"h{member.id}:{now:%y%m%d%H%M%S%f}",
        chat_id=person.telegram_id or 0,
        lane=Lane.REPLY,
        payload=packed(message),
    )


def _head(voice: Voice, zone: ZoneInfo, rota: Rota, member: Member, title: str, now: datetime) -> Words:
    on = on_duty(rota, "on-call", now)
    if member.id in on:
        until = turns(rota, "on-call", member.id, now, now + AHEAD)[0].ends_at
        if until < now + AHEAD:
            return voice.words("handover-on-until", programme=title, until=voice.moment(until, zone))
        return voice.words("handover-on", programme=title)
    head = voice.words("handover-off", programme=title)
    if on:
        return head
    back = next_change(rota, "on-call", now)
    until_words = voice.words("handover-nobody-until", until=voice.moment(back, zone)) if back else ()
    return join((head, until_words or voice.words("handover-nobody")))
