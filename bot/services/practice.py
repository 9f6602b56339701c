"""Practices: begun, led by taps and words, paused, resumed, ended; each step one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.content.frozen import freeze, thaw
from bot.content.library import Content
from bot.domain import flow
from bot.domain.activity import FreeText, Measure, Skill
from bot.domain.flow import Answer, Begin, Elapsed, Input, State, Wrote
from bot.domain.programme import HIGH_DISTRESS
from bot.domain.scoring import Raised, raised, score, triage
from bot.domain.understanding import folded
from bot.services import access
from bot.services.contacts import programme_of
from bot.services.one_by_one import AGAIN_AFTER, together_or_alone
from bot.services.safety import DISTRESS, examine, respond
from bot.services.screens import ended_message, screen_message
from bot.services.turn import Turn, no_longer_asked, reply
from bot.services.voice import Voice, column
from bot.storage import people, prompts, runs
from bot.storage.cases import Flag
from bot.storage.outbox import Lane, Posting, post
from bot.storage.people import Member, Person
from bot.storage.runs import Kind, Run
from bot.storage.store import Store, Tx
from bot.storage.tables import new_id
from bot.telegram.message import Message, packed
from bot.telegram.taps import MenuTap, RunTap

INTERRUPTED = timedelta(hours=1)
"""A measure that was left no longer ago goes on when the one that came in between has ended."""

AT_ONCE = 200


@dataclass(slots=True, kw_only=True)
class _Going:
    """A practice while one input is worked on: where it is, what was found on the way, and measures to offer for it.

    `wrote` is what was typed, empty for a tap.
    """

    run: Run
    activity: Skill | Measure
    member: Member
    person: Person
    wrote: str = ""
    found: list[Flag] = field(default_factory=list)
    offers: list[str] = field(default_factory=list)
    unclear: flow.AskedAgain | None = None
    next_skill: str = ""


async def begin(
    tx: Tx,
    content: Content,
    turn: Turn,
    member: Member,
    *,
    kind: Kind,
    activity_id: str,
    card: str = "",
    preview: bool = False,
) -> Run:
    """Start a practice and show its first screen; in the message of `card` if there is one. Raises UnknownContent."""
    assert turn.person  # noqa: S101 - a member is known
    activity = content.activity(kind, activity_id, turn.language)
    run_id = new_id()
    run = Run(
        id=run_id,
        member_id=member.id,
        kind=kind,
        activity=activity.id,
        language=activity.language,
        version=activity.version,
        card=card or f"run:{run_id}",
        preview=preview,
        state=State(),
        started_at=turn.now,
        updated_at=turn.now,
    )
    await runs.keep_content(tx, kind, activity.id, activity.language, activity.version, freeze(activity), turn.now)
    await runs.add_run(tx, run)
    going = _Going(run=run, activity=activity, member=member, person=turn.person)
    await _move(tx, content, turn, going, Begin(), fresh=not card)
    return going.run


async def tap(store: Store, content: Content, turn: Turn, tapped: RunTap) -> str:
    """Take a button of a practice's screen. Returns the key of the word for the tap, empty when there is none."""
    given = flow.Tap(turn=tapped.turn, act=tapped.act, value=tapped.value)
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        run = await runs.run(tx, tapped.run)
        if run is None:
            await access.stale(tx, turn, "run")
            return "tap-gone"
        member = await access.own_run_member(tx, turn, run.member_id)
        assert turn.person  # noqa: S101 - the gate found them
        activity = await _activity(tx, content, run)
        going = _Going(run=run, activity=activity, member=member, person=turn.person)
        if stale := await _move(tx, content, turn, going, given):
            await access.stale(tx, turn, "run")
    return ("tap-ended" if run.state.phase == "ended" else "tap-old") if stale else ""


