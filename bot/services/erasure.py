"""Erasing what points to a person, at their own wish or their programme's; who looks after them is told first."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.content.library import Content
from bot.domain.words import Words, join
from bot.services import alerts, roster
from bot.services.access import Refused, stale
from bot.services.case_cards import case_values
from bot.services.contacts import contact_words, country_of
from bot.services.reach import reachable
from bot.services.turn import Turn, no_longer_asked, reply
from bot.services.voice import Voice, column
from bot.storage import audit, cases, erasure, people
from bot.storage import roster as records
from bot.storage.cases import Filed
from bot.storage.erasure import LAST_WORDS
from bot.storage.marks import clear_mark, mark
from bot.storage.outbox import Lane, Posting, post
from bot.storage.people import Member, Person
from bot.storage.store import Store, Tx
from bot.storage.tables import new_id
from bot.telegram.message import Message, packed, written
from bot.telegram.taps import MenuTap, read_id, write_id

MENU = "forget"
HOLDS = timedelta(minutes=10)
"""How long the last button may be tapped: one that is found weeks later in the chat asks again."""

GRAVE = ("red", "orange")
SCRUBBED_AT_ONCE = 128 * 1024 * 1024
"""Bytes of a SQLite file that is written anew while the bot serves: a second or two."""


async def forget(store: Store, content: Content, turn: Turn, choice: str = "") -> None:
    """Say what would be erased, ask once more, and erase it, as the person chose."""
    if not turn.private:
        raise Refused("private")
    voice = turn.voice(content)
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        if turn.person is None:
            await reply(tx, turn, voice.message("forget-nothing"))
            return
        await no_longer_asked(tx, turn)
        if choice == "no":
            await reply(tx, turn, _in_card(voice.message("forget-kept")))
        elif _is_meant(choice, turn.now):
            await erase_person(tx, content, turn.person.id, turn.now, by="self")
        elif choice:
            if choice.startswith("now"):
                await stale(tx, turn, MENU)
            await reply(tx, turn, await _asked_again(tx, content, turn, turn.person))
        else:
            await reply(tx, turn, replace(_explained(content, turn), fresh=True))


async def erase_by_code(store: Store, content: Content, code: str, now: datetime) -> dict[str, int]:
    """Erase the person with this code; return how many rows of each table went. Raises roster.NotFound."""
    async with store.begin() as tx:
        person = await people.person_by_code(tx, code.strip().upper())
        if person is None:
            raise roster.NotFound(f"nobody has the code {code}")
        return await erase_person(tx, content, person.id, now, by="operator")


async def erase_person(tx: Tx, content: Content, person_id: int, now: datetime, *, by: str) -> dict[str, int]:
    """Erase a person, once; `by` is the role of who does it. Returns how many rows of each table went."""
    known = await erasure.traces(tx, person_id, hold=True)
    if known is None:
        return {}
    person = await people.person(tx, person_id)
    members = await records.all_memberships(tx, person_id)
    for member in members:
        if member.role != "participant":
            await roster.let_go_of_all(tx, content, member, person, now)
    grave = await _grave_cases(tx, members)
    for filed in grave:
        await _tell_carers(tx, content, filed, person, now)
    gone = await erasure.erase(tx, known, now)
    await _note(tx, members, gone, now, by)
    await _say_farewell(tx, content, person, grave, now, by=by)
    return gone


async def scrub(store: Store, content: Content, now: datetime) -> int:  # noqa: ARG001 - as all ticks are called
    """After an erasure, have nothing of it readable in the database's files. Never asks to be called again at once."""
    async with store.read() as tx:
        due = await mark(tx, erasure.SCRUB)
    if due:
        await scrubbed(store, largest=SCRUBBED_AT_ONCE)
    return 0


async def scrubbed(store: Store, *, largest: int | None = None) -> bool:
    """Have nothing deleted readable in the database's files; False when that can't be done just now.

    A message that tells of an erasure names who it was: it is sent first. A file of more than `largest` bytes is left.
    """
    async with store.begin() as tx:
        if await erasure.name_waits(tx):
            return False
        due = await mark(tx, erasure.SCRUB)
        await erasure.forget_nobodys_chats(tx)
    if not await store.scrub(largest=largest):
        return False
    if due:
        async with store.begin() as tx:
            await clear_mark(tx, erasure.SCRUB, due)
    return True


