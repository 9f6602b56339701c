"""Whom a person can turn to: the programme's contacts first, then their country's crisis lines and emergency number."""

import re

from babel import Locale
from babel.core import get_global

from bot.content.library import Content
from bot.domain.programme import Contact, Programme
from bot.domain.words import Words, join
from bot.services.emergency_numbers import emergency_numbers
from bot.services.voice import Voice
from bot.storage.people import Person
from bot.telegram.message import Key, Keyboard
from bot.telegram.taps import MenuTap

COUNTRY = "country"
"""The menu in which a country is chosen."""

MOST_COPIED = 6
"""Numbers that have a button to copy them."""

LONG_NUMBER = 7
"""Digits from which on Telegram makes a number in a text one that can be tapped; 988 or 112 it leaves alone."""


def country_of(person: Person | None, programme: Programme | None) -> str:
    """Return the country whose numbers are shown (ISO 3166): chosen, or that of the zone; empty where unknown."""
    if person and person.country:
        return person.country
    zone = person.zone if person else ""
    found = get_global("zone_territories").get(zone) or (programme.country if programme else "")
    return "" if found == "001" else str(found)


def country_name(country: str, language: str) -> str:
    """Return what a country is called in a language."""
    return str(Locale.parse(language, sep="-").territories.get(country, country))


def contacts_for(content: Content, voice: Voice, programme: Programme | None, country: str) -> tuple[Contact, ...]:
    """Return whom one can turn to, in the order in which they are shown; no number twice."""
    emergency = [Contact(name=voice.label("contact-emergency"), call=call) for call in emergency_numbers(country)]
    own = programme.contacts if programme else ()
    found: list[Contact] = []
    numbers: set[str] = set()
    for contact in (*own, *content.crisis_lines.get(country, ()), *emergency):
        called = {_digits(number) for number in (contact.call, contact.text) if number}
        if not called or called - numbers:
            found.append(contact)
            numbers |= called
    return tuple(found)


def contact_words(content: Content, voice: Voice, programme: Programme | None, country: str) -> Words:
    """Return the words for urgent moments and the contacts; where none are known, the general ones."""
    found = contacts_for(content, voice, programme, country)
    if not found:
        return voice.words("contacts-general")
    urgent = programme.urgent if programme else voice.words("contacts-urgent")
    lines = tuple(_line(voice, contact) for contact in found)
    return join((urgent, join(lines, "\n")))


def number_keys(content: Content, voice: Voice, programme: Programme | None, country: str) -> Keyboard:
    """Return buttons that copy the short numbers: a text does not make them tappable, and bots may not link `tel:`."""
    contacts = contacts_for(content, voice, programme, country)
    numbers = dict.fromkeys(number for one in contacts for number in (one.call, one.text) if number)
    short = [number for number in numbers if len(_digits(number)) < LONG_NUMBER][:MOST_COPIED]
    copies = [Key(text=voice.label("button-copy", number=number), copy=number) for number in short]
    return tuple(tuple(copies[start : start + 3]) for start in range(0, len(copies), 3))


def country_key(voice: Voice, country: str) -> Key:
    """Return the button that changes the country whose numbers are shown."""
    key = "button-not-country" if country else "button-choose-country"
    return voice.button(key, MenuTap(menu=COUNTRY), country=country_name(country, voice.language))


def _line(voice: Voice, contact: Contact) -> Words:
    ways = [
        voice.label(f"contact-{way}", number=number)
        for way, number in (("call", contact.call), ("text", contact.text), ("open", contact.url))
        if number
    ]
    return voice.words("contact-line", name=contact.name, ways=" · ".join(ways))


def _digits(number: str) -> str:
    return re.sub(r"\D", "", number)