async def write(tx: Tx, content: Content, turn: Turn, member: Member, run: Run, text: str) -> None:
    """Take what a person typed while a practice is under way."""
    assert turn.person  # noqa: S101 - a member is known
    going = _Going(run=run, activity=await _activity(tx, content, run), member=member, person=turn.person, wrote=text)
    await _move(tx, content, turn, going, Wrote(text=text), fresh=True)


async def resume(tx: Tx, content: Content, turn: Turn, member: Member, run: Run) -> None:
    """Show a practice where it was left, below everything that came since."""
    assert turn.person  # noqa: S101 - a member is known
    going = _Going(run=run, activity=await _activity(tx, content, run), member=member, person=turn.person)
    await _move(tx, content, turn, going, flow.Resume(), fresh=True)


async def stop(tx: Tx, content: Content, turn: Turn, member: Member, run: Run) -> None:
    """End a practice where it is."""
    assert turn.person  # noqa: S101 - a member is known
    going = _Going(run=run, activity=await _activity(tx, content, run), member=member, person=turn.person)
    await _move(tx, content, turn, going, flow.Tap(turn=run.state.turn, act="stop"))


async def elapse(store: Store, content: Content, now: datetime) -> int:
    """Go on with the practices whose pause is over; return how many."""
    async with store.begin() as tx:
        over = await runs.elapsed_runs(tx, now, AT_ONCE)

    async def work(ids: Sequence[int]) -> int:
        async with store.begin() as tx:
            for run_id in ids:
                run = await runs.run(tx, run_id)
                if run and run.due_at and run.due_at <= now:
                    await _go_on(tx, content, run, now)
        return len(ids)

    async def put_off(run_id: int) -> None:
        async with store.begin() as tx:
            await runs.put_off_pause(tx, run_id, now + AGAIN_AFTER)

    return await together_or_alone([run.id for run in over], work, put_off)


async def _go_on(tx: Tx, content: Content, run: Run, now: datetime) -> None:
    member = await people.member(tx, run.member_id)
    assert member  # noqa: S101 - the foreign key holds this
    if member.standing != "active":
        await runs.forget_pause(tx, run.id)
        return
    person = await people.person(tx, member.person_id)
    going = _Going(run=run, activity=await _activity(tx, content, run), member=member, person=person)
    effects = await _advance(tx, content, going, Elapsed(turn=run.state.turn), now)
    await _end_if_ended(tx, going, effects, now)
    await _save(tx, going, run.state.turn)
    voice = Voice(content, person.language)
    message = (
        screen_message(voice, going.activity, going.run) if _has_screen(effects) else ended_message(voice, going.run)
    )
    posting = Posting(
        key=f"r{run.id}:{run.state.turn}",
        chat_id=person.telegram_id or 0,
        lane=Lane.REPLY,
        payload=packed(replace(message, fresh=_was_pause(run, going.activity))),
        member_id=member.id,
    )
    await post(tx, [posting], now)


def _was_pause(run: Run, activity: Skill | Measure) -> bool:
    """After a pause the next step comes as a new message, so that it is noticed; after a paced breath in place."""
    return activity.steps[run.state.step].pace is None


async def _move(tx: Tx, content: Content, turn: Turn, going: _Going, given: Input, *, fresh: bool = False) -> bool:
    """Advance a practice, keep what came of it, answer, and see to what is worrying. Returns whether it was stale."""
    turn_before = going.run.state.turn
    await no_longer_asked(tx, turn)
    effects = await _advance(tx, content, going, given, turn.now)
    if any(isinstance(effect, flow.Stale) for effect in effects):
        return True
    await _end_if_ended(tx, going, effects, turn.now)
    await _save(tx, going, turn_before)
    level = await respond(tx, content, turn, going.member, going.person, going.found)
    if level in ("red", "orange"):
        going.unclear = None  # what they wrote was answered with help; nobody quibbles about its form
    await _answer(tx, content, turn, going, effects, fresh=fresh or level is not None)
    for measure in [one for one in dict.fromkeys(going.offers) if one in content.measures]:
        await reply(tx, turn, _offer(content, turn, going.run, measure))
    return False


