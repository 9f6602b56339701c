"""The life of a case: levels that only rise, deadlines, who is alerted next, and what it takes to resolve one."""

from collections.abc import Container, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from bot.domain.activity import Level
from bot.domain.programme import AlertRule, ChainRole, Delay, WorkingHours

CaseState = Literal["open", "acknowledged", "resolved"]
Disposition = Literal[
    "contacted-safe", "safety-plan-reviewed", "seen-in-session", "emergency-services", "false-alarm", "could-not-reach"
]
DISPOSITIONS: tuple[Disposition, ...] = (
    "contacted-safe",
    "safety-plan-reviewed",
    "seen-in-session",
    "emergency-services",
    "false-alarm",
    "could-not-reach",
)
_RANK: dict[Level, int] = {"yellow": 1, "orange": 2, "red": 3}
LONGEST_CLOSURE = 31
"""Days within which a programme opens again; past it, a deadline falls where it would without working hours."""


class CaseError(ValueError):
    """The case does not allow this step now."""


class NotOpen(CaseError):
    """The case is resolved already."""


class AlreadyAcknowledged(CaseError):
    """Somebody else acknowledged the case first."""


class NoteMissing(CaseError):
    """A case is resolved, and its level lowered, with a note."""


class NotLower(CaseError):
    """Only a level below the present one is lower."""


class NotResolved(CaseError):
    """The case is not resolved, so there is nothing to re-open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One participant's open concern. Times are UTC.

    `alerts` counts the alerts of the present level so far; the next is due at `next_alert` (None: none due). Of one
    that was acknowledged that is the digest in which news of it is told.
    `acknowledged_by` and `assigned_to` are member ids.
    """

    level: Level
    state: CaseState
    opened_at: datetime
    raised_at: datetime
    deadline: datetime
    alerts: int = 0
    next_alert: datetime | None = None
    acknowledged_by: int | None = None
    assigned_to: int | None = None
    disposition: Disposition | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Working:
    """When the programme works: hours in `zone`, less `holidays`, which can be asked about any day."""

    hours: WorkingHours
    zone: str
    holidays: Container[date] = frozenset()


def highest(levels: Iterable[Level]) -> Level | None:
    """Return the gravest of the levels, None when there is none."""
    return max(levels, key=lambda level: _RANK[level], default=None)


def graver(one: Level, other: Level) -> bool:
    """Return whether `one` is graver than `other`."""
    return _RANK[one] > _RANK[other]


def opened(level: Level, now: datetime, rule: AlertRule, working: Working) -> Case:
    """Return a new case, whose first alert is due at once (yellow: in the next digest)."""
    deadline = after(now, rule.acknowledge_within, working)
    first = _first_digest(now, deadline, working) if level == "yellow" else now
    return Case(level=level, state="open", opened_at=now, raised_at=now, deadline=deadline, next_alert=first)


def flagged(
    case: Case, level: Level, now: datetime, rule: AlertRule, working: Working, *, new_after: timedelta | None
) -> Case:
    """Return the case after another flag; `rule` is that of the graver of the two levels, `new_after` of the flag's.

    A graver flag raises the case and alerts again. So does a red or orange one in a case that was acknowledged some
    time (`new_after`) ago: what is new since then must be looked at too. Of a yellow one who has the case is told in
    the next digest. Another changes nothing.
    Raises NotOpen when the case is resolved: a new flag then opens a new case.
    """
    if case.state == "resolved":
        raise NotOpen
    again = case.state == "acknowledged" and new_after is not None and now - case.raised_at >= new_after
    if not (again or graver(level, case.level)):
        news = level == "yellow" and case.state == "acknowledged" and case.next_alert is None
        return replace(case, next_alert=_next_start(now, working)) if news else case
    fresh = opened(max(level, case.level, key=lambda one: _RANK[one]), now, rule, working)
    return replace(fresh, opened_at=case.opened_at, assigned_to=case.assigned_to)


def alerted(case: Case, now: datetime, rule: AlertRule, working: Working) -> Case:
    """Return the case after an alert went out: when nobody acknowledges, the next is due.

    A yellow one that waits for working days is in the digest of that day, however late this one went out.
    """
    wait = rule.acknowledge_within if case.alerts == 0 else rule.again_every
    due = after(now, wait, working)
    if case.level == "yellow" and wait.working_days:
        due = _start_of_day(due, working)
    return replace(case, alerts=case.alerts + 1, next_alert=due)


def brought_back(case: Case, now: datetime, rule: AlertRule, working: Working) -> Case:
    """Return the case after the clock was set back: its next alert is no later than after one now."""
    if case.next_alert is None:
        return case
    if case.state == "acknowledged":
        return replace(case, next_alert=min(case.next_alert, _next_start(now, working)))
    if case.alerts:
        latest = alerted(replace(case, alerts=case.alerts - 1), now, rule, working).next_alert
    else:
        latest = opened(case.level, now, rule, working).next_alert
    assert latest  # noqa: S101 - both have one
    return replace(case, next_alert=min(case.next_alert, latest))


def alert_is_due(case: Case, now: datetime) -> bool:
    """Return whether it is time for the next alert of a case that nobody acknowledged."""
    return case.state == "open" and case.next_alert is not None and case.next_alert <= now


