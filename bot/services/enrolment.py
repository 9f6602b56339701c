"""How people come in: invitations, consent, language, time zone; and how they leave."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

from bot.content.library import Content
from bot.domain.people import ROLES, Role
from bot.domain.words import join
from bot.services import timezones
from bot.services.access import Refused, kept_refusal, managers
from bot.services.follow_ups import caring_offer
from bot.services.geography import country_of_zone
from bot.services.plans import plan_ahead, plan_anew
from bot.services.reach import reachable, tell_staff
from bot.services.roster import end_participation
from bot.services.turn import Turn, programme_is_away, reply
from bot.services.voice import Voice, button, column
from bot.storage import audit, follow_ups, people, prompts
from bot.storage.people import Member, Person
from bot.storage.store import Store, Tx
from bot.storage.tables import Row, new_id
from bot.telegram.message import Key, Message, written
from bot.telegram.taps import MenuTap

INVITATION_HOLDS = timedelta(days=7)
LANGUAGE_NAMES = {"en": "English", "es": "Español", "pt": "Português", "fr": "Français"}


class CannotInvite(ValueError):
    """The programme, role or level does not exist. The message says what there is."""


async def invite(
    store: Store,
    content: Content,
    *,
    programme: str,
    role: Role,
    level: str = "",
    created_by: int | None = None,
    primary_id: int | None = None,
    now: datetime,
) -> str:
    """Make an invitation and return its token, which opens it once within a week. Raises CannotInvite."""
    if programme not in content.programmes:
        raise CannotInvite(f"there is no programme '{programme}': choose from {', '.join(content.programmes)}")
    levels = content.programme(programme, "").levels
    if level and level not in levels:
        raise CannotInvite(f"'{programme}' has no level '{level}': choose from {', '.join(levels)}")
    async with store.begin() as tx:
        await audit.note(tx, "invite", now, by=created_by, subject=programme, role=role)
        return await people.add_invitation(
            tx,
            programme=programme,
            role=role,
            level=level,
            created_by=created_by,
            primary_id=primary_id,
            now=now,
            expires_at=now + INVITATION_HOLDS,
        )


async def nobody_to_alert(store: Store, programme: str) -> bool:
    """Return whether alerts of this programme would get to nobody who looks after participants."""
    async with store.read() as tx:
        return await reachable(tx, programme) != "clinician"


async def start(store: Store, content: Content, turn: Turn, token: str) -> None:
    """Take /start, with or without an invitation."""
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        if not token:
            await _greet(tx, content, turn)
            return
        invitation = await people.invitation(tx, token)
        refusal = _refusal(invitation, turn)
        if refusal or invitation is None:
            await kept_refusal(tx, turn, refusal)
            await reply(tx, turn, turn.voice(content).message(refusal))
            return
        await _accept(tx, content, turn, invitation)


async def consent(store: Store, content: Content, turn: Turn, choice: str) -> None:
    """Take the answer to the consent: accepted, declined, or to be read in another language."""
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        member, person = turn.joining, turn.person
        if member is None or person is None:
            return
        if choice == "no":
            await reply(tx, turn, _in_card(turn.voice(content).message("consent-declined")))
            return
        if choice != "yes":
            await _set_language(tx, content, turn, choice)
            return
        if await programme_is_away(tx, content, turn, member):
            return
        programme = content.programme(member.programme, turn.language)
        await people.add_consent(tx, member.id, programme.consent_version, turn.language, turn.now)
        await people.change_member(tx, member.id, consent_version=programme.consent_version)
        await audit.note(tx, "consent", turn.now, by=member.id, version=programme.consent_version)
        await _ask_language(tx, content, turn)


async def choose_language(store: Store, content: Content, turn: Turn, language: str) -> None:
    """Set the person's language; who is joining goes on to the time zone."""
    if language not in content.messages:
        return
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        if turn.person is None:
            await reply(tx, turn, turn.voice(content).message("welcome-stranger"))
            return
        await people.change_person(tx, turn.person.id, language=language)
        turn = replace(turn, language=language, person=replace(turn.person, language=language))
        if turn.joining:
            await ask_zone(tx, content, turn)
        else:
            await reply(tx, turn, _in_card(turn.voice(content).message("language-set")))


