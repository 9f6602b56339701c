"""A member's own timetable: the programme's streams with the person's zone, pauses and preferences."""

from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Any

from bot.content.library import Content
from bot.domain.plan import Move, Pause, Plan, Preferences, plan_for
from bot.domain.programme import Hours, Programme
from bot.domain.timetable import Slot, next_slot
from bot.storage import people, prompts
from bot.storage.people import Member, Person
from bot.storage.prompts import Prompt
from bot.storage.store import Tx
from bot.storage.tables import new_id

LOOK_AGAIN = timedelta(days=1)
"""After this a stream without a further moment (paused, switched off by the programme) is looked at again."""

JUST_BEFORE = timedelta(microseconds=1)

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


async def plan_ahead(tx: Tx, content: Content, person: Person, member: Member, now: datetime) -> None:
    """Plan one prompt ahead in each of the member's streams that has none."""
    await _plan_missing(tx, content, person, member, now, {})


async def _plan_missing(
    tx: Tx, content: Content, person: Person, member: Member, now: datetime, waiting: Mapping[str, datetime]
) -> None:
    """Plan each stream that has no prompt ahead: from now, or from just before one that was waiting already."""
    programme = content.programme(member.programme, person.language)
    plan = plan_of(programme, person, member)
    ahead = await prompts.planned_streams(tx, member.id)
    missing = [stream.id for stream in plan.streams if stream.id not in ahead]
    taken = await prompts.taken_slots(tx, member.id, now - LOOK_BACK)
    found: list[Prompt] = []
    for stream in missing:
        since = min(now, waiting[stream] - JUST_BEFORE) if stream in waiting else now
        found += planned(plan, member, [stream], taken, now, since=since)
    await prompts.plan(tx, found)
    await people.change_member(tx, member.id, plan_at=now + LOOK_AGAIN if len(found) < len(missing) else None)


async def plan_anew(tx: Tx, content: Content, person: Person, member: Member, now: datetime) -> None:
    """Plan again after the timetable changed; what was sent stays sent, what is due and unsent is still to come."""
    waiting = await prompts.earliest_planned(tx, member.id)
    await prompts.withdraw_planned(tx, member.id)
    await _plan_missing(tx, content, person, member, now, waiting)


def planned(
    plan: Plan,
    member: Member,
    streams: Sequence[str],
    taken: frozenset[tuple[str, str]],
    now: datetime,
    *,
    since: datetime,
) -> list[Prompt]:
    """Return the next prompt after `since` of each of these streams that is not taken and may still be sent."""
    found = ((stream, _free_slot(plan, stream, taken, now, since)) for stream in streams)
    return [_prompt(plan, member, stream, slot) for stream, slot in found if slot]


def _free_slot(
    plan: Plan, stream: str, taken: frozenset[tuple[str, str]], now: datetime, since: datetime
) -> Slot | None:
    slot = next_slot(plan, stream, max(since, now - LOOK_BACK))
    while slot and (slot.latest < now or (stream, slot.key) in taken):
        slot = next_slot(plan, stream, slot.due)
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
