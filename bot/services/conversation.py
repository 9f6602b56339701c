"""What a person writes, wherever it comes: an answer, what was asked for in a dialogue, a search, or just words.

Everything that a participant writes is kept and examined, whatever it was meant for.
"""

from collections.abc import Sequence
from datetime import datetime

from bot.content.library import Content
from bot.domain.flow import Answer
from bot.domain.safety_plan import Step, is_step
from bot.services import (
    cases,
    countries,
    enrolment,
    menus,
    plan_proposals,
    plan_screens,
    practice,
    safety_plan,
    week,
)
from bot.services.access import Refused, kept_refusal, refused
from bot.services.safety import asks_for_help, examine, respond, show_help_now, with_contacts
from bot.services.turn import Turn, reply
from bot.storage import people, runs
from bot.storage.outbox import Lane
from bot.storage.people import Member
from bot.storage.store import Store, Tx

LONGEST_SEARCH = 40
"""Characters; what is longer is something told, not something looked for."""

WORDS_LOOKED_FOR = 2
"""Words of a worrying text, such as "cravings", that may still be a search; more of them are told, and were answered.
"""

GRAVE = ("red", "orange")
ASKED_LATER = ("zone", "country", "hours")
"""Dialogues that can wait while somebody is in danger."""


async def wrote(store: Store, content: Content, turn: Turn, text: str) -> None:
    """Take a text message."""
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        dialogue = turn.person.dialogue if turn.person else None
        asked = dialogue and safety_plan.still_asked(dialogue, turn.now)
        if dialogue and asked and await _in_dialogue(tx, content, turn, dialogue, text):
            return
        member = turn.participant
        if member is None:
            await _answer_outsider(tx, content, turn, text)
            return
        run = await runs.open_run(tx, member.id)
        if run and run.state.phase == "asking" and _recent(run, turn.now):
            await practice.write(tx, content, turn, member, run, text)
            return
        level = await remark(tx, content, turn, member, text)
        if level in GRAVE or (level and len(text.split()) > WORDS_LOOKED_FOR):
            return
        if turn.hurried:
            return
        if len(text) > LONGEST_SEARCH or not await menus.find(tx, content, turn, text):
            await reply(tx, turn, turn.voice(content).message("remark-kept"))


async def edited(store: Store, content: Content, turn: Turn, text: str) -> None:
    """Take an edited message: what it says now is kept and examined too."""
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        asked = asks_for_help(text)
        if turn.participant is None:
            await outsider_cried(tx, content, turn, text)
        elif await remark(tx, content, turn, turn.participant, text) is None and not turn.hurried and not asked:
            for_plan = await safety_plan.changed_lately(tx, turn.participant, turn.now)
            await reply(tx, turn, turn.voice(content).message("edit-kept-plan" if for_plan else "edit-kept"))
        if asked:
            await show_help_now(tx, content, turn)


async def sent_other(store: Store, content: Content, turn: Turn, caption: str) -> None:
    """Answer a voice message, picture or sticker honestly: nobody listens or looks; its caption is examined."""
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        member = turn.participant
        level = await remark(tx, content, turn, member, caption) if member and caption else None
        if level:  # the contacts were in the answer to that
            await reply(tx, turn, turn.voice(content).message("only-words-looked-at"), Lane.SAFETY)
        else:
            await reply(tx, turn, with_contacts(content, turn, "not-looked-at"), Lane.SAFETY)


async def worries_beside_command(content: Content, turn: Turn, said: str) -> bool:
    """Return whether words after a command are more than a part of it: a cry that the command would swallow."""
    _, _, words = said.partition(" ")
    commands = said.startswith("/") and not (said.startswith("/start") and len(words.split()) == 1)
    at_work = not turn.participant and (turn.caring or turn.managing)
    return bool(commands and words.strip() and not at_work and await examine(content, words, None))


async def wrote_beside_command(store: Store, content: Content, turn: Turn, said: str) -> None:
    """Take what worries in the words after a command instead of the command; /help_now is done as well."""
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        if turn.participant:
            await remark(tx, content, turn, turn.participant, said)
            answered = not asks_for_help(said)
        else:
            answered = await outsider_cried(tx, content, turn, said)
        if not answered:
            await show_help_now(tx, content, turn)


async def unknown_command(store: Store, content: Content, turn: Turn, command: str, known: Sequence[str]) -> None:
    """Say that there is no such command, and which ones there are."""
    from difflib import get_close_matches  # noqa: PLC0415

    near = get_close_matches(command, known, n=1)
    voice = turn.voice(content)
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        if turn.participant:
            await remark(tx, content, turn, turn.participant, command)
        elif await outsider_cried(tx, content, turn, command):
            return
        key = "command-near" if near else "command-unknown"
        await reply(tx, turn, voice.message(key, near=f"/{near[0]}" if near else ""))


