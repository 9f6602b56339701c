"""What clinicians do with cases: acknowledge, take, note, resolve, and read what a participant answered."""

from dataclasses import replace

from bot.content.library import Content
from bot.domain import cases as life
from bot.domain.activity import LEVELS, Level
from bot.domain.cases import Disposition
from bot.domain.words import Words, join
from bot.services import changes
from bot.services.access import carer_of, carers
from bot.services.alerts import moved_on, show_to_all
from bot.services.answer_lines import answer_line
from bot.services.case_cards import as_card, card_keyboard, card_words, case_values, participant_of
from bot.services.turn import Turn, no_longer_asked, reply
from bot.services.voice import Voice
from bot.storage import audit, people
from bot.storage import cases as records
from bot.storage.cases import Filed
from bot.storage.people import Member
from bot.storage.runs import last_answers
from bot.storage.store import Store, Tx
from bot.telegram.message import written
from bot.telegram.taps import CaseTap

QUEUE_LENGTH = 20
LOWER = "lower-"
"""What a note is asked for that lowers a level: this, and the level."""
ANSWERS_SHOWN = 12


async def acknowledge(store: Store, content: Content, turn: Turn, case_id: int) -> str:
    """Take notice of a case. Returns the key of the word for the tap; Refused when it is not theirs."""
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        filed, member = await carer_of(tx, turn, case_id)
        try:
            moved = await moved_on(tx, filed, life.acknowledged(filed.case, member.id))
        except life.NotOpen:
            return "case-resolved-already"
        except life.AlreadyAcknowledged:
            return "case-acknowledged-by-other"
        if filed.case.state != "acknowledged":
            await records.add_event(tx, case_id, "acknowledged", turn.now, by=member.id)
            await audit.note(tx, "acknowledge", turn.now, by=member.id, subject=f"case {case_id}")
        await show_to_all(tx, content, moved, turn.now, f"u{turn.update_id}")
    return "case-acknowledged"


async def assign(store: Store, content: Content, turn: Turn, case_id: int) -> str:
    """Assign a case to who taps."""
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        filed, member = await carer_of(tx, turn, case_id)
        if filed.case.state == "resolved":
            return "case-resolved-already"
        moved = await moved_on(tx, filed, life.assigned(filed.case, member.id))
        await records.add_event(tx, case_id, "assigned", turn.now, by=member.id)
        await show_to_all(tx, content, moved, turn.now, f"u{turn.update_id}")
    return "case-assigned"


async def open_card(store: Store, content: Content, turn: Turn, case_id: int) -> None:
    """Show a case with what can be done about it."""
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        filed, _ = await carer_of(tx, turn, case_id)
        await no_longer_asked(tx, turn)
        words = await card_words(tx, filed, turn.voice(content), turn.zone)
        keyboard = card_keyboard(filed, turn.voice(content))
        await audit.note(tx, "open case", turn.now, by=_own(turn, filed), subject=f"case {case_id}")
        await reply(tx, turn, as_card(written(words, keyboard), filed), case_id=case_id)


async def show_queue(store: Store, content: Content, turn: Turn) -> None:
    """Show the cases that wait, the gravest and oldest first."""
    voice = turn.voice(content)
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        places = await carers(tx, turn)
        await no_longer_asked(tx, turn)
        waiting = await records.queue(tx, [place.programme for place in places], QUEUE_LENGTH)
        rows = []
        for filed in waiting:
            code = (await participant_of(tx, filed)).code
            values = case_values(filed, code, voice, turn.zone)
            rows.append((voice.button("queue-entry", CaseTap(case=filed.id, verb="open"), **values),))
        key = "queue" if waiting else "queue-empty"
        await reply(tx, turn, voice.message(key, tuple(rows), count=str(len(waiting))))


async def show_answers(store: Store, content: Content, turn: Turn, case_id: int) -> str:
    """Show a participant's last answers: in a private chat only, where they cannot be forwarded."""
    voice = turn.voice(content)
    if not turn.private:
        return "case-private-only"
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        filed, member = await carer_of(tx, turn, case_id)
        who = await participant_of(tx, filed)
        rows = await last_answers(tx, filed.member_id, ANSWERS_SHOWN)
        lines = [answer_line(tx, content, voice, row, turn.zone) for row in rows]
        head = voice.words("answers-head", code=who.code, name=who.name or "–")
        changed = await changes.for_clinicians(tx, content, voice, filed.member_id, turn.zone)
        shown = written(join((head, *changed, *(tuple(lines) or (voice.words("answers-none"),))), "\n"))
        await audit.note(tx, "read answers", turn.now, by=member.id, subject=f"case {case_id}")
        await reply(tx, turn, replace(shown, protect=True), case_id=case_id)
    return ""


async def ask_note(store: Store, content: Content, turn: Turn, case_id: int, purpose: str = "") -> str:
    """Ask for a note: to be added, or to resolve the case (a disposition) or lower its level with."""
    voice = turn.voice(content)
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        filed, _ = await carer_of(tx, turn, case_id)
        if filed.case.state == "resolved":
            return "case-resolved-already"
        assert turn.person  # noqa: S101 - carers are known
        dialogue = {"kind": "case-note", "case": case_id, "purpose": purpose}
        await people.change_person(tx, turn.person.id, dialogue=dialogue)
        cancel = voice.button("button-cancel", CaseTap(case=case_id, verb="open"))
        words = _note_question(voice, purpose, str(filed.number))
        await reply(tx, turn, written(words, ((cancel,),)))
    return ""


