"""Flags join a case, and its alerts go along the chain until somebody acknowledges."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from bot.content.library import Content
from bot.content.public_holidays import days_closed
from bot.domain import cases as life
from bot.domain.activity import Level
from bot.domain.cases import Case, Working
from bot.domain.follow_up import PLAN_OFFERED_AFTER
from bot.domain.people import CARING
from bot.domain.programme import ChainRole, Programme
from bot.services import channels, reach
from bot.services.case_cards import alert_keyboard, alert_words, as_card, card_keyboard, card_words, participant_of
from bot.services.one_by_one import together_or_alone
from bot.services.rota import duties
from bot.services.voice import Voice
from bot.storage import cases as records
from bot.storage import follow_ups, people
from bot.storage.cases import Filed, Flag
from bot.storage.outbox import Lane, Posting, card_holders, post
from bot.storage.people import Member, Person
from bot.storage.reach import case_of
from bot.storage.store import Store, Tx
from bot.telegram.message import Message, packed, written

AT_ONCE = 200
"""Cases whose alerts go out in one transaction."""


def working(programme: Programme) -> Working:
    """Return when the programme works."""
    closed = days_closed(programme.country, programme.region, programme.closed)
    return Working(hours=programme.working_hours, zone=programme.timezone, holidays=closed)


async def add_flags(
    tx: Tx, content: Content, member: Member, person: Person, found: Sequence[Flag], now: datetime
) -> Filed:
    """Add findings to the member's case, opening or raising it; alerts that are due go out in the same transaction."""
    programme = content.standing_programme(member.programme, person.language)
    level = life.highest(flag.level for flag in found)
    assert level, "flags were found"  # noqa: S101 - callers have at least one
    present = await records.open_case(tx, member.id)
    if present is None:
        case = life.opened(level, now, programme.alerts[level], working(programme))
        present = await records.add_case(tx, member.id, member.programme, case)
        await records.add_event(tx, present.id, "opened", now, level=level)
    else:
        rule = programme.alerts[present.case.level if life.graver(present.case.level, level) else level]
        new_after = programme.alerts[level].new_after
        raised = life.flagged(present.case, level, now, rule, working(programme), new_after=new_after)
        kind = "raised" if raised.raised_at != present.case.raised_at else "flagged"
        present = await moved_on(tx, present, raised)
        await records.add_event(tx, present.id, kind, now, level=level)
    await records.add_flags(tx, present.id, found, now)
    await _plan_follow_up(tx, present, level, programme.alerts[level].follow_up, now)
    if not life.alert_is_due(present.case, now):
        await show_to_all(tx, content, present, now, f"n{present.id}:{now:%y%m%d%H%M%S%f}")
    return await _alert_if_due(tx, content, present, now)


async def _plan_follow_up(tx: Tx, filed: Filed, level: Level, wait: timedelta | None, now: datetime) -> None:
    """Have the participant asked some time later how they are, and offered a safety plan if they have none by then.

    What they write before they are asked brings no second question; what they write after it does.
    """
    if wait:
        asked = f"case:{filed.id}:{level}:"
        offer = f"plan-offer:{filed.member_id}:{now:%Y%m}"
        planned = [follow_ups.new(offer, filed.member_id, "plan-offer", now + PLAN_OFFERED_AFTER, filed.id)]
        if not await follow_ups.waits(tx, filed.id, asked):
            planned.append(follow_ups.new(f"{asked}{now:%Y%m%d%H%M%S}", filed.member_id, "case", now + wait, filed.id))
        await follow_ups.plan(tx, planned)


async def alert_due(store: Store, content: Content, now: datetime) -> int:
    """Send the red and orange alerts that are due now; return how many cases were alerted.

    One that fails by itself is raised when the others are out: it stays due, and counts as a stall.
    """
    async with store.read() as tx:
        due = await records.due_for_alert(tx, now, AT_ONCE)
    return await together_or_alone(due, partial(_alert_all, store, content, now))


async def _alert_all(store: Store, content: Content, now: datetime, case_ids: Sequence[int]) -> int:
    """Alert these cases in one transaction, those that are still due; return how many there were."""
    async with store.begin() as tx:
        due = await records.to_alert(tx, now, case_ids)
        for filed in due:
            await _alert(tx, content, filed, now)
    return len(due)