async def _answer_outsider(tx: Tx, content: Content, turn: Turn, text: str) -> None:
    """Answer who is no participant (yet, or any more): nothing is kept, and still a cry gets the contacts."""
    voice = turn.voice(content)
    if await outsider_cried(tx, content, turn, text):
        return
    if country := countries.exactly(text, turn.language):
        await show_help_now(tx, content, turn, country)
        return
    if turn.hurried:
        return
    left = await people.last_discharged(tx, turn.person.id) if turn.person and not turn.members else None
    key = "left-wrote" if left else "no-question" if turn.members else "welcome-stranger"
    await reply(tx, turn, voice.message(key))


async def outsider_cried(tx: Tx, content: Content, turn: Turn, text: str) -> bool:
    """Answer a cry of who is no participant, and of nobody who looks after others, with the contacts."""
    if turn.participant or turn.caring:
        return False
    grave = any(flag.level in GRAVE for flag in await examine(content, text, None))
    if grave:
        await reply(tx, turn, with_contacts(content, turn, "risk-outsider"), Lane.SAFETY)
    return grave


async def stale_tap(store: Store, turn: Turn) -> None:
    """A button of no version of Interlude was tapped, or one that was made up: nothing is done but keeping that."""
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        await kept_refusal(tx, turn, "button")


async def remark(tx: Tx, content: Content, turn: Turn, member: Member, text: str, *, step: str = "") -> str | None:
    """Keep and examine what was written outside of a practice, `step` for what. Returns the gravest level found."""
    assert turn.person  # noqa: S101 - a member is known
    answer_id = await runs.add_answer(tx, member.id, None, "remark", Answer(step=step, text=text), turn.now)
    return await respond(tx, content, turn, member, turn.person, await examine(content, text, answer_id))


async def _in_dialogue(tx: Tx, content: Content, turn: Turn, dialogue: dict[str, object], text: str) -> bool:
    """Take a text for what was asked last; True when it was that, so that nothing else is made of it.

    A participant's text is examined here as well.
    """
    assert turn.person  # noqa: S101 - whoever is asked is known
    level = None
    if turn.participant and dialogue["kind"] not in ("case-note", plan_proposals.DIALOGUE):
        asked = str(dialogue.get("step", ""))
        step = f"{dialogue['kind']}#{asked}" if asked else ""
        level = await remark(tx, content, turn, turn.participant, text, step=step)
    if dialogue["kind"] in ASKED_LATER and (level in GRAVE or await outsider_cried(tx, content, turn, text)):
        return True  # they got the contacts, and nothing is asked of them now: what was, still waits
    await people.change_person(tx, turn.person.id, dialogue=None)
    understood = True
    match dialogue:
        case {"kind": "zone"}:
            understood = await enrolment.typed_zone(tx, content, turn, text)
        case {"kind": "country"}:
            understood = await countries.typed(tx, content, turn, text)
        case {"kind": "hours", "what": str(what)} if turn.participant:
            understood = await week.typed_hours(tx, content, turn, turn.participant, what, text)
        case {"kind": plan_screens.MENU} if turn.participant:
            grave = level in ("red", "orange")
            understood = await safety_plan.typed(tx, content, turn, turn.participant, dialogue, text, grave=grave)
        case {"kind": "case-note", "case": int(case_id), "purpose": str(purpose)}:
            await _take_note(tx, content, turn, case_id, purpose, text)
        case {"kind": plan_proposals.DIALOGUE, "case": int(case_id), "step": str(step)} if is_step(step):
            understood = await _take_proposal(tx, content, turn, case_id, step, text)
        case _:
            return False
    if not understood:
        await people.change_person(tx, turn.person.id, dialogue=dialogue)
    return True


async def _take_note(tx: Tx, content: Content, turn: Turn, case_id: int, purpose: str, text: str) -> None:
    try:
        await cases.take_note(tx, content, turn, case_id, purpose, text)
    except Refused as refusal:
        await refused(tx, content, turn, str(refusal))


async def _take_proposal(tx: Tx, content: Content, turn: Turn, case_id: int, step: Step, text: str) -> bool:
    try:
        return await plan_proposals.take_change(tx, content, turn, case_id, step, text)
    except Refused as refusal:
        await refused(tx, content, turn, str(refusal))
        return True


def _recent(run: runs.Run, now: datetime) -> bool:
    """A text long after the last step is not taken for its answer."""
    return (now - run.updated_at).total_seconds() < ANSWER_TAKEN_FOR


ANSWER_TAKEN_FOR = 12 * 3600
"""Seconds after a question within which a text is taken as its answer."""
