"""/oncall: who is on call now and next, what nobody covers, and taking over, being away, offering a shift."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from bot.content.library import Content
from bot.domain import localtime
from bot.domain.people import CARING
from bot.domain.programme import Programme
from bot.domain.rota import AHEAD, Absence, Cover, Rota, Watch, is_away, next_change, next_turn, on_duty, watches
from bot.domain.words import Words, join
from bot.services import timezones
from bot.services.access import Refused, carers, colleagues, kept_refusal
from bot.services.rota import rota_of
from bot.services.turn import Turn, no_longer_asked, reply
from bot.services.voice import Voice, button, column
from bot.storage import audit, people
from bot.storage import rota as records
from bot.storage.outbox import Lane, Posting, post
from bot.storage.people import Member
from bot.storage.rota import Offer
from bot.storage.store import Store, Tx
from bot.telegram.message import Key, Keyboard, Message, packed, written
from bot.telegram.taps import MenuTap, read_id, write_id

ONCALL = "oncall"
LOOK_OUT = timedelta(days=7)
"""How far ahead is told of times that nobody covers."""

GAPS_SHOWN = 8
TAKEN_FOR = timedelta(hours=12)
"""How long somebody who takes over is on call where no change of shift is ahead."""

TOMORROW = 0
AWAY_DAYS = (1, TOMORROW, 3, 7, 14, 28)
"""Choices of days away: from today on, or tomorrow alone."""


async def show(store: Store, content: Content, turn: Turn) -> None:
    """Show who is on call in each programme that the person works for."""
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        places = await colleagues(tx, turn)
        await no_longer_asked(tx, turn)
        for place in places:
            await reply(tx, turn, replace(await _overview(tx, content, turn, place), fresh=True))


async def choose(store: Store, content: Content, turn: Turn, choice: str) -> None:
    """Do what a button of /oncall, or of an offer, says. Raises Refused when it is not for this person."""
    verb, _, rest = choice.partition("=")
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        await no_longer_asked(tx, turn)
        match verb, _numbers(rest):
            case "show", [place]:
                await reply(tx, turn, await _overview(tx, content, turn, await _own(tx, turn, place)))
            case "take", [place]:
                await _take_over(tx, content, turn, await _own(tx, turn, place))
            case "away", [place]:
                await reply(tx, turn, _away_menu(turn.voice(content), await _own(tx, turn, place)))
            case "away", [place, days] if days in AWAY_DAYS:
                await _go_away(tx, content, turn, await _own(tx, turn, place), days)
            case "back" | "stay", [place]:
                await _be_there(tx, content, turn, await _own(tx, turn, place), verb)
            case "swap", [place]:
                await _choose_colleague(tx, content, turn, await _own(tx, turn, place))
            case "ask", [place, colleague, starts]:
                await _ask(tx, content, turn, await _own(tx, turn, place), colleague, starts)
            case "yes" | "no", [offer]:
                await _answer(tx, content, turn, offer, accepts=verb == "yes")
            case _:
                await kept_refusal(tx, turn, "rota")
                await reply(tx, turn, turn.voice(content).message("tap-gone"))


async def _take_over(tx: Tx, content: Content, turn: Turn, place: Member) -> None:
    """Put who taps on call until the present shift ends; nothing changes for who is on call already."""
    programme = content.standing_programme(place.programme, turn.language)
    rota = await rota_of(tx, programme, turn.now)
    if is_away(rota, place.id, turn.now):
        message = turn.voice(content).message("oncall-away-now", _back(turn, content, place))
        await reply(tx, turn, _in_card(message, place))
        return
    if place.id not in on_duty(rota, "on-call", turn.now):
        until = next_change(rota, "on-call", turn.now) or turn.now + TAKEN_FOR
        cover = Cover(member_id=place.id, duty="on-call", starts_at=turn.now, ends_at=until)
        await records.add_cover(tx, programme.id, cover, turn.now, made_by=place.id)
        await audit.note(tx, "take over", turn.now, by=place.id, subject=programme.id, until=until.isoformat())
    await reply(tx, turn, await _overview(tx, content, turn, place))


async def _go_away(tx: Tx, content: Content, turn: Turn, place: Member, days: int) -> None:
    """Keep that the person is away, in all the programmes where they look after cases."""
    for mine in await carers(tx, turn):
        programme = content.standing_programme(mine.programme, turn.language)
        today = _today(programme, turn)
        first = today + timedelta(days=days == TOMORROW)
        absence = Absence(member_id=mine.id, first=first, last=first + timedelta(days=max(days, 1) - 1))
        if absence not in (await rota_of(tx, programme, turn.now)).absences:
            await records.add_absence(tx, absence, turn.now)
            await audit.note(tx, "away", turn.now, by=mine.id, first=str(absence.first), last=str(absence.last))
    await reply(tx, turn, await _overview(tx, content, turn, place))


async def _be_there(tx: Tx, content: Content, turn: Turn, place: Member, verb: str) -> None:
    """End that the person is away now ("back"), or take back that they will be ("stay"), wherever they work."""
    end = {"back": records.end_absences, "stay": records.drop_absences}[verb]
    for mine in await carers(tx, turn):
        today = _today(content.standing_programme(mine.programme, turn.language), turn)
        if await end(tx, mine.id, today):
            await audit.note(tx, verb, turn.now, by=mine.id, subject=str(today))
    await reply(tx, turn, await _overview(tx, content, turn, place))


def _today(programme: Programme, turn: Turn) -> date:
    return localtime.local(programme.timezone, localtime.seconds(turn.now)).date()


async def _choose_colleague(tx: Tx, content: Content, turn: Turn, place: Member) -> None:
    """Ask which colleague is to be asked to take the person's next turn."""
    voice = turn.voice(content)
    rota = await rota_of(tx, content.standing_programme(place.programme, ""), turn.now)
    offered = next_turn(rota, "on-call", place.id, turn.now)
    keys = [] if offered is None else await _colleague_keys(tx, rota, place, offered)
    if offered is None or not keys:
        key = "oncall-nobody-to-ask" if offered else "oncall-no-turn"
        await reply(tx, turn, _in_card(voice.message(key, _back(turn, content, place)), place))
        return
    keyboard = (*column(keys), *_back(turn, content, place))
    await reply(tx, turn, _in_card(voice.message("oncall-swap-whom", keyboard, **_times(voice, turn, offered)), place))


