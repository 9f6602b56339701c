"""A participant's safety plan: shown at any time, filled in step by step in chat, changed, and every version kept.

Each saved step is a version of its own: it is kept the moment it was written, and there is no end of a sitting to miss.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot.content.library import Content
from bot.domain.safety_plan import (
    LONGEST,
    STEPS,
    SafetyPlan,
    Step,
    TooLong,
    changed,
    go_on_at,
    is_step,
    next_missing,
)
from bot.domain.words import Words, join, units
from bot.services.plan_screens import MENU, plan_key, step_title, to_copy, whole_plan
from bot.services.turn import Turn, no_longer_asked, reply
from bot.services.voice import Voice, column
from bot.storage import audit, people, safety_plans
from bot.storage.people import Member
from bot.storage.safety_plans import Version
from bot.storage.store import Store, Tx
from bot.storage.vault import Unreadable
from bot.telegram.message import Key, Message, written
from bot.telegram.taps import MenuTap, write_id

log = structlog.get_logger()

TAKEN_FOR = timedelta(hours=12)
"""How long after a step's question a text is taken for it."""

EDITED_WITHIN = timedelta(days=1)
"""How long after a change of the plan an edited message may have been meant for it."""

LISTED = 8
"""Earlier versions in one message."""


async def show(store: Store, content: Content, turn: Turn) -> None:
    """Show the plan and what can be done with it; to somebody who left, the plan alone."""
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        await no_longer_asked(tx, turn)
        await _show(tx, content, turn, fresh=True)


async def choose(store: Store, content: Content, turn: Turn, choice: str) -> None:
    """Do what was chosen under the plan."""
    kind, _, value = choice.partition("=")
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        await no_longer_asked(tx, turn)
        member, act = turn.participant, _CHOICES.get(kind)
        if member and act:
            await act(tx, content, turn, member, value)
        else:
            await _show(tx, content, turn, fresh=not kind)


async def typed(
    tx: Tx, content: Content, turn: Turn, member: Member, dialogue: Mapping[str, Any], text: str, *, grave: bool
) -> bool:
    """Take the text of a step that was asked for; False (and asked again) when it does not fit.

    `grave`: what they wrote was answered with help, so the step is kept and nothing more is asked for now.
    """
    voice, step, before = turn.voice(content), dialogue["step"], await safety_plans.newest(tx, member.id)
    try:
        plan = changed(before.plan if before else SafetyPlan(), step, text)
    except TooLong:
        length = str(units(text.strip()))
        await reply(tx, turn, voice.message("plan-too-long", length=length, most=str(LONGEST)))
        return False
    if not text.strip():
        await reply(tx, turn, voice.message("unclear-empty"))
        return False
    version = await keep(tx, member, before, plan, step, by=member.id, now=turn.now)
    following = next_missing(plan, step) if dialogue["filling"] else None
    if grave:
        await reply(tx, turn, voice.message("plan-kept-for-now", ((plan_key(voice),),)))
    elif following:
        saved = voice.words("plan-saved", step=step_title(voice, step))
        await _ask(tx, content, turn, version, following, said=saved, fresh=True)
    else:
        key = "plan-done" if dialogue["filling"] else "plan-saved"
        saved = voice.words(key, step=step_title(voice, step))
        await _overview(tx, content, turn, member, said=saved, fresh=True)
    return True


def still_asked(dialogue: Mapping[str, Any], now: datetime) -> bool:
    """Return whether what is typed now may be meant for this question: who answers after days means something else."""
    return dialogue["kind"] != MENU or now - datetime.fromisoformat(dialogue["at"]) < TAKEN_FOR


async def keep(
    tx: Tx, member: Member, before: Version | None, plan: SafetyPlan, step: Step, *, by: int | None, now: datetime
) -> Version:
    """Keep the plan as the member's newest version, unless it is what stands there already."""
    if before and before.plan == plan:
        return before
    version = Version(number=before.number + 1 if before else 1, plan=plan, step=step, by=by, at=now)
    await safety_plans.add(tx, member.id, version)
    await audit.note(tx, "change safety plan", now, by=by, subject=f"member {member.id}", version=version.number)
    return version


async def plan_for_now(tx: Tx, member: Member | None) -> SafetyPlan:
    """Return the plan to show in a crisis. One that can't be read must not keep help back: it counts as none."""
    if member is None:
        return SafetyPlan()
    try:
        version = await safety_plans.newest(tx, member.id)
    except (Unreadable, ValueError):
        log.exception("a safety plan cannot be read")
        return SafetyPlan()
    return version.plan if version else SafetyPlan()


