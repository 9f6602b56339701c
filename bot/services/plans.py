"""A member's own timetable: the programme's streams with the person's zone, pauses and preferences."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any

from bot.content.library import Content
from bot.domain.plan import Move, Pause, Plan, Preferences, plan_for
from bot.domain.programme import Hours, Programme
from bot.domain.timetable import Slot, finder
from bot.storage import people, prompts
from bot.storage.people import Member, Person
from bot.storage.prompts import Ahead, Prompt
from bot.storage.store import Tx
from bot.storage.tables import new_id

LOOK_AGAIN = timedelta(days=1)
"""After this a stream without a further moment (paused, switched off by the programme) is looked at again."""

JUST_BEFORE = timedelta(microseconds=1)
"""Moments are looked for after one given: from just before a moment, that moment is found too."""

LONGEST_DAY = timedelta(days=2)
"""A slot lies within this of any other moment of its local day, wherever the person may have moved."""

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
    await _plan_missing(tx, content, whose, now, {}, keep_day=False)


async def _plan_missing(
    tx: Tx,
    content: Content,
    whose: Sequence[tuple[Member, Person]],
    now: datetime,
    before: Mapping[tuple[int, str], Ahead],
    *,
    keep_day: bool,
) -> None:
    """Plan each stream that has no prompt ahead; `before` is what was planned for it until now."""
    ids = [member.id for member, _ in whose]
    ahead = await prompts.planned_streams(tx, ids)
    taken = await prompts.taken_slots(tx, ids, now - LOOK_BACK)
    found, again = list[Prompt](), dict[int, datetime | None]()
    for member, person in whose:
        plan = plan_of(content.standing_programme(member.programme, person.language), person, member)
        missing = [stream.id for stream in plan.streams if stream.id not in ahead.get(member.id, ())]
        find, used = finder(plan), taken.get(member.id, ())
        slots = (
            (stream, _next_slot(find, stream, used, now, before.get((member.id, stream)), keep_day=keep_day))
            for stream in missing
        )
        theirs = [_prompt(plan, member, stream, slot) for stream, slot in slots if slot]
        found += theirs
        again[member.id] = now + LOOK_AGAIN if len(theirs) < len(missing) else None
        await asyncio.sleep(0)
    await prompts.plan(tx, found)
    await people.looked(tx, again)


async def plan_anew(
    tx: Tx, content: Content, whose: Sequence[tuple[Member, Person]], now: datetime, *, keep_day: bool = False
) -> None:
    """Plan again after timetables changed; what was sent stays sent, what is due and unsent is still to come.

    Where a day's moment has passed by the new timetable, its prompt comes at once while its window is open. Once that
    is over, it comes when it was to come if the person had no part in the change (`keep_day`): they wait for it. Who
    chose earlier hours themselves means them from the next day on.
    """
    ids = [member.id for member, _ in whose]
    before = await prompts.soon(tx, ids, now + LOOK_AGAIN)
    await prompts.withdraw_planned(tx, ids)
    await _plan_missing(tx, content, whose, now, before, keep_day=keep_day)


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


def _next_slot(
    find: Callable[[str, datetime], Slot | None],
    stream: str,
    taken: Collection[tuple[str, str]],
    now: datetime,
    before: Ahead | None,
    *,
    keep_day: bool,
) -> Slot | None:
    if before is None:
        return _free_slot(find, stream, taken, now, now)
    slot = _free_slot(find, stream, taken, now, min(now, before.due_at - JUST_BEFORE))
    if slot and slot.key == before.slot:
        return slot
    named = _named(find, stream, before, now)
    if named and named.due <= now:
        if named.latest >= now:
            return named
        if keep_day and before.latest_at >= now:
            return replace(named, due=before.due_at, latest=before.latest_at)
    return slot


def _named(find: Callable[[str, datetime], Slot | None], stream: str, before: Ahead, now: datetime) -> Slot | None:
    """Return what has become of a slot by another timetable; None when it is left out there."""
    slot = find(stream, min(now, before.due_at) - LONGEST_DAY)
    while slot and slot.key != before.slot and slot.due <= before.due_at + LONGEST_DAY:
        slot = find(stream, slot.due)
    return slot if slot and slot.key == before.slot else None


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
