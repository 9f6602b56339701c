"""Other ways to reach clinicians than Telegram: kept, paged with each alert that needs it, and seen to by staff."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.addresses import Address, Failure
from bot.content.library import Content
from bot.domain.people import CARING, Role
from bot.domain.words import Words
from bot.services.case_cards import case_values, participant_of, reasons
from bot.services.voice import Voice
from bot.storage import audit, people
from bot.storage import channels as records
from bot.storage.cases import Filed
from bot.storage.channels import Channel, Letter, Paging
from bot.storage.outbox import Lane, Posting, post
from bot.storage.people import Member, Person
from bot.storage.store import Store, Tx
from bot.telegram.message import packed, written

TELEGRAM_HAS = timedelta(seconds=60)
"""How long an alert that is not red may wait for Telegram before the clinician's channels are tried."""

ALERTED: tuple[Role, ...] = ("clinician", "supervisor", "staff")
"""The roles that alerts may come to, and whose members may have channels."""

TOLD: tuple[Role, ...] = ("staff", "supervisor")
"""The roles that hear when somebody can't be reached."""


class NoSuchChannel(LookupError):
    """There is no channel like that. The message says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A channel and whose it is: a person's code, empty for the programme's own."""

    channel: Channel
    code: str


async def add_for_clinician(
    store: Store, *, code: str, programme: str, address: str, known: Address, now: datetime
) -> tuple[Channel, ...]:
    """Add a channel to somebody who may be alerted, in each of their programmes or in one. Raises NoSuchChannel."""
    async with store.begin() as tx:
        person = await people.person_by_code(tx, code.strip().upper())
        places = await people.memberships(tx, person.id) if person else ()
        alerted = [one for one in places if one.role in ALERTED and one.standing == "active"]
        chosen = [one for one in alerted if programme in ("", one.programme)]
        if not chosen:
            where = f" in {programme}" if programme else ""
            raise NoSuchChannel(f"nobody with the code {code} gets alerts{where}: their code stands in their /settings")
        return tuple([await _add(tx, one.programme, one.id, address, known, now) for one in chosen])


async def add_for_programme(
    store: Store, content: Content, *, programme: str, address: str, known: Address, now: datetime
) -> Channel:
    """Add a channel to a programme. Raises NoSuchChannel."""
    if programme not in content.programmes:
        raise NoSuchChannel(f"there is no programme '{programme}': there are {', '.join(sorted(content.programmes))}")
    async with store.begin() as tx:
        return await _add(tx, programme, None, address, known, now)


async def _add(tx: Tx, programme: str, member_id: int | None, address: str, known: Address, now: datetime) -> Channel:
    channel = await records.add_channel(
        tx, programme=programme, member_id=member_id, kind=known.kind, address=address, shown=known.shown, now=now
    )
    await audit.note(tx, "add channel", now, subject=f"channel {channel.id}", kind=known.kind)
    return channel


async def listed(store: Store) -> tuple[Listed, ...]:
    """Return all channels and whose they are."""
    async with store.read() as tx:
        return tuple([await _whose(tx, channel) for channel in await records.all_channels(tx)])


async def test_letter(store: Store, content: Content, channel_id: int) -> Letter:
    """Return a page that only tries a channel. Raises NoSuchChannel or Unreadable."""
    async with store.read() as tx:
        channel = await _present(tx, channel_id)
        voice, _ = await _reader(tx, content, channel)
        address = await records.address(tx, channel_id)
        return Letter(address=address, title=voice.label("page-test-title"), body=voice.label("page-test"))


def why(content: Content, failure: Failure) -> str:
    """Return in plain words what is wrong, in the language of the command line."""
    return Voice(content, "en").label(f"failure-{failure}")


async def remove(store: Store, channel_id: int, now: datetime) -> None:
    """Remove a channel; what waits to go out by it is dropped. Raises NoSuchChannel."""
    async with store.begin() as tx:
        await _present(tx, channel_id)
        await records.remove_channel(tx, channel_id, now)
        await audit.note(tx, "remove channel", now, subject=f"channel {channel_id}")


async def shown_to(tx: Tx, voice: Voice, person: Person, places: Sequence[Member]) -> Words:
    """Return which other channels somebody has, and the code by which staff add one."""
    own = _names(await records.channels_of(tx, [place.id for place in places]))
    return voice.words("settings-channels", code=person.code, channels=own or voice.label("channels-none"))


async def page_alert(
    tx: Tx, content: Content, filed: Filed, categories: Sequence[str], told: Mapping[int, str | None], now: datetime
) -> None:
    """Page by the channels of who is alerted, in the transaction of the alert.

    `told` has each member's alert on Telegram by its key in the outbox, None for who gets none there. A red alert goes
    by all their channels at once, and at first and past the end of the chain by the programme's; another goes only when
    the one on Telegram is refused or does not get out in time.
    """
    red = filed.case.level == "red"
    cause = f"p{filed.id}:{filed.case.raised_at:%y%m%d%H%M%S%f}"
    chain = content.standing_programme(filed.programme, "").alerts[filed.case.level].chain
    at_once: list[Paging] = []
    waiting: list[Paging] = []
    for channel in await records.channels_of(tx, list(told)):
        key = None if red or channel.member_id is None else told[channel.member_id]
        paging = await _paging(tx, content, filed, categories, channel, f"{cause}:{filed.case.alerts}", key)
        (waiting if key else at_once).append(paging)
    if red:
        round_ = filed.case.alerts if filed.case.alerts > len(chain) else 1
        own = await records.channels_of_programme(tx, filed.programme)
        at_once += [await _paging(tx, content, filed, categories, one, f"{cause}:{round_}", None) for one in own]
    await records.page(tx, at_once, now)
    await records.page(tx, waiting, now, after=TELEGRAM_HAS)