async def _colleague_keys(tx: Tx, rota: Rota, place: Member, offered: Watch) -> list[Key]:
    others = await people.members_in(tx, place.programme, tuple(CARING))
    busy = on_duty(rota, "on-call", offered.starts_at)
    free = [one.id for one in others if one.id not in busy and not is_away(rota, one.id, offered.starts_at)]
    starts = localtime.seconds(offered.starts_at)
    return [
        button(person.name or person.code, _tap("ask", place.id, member.id, starts))
        for member, person in await people.members_with_people(tx, free)
        if person.blocked_at is None
    ]


async def _ask(tx: Tx, content: Content, turn: Turn, place: Member, colleague_id: int, starts: int) -> None:
    """Ask a colleague to take the person's next turn; nothing changes before they accept."""
    voice = turn.voice(content)
    rota = await rota_of(tx, content.standing_programme(place.programme, ""), turn.now)
    offered = next_turn(rota, "on-call", place.id, turn.now)
    colleague = await _carer_in(tx, place.programme, colleague_id)
    if offered is None or offered.starts_at != localtime.utc(starts) or colleague is None or colleague.id == place.id:
        await reply(tx, turn, _in_card(voice.message("oncall-offer-gone", _back(turn, content, place)), place))
        return
    cover = Cover(
        member_id=colleague.id,
        duty="on-call",
        starts_at=offered.starts_at,
        ends_at=offered.ends_at,
        instead_of=place.id,
    )
    if await records.open_offer(tx, cover) is None:
        offer_id = await records.add_cover(tx, place.programme, cover, turn.now, made_by=place.id, accepted=False)
        await audit.note(tx, "offer shift", turn.now, by=place.id, subject=f"cover {offer_id}", to=str(colleague.id))
        await _post_offer(tx, content, turn, colleague, offer_id, offered)
    asked = {"who": await _name(tx, colleague.id), **_times(voice, turn, offered)}
    await reply(tx, turn, _in_card(voice.message("oncall-asked", _back(turn, content, place), **asked), place))


async def _post_offer(tx: Tx, content: Content, turn: Turn, colleague: Member, offer_id: int, offered: Watch) -> None:
    person = await people.person(tx, colleague.person_id)
    voice, zone = Voice(content, person.language), localtime.zone_info(person.zone)
    keyboard = column([voice.button(f"oncall-{verb}", _tap(verb, offer_id)) for verb in ("yes", "no")])
    values = {
        "who": turn.person.name or turn.person.code if turn.person else "",
        "programme": content.standing_programme(colleague.programme, person.language).title,
        "start": voice.moment(offered.starts_at, zone),
        "end": voice.moment(offered.ends_at, zone),
    }
    message = replace(voice.message("oncall-offer", keyboard, **values), card=f"offer:{offer_id}")
    await _post_to(tx, person.telegram_id, message, f"o{offer_id}", turn.now)


