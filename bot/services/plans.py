"""A member's own timetable: the programme's streams with the person's zone, pauses and preferences."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Any

from bot.content.library import Content
from bot.domain.plan import Move, Pause, Plan, Preferences, plan_for
from bot.domain.programme import Hours, Programme
from bot.domain.timetable import Slot, finder
from bot.storage import people, prompts
from bot.storage.people import Member, Person
from bot.storage.prompts import Prompt
from bot.storage.store import Tx
from bot.storage.tables import new_id

LOOK_AGAIN = timedelta(days=1)
"""After this a stream without a further moment (paused, switched off by the programme) is looked at again."""

JUST_BEFORE = timedelta(microseconds=1)
"""Moments are looked for after one given: from just before a moment, that moment is found too."""

LOOK_BACK = timedelta(days=3)
"""Slots before this are over wherever the person may have moved."""


def plan_of(programme: Programme, person: Person, member: Member) -> Plan:
    """Return the member's timetable. The member must have begun."""
    assert member.began  # noqa: S101 - an active participant has begun
    (_, first), *moved = person.zones
    return plan_for(
        programme,
        member.level or programme.first_level,
        read_preferences(member.preferences),
        seed=str(member.id),
        began=member.began,
        zone=first,
        moves=tuple(Move(at=datetime.fromisoformat(at), zone=zone) for at, zone in moved),
        pauses=tuple(read_pause(pause) for pause in member.pauses),
    )


def read_pause(pause: Sequence[str | None]) -> Pause:
    """Read a pause as the database keeps it: [since, until]."""
    since, until = pause
    assert since  # noqa: S101 - written by pause_of
    return Pause(since=datetime.fromisoformat(since), until=datetime.fromisoformat(until) if until else None)


def read_preferences(kept: dict[str, Any]) -> Preferences:
    """Read preferences as the database keeps them."""
    return Preferences(
        windows={stream: _hours(pair) for stream, pair in kept.get("windows", {}).items()},
        quiet=_hours(kept["quiet"]) if kept.get("quiet") else None,
        days_off=frozenset(kept.get("days_off", ())),
        switched_off=frozenset(kept.get("switched_off", ())),
    )


async def plan_ahead(tx: Tx, content: Content, whose: Sequence[tuple[Member, Person]], now: datetime) -> None:
    """Plan one prompt ahead in each of these members' streams that has none; others' work goes on between two."""
    await _plan_missing(tx, content, whose, now, {})


async def _plan_missing(
    tx: Tx,
    content: Content,
    whose: Sequence[tuple[Member, Person]],
    now: datetime,
    waiting: Mapping[tuple[int, str], datetime],
) -> None:
    """Plan each stream that has no prompt ahead: from now, or from just before one that was waiting already."""
    ids = [member.id for member, _ in whose]
    ahead = await prompts.planned_streams(tx, ids)
    taken = await prompts.taken_slots(tx, ids, now - LOOK_BACK)
    found, again = list[Prompt](), dict[int, datetime | None]()
    for member, person in whose:
        plan = plan_of(content.standing_programme(member.programme, person.language), person, member)
        missing = [stream.id for stream in plan.streams if stream.id not in ahead.get(member.id, ())]
        due = {stream: waiting[member.id, stream] for stream in missing if (member.id, stream) in waiting}
        fresh = [stream for stream in missing if stream not in due]
        theirs = list(planned(plan, member, fresh, taken.get(member.id, ()), now, since=now))
        for stream, was_due in due.items():
            theirs += planned(plan, member, [stream], taken.get(member.id, ()), now, since=was_due - JUST_BEFORE)
        found += theirs
        again[member.id] = now + LOOK_AGAIN if len(theirs) < len(missing) else None
        await asyncio.sleep(0)
    await prompts.plan(tx, found)
    await people.looked(tx, again)


async def plan_anew(tx: Tx, content: Content, whose: Sequence[tuple[Member, Person]], now: datetime) -> None:
    """Plan again after timetables changed; what was sent stays sent, what is due and unsent is still to come."""
    ids = [member.id for member, _ in whose]
    waiting = await prompts.due_unsent(tx, ids, now)
    await prompts.withdraw_planned(tx, ids)
    await _plan_missing(tx, content, whose, now, waiting)


def planned(
    plan: Plan,
    member: Member,
    streams: Sequence[str],
    taken: Collection[tuple[str, str]],
    now: datetime,
    *,
    since: datetime,
) -> list[Prompt]:
    """Return the next prompt after `since` of each of these streams that is not taken and may still be sent."""
    find = finder(plan)
    found = ((stream, _free_slot(find, stream, taken, now, since)) for stream in streams)
    return [_prompt(plan, member, stream, slot) for stream, slot in found if slot]


def _free_slot(
    find: Callable[[str, datetime], Slot | None],
    stream: str,
    taken: Collection[tuple[str, str]],
    now: datetime,
    since: datetime,
) -> Slot | None:
    slot = find(stream, max(since, now - LOOK_BACK))
    while slot and (slot.latest < now or (stream, slot.key) in taken):
        slot = find(stream, slot.due)
    return slot


def _prompt(plan: Plan, member: Member, stream_id: str, slot: Slot) -> Prompt:
    stream = next(stream for stream in plan.streams if stream.id == stream_id)
    remind = stream.remind_after
    return Prompt(
        id=new_id(),
        member_id=member.id,
        stream=stream_id,
        slot=slot.key,
        status="planned",
        kind="measure" if stream.measure else "skill",
        activity=stream.measure or stream.skill,
        probability=None,
        due_at=slot.due,
        latest_at=slot.latest,
        answer_within=int(stream.answer_within.total_seconds()),
        remind_after=int(remind.total_seconds()) if remind else None,
    )


def _hours(pair: Sequence[str]) -> Hours:
    start, end = pair
    return Hours(start=time.fromisoformat(start), end=time.fromisoformat(end))