async def choose_zone(store: Store, content: Content, turn: Turn, zone: str) -> None:
    """Set the person's time zone by a tap."""
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        if turn.person is None:
            await reply(tx, turn, turn.voice(content).message("welcome-stranger"))
        elif zone == "other":
            await _ask_typed_zone(tx, content, turn)
        elif zone in available_timezones():
            await set_zone(tx, content, turn, zone)


async def typed_zone(tx: Tx, content: Content, turn: Turn, text: str) -> bool:
    """Set the time zone that the text names, or offer those that are like it: False, and another may be typed."""
    found = timezones.search(text, turn.language)
    voice = turn.voice(content)
    if len(found) == 1:
        await set_zone(tx, content, turn, found[0])
        return True
    keys = _zone_keys(voice, found, turn.now)
    key = "zone-choose" if found else "zone-unknown"
    await reply(tx, turn, replace(voice.message(key, column(keys)), card="join", fresh=True))
    return False


async def set_zone(tx: Tx, content: Content, turn: Turn, zone: str) -> None:
    """Keep where the person lives now; who is joining has then joined.

    In another country its numbers are shown from now on, whichever were chosen before.
    """
    assert turn.person  # noqa: S101 - only people who were met have menus
    moved = [*turn.person.zones, [turn.now.isoformat(), zone]] if turn.participant else [[turn.now.isoformat(), zone]]
    abroad = country_of_zone(zone) != country_of_zone(turn.person.zone)
    country = None if abroad else turn.person.country
    await people.change_person(tx, turn.person.id, zones=moved, dialogue=None, country=country)
    person = replace(turn.person, zones=moved, dialogue=None, country=country)
    turn = replace(turn, person=person)
    voice = turn.voice(content)
    if turn.joining and turn.joining.consent_version is not None:
        await _join(tx, content, turn, person, turn.joining)
        return
    if turn.participant:
        await plan_anew(tx, content, [(turn.participant, person)], turn.now)
    await reply(tx, turn, _in_card(voice.message("zone-set", zone=timezones.label(zone, turn.now, turn.language))))


async def ask_zone(tx: Tx, content: Content, turn: Turn) -> None:
    """Ask where the person lives: the programme's zone first, others of the same country, or typed."""
    voice = turn.voice(content)
    member = turn.joining or turn.participant
    there = member is not None and member.programme in content.programmes
    here = content.programme(member.programme, turn.language).timezone if member and there else turn.zone.key
    keys = _zone_keys(voice, timezones.near(here), turn.now)
    keys.append(voice.button("zone-other", MenuTap(menu="zone", value="other")))
    await reply(tx, turn, _in_card(voice.message("zone-ask", column(keys))))


def _zone_keys(voice: Voice, zones: Sequence[str], now: datetime) -> list[Key]:
    return [button(timezones.label(zone, now, voice.language), MenuTap(menu="zone", value=zone)) for zone in zones]


async def leave(store: Store, content: Content, turn: Turn, choice: str) -> None:
    """Ask, and then stop sending: the membership is discharged, nothing is planned any more."""
    voice = turn.voice(content)
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        member = turn.participant
        if member is None:
            await reply(tx, turn, voice.message("stop-nothing"))
        elif choice == "yes":
            await end_participation(tx, member, turn.now)
            await audit.note(tx, "leave", turn.now, by=member.id)
            await reply(tx, turn, replace(voice.message("stop-done"), card="leave"))
            await reply(tx, turn, caring_offer(voice))
        elif choice == "no":
            await reply(tx, turn, replace(voice.message("stop-kept"), card="leave"))
        else:
            keys = [voice.button(f"stop-{value}", MenuTap(menu="leave", value=value)) for value in ("yes", "no")]
            pause = voice.button("stop-pause", MenuTap(menu="week", value="pause"))
            message = voice.message("stop-ask", column([pause, *keys]))
            await reply(tx, turn, replace(message, card="leave", fresh=True))