async def _advance(tx: Tx, content: Content, going: _Going, given: Input, now: datetime) -> tuple[flow.Effect, ...]:
    state, effects = flow.advance(going.activity, going.run.state, given)
    waits = next((effect for effect in effects if isinstance(effect, flow.Waits)), None)
    due_at = now + waits.pause if waits else going.run.due_at
    going.run = replace(going.run, state=state, updated_at=now, due_at=due_at)
    for effect in effects:
        await _keep(tx, content, going, effect, now)
    return effects


async def _keep(tx: Tx, content: Content, going: _Going, effect: flow.Effect, now: datetime) -> None:
    """Store what an effect says happened, and look at what was written."""
    match effect:
        case flow.Recorded(answer=answer) if not going.run.preview:
            answer_id = await runs.add_answer(tx, going.member.id, going.run.id, "answer", answer, now)
            if isinstance(going.activity.steps[answer.step].ask, FreeText):
                going.found.extend(await examine(content, answer.text, answer_id))
            else:
                await _examine_words_around(tx, content, going, answer, now)
            if isinstance(going.activity, Measure):
                _keep_item_flags(going, going.activity, answer, answer_id)
            else:
                going.found.extend(_distress_flags(content, going, answer, answer_id))
        case flow.Reached(step=step, level=level) if not going.run.preview:
            rule = f"{going.activity.id}#{step}"
            going.found.append(Flag(level=level, category="step", rule=rule, version=going.run.version))
        case flow.Withdrawn(step=step):
            await runs.withdraw_answer(tx, going.run.id, step, now)
        case flow.AskedAgain(text=text):
            going.unclear = effect
            if not going.run.preview:
                remark = Answer(step=going.run.state.step, text=text)
                answer_id = await runs.add_answer(tx, going.member.id, going.run.id, "remark", remark, now)
                going.found.extend(await examine(content, text, answer_id))
        case flow.Switched(skill=skill):
            going.next_skill = skill


async def _examine_words_around(tx: Tx, content: Content, going: _Going, answer: Answer, now: datetime) -> None:
    """Look at all that was typed where only a number, an option or a time of it counts as the answer."""
    if not going.wrote or folded(going.wrote) == folded(answer.text):
        return
    found = await examine(content, going.wrote, None)
    if found:
        remark = Answer(step=answer.step, text=going.wrote)
        answer_id = await runs.add_answer(tx, going.member.id, going.run.id, "remark", remark, now)
        going.found.extend(replace(flag, answer_id=answer_id) for flag in found)


def _distress_flags(content: Content, going: _Going, answer: Answer, answer_id: int) -> list[Flag]:
    """Return a flag for high distress after a skill, at once: who is in distress may never come to its end."""
    programme = programme_of(content, going.member, "")
    high = programme.high_distress if programme else HIGH_DISTRESS
    if answer.step != "after" or answer.number is None or answer.number < high:
        return []
    rule, version = "distress-after-skill", going.activity.version
    return [Flag(level="yellow", category=DISTRESS, rule=rule, version=version, answer_id=answer_id)]


def _keep_item_flags(going: _Going, measure: Measure, answer: Answer, answer_id: int) -> None:
    """Flag what this very item says: it must not wait for the end of the measure."""
    numbers = {answer.step: answer.number} if answer.number is not None else {}
    found = raised(measure, numbers, None, None)
    going.found.extend(_flags(measure, found, answer_id))
    going.offers.extend(one.offer for one in found if one.offer)


def _flags(measure: Measure, found: Sequence[Raised], answer_id: int | None) -> list[Flag]:
    return [
        Flag(
            level=one.level,
            category=DISTRESS if one.item == DISTRESS else "measure",
            rule=one.rule[:64],
            version=measure.version,
            answer_id=answer_id,
        )
        for one in found
    ]