async def _answer(tx: Tx, content: Content, turn: Turn, offer_id: int, *, accepts: bool) -> None:
    """Take or leave what a colleague offered. Raises Refused when somebody else was asked."""
    voice = turn.voice(content)
    offer = await records.offer(tx, offer_id)
    mine = {one.id for one in await carers(tx, turn)}
    if offer is None or offer.cover.member_id not in mine:
        raise Refused("offer")
    cover = offer.cover
    if not offer.open or not await _still_theirs(tx, content, offer, turn.now):
        await audit.note(tx, "stale offer", turn.now, by=cover.member_id, subject=f"cover {offer_id}")
        key = "oncall-offer-gone"
    elif accepts:
        await records.accept(tx, offer_id, turn.now)
        key = "oncall-yours"
    else:
        await records.withdraw(tx, offer_id, turn.now)
        key = "oncall-left"
    if key != "oncall-offer-gone":
        done = "accept shift" if accepts else "decline shift"
        await audit.note(tx, done, turn.now, by=cover.member_id, subject=f"cover {offer_id}")
        await _tell_asker(tx, content, turn, offer, accepts=accepts)
    watch = Watch(starts_at=cover.starts_at, ends_at=cover.ends_at, members=(cover.member_id,))
    message = voice.message(key, (), **_times(voice, turn, watch))
    await reply(tx, turn, replace(message, card=f"offer:{offer_id}"))


async def _still_theirs(tx: Tx, content: Content, offer: Offer, now: datetime) -> bool:
    """Return whether all of the offered time is ahead, still the asker's, and the colleague is not away in it."""
    cover = offer.cover
    if cover.starts_at <= now:
        return False
    rota = await rota_of(tx, content.standing_programme(offer.programme, ""), now)
    ahead = watches(rota, cover.duty, cover.starts_at, cover.ends_at)
    taker_away = is_away(rota, cover.member_id, cover.starts_at)
    return not taker_away and all(cover.instead_of in watch.members for watch in ahead)


async def _tell_asker(tx: Tx, content: Content, turn: Turn, offer: Offer, *, accepts: bool) -> None:
    assert offer.cover.instead_of is not None  # noqa: S101 - an offer is of somebody's turn
    asker = await people.member(tx, offer.cover.instead_of)
    if asker is None or asker.standing != "active":
        return
    person = await people.person(tx, asker.person_id)
    voice, zone = Voice(content, person.language), localtime.zone_info(person.zone)
    values = {
        "who": turn.person.name or turn.person.code if turn.person else "",
        "start": voice.moment(offer.cover.starts_at, zone),
        "end": voice.moment(offer.cover.ends_at, zone),
    }
    message = voice.message("oncall-accepted" if accepts else "oncall-declined", (), **values)
    await _post_to(tx, person.telegram_id, message, f"o{offer.id}:{accepts}", turn.now)


async def _overview(tx: Tx, content: Content, turn: Turn, place: Member) -> Message:
    voice = turn.voice(content)
    programme = content.standing_programme(place.programme, turn.language)
    rota = await rota_of(tx, programme, turn.now)
    parts = [voice.words("oncall-head", programme=programme.title, zone=timezones.city(turn.zone.key))]
    if rota.shifts or rota.covers:
        parts += await _present(tx, voice, turn, rota)
        parts += _open_times(voice, turn, rota)
    else:
        parts.append(voice.words("oncall-no-rota"))
    if is_away(rota, place.id, turn.now):
        parts.append(voice.words("oncall-you-away"))
    ahead = _away_ahead(rota, place, _today(programme, turn))
    parts += [
        voice.words("oncall-away-one-day", first=voice.day(one.first))
        if one.first == one.last
        else voice.words("oncall-away-ahead", first=voice.day(one.first), last=voice.day(one.last))
        for one in ahead
    ]
    return _in_card(written(join(tuple(parts)), _keys(voice, turn, rota, place, away_ahead=bool(ahead))), place)


def _away_ahead(rota: Rota, place: Member, today: date) -> list[Absence]:
    """Return when the person is to be away later, the soonest first."""
    theirs = [one for one in rota.absences if one.member_id == place.id and one.first > today]
    return sorted(theirs, key=lambda one: one.first)


