"""Who is in a programme, and how they leave it: removed, discharged; and who is whose primary clinician."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.content.library import Content
from bot.domain import cases as life
from bot.domain.people import CARING, ROLES, Role
from bot.services.alerts import moved_on, working
from bot.services.case_cards import case_values, participant_of
from bot.services.follow_ups import plan_caring
from bot.services.voice import Voice, column
from bot.storage import audit, channels, follow_ups, outbox, people, prompts, rota
from bot.storage import cases as records
from bot.storage import roster as storage
from bot.storage.cases import Filed
from bot.storage.erasure import LAST_WORDS
from bot.storage.outbox import Lane, Posting, post
from bot.storage.people import Member, Person
from bot.storage.store import Store, Tx
from bot.storage.tables import new_id
from bot.telegram.message import Message, packed
from bot.telegram.taps import CaseTap, MenuTap


class NotFound(LookupError):
    """There is nobody like that. The message says what was looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Somebody in a programme. `since` is when they joined; `primary` the code of a participant's primary clinician."""

    code: str
    name: str
    role: Role
    standing: str
    level: str
    since: datetime
    primary: str


async def listed(store: Store, content: Content, programme: str, roles: Sequence[Role] = ROLES) -> tuple[Entry, ...]:
    """Return who is in a programme, the longest there first. Raises NotFound for an unknown programme."""
    if programme not in content.programmes:
        raise NotFound(f"there is no programme '{programme}': choose from {', '.join(content.programmes)}")
    async with store.read() as tx:
        found = await storage.in_programme(tx, programme, roles)
        primaries = [member.primary_id for member, _ in found if member.primary_id]
        codes = {member.id: person.code for member, person in await people.members_with_people(tx, primaries)}
    return tuple(
        Entry(
            code=person.code,
            name=person.name,
            role=member.role,
            standing=member.standing,
            level=member.level,
            since=member.created_at,
            primary=codes.get(member.primary_id or 0, ""),
        )
        for member, person in found
    )


async def remove(
    store: Store, content: Content, code: str, now: datetime, *, programme: str = ""
) -> tuple[Member, ...]:
    """End all roles of a colleague, or the one in `programme`; return them. Raises NotFound."""
    async with store.begin() as tx:
        places = [one for one in await _places(tx, code, programme) if one.role != "participant"]
        if not places:
            raise NotFound(f"{code} is no clinician, supervisor or staff; a participant is discharged")
        for member in places:
            await remove_member(tx, content, member, now, by=None)
    return tuple(places)


async def discharge(store: Store, content: Content, code: str, now: datetime) -> Member:
    """End a participant's time in the programme; return their place. Raises NotFound."""
    async with store.begin() as tx:
        member = await _participant(tx, code)
        await discharge_member(tx, content, member, now, by=None)
    return member


async def set_primary(store: Store, content: Content, code: str, clinician: str, now: datetime) -> Member:
    """Make somebody the primary clinician of a participant; return the participant's place. Raises NotFound."""
    async with store.begin() as tx:
        member = await _participant(tx, code)
        primary = next((one for one in await _places(tx, clinician, member.programme) if one.role == "clinician"), None)
        if primary is None:
            raise NotFound(f"{clinician} is no clinician of {member.programme}")
        await change_primary(tx, content, member, primary, now, by=None)
    return member


async def remove_member(tx: Tx, content: Content, member: Member, now: datetime, *, by: int | None) -> None:
    """End a colleague's role at once: alerts go to others, their cases are alerted anew, the supervisor is told."""
    person = await people.person(tx, member.person_id)
    await people.change_member(tx, member.id, standing="removed", ended_at=now, plan_at=None)
    await people.change_person(tx, person.id, dialogue=None)
    await audit.note(tx, "remove", now, by=by, subject=f"person {person.code}", role=member.role)
    message = Voice(content, person.language).message("removed", (), **_place(content, member, person))
    await _tell(tx, person, message, now)
    await let_go_of_all(tx, content, member, person, now)


async def let_go_of_all(tx: Tx, content: Content, member: Member, person: Person, now: datetime) -> None:
    """Take from a colleague who is leaving their duties, alerts, cases and participants, and tell the supervisor."""
    await rota.end_shifts(tx, member.programme, now.date(), member_id=member.id)
    for channel in await channels.channels_of(tx, [member.id]):
        await channels.remove_channel(tx, channel.id, now)
    await outbox.drop_alerts(tx, member.id, now)
    if member.role not in CARING:
        return
    taken = [await _let_go(tx, content, filed, member, now) for filed in await records.held_by(tx, member.id)]
    participants = await storage.no_longer_primary(tx, member.id)
    await _tell_supervisors(tx, content, member, person, [one for one in taken if one], participants, now)