async def alert_unreachable(tx: Tx, content: Content, case_id: int, now: datetime) -> None:
    """The clinician who was to be alerted can't be reached: alert the next one at once.

    Where there is none either, the participant is told: nobody may wait for help that does not come.
    """
    filed = await records.filed(tx, case_id)
    if filed is None or filed.case.state != "open" or filed.case.level == "yellow":
        return
    chain = content.standing_programme(filed.programme, "").alerts[filed.case.level].chain
    if filed.case.alerts <= len(chain):  # past its end nobody is next: they are told again when it is time
        filed = await _alert(tx, content, filed, now)
    else:
        await reach.tell_where_nobody(tx, content, filed, now)
    await reach.correct(tx, content, filed, now)


async def page_unreachable(tx: Tx, content: Content, page_id: int, now: datetime) -> None:
    """A page does not get out: where it was all that there was, the participant and staff are told."""
    filed = await records.filed(tx, await case_of(tx, page_id))
    if filed and filed.case.state == "open" and filed.case.level != "yellow":
        await reach.tell_where_nobody(tx, content, filed, now)
        await reach.correct(tx, content, filed, now)


async def _alert_if_due(tx: Tx, content: Content, filed: Filed, now: datetime) -> Filed:
    """Alert when it is due; yellow cases wait for the digest, which tells of several at once."""
    due = life.alert_is_due(filed.case, now) and filed.case.level != "yellow"
    return await _alert(tx, content, filed, now) if due else filed


async def _alert(tx: Tx, content: Content, filed: Filed, now: datetime) -> Filed:
    moved, told, blocked = await along_the_chain(tx, content, filed, now)
    for member in told:
        await records.add_event(tx, filed.id, "alerted", now, to=str(member.id))
    await _send_alert(tx, content, moved, told, blocked, now)
    await reach.tell_where_nobody(tx, content, moved, now)
    return moved


async def along_the_chain(
    tx: Tx, content: Content, filed: Filed, now: datetime
) -> tuple[Filed, tuple[Member, ...], tuple[Member, ...]]:
    """Move a case on along its chain; return it, who is to be told, and who was passed over for blocking the bot.

    Where nobody has a role, whoever comes after is told.
    """
    programme = content.standing_programme(filed.programme, "")
    rule = programme.alerts[filed.case.level]
    case = filed.case
    told: tuple[Member, ...] = ()
    blocked: list[Member] = []
    for _ in range(len(rule.chain) + 1):
        named = await _named(tx, programme, filed, life.alert_roles(case, rule), now)
        told = tuple(member for member, person in named if person.blocked_at is None)
        blocked += [member for member, person in named if person.blocked_at]
        case = life.alerted(case, now, rule, working(programme))
        if told:
            break
    for roles in (tuple(CARING), ("staff",)):
        if not told:
            members = await people.members_in(tx, filed.programme, roles)
            known = await people.members_with_people(tx, [one.id for one in members])
            told = tuple(member for member, person in known if person.blocked_at is None)
            blocked += [member for member, person in known if person.blocked_at and member not in blocked]
    return await moved_on(tx, filed, case), told, tuple(blocked)


async def to_who_has_it(
    tx: Tx, content: Content, filed: Filed, now: datetime
) -> tuple[Filed, tuple[Member, ...], tuple[Member, ...]]:
    """Return a case that somebody took, its news told; who has it, or else who looks after it; and who is blocked."""
    has_it = filed.case.assigned_to or filed.case.acknowledged_by
    away = (await duties(tx, content.standing_programme(filed.programme, ""), now)).away
    known = await people.members_with_people(tx, [has_it] if has_it else [])
    here = [(member, person) for member, person in known if member.standing == "active"]
    told = tuple(member for member, person in here if person.blocked_at is None and member.id not in away)
    blocked = tuple(member for member, person in here if person.blocked_at)
    moved = await moved_on(tx, filed, replace(filed.case, next_alert=None))
    return moved, told or await looking_after(tx, content, filed, now), blocked


async def _named(
    tx: Tx, programme: Programme, filed: Filed, roles: Sequence[ChainRole], now: datetime
) -> tuple[tuple[Member, Person], ...]:
    """Return the members whom these roles of the chain name now.

    A primary who is away is passed over. Where a participant has none, their yellow cases are for who is on call.
    """
    clinicians = await people.members_in(tx, filed.programme, ("clinician",))
    supervisors = await people.members_in(tx, filed.programme, ("supervisor",))
    participant = await people.member(tx, filed.member_id)
    primary = tuple(one for one in clinicians if participant and one.id == participant.primary_id)
    now_on = await duties(tx, programme, now)
    if not primary and filed.case.level == "yellow":
        primary = now_on.on_call
    by_role: dict[ChainRole, tuple[Member, ...]] = {
        "on-call": now_on.on_call,
        "primary": tuple(one for one in primary if one.id not in now_on.away),
        "backup": now_on.backup,
        "supervisor": supervisors,
        "group": clinicians + supervisors,
    }
    named = [member for role in roles for member in by_role[role]]
    return await people.members_with_people(tx, [member.id for member in named])


