"""Messages that wait to go out and cannot be read: staff hear of them, and whoever waits for one gets the contacts."""

from datetime import datetime

from bot.content.library import Content
from bot.domain.words import join
from bot.services.contacts import contact_words, country_key, country_of, number_keys, programme_of
from bot.services.staff import tell_unreadable
from bot.services.voice import Voice
from bot.storage import people
from bot.storage.outbox import Lane, Parcel, Posting, post
from bot.storage.people import Member, Person
from bot.storage.store import Tx
from bot.telegram.message import packed, written


async def make_up(tx: Tx, content: Content, parcel: Parcel, now: datetime) -> None:
    """Tell staff, once a day; tell a participant, once an hour, that an answer got lost, and where help is."""
    await tell_unreadable(tx, content, now)
    person = await people.person_by_telegram(tx, parcel.chat_id)
    places = await people.memberships(tx, person.id) if person else ()
    if parcel.lane <= Lane.REPLY and person and all(place.role == "participant" for place in places):
        member = next((place for place in places if place.standing == "active"), None)
        await post(tx, [_contacts(content, parcel, person, member, now)], now)


def _contacts(content: Content, parcel: Parcel, person: Person, member: Member | None, now: datetime) -> Posting:
    voice = Voice(content, person.language)
    programme = programme_of(content, member, person.language)
    country = country_of(person, programme)
    words = join((voice.words("message-lost"), contact_words(content, voice, programme, country)))
    keyboard = (*number_keys(content, voice, programme, country), (country_key(voice, country),))
    return Posting(
        key=f"lost:{person.id}:{now:%y%m%d%H}",
        chat_id=parcel.chat_id,
        lane=parcel.lane,
        payload=packed(written(words, keyboard)),
    )
