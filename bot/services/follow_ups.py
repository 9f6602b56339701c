"""A word some time later: how are you now, after a case; we miss you, after missed check-ins; a caring contact."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.content.library import Content
from bot.domain.flow import Answer
from bot.domain.follow_up import caring_days
from bot.domain.plan import first_allowed
from bot.services.access import not_anothers
from bot.services.answer_lines import AFTER_CASE
from bot.services.one_by_one import AGAIN_AFTER, together_or_alone
from bot.services.plan_proposals import proposal_message
from bot.services.plans import plan_of
from bot.services.reach import reached
from bot.services.safety import respond, with_contacts
from bot.services.safety_plan import offer
from bot.services.turn import Turn, reply
from bot.services.voice import Voice
from bot.storage import cases, follow_ups, people
from bot.storage.cases import Flag
from bot.storage.follow_ups import FollowUp, Kind, Outcome
from bot.storage.outbox import Lane, Posting, post
from bot.storage.people import Member, Person
from bot.storage.runs import add_answer
from bot.storage.store import Store, Tx
from bot.telegram.message import Message, packed
from bot.telegram.taps import MenuTap, read_id, write_id

AT_ONCE = 200
MENU = "after"
"""The buttons under the question how somebody is after a case."""

WAITS_AT_MOST = timedelta(days=3)
"""A follow-up that quiet hours and pauses keep back longer than this is left out."""

IN_A_PAUSE: frozenset[Kind] = frozenset({"case", "proposal"})
"""What comes though prompts are paused: who wrote of danger is asked how they are, and hears what a clinician suggests.
"""

CARING_AT = time(11, 0)
CARING_UNTIL = time(20, 0)
"""Caring contacts come within these hours, local time."""

CARING_WORDS = 4
"""How many caring words there are beside the first."""

ANSWERS: tuple[Outcome, ...] = ("better", "same", "worse")


async def deliver_due(store: Store, content: Content, now: datetime) -> int:
    """Send, put off or leave out the words that are due; return how many."""
    async with store.read() as tx:
        waiting = await follow_ups.due(tx, now, AT_ONCE)

    async def work(ids: Sequence[int]) -> int:
        async with store.begin() as tx:
            for one_id in ids:
                one = await follow_ups.follow_up(tx, one_id)
                if one and one.sent_at is None and one.due_at <= now:
                    await _deliver(tx, content, one, now)
        return len(ids)

    async def put_off(one_id: int) -> None:
        async with store.begin() as tx:
            await follow_ups.put_off(tx, one_id, now + AGAIN_AFTER)

    return await together_or_alone([one.id for one in waiting], work, put_off)


async def plan_caring(tx: Tx, member: Member, person: Person, now: datetime) -> None:
    """Plan the caring contacts of somebody who leaves now."""
    zone = ZoneInfo(person.zone)
    ended = now.astimezone(zone).date()
    moments = [datetime.combine(day, CARING_AT, tzinfo=zone).astimezone(now.tzinfo) for day in caring_days(ended)]
    keys = [f"caring:{member.id}:{ended}:{number}" for number in range(len(moments))]
    await follow_ups.plan(
        tx, [follow_ups.new(key, member.id, "caring", at) for key, at in zip(keys, moments, strict=True)]
    )


async def answer(store: Store, content: Content, turn: Turn, value: str) -> None:
    """Take how somebody is after a case; worse is a flag of its own. Raises Refused for another's."""
    number, _, said = value.partition("-")
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        asked = await _asked(tx, number)
        if asked:
            await not_anothers(tx, turn, asked.member_id, "follow-up")
        member, person = turn.participant, turn.person
        if asked is None or person is None or said not in ANSWERS:
            return
        if member is None or asked.member_id != member.id:
            await _answer_who_left(tx, content, turn, said)
            return
        if not await follow_ups.answer(tx, asked.id, said):
            return
        answer_id = await add_answer(tx, member.id, None, "answer", Answer(step=f"{AFTER_CASE}: {said}"), turn.now)
        message = turn.voice(content).message(f"follow-up-{said}")
        await reply(tx, turn, replace(message, card=_card(asked)))
        if said == "worse":
            flag = Flag(level="orange", category="follow-up", rule="worse-after-case", version="1", answer_id=answer_id)
            await respond(tx, content, turn, member, person, (flag,))


async def _answer_who_left(tx: Tx, content: Content, turn: Turn, said: Outcome) -> None:
    """Answer somebody who has left since they were asked: nobody sees their answer, and they are told so."""
    if said == "better":
        await reply(tx, turn, turn.voice(content).message("follow-up-better"))
    else:
        await reply(tx, turn, with_contacts(content, turn, "risk-outsider"), Lane.SAFETY)


