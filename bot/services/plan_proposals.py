"""A clinician reads a safety plan and suggests a change of one step; only the participant puts it into the plan."""

from dataclasses import replace

from bot.content.library import Content
from bot.domain.people import CARING
from bot.domain.safety_plan import LONGEST, STEPS, Outdated, SafetyPlan, Step, TooLong, changed, is_step, merged
from bot.domain.words import Words, join, say, units
from bot.services.access import Refused, carer_of
from bot.services.case_cards import participant_of
from bot.services.plan_screens import plan_key, step_title, to_copy, whole_plan
from bot.services.safety_plan import keep
from bot.services.turn import Turn, no_longer_asked, reply
from bot.services.voice import Voice, column
from bot.storage import audit, follow_ups, people, safety_plans
from bot.storage.outbox import Lane, Posting, post
from bot.storage.people import Member
from bot.storage.safety_plans import Proposal, Version
from bot.storage.store import Store, Tx
from bot.telegram.message import Key, Message, packed, written
from bot.telegram.taps import CaseTap, MenuTap, read_id, write_id

MENU = "proposal"
DIALOGUE = "plan-proposal"


async def show_plan(store: Store, content: Content, turn: Turn, case_id: int) -> str:
    """Show a clinician the plan: in a private chat only, where it cannot be forwarded."""
    if not turn.private:
        return "case-private-only"
    voice = turn.voice(content)
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        filed, member = await carer_of(tx, turn, case_id)
        who = await participant_of(tx, filed)
        version = await safety_plans.newest(tx, filed.member_id)
        keys = [
            voice.button("plan-propose", CaseTap(case=case_id, verb="propose")),
            voice.button("button-open-case", CaseTap(case=case_id, verb="open")),
        ]
        if version and version.plan:
            when = voice.moment(version.at, turn.zone)
            head = voice.words("plan-of", code=who.code, name=who.name or "–", when=when)
            messages = whole_plan(voice, head, version.plan, column(keys))
        else:
            messages = (voice.message("plan-of-none", column(keys), code=who.code),)
        await audit.note(tx, "read safety plan", turn.now, by=member.id, subject=f"case {case_id}")
        for message in messages:
            await reply(tx, turn, replace(message, protect=True))
    return ""


async def ask_change(store: Store, content: Content, turn: Turn, case_id: int, step: str = "") -> str:
    """Ask a clinician which step to suggest a change of, or for the text of the one that was chosen."""
    if not turn.private:
        return "case-private-only"
    voice = turn.voice(content)
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        filed, member = await carer_of(tx, turn, case_id)
        await no_longer_asked(tx, turn)
        cancel = voice.button("button-cancel", CaseTap(case=case_id, verb="open"))
        if not is_step(step):
            taps = [CaseTap(case=case_id, verb="propose", value=one) for one in STEPS]
            keys = [voice.button(f"plan-step-{one.value}", one) for one in taps]
            await reply(tx, turn, voice.message("plan-propose-which", column([*keys, cancel])))
            return ""
        dialogue = {"kind": DIALOGUE, "case": case_id, "step": step}
        await people.change_person(tx, member.person_id, dialogue=dialogue)
        await audit.note(tx, "read safety plan", turn.now, by=member.id, subject=f"case {case_id}", step=step)
        text = _plan(await safety_plans.newest(tx, filed.member_id)).text(step)
        there = join((voice.words("plan-there-now"), to_copy(text)), "\n") if text else ()
        words = join((voice.words("plan-propose-ask", step=step_title(voice, step), most=str(LONGEST)), there))
        await reply(tx, turn, replace(written(words, ((cancel,),)), protect=True))
    return ""


async def take_change(tx: Tx, content: Content, turn: Turn, case_id: int, step: Step, text: str) -> bool:
    """Keep what a clinician suggests; the participant hears of it as soon as they may be written to.

    Returns False (and asks again) when the text does not fit. Raises Refused.
    """
    voice = turn.voice(content)
    filed, member = await carer_of(tx, turn, case_id)
    participant = await people.member(tx, filed.member_id)
    if participant is None or participant.standing != "active":
        await reply(tx, turn, voice.message("plan-propose-left"))
        return True
    try:
        changed(SafetyPlan(), step, text)
    except TooLong:
        length = str(units(text.strip()))
        await reply(tx, turn, voice.message("plan-propose-too-long", length=length, most=str(LONGEST)))
        return False
    newest = await safety_plans.newest(tx, participant.id)
    base = newest.number if newest else 0
    made = await safety_plans.propose(
        tx, participant.id, by=member.id, step=step, base=base, text=text.strip(), now=turn.now
    )
    told = follow_ups.new(f"{MENU}:{made.id}", participant.id, "proposal", turn.now, case_id)
    await follow_ups.plan(tx, [told])
    await audit.note(tx, "propose plan change", turn.now, by=member.id, subject=f"case {case_id}", step=step)
    await reply(tx, turn, voice.message("plan-propose-done"))
    return True


async def proposal_message(tx: Tx, voice: Voice, proposal_id: int) -> Message | None:
    """Return a suggestion beside what the step says now; None when it is no longer there to be decided on."""
    found = await safety_plans.proposal(tx, proposal_id)
    if found is None or found.state != "open" or await _proposer(tx, found) is None:
        return None
    return await _beside_newest(tx, voice, found)