def alert_roles(case: Case, rule: AlertRule) -> tuple[ChainRole, ...]:
    """Return who is alerted next: each of the chain in turn; past its end the last of it and the group, for ever."""
    if case.alerts < len(rule.chain):
        return (rule.chain[case.alerts],)
    return (rule.chain[-1], "group")


def acknowledged(case: Case, by: int) -> Case:
    """Return the case after `by` took notice. Raises AlreadyAcknowledged or NotOpen."""
    if case.state == "resolved":
        raise NotOpen
    if case.state == "acknowledged" and case.acknowledged_by != by:
        raise AlreadyAcknowledged
    assigned = case.assigned_to if case.assigned_to is not None else by
    return replace(case, state="acknowledged", acknowledged_by=by, assigned_to=assigned, next_alert=None)


def assigned(case: Case, to: int) -> Case:
    """Return the case in the hands of `to`. Raises NotOpen."""
    if case.state == "resolved":
        raise NotOpen
    return replace(case, assigned_to=to)


def resolved(case: Case, disposition: Disposition, note: str) -> Case:
    """Return the case closed, with what was done and a note. Raises NotOpen or NoteMissing."""
    if case.state == "resolved":
        raise NotOpen
    if not note.strip():
        raise NoteMissing
    return replace(case, state="resolved", disposition=disposition, next_alert=None)


def lowered(case: Case, level: Level, by: int, reason: str) -> Case:
    """Return the case at a lower level, which a clinician answers for with a reason: it counts as acknowledged.

    Raises NotOpen, NotLower or NoteMissing.
    """
    if case.state == "resolved":
        raise NotOpen
    if not graver(case.level, level):
        raise NotLower
    if not reason.strip():
        raise NoteMissing
    seen = case if case.state == "acknowledged" else acknowledged(case, by)
    return replace(seen, level=level)


def let_go(case: Case, by: int, now: datetime, rule: AlertRule, working: Working) -> Case:
    """Return the case after `by`, who is there no longer, let go of it; when it was in their hands, it is open again.

    It is alerted anew then, as if it had just been raised: nobody looks after it. Raises NotOpen.
    """
    if case.state == "resolved":
        raise NotOpen
    holder = case.acknowledged_by if case.assigned_to is None else case.assigned_to
    if holder != by:
        return case
    if case.state == "open":
        return replace(case, assigned_to=None)
    return replace(opened(case.level, now, rule, working), opened_at=case.opened_at)


def reopened(case: Case, by: int) -> Case:
    """Return a resolved case in the hands of who re-opens it. Raises NotResolved."""
    if case.state != "resolved":
        raise NotResolved
    return replace(case, state="acknowledged", acknowledged_by=by, assigned_to=by, disposition=None)


def after(moment: datetime, delay: Delay, working: Working) -> datetime:
    """Return the moment `delay` later; working days count only while the programme works."""
    later = moment + delay.elapsed
    if not delay.working_days:
        return later
    local = opening(later, working).astimezone(ZoneInfo(working.zone))
    day = local.date()
    for _ in range(delay.working_days):
        day = _next_working_day(day + timedelta(days=1), working)
    return datetime.combine(day, local.timetz().replace(tzinfo=ZoneInfo(working.zone))).astimezone(moment.tzinfo)


def opening(moment: datetime, working: Working) -> datetime:
    """Return the first moment from `moment` on when the programme works."""
    local = moment.astimezone(ZoneInfo(working.zone))
    hours = working.hours.hours
    if works_on(local.date(), working) and hours.start <= local.time() < hours.end:
        return moment
    return _next_start(moment, working)


def works_on(day: date, working: Working) -> bool:
    """Return whether the programme works on this day."""
    return day.weekday() in working.hours.days and day not in working.holidays


def is_open(moment: datetime, working: Working) -> bool:
    """Return whether the programme works at this moment."""
    return opening(moment, working) == moment


def _next_working_day(day: date, working: Working) -> date:
    days = (day + timedelta(days=ahead) for ahead in range(LONGEST_CLOSURE))
    return next((candidate for candidate in days if works_on(candidate, working)), day)


def _first_digest(now: datetime, deadline: datetime, working: Working) -> datetime:
    """Return when a yellow case is first told of: together with the others, when the programme's working day starts.

    So nobody is interrupted for it, and what is found during a day waits for the next morning. Found at 10:00 on
    Tuesday and due within a working day, at 10:00 on Wednesday, it is in Wednesday's digest at 9:00. Where a programme
    wants yellow cases acknowledged sooner than that, they are told of as soon as it works.
    """
    digest = _next_start(now, working)
    return digest if digest <= deadline else opening(now, working)


def _next_start(moment: datetime, working: Working) -> datetime:
    """Return when a working day next starts, at this moment at the earliest."""
    zone, start = ZoneInfo(working.zone), working.hours.hours.start
    local = moment.astimezone(zone)
    day = local.date() if local.time() <= start else local.date() + timedelta(days=1)
    return datetime.combine(_next_working_day(day, working), start, tzinfo=zone).astimezone(moment.tzinfo)


def _start_of_day(moment: datetime, working: Working) -> datetime:
    """Return when work starts on the day of this moment."""
    zone = ZoneInfo(working.zone)
    day = moment.astimezone(zone).date()
    return datetime.combine(day, working.hours.hours.start, tzinfo=zone).astimezone(moment.tzinfo)
