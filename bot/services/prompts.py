"""Prompts: sent when due, put off, skipped, begun, reminded of once, and marked missed."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from functools import cache, partial
from zoneinfo import ZoneInfo

import structlog

from bot.content.library import Content
from bot.domain import cases as life
from bot.domain.plan import Plan, allowed, first_allowed
from bot.domain.programme import Programme
from bot.domain.selection import Chosen, Practice, candidates, choose
from bot.services import practice, reach
from bot.services.access import not_anothers, stale
from bot.services.alerts import add_flags
from bot.services.one_by_one import AGAIN_AFTER, each_alone, together_or_alone
from bot.services.plans import LOOK_AGAIN, plan_anew, plan_of, planned
from bot.services.staff import tell_left_out
from bot.services.turn import Turn
from bot.services.voice import Voice
from bot.storage import cases, follow_ups, marks, people, prompts, runs
from bot.storage.cases import Flag
from bot.storage.outbox import Lane, Posting, post, wait_for_sending
from bot.storage.people import Member, Person
from bot.storage.prompts import Prompt
from bot.storage.runs import Kind
from bot.storage.store import Store, Tx
from bot.telegram.message import Key, Keyboard, Message, packed
from bot.telegram.taps import PromptTap, tap_data

log = structlog.get_logger()

AT_ONCE = 50
"""Prompts that one transaction sends: what is urgent waits for no more than these."""

MOST_ROUNDS = 200
"""Transactions that send prompts before the next ones are planned."""

PLANNED_WITHIN = timedelta(minutes=5)
"""After this the timetables are looked at of those whose next prompt was not planned, left or lost by a kill."""

CROWD = 500
"""Prompts that wait to be sent, past which no further ones are planned at once."""

PLANNED_AT_ONCE = 100
"""Members planned anew in one transaction: a fifth of a second, for which whoever writes meanwhile waits."""

GRACE = timedelta(hours=1)
"""How much later than asked for a snoozed prompt may still come."""

MOST_COUNTED = 10
"""Times the programme's number of misses in a row after which nobody is told any more."""

EVENING = time(20, 0)
REMEMBERED = timedelta(days=90)
"""Practices older than this do not count towards what is offered next."""