def _explained(content: Content, turn: Turn) -> Message:
    voice = turn.voice(content)
    parts: list[Words] = [voice.words("forget-ask")]
    if turn.caring or turn.managing:
        parts.append(voice.words("forget-ask-colleague"))
    parts.append(voice.words("forget-cannot"))
    keys = [
        voice.button("forget-yes", MenuTap(menu=MENU, value="yes")),
        voice.button("forget-export", MenuTap(menu="export")),
        voice.button("forget-no", MenuTap(menu=MENU, value="no")),
    ]
    return _in_card(written(join(tuple(parts)), column(keys)))


async def _asked_again(tx: Tx, content: Content, turn: Turn, person: Person) -> Message:
    voice = turn.voice(content)
    grave = await _grave_cases(tx, await records.all_memberships(tx, person.id))
    told = [await reachable(tx, filed.programme) == "clinician" for filed in grave]
    key = "forget-not-alone" if any(told) else "forget-not-alone-untold"
    contacts = (voice.words(key), _contacts(content, voice, person, grave)) if grave else ()
    stamp = f"now-{write_id(int(turn.now.timestamp()))}"
    keys = [
        voice.button("forget-no", MenuTap(menu=MENU, value="no")),
        voice.button("forget-now", MenuTap(menu=MENU, value=stamp)),
    ]
    return _in_card(written(join((voice.words("forget-sure"), *contacts)), column(keys)))


def _contacts(content: Content, voice: Voice, person: Person, grave: Sequence[Filed]) -> Words:
    """Return whom somebody with such cases can turn to; the general ones where the programme's file is gone."""
    name = grave[0].programme
    programme = content.programme(name, voice.language) if name in content.programmes else None
    return contact_words(content, voice, programme, country_of(person, programme))


def _is_meant(choice: str, now: datetime) -> bool:
    """Return whether this is the last button, not long after it was shown."""
    verb, _, stamp = choice.partition("-")
    try:
        shown = read_id(stamp) if verb == "now" else 0
    except ValueError:
        return False
    return 0 <= now.timestamp() - shown <= HOLDS.total_seconds()


async def _grave_cases(tx: Tx, members: tuple[Member, ...]) -> list[Filed]:
    found = [await cases.open_case(tx, member.id) for member in members if member.role == "participant"]
    return [filed for filed in found if filed and filed.case.level in GRAVE]


async def _tell_carers(tx: Tx, content: Content, filed: Filed, person: Person, now: datetime) -> None:
    """Tell who is on call, who has the case, and the supervisors, that it goes: by the code only."""
    postings = []
    for member in await alerts.looking_after(tx, content, filed, now):
        carer = await people.person(tx, member.person_id)
        voice = Voice(content, carer.language)
        message = voice.message("case-erased", (), **case_values(filed, person.code, voice, ZoneInfo(carer.zone)))
        postings.append(_last_words(carer.telegram_id, replace(message, protect=True), Lane.SAFETY, member.id))
    await post(tx, postings, now)


async def _note(tx: Tx, members: tuple[Member, ...], gone: dict[str, int], now: datetime, by: str) -> None:
    """Keep in the audit trail that an erasure was done, with nothing that leads back to whom."""
    programmes = sorted({member.programme for member in members})
    roles = ", ".join(sorted({member.role for member in members}))
    counts = {f"rows_{table}": count for table, count in gone.items()}
    for programme in programmes:
        await audit.note(tx, "erase", now, subject=programme, by_role=by, role=roles, **counts)


async def _say_farewell(
    tx: Tx, content: Content, person: Person, grave: Sequence[Filed], now: datetime, *, by: str
) -> None:
    if person.telegram_id is None or person.blocked_at:
        return
    voice = Voice(content, person.language)
    words = voice.words("forget-done" if by == "self" else "forget-done-by-programme")
    lane = Lane.REPLY
    if grave:
        words, lane = join((words, _contacts(content, voice, person, grave))), Lane.SAFETY
    await post(tx, [_last_words(person.telegram_id, written(words), lane)], now)


def _last_words(chat_id: int | None, message: Message, lane: Lane, member_id: int | None = None) -> Posting:
    key = f"{LAST_WORDS}{new_id()}"
    return Posting(key=key, chat_id=chat_id or 0, lane=lane, payload=packed(message), member_id=member_id)


def _in_card(message: Message) -> Message:
    return replace(message, card=MENU)
