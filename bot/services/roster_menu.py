"""The roster in chat: staff and supervisors see who is in their programme, and remove, discharge or erase them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from bot.content.library import Content
from bot.domain.people import ROLES, Role
from bot.services import erasure, roster
from bot.services.access import Refused, managers
from bot.services.turn import Turn, no_longer_asked, reply
from bot.services.voice import button, column
from bot.storage import audit, people
from bot.storage import roster as storage
from bot.storage.people import Member, Person
from bot.storage.store import Store, Tx
from bot.telegram.message import Key, Message
from bot.telegram.taps import MenuTap, read_id, write_id

MENU = "people"
PAGE = 20
"""People on one page of a list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Looked:
    """Somebody whom a manager looks at: `place` is the membership that lets the manager do so."""

    place: Member
    member: Member
    person: Person


async def choose(store: Store, content: Content, turn: Turn, value: str = "") -> None:
    """Show the roster, or do what was chosen in it: VERB-WHO[-WHOM][-yes]. Raises Refused for what is not theirs."""
    verb, *given = value.split("-")
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        places = await managers(tx, turn)
        if not turn.private:
            raise Refused("roster")
        await no_longer_asked(tx, turn)
        match verb, given:
            case "", []:
                await _overview(tx, content, turn, places)
            case "list", [where, role, page]:
                await _list(tx, content, turn, _place(places, where), _role(role), _number(page))
            case "who", [who]:
                await _show(tx, content, turn, await _looked(tx, places, who))
            case "primary", [who]:
                await _ask_primary(tx, content, turn, await _looked(tx, places, who))
            case "primary", [who, whom]:
                chosen = await _looked(tx, places, whom)
                await _set_primary(tx, content, turn, await _looked(tx, places, who), chosen)
            case _, [who, *sure] if verb in _DOING and sure in ([], ["yes"]):
                await _do(tx, content, turn, await _looked(tx, places, who), verb, sure=bool(sure))
            case _:
                raise Refused("roster")


async def _overview(tx: Tx, content: Content, turn: Turn, places: tuple[Member, ...]) -> None:
    voice = turn.voice(content)
    keys = []
    for place in {one.programme: one for one in places}.values():
        found = await storage.counts(tx, place.programme)
        title = content.standing_programme(place.programme, turn.language).title
        for role in (one for one in ROLES if one in found):
            label = {"programme": title, "count": str(found[role])}
            keys.append(voice.button(f"roster-{role}", _tap("list", write_id(place.id), role, "0"), **label))
    await reply(tx, turn, _in_card(voice.message("roster", column(keys)), fresh=True))


async def _list(tx: Tx, content: Content, turn: Turn, place: Member, role: Role, page: int) -> None:
    voice = turn.voice(content)
    found = await storage.in_programme(tx, place.programme, (role,), limit=PAGE + 1, offset=page * PAGE)
    keys = [button(_called(person), _tap("who", write_id(member.id))) for member, person in found[:PAGE]]
    if page:
        keys.append(voice.button("roster-before", _tap("list", write_id(place.id), role, str(page - 1))))
    if len(found) > PAGE:
        keys.append(voice.button("roster-after", _tap("list", write_id(place.id), role, str(page + 1))))
    keys.append(voice.button("button-back", _tap()))
    await audit.note(tx, "list people", turn.now, by=place.id, subject=place.programme, role=role)
    title = content.standing_programme(place.programme, turn.language).title
    message = voice.message("roster-list", column(keys), role=voice.label(f"roles-{role}"), programme=title)
    await reply(tx, turn, _in_card(message))


async def _show(tx: Tx, content: Content, turn: Turn, looked: _Looked) -> None:
    voice, member = turn.voice(content), looked.member
    who = write_id(member.id)
    keys: list[Key] = []
    if member.role == "participant":
        keys += [voice.button(f"roster-{verb}", _tap(verb, who)) for verb in ("primary", "discharge", "erase")]
    elif member.person_id != looked.place.person_id:
        keys += [voice.button(f"roster-{verb}", _tap(verb, who)) for verb in ("remove", "erase")]
    keys.append(voice.button("button-back", _tap("list", write_id(looked.place.id), member.role, "0")))
    primary = await people.members_with_people(tx, [member.primary_id] if member.primary_id else [])
    shown = voice.message(
        "roster-person",
        column(keys),
        who=_called(looked.person),
        role=voice.label(f"role-{member.role}"),
        standing=voice.label(f"standing-{member.standing}"),
        level=member.level or "–",
        since=voice.moment(member.created_at, turn.zone),
        primary=_called(primary[0][1]) if primary else "–",
    )
    await audit.note(tx, "open person", turn.now, by=looked.place.id, subject=f"person {looked.person.code}")
    await reply(tx, turn, _in_card(shown))