async def _send_alert(
    tx: Tx, content: Content, filed: Filed, told: Sequence[Member], blocked: Sequence[Member], now: datetime
) -> None:
    """Post the alert to who is told, and page by their other channels and by those of who blocked the bot."""
    code = (await participant_of(tx, filed)).code
    flags = await records.flags_of(tx, filed.id)
    gravest = [flag for flag in flags if flag.level == filed.case.level] or flags
    categories = tuple(dict.fromkeys(flag.category for flag in gravest if flag.at == gravest[-1].at))
    postings = []
    by_key: dict[int, str | None] = {member.id: None for member in blocked}
    for member in told:
        person = await people.person(tx, member.person_id)
        voice = Voice(content, person.language)
        words = alert_words(filed, code, categories, voice, ZoneInfo(person.zone), now)
        message = as_card(written(words, alert_keyboard(filed, voice)), filed, fresh=True)
        key = f"a{filed.id}:{filed.case.raised_at:%y%m%d%H%M%S%f}:{filed.case.alerts}:{member.id}"
        postings.append(_posting(key, person, member, message, filed))
        by_key[member.id] = key
    await post(tx, postings, now)
    await channels.page_alert(tx, content, filed, categories, by_key, now)


async def show_to_all(tx: Tx, content: Content, filed: Filed, now: datetime, cause: str) -> None:
    """Change the alert in place for everybody who got it, so that all see who acted, or what is new."""
    postings = []
    for member, person in await _seeing(tx, filed):
        voice = Voice(content, person.language)
        words = await card_words(tx, filed, voice, ZoneInfo(person.zone))
        message = as_card(written(words, card_keyboard(filed, voice)), filed)
        postings.append(_posting(f"{cause}:{member.id}", person, member, message, filed))
    await post(tx, postings, now)


async def _seeing(tx: Tx, filed: Filed) -> list[tuple[Member, Person]]:
    """Return who got an alert of the case, or opened it, and is still there."""
    alerted = await records.alerted_members(tx, filed.id)
    carers = await people.members_in(tx, filed.programme, tuple(CARING))
    known = await people.members_with_people(tx, [*alerted, *(one.id for one in carers)])
    chats = [person.telegram_id for _, person in known if person.telegram_id]
    showing = await card_holders(tx, f"case:{filed.id}", chats)
    return [
        (member, person)
        for member, person in known
        if member.standing == "active" and (member.id in alerted or person.telegram_id in showing)
    ]


def _posting(key: str, person: Person, member: Member, message: Message, filed: Filed) -> Posting:
    return Posting(
        key=key,
        chat_id=person.telegram_id or 0,
        lane=Lane.SAFETY,
        payload=packed(message),
        case_id=filed.id,
        member_id=member.id,
    )


async def moved_on(tx: Tx, filed: Filed, after: Case, **changes: datetime | None) -> Filed:
    """Keep the case as it is now; a change of somebody else in between has the update tried again."""
    if not await records.save_case(tx, filed.id, filed.case, after, **changes):
        raise RuntimeError("the case changed meanwhile")
    return Filed(id=filed.id, number=filed.number, member_id=filed.member_id, programme=filed.programme, case=after)


async def looking_after(tx: Tx, content: Content, filed: Filed, now: datetime) -> tuple[Member, ...]:
    """Return who is on call, who has the case, and the supervisors, of those who can be reached; or else staff."""
    programme = content.standing_programme(filed.programme, "")
    known = await _named(tx, programme, filed, ("on-call", "supervisor"), now)
    named = [member for member, person in known if not person.blocked_at]
    holders = {filed.case.acknowledged_by, filed.case.assigned_to}
    carers = await people.members_in(tx, filed.programme, tuple(CARING))
    told = {one.id: one for one in (*named, *(one for one in carers if one.id in holders))}
    return tuple(told.values()) or await people.members_in(tx, filed.programme, ("staff",))