async def choose_caring(store: Store, content: Content, turn: Turn, value: str) -> None:
    """Take whether somebody who left wants caring contacts."""
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        left = await people.last_discharged(tx, turn.person.id) if turn.person else None
        if left is None or turn.person is None or turn.participant:
            return
        if value == "yes":
            await plan_caring(tx, left, turn.person, turn.now)
        else:
            await follow_ups.withdraw(tx, left.id, turn.now)
        voice = turn.voice(content)
        stop = ((voice.button("caring-stop", MenuTap(menu="caring", value="no")),),)
        message = voice.message("caring-yes-done", stop) if value == "yes" else voice.message("caring-no-done")
        await reply(tx, turn, replace(message, card="caring"))


def caring_offer(voice: Voice) -> Message:
    """Return the question whether somebody who leaves wants caring contacts."""
    keys = [voice.button(f"caring-{value}", MenuTap(menu="caring", value=value)) for value in ("yes", "no")]
    return replace(voice.message("caring-ask", ((keys[0],), (keys[1],))), card="caring", fresh=True)


async def _asked(tx: Tx, written: str) -> FollowUp | None:
    try:
        return await follow_ups.follow_up(tx, read_id(written))
    except ValueError:
        return None


async def _deliver(tx: Tx, content: Content, one: FollowUp, now: datetime) -> None:
    member = await people.member(tx, one.member_id)
    assert member  # noqa: S101 - the foreign key holds this
    person = await people.person(tx, member.person_id)
    later = _later(content, one, member, person, now)
    message = await _WORDS[one.kind](tx, Voice(content, person.language), one) if later == now else None
    if later and later > now:
        await follow_ups.put_off(tx, one.id, later)
        return
    if message is None:
        await follow_ups.settle(tx, one.id, now, "left out")
        return
    await follow_ups.settle(tx, one.id, now)
    key = f"f{one.id}"
    chat_id = person.telegram_id or 0
    await post(tx, [Posting(key=key, chat_id=chat_id, lane=Lane.PROMPT, payload=packed(message))], now)


def _later(content: Content, one: FollowUp, member: Member, person: Person, now: datetime) -> datetime | None:
    """Return when the word may be sent: now, later, or (None) not at all."""
    if person.blocked_at or person.telegram_id is None:
        return None
    if one.kind == "caring":
        return _caring_later(person, now) if member.standing == "discharged" else None
    if member.standing != "active":
        return None
    plan = plan_of(content.standing_programme(member.programme, person.language), person, member)
    if one.kind in IN_A_PAUSE:
        plan = replace(plan, pauses=())
    return first_allowed(plan, now, one.due_at + WAITS_AT_MOST)


def _caring_later(person: Person, now: datetime) -> datetime:
    local = now.astimezone(ZoneInfo(person.zone))
    if CARING_AT <= local.time() < CARING_UNTIL:
        return now
    day = local.date() if local.time() < CARING_AT else local.date() + timedelta(days=1)
    return datetime.combine(day, CARING_AT, tzinfo=local.tzinfo).astimezone(now.tzinfo)


async def _after_case(tx: Tx, voice: Voice, one: FollowUp) -> Message | None:
    """Ask how they are now; not where a clinician has seen to it already."""
    filed = await cases.filed(tx, one.case_id) if one.case_id else None
    if filed is None or (filed.case.state == "resolved" and filed.case.disposition != "could-not-reach"):
        return None
    seen = filed.case.state == "acknowledged"
    taps = [(said, MenuTap(menu=MENU, value=f"{write_id(one.id)}-{said}")) for said in ANSWERS]
    keyboard = tuple((voice.button(f"follow-up-key-{said}", tap),) for said, tap in taps)
    told = "follow-up-told" if await reached(tx, filed) == "clinician" else "follow-up-untold"
    message = voice.message("follow-up-seen" if seen else told, keyboard)
    return replace(message, card=_card(one), fresh=True)


async def _missed(_: Tx, voice: Voice, __: FollowUp) -> Message | None:
    return voice.message("missed-gentle")


async def _caring(_: Tx, voice: Voice, one: FollowUp) -> Message | None:
    """Return one of the caring words: the first on the day after, then the others in turn; nothing is asked."""
    number = int(one.key.rpartition(":")[2])
    return voice.message(f"caring-{1 + (number - 1) % CARING_WORDS}" if number else "caring-first")


async def _proposal(tx: Tx, voice: Voice, one: FollowUp) -> Message | None:
    return await proposal_message(tx, voice, int(one.key.rpartition(":")[2]))


async def _plan_offer(tx: Tx, voice: Voice, one: FollowUp) -> Message | None:
    return await offer(tx, voice, one.member_id)


def _card(one: FollowUp) -> str:
    return f"after:{one.id}"


_WORDS: dict[Kind, Callable[[Tx, Voice, FollowUp], Awaitable[Message | None]]] = {
    "case": _after_case,
    "missed": _missed,
    "caring": _caring,
    "proposal": _proposal,
    "plan-offer": _plan_offer,
}