async def _present(tx: Tx, voice: Voice, turn: Turn, rota: Rota) -> list[Words]:
    """Return the lines on who is on call now, who is next, and who is the backup."""
    now, *later = watches(rota, "on-call", turn.now, turn.now + AHEAD)
    until = voice.moment(now.ends_at, turn.zone)
    who = await _names(tx, now.members)
    if not now.members:
        lines = [voice.words("oncall-now-nobody")]
    elif later:
        lines = [voice.words("oncall-now-until", who=who, until=until)]
    else:
        lines = [voice.words("oncall-now", who=who)]
    if following := next((watch for watch in later if watch.members), None):
        when = voice.moment(following.starts_at, turn.zone)
        lines.append(voice.words("oncall-next", who=await _names(tx, following.members), when=when))
    if backup := on_duty(rota, "backup", turn.now):
        lines.append(voice.words("oncall-backup", who=await _names(tx, backup)))
    return [join(tuple(lines), "\n")]


def _open_times(voice: Voice, turn: Turn, rota: Rota) -> list[Words]:
    """Return the times of the coming week that nobody covers, said loudly."""
    ahead = watches(rota, "on-call", turn.now, turn.now + LOOK_OUT)
    empty = [watch for watch in ahead if not watch.members]
    if not empty:
        return [voice.words("oncall-no-gaps")]
    lines = [voice.words("oncall-gap", **_times(voice, turn, watch)) for watch in empty[:GAPS_SHOWN]]
    more = len(empty) - GAPS_SHOWN
    lines += [voice.words("oncall-gaps-more", count=str(more))] if more > 0 else []
    return [voice.words("oncall-gaps"), join(tuple(lines), "\n")]


def _keys(voice: Voice, turn: Turn, rota: Rota, place: Member, *, away_ahead: bool) -> Keyboard:
    """Return what who looks after cases here can do; staff only look."""
    if place.role not in CARING:
        return ()
    away = is_away(rota, place.id, turn.now)
    verbs = [] if away or place.id in on_duty(rota, "on-call", turn.now) else ["take"]
    verbs += ["swap"] if next_turn(rota, "on-call", place.id, turn.now) else []
    verbs += ["back"] if away else ["away"]
    verbs += ["stay"] if away_ahead else []
    return column([voice.button(f"oncall-{verb}", _tap(verb, place.id)) for verb in verbs])


def _away_menu(voice: Voice, place: Member) -> Message:
    keys = [voice.button(f"oncall-away-{days}", _tap("away", place.id, days)) for days in AWAY_DAYS]
    keys.append(voice.button("button-back", _tap("show", place.id)))
    return _in_card(voice.message("oncall-away-ask", column(keys)), place)


async def _own(tx: Tx, turn: Turn, place_id: int) -> Member:
    """Return the person's own place with this id. Raises Refused when it is somebody else's."""
    for place in await carers(tx, turn):
        if place.id == place_id:
            return place
    raise Refused("rota")


async def _carer_in(tx: Tx, programme: str, member_id: int) -> Member | None:
    return next((one for one in await people.members_in(tx, programme, tuple(CARING)) if one.id == member_id), None)


async def _names(tx: Tx, member_ids: Sequence[int]) -> str:
    known = await people.members_with_people(tx, member_ids)
    return ", ".join(person.name or person.code for _, person in known)


async def _name(tx: Tx, member_id: int) -> str:
    return await _names(tx, [member_id])


def _times(voice: Voice, turn: Turn, watch: Watch) -> dict[str, str]:
    return {"start": voice.moment(watch.starts_at, turn.zone), "end": voice.moment(watch.ends_at, turn.zone)}


async def _post_to(tx: Tx, chat_id: int | None, message: Message, key: str, now: datetime) -> None:
    if chat_id is not None:
        await post(tx, [Posting(key=key, chat_id=chat_id, lane=Lane.REPLY, payload=packed(message))], now)


def _back(turn: Turn, content: Content, place: Member) -> Keyboard:
    return ((turn.voice(content).button("button-back", _tap("show", place.id)),),)


def _tap(verb: str, *numbers: int) -> MenuTap:
    return MenuTap(menu=ONCALL, value=f"{verb}={'.'.join(map(write_id, numbers))}")


def _numbers(text: str) -> list[int]:
    """Return the numbers of a button, none where they can't be what `_tap` wrote."""
    try:
        return [read_id(part) for part in text.split(".")]
    except ValueError:
        return []


def _in_card(message: Message, place: Member) -> Message:
    return replace(message, card=f"oncall:{place.id}")
