"""A case is put into a colleague's hands; who is not looking after cases of this programme can't be given one."""

from zoneinfo import ZoneInfo

from bot.content.library import Content
from bot.domain import cases as life
from bot.domain.people import CARING
from bot.domain.words import join
from bot.services.access import Refused, carer_of
from bot.services.alerts import moved_on, show_to_all
from bot.services.case_cards import as_card, card_keyboard, card_words
from bot.services.turn import Turn, no_longer_asked, reply
from bot.services.voice import Voice, button, column
from bot.storage import audit, people
from bot.storage import cases as records
from bot.storage.cases import Filed
from bot.storage.outbox import Lane, Posting, post
from bot.storage.people import Member, Person
from bot.storage.store import Store, Tx
from bot.telegram.message import packed, written
from bot.telegram.taps import CaseTap, write_id


async def hand_to(store: Store, content: Content, turn: Turn, case_id: int, colleague: str) -> str:
    """Ask to whom a case is to go, or give it to the one who was chosen. Raises Refused.

    An open one is alerted on until somebody acknowledges it, whoever has it.
    """
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        filed, member = await carer_of(tx, turn, case_id)
        if filed.case.state == "resolved":
            return "case-resolved-already"
        await no_longer_asked(tx, turn)
        others = await _colleagues(tx, filed, member)
        if not colleague:
            await _ask(tx, content, turn, filed, others)
            return ""
        chosen = next((one for one in others if write_id(one[0].id) == colleague), None)
        if chosen is None:
            raise Refused("case")
        await _give(tx, content, turn, filed, member, chosen)
    return "case-handed"


async def _colleagues(tx: Tx, filed: Filed, but: Member) -> tuple[tuple[Member, Person], ...]:
    """Return who else looks after cases of this programme and can be reached."""
    carers = await people.members_in(tx, filed.programme, tuple(CARING))
    known = await people.members_with_people(tx, [one.id for one in carers if one.person_id != but.person_id])
    return tuple((member, person) for member, person in known if person.blocked_at is None and person.telegram_id)


async def _ask(tx: Tx, content: Content, turn: Turn, filed: Filed, others: tuple[tuple[Member, Person], ...]) -> None:
    voice = turn.voice(content)
    keys = [
        button(person.name or person.code, CaseTap(case=filed.id, verb="give", value=write_id(member.id)))
        for member, person in others
    ]
    cancel = voice.button("button-cancel", CaseTap(case=filed.id, verb="open"))
    key = "case-hand-to" if others else "case-hand-to-nobody"
    await reply(tx, turn, voice.message(key, column([*keys, cancel]), number=str(filed.number)))


async def _give(tx: Tx, content: Content, turn: Turn, filed: Filed, by: Member, chosen: tuple[Member, Person]) -> None:
    """Keep in whose hands the case is now, tell them, and show it to all who see the case."""
    member, person = chosen
    moved = await moved_on(tx, filed, life.assigned(filed.case, member.id))
    await records.add_event(tx, filed.id, "assigned", turn.now, by=by.id, to=str(member.id))
    await audit.note(tx, "hand over case", turn.now, by=by.id, subject=f"case {filed.id}", to=str(member.id))
    voice = Voice(content, person.language)
    giver = await people.person(tx, by.person_id)
    head = voice.words("case-handed-to-you", who=giver.name or giver.code)
    words = join((head, await card_words(tx, moved, voice, ZoneInfo(person.zone))))
    posting = Posting(
        key=f"g{filed.id}:{turn.update_id}",
        chat_id=person.telegram_id or 0,
        lane=Lane.SAFETY,
        payload=packed(as_card(written(words, card_keyboard(moved, voice)), moved, fresh=True)),
        case_id=filed.id,
        member_id=member.id,
    )
    await post(tx, [posting], turn.now)
    await show_to_all(tx, content, moved, turn.now, f"u{turn.update_id}")