async def show_invite_menu(store: Store, content: Content, turn: Turn) -> None:
    """Offer staff the roles and levels that they can invite to."""
    voice = turn.voice(content)
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        keys = []
        for place in [one for one in await managers(tx, turn) if one.programme in content.programmes]:
            programme = content.programme(place.programme, turn.language)
            for level in programme.levels:
                tap = MenuTap(menu="invite", value=f"{place.programme}|participant|{level}")
                keys.append(voice.button("invite-participant", tap, programme=programme.title, level=level))
            for role in ("clinician", "supervisor", "staff"):
                tap = MenuTap(menu="invite", value=f"{place.programme}|{role}|")
                keys.append(voice.button(f"invite-{role}", tap, programme=programme.title))
        await reply(tx, turn, replace(voice.message("invite-ask", column(keys)), card="invite", fresh=True))


async def send_invitation(store: Store, content: Content, turn: Turn, value: str, *, link_base: str) -> None:
    """Make an invitation for staff and send it as a link and as a QR picture.

    Raises Refused for a programme that is not theirs, and for what the menu does not offer.
    """
    from bot.telegram.pictures import qr_png  # noqa: PLC0415 - drawing is only needed here

    programme_id, role, level = (*value.split("|"), "", "")[:3]
    voice = turn.voice(content)
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        places = await managers(tx, turn)
        place = next((one for one in places if one.programme == programme_id), None)
        if place is None or not _offered(content, programme_id, role, level):
            raise Refused("invite")
        await audit.note(tx, "invite", turn.now, by=place.id, subject=programme_id, role=role)
        expires_at = turn.now + INVITATION_HOLDS
        token = await people.add_invitation(
            tx,
            programme=programme_id,
            role=role,  # type: ignore[arg-type]
            level=level,
            created_by=place.id,
            primary_id=None,
            now=turn.now,
            expires_at=expires_at,
        )
        link = f"{link_base}?start={token}"
        title = content.programme(programme_id, turn.language).title
        words = voice.words(
            "invitation",
            link=link,
            programme=title,
            role=voice.label(f"role-{role}"),
            until=voice.moment(expires_at, turn.zone),
        )
        if role == "participant" and await reachable(tx, programme_id) != "clinician":
            words = join((words, voice.words("invited-nobody", programme=title)))
        await reply(tx, turn, replace(written(words), drawn=qr_png(link), alt=voice.label("invitation-alt")))


def _offered(content: Content, programme: str, role: str, level: str) -> bool:
    """Return whether one is invited to that: a participant to a level of care, or to the first without one."""
    levels = {"", *content.programme(programme, "").levels} if role == "participant" else {""}
    return role in ROLES and level in levels


def _refusal(invitation: Row | None, turn: Turn) -> str:
    """Return the key of the word for why an invitation can't be used, empty when it can."""
    if invitation is None:
        return "invitation-unknown"
    if invitation.used_at is not None:
        mine = turn.person is not None and invitation.used_by == turn.person.id
        return "invitation-yours-already" if mine else "invitation-used"
    if invitation.expires_at <= turn.now:
        return "invitation-expired"
    in_it = any(one.programme == invitation.programme and one.role == invitation.role for one in turn.members)
    return "invitation-member-already" if in_it else ""


async def _greet(tx: Tx, content: Content, turn: Turn) -> None:
    if turn.joining:
        if await programme_is_away(tx, content, turn, turn.joining):
            return
        await _ask_consent(tx, content, turn, turn.joining)
        return
    key = "welcome-back" if turn.members else "welcome-stranger"
    await reply(tx, turn, turn.voice(content).message(key))