async def changed_lately(tx: Tx, member: Member, now: datetime) -> bool:
    """Return whether an edited message may have been meant for the plan."""
    latest = await safety_plans.editions(tx, member.id, limit=1)
    return bool(latest) and now - latest[0].at < EDITED_WITHIN


async def owner(tx: Tx, turn: Turn) -> Member | None:
    """Return the place whose plan this person may see: their present one, or the one they left last."""
    if turn.participant or turn.person is None:
        return turn.participant
    return await people.last_discharged(tx, turn.person.id)


async def offer(tx: Tx, voice: Voice, member_id: int) -> Message | None:
    """Return the offer to make a plan; None for who has one."""
    present = await safety_plans.newest(tx, member_id)
    begin = voice.button("plan-begin", MenuTap(menu=MENU, value="fill"))
    return None if present and present.plan else replace(voice.message("plan-offer", ((begin,),)), fresh=True)


async def _show(tx: Tx, content: Content, turn: Turn, *, fresh: bool) -> None:
    member = await owner(tx, turn)
    if member is None:
        await reply(tx, turn, turn.voice(content).message("not-a-participant"))
        return
    await _overview(tx, content, turn, member, fresh=fresh)


async def _overview(
    tx: Tx, content: Content, turn: Turn, member: Member, *, said: Words = (), fresh: bool = False
) -> None:
    voice, version = turn.voice(content), await safety_plans.newest(tx, member.id)
    keyboard = column(await _keys(tx, voice, member, version)) if turn.participant else ()
    if version and version.plan:
        messages = whole_plan(voice, join((said, voice.words("plan-head"))), version.plan, keyboard)
    else:
        messages = (written(join((said, voice.words("plan-none"))), keyboard),)
    await _reply_all(tx, turn, messages, fresh=fresh)


async def _keys(tx: Tx, voice: Voice, member: Member, version: Version | None) -> list[Key]:
    """What can be done with the plan: first what somebody suggests, then the next empty step."""
    waiting = await safety_plans.open_proposals(tx, member.id)
    keys = [
        voice.button(
            "plan-suggestion",
            MenuTap(menu="proposal", value=f"{write_id(one.id)}-show"),
            step=step_title(voice, one.step),
        )
        for one in waiting
    ]
    plan = version.plan if version else SafetyPlan()
    if step := go_on_at(plan, version.step if version else None):
        title = step_title(voice, step)
        keys.append(voice.button("plan-fill" if plan else "plan-begin", _tap("fill"), step=title))
    if plan:
        keys.append(voice.button("plan-change", _tap("edit")))
    if version and version.number > 1:
        keys.append(voice.button("plan-earlier", _tap("versions")))
    return keys


async def _fill(tx: Tx, content: Content, turn: Turn, member: Member, _: str) -> None:
    version = await safety_plans.newest(tx, member.id)
    step = go_on_at(version.plan, version.step) if version else STEPS[0]
    if step:
        await _ask(tx, content, turn, version, step, fresh=True)
    else:
        await _overview(tx, content, turn, member)


async def _skip(tx: Tx, content: Content, turn: Turn, member: Member, value: str) -> None:
    version = await safety_plans.newest(tx, member.id)
    plan = version.plan if version else SafetyPlan()
    following = next_missing(plan, value) if is_step(value) else None
    if following:
        await _ask(tx, content, turn, version, following)
    else:
        await _overview(tx, content, turn, member, said=turn.voice(content).words("plan-stopped"))


async def _stop(tx: Tx, content: Content, turn: Turn, member: Member, _: str) -> None:
    await _overview(tx, content, turn, member, said=turn.voice(content).words("plan-stopped"))


async def _edit(tx: Tx, content: Content, turn: Turn, member: Member, value: str) -> None:
    if is_step(value):
        await _ask(tx, content, turn, await safety_plans.newest(tx, member.id), value, filling=False)
        return
    voice = turn.voice(content)
    keys = [voice.button(f"plan-step-{step}", _tap("edit", step)) for step in STEPS]
    await _reply_all(tx, turn, (voice.message("plan-which", column([*keys, _back(voice)])),))