def _note_question(voice: Voice, purpose: str, number: str) -> Words:
    if purpose in life.DISPOSITIONS:
        return voice.words("case-ask-resolution", disposition=voice.label(f"disposition-{purpose}"), number=number)
    if purpose.startswith(LOWER):
        return voice.words("case-ask-reason", level=voice.label(f"level-{purpose.removeprefix(LOWER)}"), number=number)
    return voice.words("case-ask-note", number=number)


async def choose_level(store: Store, content: Content, turn: Turn, case_id: int) -> str:
    """Ask to which level a case is to be lowered."""
    voice = turn.voice(content)
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        filed, _ = await carer_of(tx, turn, case_id)
        if filed.case.state == "resolved":
            return "case-resolved-already"
        await no_longer_asked(tx, turn)
        lower = [level for level in LEVELS if life.graver(filed.case.level, level)]
        rows = [(voice.button(f"level-{one}", CaseTap(case=case_id, verb="as", value=LOWER + one)),) for one in lower]
        rows.append((voice.button("button-cancel", CaseTap(case=case_id, verb="open")),))
        await reply(tx, turn, voice.message("case-ask-level", tuple(rows), number=str(filed.number)))
    return ""


async def reopen(store: Store, content: Content, turn: Turn, case_id: int) -> str:
    """Open a resolved case again, in the hands of who taps."""
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        filed, member = await carer_of(tx, turn, case_id)
        if filed.case.state != "resolved":
            return "case-open-already"
        if await records.open_case(tx, filed.member_id):
            return "case-another-open"
        moved = await moved_on(tx, filed, life.reopened(filed.case, member.id), resolved_at=None)
        await records.add_event(tx, case_id, "reopened", turn.now, by=member.id)
        await audit.note(tx, "reopen", turn.now, by=member.id, subject=f"case {case_id}")
        await show_to_all(tx, content, moved, turn.now, f"u{turn.update_id}")
    return "case-reopened"


async def choose_disposition(store: Store, content: Content, turn: Turn, case_id: int) -> str:
    """Ask how a case ended."""
    voice = turn.voice(content)
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        filed, _ = await carer_of(tx, turn, case_id)
        if filed.case.state == "resolved":
            return "case-resolved-already"
        await no_longer_asked(tx, turn)
        taps = [(one, CaseTap(case=case_id, verb="as", value=one)) for one in life.DISPOSITIONS]
        rows = [(voice.button(f"disposition-{one}", tap),) for one, tap in taps]
        rows.append((voice.button("button-cancel", CaseTap(case=case_id, verb="open")),))
        await reply(tx, turn, voice.message("case-ask-disposition", tuple(rows), number=str(filed.number)))
    return ""


async def take_note(tx: Tx, content: Content, turn: Turn, case_id: int, purpose: str, note: str) -> None:
    """Add the note that was asked for, and do with the case what it was asked for. Raises Refused."""
    voice = turn.voice(content)
    filed, member = await carer_of(tx, turn, case_id)
    if filed.case.state == "resolved":
        await reply(tx, turn, voice.message("case-resolved-already"))
        return
    level = next((one for one in LEVELS if purpose == LOWER + one), None)
    if purpose in life.DISPOSITIONS:
        moved, done = await _resolve(tx, turn, filed, member, purpose, note), "case-resolved"
    elif level and life.graver(filed.case.level, level):
        moved, done = await _lower(tx, turn, filed, member, level, note), "case-lowered"
    else:
        moved, done = filed, "case-noted"
        await records.add_event(tx, case_id, "noted", turn.now, by=member.id, note=note)
    await reply(tx, turn, voice.message(done, number=str(filed.number)))
    await show_to_all(tx, content, moved, turn.now, f"u{turn.update_id}")


async def _resolve(tx: Tx, turn: Turn, filed: Filed, member: Member, disposition: Disposition, note: str) -> Filed:
    moved = await moved_on(tx, filed, life.resolved(filed.case, disposition, note), resolved_at=turn.now)
    await records.add_event(tx, filed.id, "resolved", turn.now, by=member.id, note=note, disposition=disposition)
    await audit.note(tx, "resolve", turn.now, by=member.id, subject=f"case {filed.id}", disposition=disposition)
    return moved


async def _lower(tx: Tx, turn: Turn, filed: Filed, member: Member, level: Level, note: str) -> Filed:
    moved = await moved_on(tx, filed, life.lowered(filed.case, level, member.id, note))
    await records.add_event(tx, filed.id, "lowered", turn.now, by=member.id, note=note, level=level)
    await audit.note(tx, "lower", turn.now, by=member.id, subject=f"case {filed.id}", level=level)
    return moved


def _own(turn: Turn, filed: Filed) -> int | None:
    return next((one.id for one in turn.caring if one.programme == filed.programme), None)