_Wording = Callable[[str, Kind, str, int | None], Message]
"""What `_wording` returns, worked out once for all who get the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Receiver:
    """Who gets prompts: with the plan, and what they practised before."""

    member: Member
    person: Person
    programme: Programme
    plan: Plan
    history: tuple[Practice, ...]

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.person.zone)

    @property
    def hears(self) -> bool:
        return self.person.blocked_at is None


async def deliver_due(store: Store, content: Content, now: datetime) -> int:
    """Send the prompts that are due, then plan the next of each; return how many were due.

    While very many wait to go out, planning is left for later: it would hold up the messages.
    """
    due: list[Prompt] = []
    receivers: dict[int, _Receiver] = {}
    for _ in range(MOST_ROUNDS):
        some, theirs = await _send_due(store, content, now)
        if not some:
            break
        due += some
        receivers = theirs | receivers
    ids = list(receivers)
    for start in range(0, len(ids), AT_ONCE):
        if await _is_crowded(store):
            break
        await _plan_next(store, {one: receivers[one] for one in ids[start : start + AT_ONCE]}, due, now)
    return len(due)


async def remind(store: Store, content: Content, now: datetime) -> int:
    """Remind once of the prompts that nobody answered; return how many were looked at."""
    async with store.read() as tx:
        waiting = await prompts.to_remind(tx, now, AT_ONCE)
    later = {"remind_at": now + AGAIN_AFTER}
    return await together_or_alone(
        [prompt.id for prompt in waiting],
        partial(_remind, store, content, now),
        partial(_put_off, store, "sent", later),
    )


async def _remind(store: Store, content: Content, now: datetime, prompt_ids: Sequence[int]) -> int:
    async with store.begin() as tx:
        waiting = [one for one in await prompts.some(tx, prompt_ids) if one.remind_at and one.remind_at <= now]
        receivers = await _receivers(tx, content, waiting, now)
        postings = []
        for prompt in waiting:
            later, posting = _reminder(content, receivers.get(prompt.member_id), prompt, now)
            await prompts.change(tx, prompt.id, "sent", remind_at=later)
            postings += [posting] if posting else []
        await post(tx, postings, now)
    return len(waiting)


async def expire(store: Store, content: Content, now: datetime) -> int:
    """Mark prompts missed whose time is over; too many in a row raise a flag. Returns how many were looked at."""
    async with store.read() as tx:
        over = await prompts.to_expire(tx, now, AT_ONCE)
    later = {"expires_at": now + AGAIN_AFTER}
    return await together_or_alone(
        [prompt.id for prompt in over],
        partial(_expire_some, store, content, now),
        partial(_put_off, store, "sent", later),
    )


async def _expire_some(store: Store, content: Content, now: datetime, prompt_ids: Sequence[int]) -> int:
    async with store.begin() as tx:
        over = [one for one in await prompts.some(tx, prompt_ids) if one.expires_at and one.expires_at <= now]
        receivers = await _receivers(tx, content, over, now)
        for prompt in over:
            await _expire(tx, content, receivers.get(prompt.member_id), prompt, now)
    return len(over)


async def _put_off(store: Store, status: str, later: Mapping[str, datetime], prompt_id: int) -> None:
    """Let a prompt that fails wait, so that the others go on."""
    async with store.begin() as tx:
        if not await prompts.change(tx, prompt_id, status, **later):
            await prompts.forget_times(tx, prompt_id)


async def replan(store: Store, content: Content, now: datetime) -> int:
    """Look at the timetables that must be looked at again; return how many."""
    async with store.read() as tx:
        waiting = await people.to_plan(tx, now, PLANNED_AT_ONCE)
    return await together_or_alone(
        waiting, partial(_replan_some, store, content, now), partial(_look_later, store, now + AGAIN_AFTER)
    )


async def _replan_some(store: Store, content: Content, now: datetime, member_ids: Sequence[int]) -> int:
    async with store.begin() as tx:
        still = await people.still_to_plan(tx, now, member_ids)
        await plan_anew(tx, content, await people.members_with_people(tx, still), now, keep_day=True)
    return len(still)


async def _look_later(store: Store, later: datetime, member_id: int) -> None:
    """Let a timetable that fails wait, so that the others go on."""
    async with store.begin() as tx:
        await people.looked(tx, {member_id: later})


async def programmes_changed(store: Store, content: Content, now: datetime) -> tuple[str, ...]:
    """Have the timetables looked at of programmes that are not as they were when last looked at; return which.

    Staff are told of one that people take part in and that no file describes any more.
    """
    changed = []
    async with store.begin() as tx:
        gone = await people.programmes_taken_part_in(tx) - content.programmes.keys()
        for name in [*content.programmes, *sorted(gone)]:
            described = "" if name in gone else repr(content.programme(name, ""))
            version = hashlib.sha256(described.encode()).hexdigest()[:16]
            if await marks.mark(tx, f"programme:{name}") != version:
                await people.plan_again(tx, name, now)
                await marks.set_mark(tx, f"programme:{name}", version, now)
                changed.append(name)
                if name in gone:
                    await reach.tell_staff(tx, content, name, "programme-gone", f"gone:{name}:{now:%y%m%d%H%M%S}", now)
    return tuple(changed)


async def start(store: Store, content: Content, turn: Turn, prompt_id: int) -> str:
    """Begin what a prompt proposes. Returns the key of the word for the tap."""
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        prompt = await _own(tx, turn, prompt_id)
        if prompt is None or turn.participant is None:
            await stale(tx, turn, "prompt")
            return "tap-gone"
        if prompt.status != "sent" or prompt.run_id:
            await stale(tx, turn, "prompt")
            return "tap-ended"
        if not _is_there(content, prompt):
            await _replace(tx, turn, prompt, turn.voice(content).message("skill-gone"))
            return "tap-gone"
        run = await practice.begin(
            tx, content, turn, turn.participant, kind=prompt.kind, activity_id=prompt.activity, card=_card(prompt)
        )
        await prompts.change(tx, prompt.id, "sent", run_id=run.id, remind_at=None)
    return ""


async def snooze(store: Store, content: Content, turn: Turn, prompt_id: int, verb: str) -> str:
    """Put a prompt off: 30m, 2h, or tonight. Returns the key of the word for the tap."""
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        prompt = await _own(tx, turn, prompt_id)
        if prompt is None:
            await stale(tx, turn, "prompt")
            return "tap-gone"
        if prompt.status != "sent" or prompt.run_id:
            await stale(tx, turn, "prompt")
            return "tap-ended"
        later = _later(verb, turn)
        await prompts.change(
            tx,
            prompt.id,
            "sent",
            status="planned",
            due_at=later,
            latest_at=later + GRACE,
            snoozes=prompt.snoozes + 1,
            remind_at=None,
            expires_at=None,
        )
        voice = turn.voice(content)
        await _replace(tx, turn, prompt, voice.message("prompt-snoozed", when=voice.moment(later, turn.zone)))
    return "tap-snoozed"


async def skip(store: Store, content: Content, turn: Turn, prompt_id: int) -> str:
    """Leave a prompt out. Returns the key of the word for the tap."""
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        prompt = await _own(tx, turn, prompt_id)
        if prompt is None:
            await stale(tx, turn, "prompt")
            return "tap-gone"
        if not await prompts.change(tx, prompt.id, "sent", status="skipped", remind_at=None, expires_at=None):
            await stale(tx, turn, "prompt")
            return "tap-ended"
        await _replace(tx, turn, prompt, turn.voice(content).message("prompt-skipped"))
    return "tap-skipped"


_Looked = tuple[tuple[Prompt, ...], dict[int, _Receiver]]
"""Prompts that were due, and who gets prompts."""


async def _send_due(store: Store, content: Content, now: datetime) -> _Looked:
    """Send some of the prompts that are due; return all that were looked at, and who gets prompts.

    Where that fails each is sent by itself, and what fails then is put off, and left out once it is too late.
    """
    try:
        return await _send_some(store, content, now)
    except Exception:
        log.exception("prompts that are due fail together, each is sent by itself")
    async with store.read() as tx:
        due = await prompts.due(tx, now, AT_ONCE)
    looked: list[Prompt] = []
    receivers: dict[int, _Receiver] = {}

    async def send(prompt: Prompt) -> None:
        some, theirs = await _send_some(store, content, now, only=prompt.id)
        looked.extend(some)
        receivers.update(theirs)

    async def put_off(prompt: Prompt) -> None:
        too_late = {"status": "late"} if now > prompt.latest_at else {"due_at": now + AGAIN_AFTER}
        async with store.begin() as tx:
            await prompts.change(tx, prompt.id, "planned", **too_late)

    await each_alone(due, send, put_off)
    return tuple(looked), receivers


async def _send_some(store: Store, content: Content, now: datetime, *, only: int | None = None) -> _Looked:
    async with store.begin() as tx:
        due = await prompts.due(tx, now, AT_ONCE, only=only)
        if not due:
            return (), {}
        receivers, wording = await _receivers(tx, content, due, now), cache(partial(_wording, content))
        sending = [
            one for prompt in due if (one := _sent(content, wording, receivers.get(prompt.member_id), prompt, now))
        ]
        gone = {prompt.id for prompt, _ in sending}
        await prompts.left_out(tx, [prompt.id for prompt in due if prompt.id not in gone])
        await prompts.sent(tx, [prompt for prompt, _ in sending])
        for prompt in due:
            await _miss_unheard(tx, content, receivers.get(prompt.member_id), prompt, now)
        for activity in dict.fromkeys(one.activity for one in due if one.activity and not _is_there(content, one)):
            await tell_left_out(tx, content, activity, now)
        await people.look_again(tx, list(receivers), now + PLANNED_WITHIN)
        await post(tx, [posting for _, posting in sending], now)
    return due, receivers


async def _is_crowded(store: Store) -> bool:
    async with store.read() as tx:
        return await wait_for_sending(tx, more_than=CROWD)


async def _plan_next(store: Store, receivers: dict[int, _Receiver], gone: Sequence[Prompt], now: datetime) -> None:
    """Plan the next of each of their prompts, but for whom somebody planned meanwhile."""
    async with store.begin() as tx:
        waiting = await people.to_look_again(tx, list(receivers), now + PLANNED_WITHIN)
        due = [prompt for prompt in gone if prompt.member_id in waiting]
        following = _following(receivers, due, now)
        await prompts.plan(tx, following)
        await people.looked(tx, _look_again_at(receivers, due, following, now))


async def _receivers(tx: Tx, content: Content, due: Sequence[Prompt], now: datetime) -> dict[int, _Receiver]:
    """Return whose prompts these are, by member; who is not active is left out."""
    ids = list({prompt.member_id for prompt in due})
    history = await runs.practised(tx, ids, now - REMEMBERED)
    found = {}
    for member, person in await people.members_with_people(tx, ids):
        if member.standing != "active" or not member.began:
            continue
        programme = content.standing_programme(member.programme, person.language)
        found[member.id] = _Receiver(
            member=member,
            person=person,
            programme=programme,
            plan=plan_of(programme, person, member),
            history=tuple(
                Practice(skill=one.activity, before=one.before, after=one.after, ended_at=one.ended_at)
                for one in history[member.id]
            ),
        )
    return found


def _sent(
    content: Content, wording: _Wording, receiver: _Receiver | None, prompt: Prompt, now: datetime
) -> tuple[Prompt, Posting] | None:
    """Return the prompt as sent and its message; None when it must not be sent any more."""
    if receiver is None or not receiver.hears or not _may_come(receiver, prompt, now):
        return None
    chosen = _chosen(content, receiver, prompt)
    if chosen is None:
        return None
    prompt = replace(
        prompt,
        status="sent",
        activity=chosen.skill,
        probability=prompt.probability if chosen.skill == prompt.activity else chosen.probability,
        sent_at=now,
        remind_at=now + timedelta(seconds=prompt.remind_after) if prompt.remind_after else None,
        expires_at=now + timedelta(seconds=prompt.answer_within),
    )
    message = _nudge(content, wording, receiver.person.language, prompt)
    return prompt, _posting(receiver, prompt, message, f"p{prompt.id}:{prompt.snoozes}", prompt.latest_at)


def _may_come(receiver: _Receiver, prompt: Prompt, now: datetime) -> bool:
    asked_for = prompt.snoozes > 0
    return now <= prompt.latest_at and (asked_for or not allowed(receiver.plan, now))


async def _miss_unheard(tx: Tx, content: Content, receiver: _Receiver | None, prompt: Prompt, now: datetime) -> None:
    """Count a prompt as missed that nobody can get who blocked the bot: that silence is to be noticed as well."""
    if receiver is None or receiver.hears or not _may_come(receiver, prompt, now):
        return
    await prompts.change(tx, prompt.id, "late", status="missed")
    await _flag_missed(tx, content, receiver, prompt, now)


def _is_there(content: Content, prompt: Prompt) -> bool:
    """Return whether a file describes what a prompt proposes."""
    return prompt.activity in (content.skills if prompt.kind == "skill" else content.measures)


def _chosen(content: Content, receiver: _Receiver, prompt: Prompt) -> Chosen | None:
    """Return what a prompt proposes: where its skill is gone another one, where its measure is nothing."""
    if _is_there(content, prompt):
        return Chosen(skill=prompt.activity, probability=1.0)
    if prompt.kind == "measure":
        return None
    skills = [versions[next(iter(versions))] for versions in content.skills.values()]
    assert receiver.member.began  # noqa: S101 - receivers have begun
    offered = candidates(receiver.programme.curriculum, skills, receiver.member.began, prompt.due_at.date())
    return choose(offered, receiver.history, seed=f"{receiver.member.id}:{prompt.slot}") if offered else None


def _nudge(content: Content, wording: _Wording, language: str, prompt: Prompt) -> Message:
    variants = content.activity(prompt.kind, prompt.activity, language).prompts
    message = wording(language, prompt.kind, prompt.activity, prompt.id % len(variants) if variants else None)
    return replace(message, keyboard=_keyboard(message.keyboard, prompt), card=_card(prompt), fresh=prompt.snoozes > 0)


def _wording(content: Content, language: str, kind: Kind, activity_id: str, variant: int | None) -> Message:
    """Return what prompts for an activity say; their buttons hold the verbs only."""
    activity, voice = content.activity(kind, activity_id, language), Voice(content, language)
    return voice.message(
        "prompt-plain" if variant is None else "prompt",
        _verbs(voice),
        text="" if variant is None else activity.prompts[variant],
        title=activity.title,
        summary=activity.summary,
        minutes=str(activity.minutes),
    )


def _verbs(voice: Voice) -> Keyboard:
    rows = (("start",), ("30m", "2h", "tonight"), ("skip",))
    return tuple(tuple(Key(text=voice.label(f"prompt-{verb}"), data=verb) for verb in row) for row in rows)


def _keyboard(verbs: Keyboard, prompt: Prompt) -> Keyboard:
    """Return the buttons of a prompt, each with its verb for this one."""
    this = tap_data(PromptTap(prompt=prompt.id, verb=""))
    return tuple(tuple(Key(text=key.text, data=this + key.data) for key in row) for row in verbs)


def _following(receivers: dict[int, _Receiver], due: Sequence[Prompt], now: datetime) -> list[Prompt]:
    """Return the next prompt of each stream that had one due."""
    following = []
    for prompt in due:
        if receiver := receivers.get(prompt.member_id):
            streams = [prompt.stream] if any(s.id == prompt.stream for s in receiver.plan.streams) else []
            taken = frozenset({(prompt.stream, prompt.slot)})
            following += planned(receiver.plan, receiver.member, streams, taken, now, since=prompt.due_at)
    return following


def _look_again_at(
    receivers: dict[int, _Receiver], due: Sequence[Prompt], following: Sequence[Prompt], now: datetime
) -> dict[int, datetime | None]:
    """Return when to look at each timetable again: tomorrow where a stream has no further prompt for now."""
    planned_on = {(prompt.member_id, prompt.stream) for prompt in following}
    ended = {prompt.member_id for prompt in due if (prompt.member_id, prompt.stream) not in planned_on}
    return {
        member_id: now + LOOK_AGAIN if member_id in ended else receivers[member_id].member.plan_at
        for member_id in {prompt.member_id for prompt in due}
    }


def _reminder(
    content: Content, receiver: _Receiver | None, prompt: Prompt, now: datetime
) -> tuple[datetime | None, Posting | None]:
    """Return when to look again (None: never), and the reminder if it may go out now."""
    if receiver is None or not receiver.hears or prompt.status != "sent" or prompt.run_id:
        return None, None
    if not _is_there(content, prompt):
        return None, None
    over = prompt.expires_at or now
    if allowed(receiver.plan, now):
        return first_allowed(receiver.plan, now, over), None
    voice = Voice(content, receiver.person.language)
    activity = content.activity(prompt.kind, prompt.activity, receiver.person.language)
    message = voice.message("prompt-reminder", _keyboard(_verbs(voice), prompt), title=activity.title)
    fresh = replace(message, card=_card(prompt), fresh=True)
    return None, _posting(receiver, prompt, fresh, f"m{prompt.id}:{prompt.snoozes}", over)


async def _expire(tx: Tx, content: Content, receiver: _Receiver | None, prompt: Prompt, now: datetime) -> None:
    run = await runs.run_if_readable(tx, prompt.run_id) if prompt.run_id else None
    status = "answered" if run and run.state.answers else "missed"
    if not await prompts.change(tx, prompt.id, "sent", status=status, remind_at=None, expires_at=None):
        await prompts.forget_times(tx, prompt.id)
        return
    if receiver is None or status == "answered":
        return
    if run is None:
        voice = Voice(content, receiver.person.language)
        message = replace(voice.message("prompt-missed"), card=_card(prompt))
        await post(tx, [_posting(receiver, prompt, message, f"x{prompt.id}", None)], now)
    await _flag_missed(tx, content, receiver, prompt, now)


async def _flag_missed(tx: Tx, content: Content, receiver: _Receiver, prompt: Prompt, now: datetime) -> None:
    rule = receiver.programme.missed
    if rule is None or rule.stream != prompt.stream:
        return
    member = receiver.member
    heard = await runs.last_heard(tx, member.id, prompt.activity)
    last = await prompts.last_statuses(tx, member.id, prompt.stream, MOST_COUNTED * rule.in_a_row, since=heard)
    in_a_row = next((count for count, status in enumerate(last) if status != "missed"), len(last))
    if in_a_row == max(rule.in_a_row - 1, 1):
        await follow_ups.plan(tx, [follow_ups.new(f"missed:{prompt.id}", member.id, "missed", now)])
    if in_a_row and in_a_row % rule.in_a_row == 0:
        worrying = await cases.had_since(tx, member.id, ("red", "orange"), now - rule.orange_within)
        level = life.highest((rule.level, "orange")) if worrying else rule.level
        assert level  # noqa: S101 - a rule has a level
        flag = Flag(level=level, category="missed", rule="missed-in-a-row", version="2")
        await add_flags(tx, content, member, receiver.person, [flag], now)


async def _own(tx: Tx, turn: Turn, prompt_id: int) -> Prompt | None:
    """Return the prompt if it is of this person's present place. Raises Refused when it is somebody else's."""
    prompt = await prompts.prompt(tx, prompt_id)
    if prompt is None:
        return None
    await not_anothers(tx, turn, prompt.member_id, "prompt")
    return prompt if turn.participant and prompt.member_id == turn.participant.id else None


def _later(verb: str, turn: Turn) -> datetime:
    if verb == "tonight":
        tonight = datetime.combine(turn.now.astimezone(turn.zone).date(), EVENING, tzinfo=turn.zone)
        return max(tonight.astimezone(turn.now.tzinfo), turn.now + timedelta(minutes=30))
    return turn.now + (timedelta(hours=2) if verb == "2h" else timedelta(minutes=30))


async def _replace(tx: Tx, turn: Turn, prompt: Prompt, message: Message) -> None:
    posting = Posting(
        key=f"u{turn.update_id}:prompt",
        chat_id=turn.chat_id,
        lane=Lane.REPLY,
        payload=packed(replace(message, card=_card(prompt))),
    )
    await post(tx, [posting], turn.now)


def _posting(receiver: _Receiver, prompt: Prompt, message: Message, key: str, expires_at: datetime | None) -> Posting:
    return Posting(
        key=key,
        chat_id=receiver.person.telegram_id or 0,
        lane=Lane.PROMPT if expires_at else Lane.REPLY,
        payload=packed(message),
        expires_at=expires_at,
        prompt_id=prompt.id,
        member_id=receiver.member.id,
    )


def _card(prompt: Prompt) -> str:
    return f"prompt:{prompt.id}"