async def _end_if_ended(tx: Tx, going: _Going, effects: tuple[flow.Effect, ...], now: datetime) -> None:
    ended = next((effect for effect in effects if isinstance(effect, flow.Ended)), None)
    if ended is None or going.run.preview:
        return
    if isinstance(going.activity, Measure) and ended.outcome != flow.STOPPED:
        await _score(tx, going, going.activity, now)
    await prompts.answered(tx, going.run.id)


async def _score(tx: Tx, going: _Going, measure: Measure, now: datetime) -> None:
    numbers = {step: answer.number for step, answer in going.run.state.answers.items() if answer.number is not None}
    before = await runs.last_score(tx, going.member.id, measure.id)
    result = score(measure, numbers)
    if measure.scoring != "none":
        total = result.total if result else None
        band = (triage(numbers) or "") if measure.scoring == "c-ssrs" else result.band if result else ""
        await runs.add_score(tx, going.member.id, going.run.id, measure.id, total, band, now)
    going.found.extend(_flags(measure, raised(measure, {}, result, before), None))


async def _save(tx: Tx, going: _Going, turn_before: int) -> None:
    if not await runs.save_run(tx, going.run, turn_before):
        raise RuntimeError("the practice moved on meanwhile")


async def _answer(
    tx: Tx, content: Content, turn: Turn, going: _Going, effects: tuple[flow.Effect, ...], *, fresh: bool
) -> None:
    """Show what comes next: the screen, a word about what was not understood, the next skill, or the end."""
    voice = turn.voice(content)
    if going.next_skill in content.skills:
        await begin(
            tx,
            content,
            turn,
            going.member,
            kind="skill",
            activity_id=going.next_skill,
            card=going.run.card,
            preview=going.run.preview,
        )
        return
    if going.unclear:
        await reply(tx, turn, voice.message(f"unclear-{going.unclear.why}", (), **_limits(going)))
    if _has_screen(effects):
        await reply(tx, turn, replace(screen_message(voice, going.activity, going.run), fresh=fresh))
    elif any(isinstance(effect, flow.Ended) for effect in effects):
        await reply(tx, turn, replace(ended_message(voice, going.run), fresh=fresh))
    if going.run.kind == "measure" and going.run.state.phase == "ended":
        await _go_back(tx, content, turn, going)


async def _go_back(tx: Tx, content: Content, turn: Turn, going: _Going) -> None:
    """Go on with the measure that this one came in between of."""
    run = await runs.open_run(tx, going.member.id)
    if run and run.kind == "measure" and turn.now - run.updated_at < INTERRUPTED:
        await resume(tx, content, turn, going.member, run)


def _offer(content: Content, turn: Turn, run: Run, measure_id: str) -> Message:
    voice = turn.voice(content)
    measure = content.activity("measure", measure_id, turn.language)
    keys = [voice.button("button-answer-now", MenuTap(menu="measure", value=measure.id))]
    message = voice.message("measure-offer", column(keys), title=measure.title, minutes=str(measure.minutes))
    return replace(message, card=f"offer:{run.id}", fresh=True)


def _limits(going: _Going) -> dict[str, str]:
    ask = going.activity.steps[going.run.state.step].ask
    low, high = getattr(ask, "low", None), getattr(ask, "high", None)
    return {"low": f"{low:g}" if low is not None else "0", "high": f"{high:g}" if high is not None else "∞"}


def _has_screen(effects: tuple[flow.Effect, ...]) -> bool:
    return any(isinstance(effect, flow.Shown) for effect in effects)


async def _activity(tx: Tx, content: Content, run: Run) -> Skill | Measure:
    """Return the very version that the practice began with."""
    try:
        current = content.activity(run.kind, run.activity, run.language)
    except LookupError:
        current = None
    if current and current.version == run.version:
        return current
    kept = await runs.kept_content(tx, run.kind, run.activity, run.language, run.version)
    assert kept, "a practice without its content"  # noqa: S101 - stored when the practice began
    return thaw(kept)