async def _ask(
    tx: Tx,
    content: Content,
    turn: Turn,
    version: Version | None,
    step: Step,
    *,
    filling: bool = True,
    said: Words = (),
    fresh: bool = False,
) -> None:
    """Ask for the text of a step, with what stands there now; what is typed next is taken for it."""
    assert turn.person  # noqa: S101 - a member is known
    dialogue = {"kind": MENU, "step": step, "filling": filling, "at": turn.now.isoformat()}
    await people.change_person(tx, turn.person.id, dialogue=dialogue)
    voice, text = turn.voice(content), version.plan.text(step) if version else ""
    there = join((voice.words("plan-there-now"), to_copy(text)), "\n") if text else ()
    instead = voice.words("plan-replace") if text else ()
    words = join((said, voice.words(f"plan-ask-{step}"), there, instead))
    if filling:
        keys = [voice.button("plan-skip", _tap("skip", step)), voice.button("plan-stop", _tap("stop"))]
    else:
        clear = [voice.button("plan-clear", _tap("clear", step))] if text else []
        keys = [*clear, voice.button("button-back", _tap("edit"))]
    await _reply_all(tx, turn, (written(words, column(keys)),), fresh=fresh)


async def _clear(tx: Tx, content: Content, turn: Turn, member: Member, value: str) -> None:
    """Ask whether to clear a step, and clear it when the tap was meant for the version that counts now."""
    name, _, number = value.partition("=")
    version = await safety_plans.newest(tx, member.id)
    if version is None or not is_step(name) or (number and number != str(version.number)):
        await _overview(tx, content, turn, member)
        return
    voice = turn.voice(content)
    title = step_title(voice, name)
    if number:
        await keep(tx, member, version, changed(version.plan, name, ""), name, by=member.id, now=turn.now)
        await _overview(tx, content, turn, member, said=voice.words("plan-cleared", step=title))
        return
    keys = [
        voice.button("plan-clear-yes", _tap("clear", f"{name}={version.number}")),
        voice.button("plan-clear-no", _tap("edit", name)),
    ]
    await _reply_all(tx, turn, (voice.message("plan-clear-ask", column(keys), step=title),))


async def _versions(tx: Tx, content: Content, turn: Turn, member: Member, value: str) -> None:
    """List the versions before a given one; without one, those before the one that counts now."""
    newest = await safety_plans.newest(tx, member.id)
    before = _number(value) or (newest.number if newest else 0)
    found = await safety_plans.editions(tx, member.id, before=before, limit=LISTED)
    voice = turn.voice(content)
    keys = [
        voice.button(
            "plan-version",
            _tap("version", str(one.number)),
            number=str(one.number),
            when=voice.moment(one.at, turn.zone),
            step=step_title(voice, one.step),
        )
        for one in found
    ]
    if found and found[-1].number > 1:
        keys.append(voice.button("plan-older", _tap("versions", str(found[-1].number))))
    await _reply_all(tx, turn, (voice.message("plan-versions", column([*keys, _back(voice)])),))


async def _version(tx: Tx, content: Content, turn: Turn, member: Member, value: str) -> None:
    found = await safety_plans.version(tx, member.id, _number(value))
    if found is None:
        await _overview(tx, content, turn, member)
        return
    voice = turn.voice(content)
    head = voice.words(
        "plan-version-own" if found.by == member.id else "plan-version-team",
        when=voice.moment(found.at, turn.zone),
        step=step_title(voice, found.step),
    )
    back = voice.button("button-back", _tap("versions"))
    await _reply_all(tx, turn, whole_plan(voice, head, found.plan, ((back,),)))


async def _reply_all(tx: Tx, turn: Turn, messages: tuple[Message, ...], *, fresh: bool = False) -> None:
    """Answer in the plan's card; what needs several messages comes below, its last with the buttons."""
    *first, last = messages
    for message in first:
        await reply(tx, turn, message)
    await reply(tx, turn, replace(last, card=MENU, fresh=fresh or bool(first)))


def _tap(kind: str, value: str = "") -> MenuTap:
    return MenuTap(menu=MENU, value=f"{kind}={value}" if value else kind)


def _back(voice: Voice) -> Key:
    return voice.button("button-back", _tap("show"))


def _number(written: str) -> int:
    """Return the number of a version, 0 for what is none."""
    return int(written) if written.isascii() and written.isdigit() and len(written) < 10 else 0


_CHOICES: dict[str, Callable[[Tx, Content, Turn, Member, str], Awaitable[None]]] = {
    "fill": _fill,
    "skip": _skip,
    "stop": _stop,
    "edit": _edit,
    "clear": _clear,
    "versions": _versions,
    "version": _version,
}
"""What a tap under the plan does; any other shows it."""