async def decide(store: Store, content: Content, turn: Turn, value: str) -> None:
    """Show a participant a suggestion, or do with it what they chose. Raises Refused when it is not theirs."""
    number, _, verb = value.partition("-")
    voice = turn.voice(content)
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        await no_longer_asked(tx, turn)
        member = turn.participant
        found = await _asked(tx, number)
        if found is None or member is None or found.member_id != member.id:
            raise Refused(MENU)
        if found.state != "open":
            await audit.note(tx, "decide again", turn.now, by=member.id, subject=f"{MENU} {found.id}")
            await _close(tx, turn, voice, found, found.state)
        elif await _proposer(tx, found) is None:
            await safety_plans.decide(tx, found.id, "withdrawn", turn.now)
            await audit.note(tx, "withdraw plan change", turn.now, by=member.id, subject=f"{MENU} {found.id}")
            await _close(tx, turn, voice, found, "withdrawn")
        elif verb == "accept":
            await _accept(tx, content, turn, member, found)
        elif verb == "keep":
            await _settle(tx, content, turn, member, found, "declined")
        else:
            await reply(tx, turn, await _beside_newest(tx, voice, found))


async def _accept(tx: Tx, content: Content, turn: Turn, member: Member, found: Proposal) -> None:
    newest = await safety_plans.newest(tx, member.id)
    base = await safety_plans.version(tx, member.id, found.base)
    try:
        plan = merged(_plan(base), _plan(newest), found.step, found.text)
    except Outdated:
        voice = turn.voice(content)
        await reply(tx, turn, await _beside_newest(tx, voice, found, said=voice.words("proposal-again")))
        return
    await keep(tx, member, newest, plan, found.step, by=found.by, now=turn.now)
    await _settle(tx, content, turn, member, found, "accepted")


async def _settle(
    tx: Tx, content: Content, turn: Turn, member: Member, found: Proposal, state: safety_plans.State
) -> None:
    """Close a suggestion as the participant chose, and tell who made it."""
    if not await safety_plans.decide(tx, found.id, state, turn.now):
        raise RuntimeError("the suggestion was decided on meanwhile")
    await audit.note(tx, f"{state} plan change", turn.now, by=member.id, subject=f"{MENU} {found.id}")
    await _close(tx, turn, turn.voice(content), found, state)
    proposer = await _proposer(tx, found)
    assert proposer and turn.person  # noqa: S101, PT018 - looked at before
    person = await people.person(tx, proposer.person_id)
    voice = Voice(content, person.language)
    told = voice.message(f"proposal-told-{state}", code=turn.person.code, step=step_title(voice, found.step))
    posting = Posting(
        key=f"{MENU}:{found.id}",
        chat_id=person.telegram_id or 0,
        lane=Lane.REPLY,
        payload=packed(replace(told, silent=True)),
    )
    await post(tx, [posting], turn.now)


async def _close(tx: Tx, turn: Turn, voice: Voice, found: Proposal, state: str) -> None:
    """Say in the suggestion's own message what became of it."""
    message = voice.message(f"proposal-{state}", ((plan_key(voice),),), step=step_title(voice, found.step))
    await reply(tx, turn, replace(message, card=_card(found)))


async def _beside_newest(tx: Tx, voice: Voice, found: Proposal, *, said: Words = ()) -> Message:
    """Show a suggestion beside what stands there now, and remember which version that is."""
    newest = await safety_plans.newest(tx, found.member_id)
    await safety_plans.rebase(tx, found.id, newest.number if newest else 0)
    now = _plan(newest).text(found.step) or voice.label("plan-nothing-yet")
    words = join(
        (
            said,
            voice.words("proposal", step=step_title(voice, found.step)),
            join((voice.words("plan-there-now"), say(now)), "\n"),
            join((voice.words("proposal-new"), say(found.text)), "\n"),
            voice.words("proposal-yours"),
        )
    )
    return replace(written(words, column(_keys(voice, found))), card=_card(found), fresh=True)


def _keys(voice: Voice, found: Proposal) -> list[Key]:
    taps = [(verb, MenuTap(menu=MENU, value=f"{write_id(found.id)}-{verb}")) for verb in ("accept", "keep")]
    return [voice.button(f"proposal-key-{verb}", tap) for verb, tap in taps]


async def _proposer(tx: Tx, found: Proposal) -> Member | None:
    """Return the clinician who made a suggestion, if they still look after this participant's programme."""
    by = await people.member(tx, found.by) if found.by else None
    participant = await people.member(tx, found.member_id)
    if by is None or participant is None:
        return None
    caring = by.role in CARING and by.standing == "active" and by.programme == participant.programme
    return by if caring else None


async def _asked(tx: Tx, written_id: str) -> Proposal | None:
    try:
        return await safety_plans.proposal(tx, read_id(written_id))
    except ValueError:
        return None


def _plan(version: Version | None) -> SafetyPlan:
    return version.plan if version else SafetyPlan()


def _card(found: Proposal) -> str:
    return f"{MENU}:{found.id}"