async def page_digest(
    tx: Tx,
    content: Content,
    whose: Mapping[int, Sequence[Filed]],
    told: Mapping[int, str | None],
    now: datetime,
) -> None:
    """Page who is told in a digest, as for an alert that is not red: how many cases wait, and in which programme."""
    at_once: list[Paging] = []
    waiting: list[Paging] = []
    for channel in await records.channels_of(tx, list(whose)):
        assert channel.member_id  # noqa: S101 - they are members' own
        cases, key = whose[channel.member_id], told[channel.member_id]
        voice, _ = await _reader(tx, content, channel)
        values = {
            "level": voice.label("level-yellow"),
            "programme": content.standing_programme(channel.programme, voice.language).title,
        }
        paging = Paging(
            key=f"{records.DIGEST}{channel.id}:{now:%y%m%d%H%M%S%f}",
            channel_id=channel.id,
            case_id=cases[0].id,
            title=voice.label("page-digest-title", **values),
            body=voice.label("page-digest", count=str(len(cases))),
            unless_sent=key,
        )
        (waiting if key else at_once).append(paging)
    await records.page(tx, at_once, now)
    await records.page(tx, waiting, now, after=TELEGRAM_HAS)


async def tell_blocked(tx: Tx, content: Content, person: Person, now: datetime) -> None:
    """Tell staff and supervisors that a clinician blocked the bot, and by what they are tried instead; once a day."""
    who = _name(person)
    for place in await people.memberships(tx, person.id):
        if place.role in CARING and place.standing == "active":
            own = _names(await records.channels_of(tx, [place.id]))
            told = await _others(tx, place.programme, person)
            for member, other in told:
                voice = Voice(content, other.language)
                words = voice.words("clinician-blocked", who=who, channels=own or voice.label("channels-none"))
                await _tell(tx, f"k{place.id}:{now:%y%m%d}:{member.id}", other, words, now)


async def tell_failing(tx: Tx, content: Content, channel_id: int, failure: Failure, now: datetime) -> None:
    """Tell staff and supervisors that pages do not get out by a channel; once a day."""
    channel = await records.channel(tx, channel_id)
    if channel is None:
        return
    member = await people.member(tx, channel.member_id) if channel.member_id else None
    owner = await people.person(tx, member.person_id) if member else None
    for told, person in await _others(tx, channel.programme, None):
        voice = Voice(content, person.language)
        words = voice.words(
            "channel-failing",
            number=str(channel.id),
            channel=channel.shown,
            who=_name(owner) if owner else channel.programme,
            why=voice.label(f"failure-{failure}"),
        )
        await _tell(tx, f"c{channel.id}:{now:%y%m%d}:{told.id}", person, words, now)


async def _tell(tx: Tx, key: str, person: Person, words: Words, now: datetime) -> None:
    message = packed(written(words))
    await post(tx, [Posting(key=key, chat_id=person.telegram_id or 0, lane=Lane.SAFETY, payload=message)], now)


async def _others(tx: Tx, programme: str, but: Person | None) -> tuple[tuple[Member, Person], ...]:
    """Return the staff and supervisors of a programme who can be reached on Telegram, without one person."""
    members = await people.members_in(tx, programme, TOLD)
    known = await people.members_with_people(tx, [member.id for member in members])
    return tuple((m, p) for m, p in known if p.blocked_at is None and (but is None or p.id != but.id))


async def _paging(
    tx: Tx,
    content: Content,
    filed: Filed,
    categories: Sequence[str],
    channel: Channel,
    key: str,
    unless_sent: str | None,
) -> Paging:
    """Return a page without a name and without a word of the participant's."""
    voice, zone = await _reader(tx, content, channel)
    code = (await participant_of(tx, filed)).code
    values = case_values(filed, code, voice, zone)
    return Paging(
        key=f"{key}:{channel.id}",
        channel_id=channel.id,
        case_id=filed.id,
        title=voice.label("page-title", **values),
        body=voice.label("page", category=reasons(voice, categories), **values),
        unless_sent=unless_sent,
    )


async def _reader(tx: Tx, content: Content, channel: Channel) -> tuple[Voice, ZoneInfo]:
    """Return the language and time zone of who reads what comes by a channel."""
    member = await people.member(tx, channel.member_id) if channel.member_id else None
    if member:
        person = await people.person(tx, member.person_id)
        return Voice(content, person.language), ZoneInfo(person.zone)
    programme = content.standing_programme(channel.programme, "")
    return Voice(content, programme.languages[0]), ZoneInfo(programme.timezone)


async def _whose(tx: Tx, channel: Channel) -> Listed:
    member = await people.member(tx, channel.member_id) if channel.member_id else None
    return Listed(channel=channel, code=(await people.person(tx, member.person_id)).code if member else "")


async def _present(tx: Tx, channel_id: int) -> Channel:
    if channel := await records.channel(tx, channel_id):
        return channel
    raise NoSuchChannel(f"there is no channel {channel_id}: `interlude channel list` shows all")


def _name(person: Person) -> str:
    return f"{person.name} ({person.code})" if person.name else person.code


def _names(found: Sequence[Channel]) -> str:
    return ", ".join(channel.shown for channel in found)