async def _do(tx: Tx, content: Content, turn: Turn, looked: _Looked, verb: str, *, sure: bool) -> None:
    """Ask whether this is really meant; do it once it is."""
    _demand(looked, verb)
    if sure:
        await _DOING[verb](tx, content, turn, looked)
        return
    voice, who = turn.voice(content), write_id(looked.member.id)
    keys = [voice.button(f"roster-{verb}-yes", _tap(verb, who, "yes")), voice.button("button-back", _tap("who", who))]
    await reply(tx, turn, _in_card(voice.message(f"roster-{verb}-ask", column(keys), who=_called(looked.person))))


async def _remove(tx: Tx, content: Content, turn: Turn, looked: _Looked) -> None:
    await roster.remove_member(tx, content, looked.member, turn.now, by=looked.place.id)
    await _done(tx, content, turn, looked)


async def _discharge(tx: Tx, content: Content, turn: Turn, looked: _Looked) -> None:
    await roster.discharge_member(tx, content, looked.member, turn.now, by=looked.place.id)
    await _done(tx, content, turn, looked)


async def _erase(tx: Tx, content: Content, turn: Turn, looked: _Looked) -> None:
    """Erase somebody who is, and was, in no programme but the manager's own."""
    here = {place.programme for place in await managers(tx, turn)}
    known = await storage.all_memberships(tx, looked.person.id)
    if any(member.programme not in here for member in known):
        await reply(tx, turn, _in_card(turn.voice(content).message("roster-erase-elsewhere", code=looked.person.code)))
        return
    await erasure.erase_person(tx, content, looked.person.id, turn.now, by=looked.place.role)
    await reply(tx, turn, _in_card(turn.voice(content).message("roster-erased")))


_DOING: dict[str, Callable[[Tx, Content, Turn, _Looked], Awaitable[None]]] = {
    "remove": _remove,
    "discharge": _discharge,
    "erase": _erase,
}


async def _ask_primary(tx: Tx, content: Content, turn: Turn, looked: _Looked) -> None:
    _demand(looked, "primary")
    voice, who = turn.voice(content), write_id(looked.member.id)
    clinicians = await storage.in_programme(tx, looked.member.programme, ("clinician",), limit=PAGE)
    keys = [button(_called(person), _tap("primary", who, write_id(member.id))) for member, person in clinicians]
    keys.append(voice.button("button-back", _tap("who", who)))
    await reply(tx, turn, _in_card(voice.message("roster-primary-ask", column(keys), who=_called(looked.person))))


async def _set_primary(tx: Tx, content: Content, turn: Turn, looked: _Looked, chosen: _Looked) -> None:
    _demand(looked, "primary")
    if chosen.member.role != "clinician" or chosen.member.programme != looked.member.programme:
        raise Refused("person")
    await roster.change_primary(tx, content, looked.member, chosen.member, turn.now, by=looked.place.id)
    await _done(tx, content, turn, looked)


async def _done(tx: Tx, content: Content, turn: Turn, looked: _Looked) -> None:
    keys = column([turn.voice(content).button("button-back", _tap())])
    await reply(tx, turn, _in_card(turn.voice(content).message("roster-done", keys, who=_called(looked.person))))


async def _looked(tx: Tx, places: tuple[Member, ...], who: str) -> _Looked:
    """Return somebody who is in one of the manager's programmes now. Raises Refused."""
    member = await people.member(tx, _number(who, 36))
    place = next((one for one in places if member and one.programme == member.programme), None)
    if member is None or place is None or member.standing not in storage.STANDING:
        raise Refused("person")
    return _Looked(place=place, member=member, person=await people.person(tx, member.person_id))


def _demand(looked: _Looked, verb: str) -> None:
    """Raise Refused unless this can be done to somebody in this role; nobody removes or erases themselves here."""
    participant = looked.member.role == "participant"
    oneself = looked.member.person_id == looked.place.person_id
    if (verb in ("discharge", "primary") and not participant) or (verb == "remove" and participant):
        raise Refused("person")
    if oneself and verb in ("remove", "erase"):
        raise Refused("person")


def _place(places: tuple[Member, ...], where: str) -> Member:
    found = next((one for one in places if one.id == _number(where, 36)), None)
    if found is None:
        raise Refused("roster")
    return found


def _role(name: str) -> Role:
    found = next((role for role in ROLES if role == name), None)
    if found is None:
        raise Refused("roster")
    return found


def _number(text: str, base: int = 10) -> int:
    try:
        return read_id(text) if base == 36 else min(int(text), 10_000)
    except ValueError:
        raise Refused("roster") from None


def _tap(*parts: str) -> MenuTap:
    return MenuTap(menu=MENU, value="-".join(parts))


def _called(person: Person) -> str:
    return f"{person.code} · {person.name}" if person.name else person.code


def _in_card(message: Message, *, fresh: bool = False) -> Message:
    return replace(message, card=MENU, fresh=fresh, protect=True)