async def _accept(tx: Tx, content: Content, turn: Turn, invitation: Row) -> None:
    programme = content.programme(invitation.programme, turn.language)
    language = turn.language if turn.language in programme.languages else programme.languages[0]
    person = turn.person or await people.add_person(
        tx,
        telegram_id=turn.telegram_id,
        name=turn.name,
        language=language,
        zone=programme.timezone,
        now=turn.now,
    )
    if not await people.use_invitation(tx, invitation.id, person.id, turn.now):
        await kept_refusal(tx, turn, "invitation-used")
        await reply(tx, turn, turn.voice(content).message("invitation-used"))
        return
    participant = invitation.role == "participant"
    member = await people.add_member(
        tx,
        Member(
            id=new_id(),
            person_id=person.id,
            programme=invitation.programme,
            role=invitation.role,
            standing="invited" if participant else "active",
            level=invitation.level or (programme.first_level if participant else ""),
            began=None,
            consent_version=None,
            preferences={},
            pauses=[],
            primary_id=invitation.primary_id,
            plan_at=None,
            created_at=turn.now,
        ),
    )
    await audit.note(tx, "accept invitation", turn.now, by=member.id, role=invitation.role)
    turn = replace(turn, person=person, language=person.language, members=(*turn.members, member))
    if participant:
        await _ask_consent(tx, content, turn, member)
    else:
        await _welcome_colleague(tx, content, turn, member)


async def _welcome_colleague(tx: Tx, content: Content, turn: Turn, member: Member) -> None:
    voice = turn.voice(content)
    title = content.programme(member.programme, turn.language).title
    role = voice.label(f"role-{member.role}")
    await reply(tx, turn, voice.message(f"welcome-{member.role}", programme=title, role=role))


async def _ask_consent(tx: Tx, content: Content, turn: Turn, member: Member) -> None:
    voice = turn.voice(content)
    programme = content.programme(member.programme, turn.language)
    keys = [voice.button(f"consent-{value}", MenuTap(menu="consent", value=value)) for value in ("yes", "no")]
    others = [language for language in programme.languages if language != turn.language]
    keys += [button(LANGUAGE_NAMES.get(one, one), MenuTap(menu="consent", value=one)) for one in others]
    words = join((programme.welcome, programme.consent, programme.not_monitored, voice.words("consent-ask")))
    await reply(tx, turn, replace(written(words, column(keys)), card="join"))


async def _set_language(tx: Tx, content: Content, turn: Turn, language: str) -> None:
    assert turn.person and turn.joining  # noqa: S101, PT018 - asked of who is joining
    if language in content.programme(turn.joining.programme, language).languages:
        await people.change_person(tx, turn.person.id, language=language)
        person = replace(turn.person, language=language)
        await _ask_consent(tx, content, replace(turn, language=language, person=person), turn.joining)


async def _ask_language(tx: Tx, content: Content, turn: Turn) -> None:
    assert turn.joining  # noqa: S101 - asked of who is joining
    languages = content.programme(turn.joining.programme, turn.language).languages
    await reply(tx, turn, _in_card(language_menu(turn.voice(content), languages)))


def language_menu(voice: Voice, languages: tuple[str, ...]) -> Message:
    """Return the question for the language."""
    keys = [button(LANGUAGE_NAMES.get(one, one), MenuTap(menu="language", value=one)) for one in languages]
    return voice.message("language-ask", column(keys))


async def _ask_typed_zone(tx: Tx, content: Content, turn: Turn) -> None:
    assert turn.person  # noqa: S101 - only people who were met have menus
    await people.change_person(tx, turn.person.id, dialogue={"kind": "zone"})
    await reply(tx, turn, _in_card(turn.voice(content).message("zone-type")))


async def _join(tx: Tx, content: Content, turn: Turn, person: Person, member: Member) -> None:
    began = turn.now.astimezone(ZoneInfo(person.zone)).date()
    member = replace(member, standing="active", began=began)
    await people.change_member(tx, member.id, standing="active", began=began)
    if left := await people.last_discharged(tx, person.id):
        await follow_ups.withdraw(tx, left.id, turn.now)  # who is back needs no words of farewell
    await plan_ahead(tx, content, [(member, person)], turn.now)
    ahead = await prompts.upcoming(tx, member.id)
    voice = turn.voice(content)
    first = voice.moment(ahead[0].due_at, turn.zone) if ahead else "–"
    words = voice.words("joined", first=first)
    if await reachable(tx, member.programme) != "clinician":
        words = join((words, voice.words("joined-nobody")))
        cause = f"joined:{member.programme}:{turn.now:%y%m%d}"
        await tell_staff(tx, content, member.programme, "enrolled-nobody", cause, turn.now)
    await reply(tx, turn, _in_card(written(words)))


def _in_card(message: Message) -> Message:
    return replace(message, card="join")