async def discharge_member(tx: Tx, content: Content, member: Member, now: datetime, *, by: int | None) -> None:
    """End a participant's time: nothing is planned any more but caring contacts, which they can turn down."""
    person = await people.person(tx, member.person_id)
    began = member.standing == "active"
    await end_participation(tx, member, now)
    await audit.note(tx, "discharge", now, by=by, subject=f"person {person.code}")
    voice = Voice(content, person.language)
    title = content.standing_programme(member.programme, person.language).title
    if not began:
        await _tell(tx, person, voice.message("invitation-withdrawn", programme=title), now)
        return
    await plan_caring(tx, member, person, now)
    keys = column([voice.button("caring-stop", MenuTap(menu="caring", value="no"))])
    message = voice.message("discharged", keys, programme=title)
    await _tell(tx, person, replace(message, card="caring", fresh=True), now)


async def end_participation(tx: Tx, member: Member, now: datetime) -> None:
    """Have nothing planned any more for a participant who leaves or is discharged."""
    await people.change_member(tx, member.id, standing="discharged", ended_at=now, plan_at=None)
    await prompts.withdraw_planned(tx, [member.id])
    await follow_ups.withdraw(tx, member.id, now)


async def change_primary(
    tx: Tx, content: Content, member: Member, primary: Member, now: datetime, *, by: int | None
) -> None:
    """Make a clinician of the same programme a participant's primary one, and tell them."""
    participant, clinician = [await people.person(tx, one.person_id) for one in (member, primary)]
    await people.change_member(tx, member.id, primary_id=primary.id)
    await audit.note(tx, "change primary", now, by=by, subject=f"person {participant.code}")
    await _tell(tx, clinician, Voice(content, clinician.language).message("primary-now", code=participant.code), now)


async def _places(tx: Tx, code: str, programme: str = "") -> tuple[Member, ...]:
    person = await people.person_by_code(tx, code.strip().upper())
    if person is None:
        raise NotFound(f"nobody has the code {code}")
    places = await people.memberships(tx, person.id)
    return tuple(one for one in places if not programme or one.programme == programme)


async def _participant(tx: Tx, code: str) -> Member:
    member = next((one for one in await _places(tx, code) if one.role == "participant"), None)
    if member is None:
        raise NotFound(f"{code} is no participant")
    return member


async def _let_go(tx: Tx, content: Content, filed: Filed, member: Member, now: datetime) -> Filed | None:
    """Take a case out of a member's hands; None when it was in another's."""
    programme = content.standing_programme(filed.programme, "")
    after = life.let_go(filed.case, member.id, now, programme.alerts[filed.case.level], working(programme))
    if after is filed.case:
        return None
    await records.add_event(tx, filed.id, "left", now, by=member.id)
    return await moved_on(tx, filed, after)


async def _tell_supervisors(
    tx: Tx, content: Content, gone: Member, who: Person, left: Sequence[Filed], participants: int, now: datetime
) -> None:
    """Tell the supervisors (without any, staff) who is gone, and which cases nobody looks after now."""
    told = await people.members_in(tx, gone.programme, ("supervisor",))
    told = tuple(one for one in told if one.id != gone.id) or await people.members_in(tx, gone.programme, ("staff",))
    postings = []
    for member, person in await people.members_with_people(tx, [one.id for one in told if one.id != gone.id]):
        message = await _left_behind(tx, content, gone, who, left, participants, person)
        postings.append(
            Posting(
                key=f"{LAST_WORDS}{new_id()}",
                chat_id=person.telegram_id or 0,
                lane=Lane.SAFETY if left else Lane.REPLY,
                payload=packed(message),
                member_id=member.id,
            )
        )
    await post(tx, postings, now)


async def _left_behind(
    tx: Tx, content: Content, gone: Member, who: Person, left: Sequence[Filed], participants: int, reader: Person
) -> Message:
    voice = Voice(content, reader.language)
    keys = []
    for filed in left:
        values = case_values(filed, (await participant_of(tx, filed)).code, voice, ZoneInfo(reader.zone))
        keys.append(voice.button("queue-entry", CaseTap(case=filed.id, verb="open"), **values))
    place = _place(content, gone, reader)
    counts = {"cases": str(len(left)), "participants": str(participants)}
    message = voice.message("colleague-gone", column(keys), who=who.name or who.code, **place, **counts)
    return replace(message, protect=True)


def _place(content: Content, member: Member, reader: Person) -> dict[str, str]:
    title = content.standing_programme(member.programme, reader.language).title
    return {"role": Voice(content, reader.language).label(f"role-{member.role}"), "programme": title}


async def _tell(tx: Tx, person: Person, message: Message, now: datetime) -> None:
    if person.telegram_id:
        key = f"roster:{new_id()}"
        await post(tx, [Posting(key=key, chat_id=person.telegram_id, lane=Lane.REPLY, payload=packed(message))], now)
