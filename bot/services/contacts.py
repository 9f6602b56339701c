"""Whom a person can turn to: the programme's contacts first, then their country's crisis lines and emergency number."""

import re
from collections.abc import Sequence
from itertools import groupby

from babel import Locale, UnknownLocaleError

from bot.content.library import Content, UnknownContent
from bot.domain.programme import Contact, Programme
from bot.domain.words import Words, join
from bot.services.emergency_numbers import emergency_numbers
from bot.services.geography import country_of_zone
from bot.services.voice import Voice, grid
from bot.storage.people import Member, Person
from bot.telegram.message import Key, Keyboard
from bot.telegram.taps import MenuTap

COUNTRY = "country"
"""The menu in which a country is chosen."""

MOST_COPIED = 6
"""Numbers that have a button to copy them."""


def programme_of(content: Content, member: Member | None, language: str) -> Programme | None:
    """Return the programme of a member; None for nobody's, and where its file is gone: that keeps no number back."""
    try:
        return content.programme(member.programme, language) if member else None
    except UnknownContent:
        return None


def country_of(person: Person | None, programme: Programme | None) -> str:
    """Return the country whose numbers are shown (ISO 3166): chosen, or that of the zone; empty where unknown."""
    if person and person.country:
        return person.country
    return (country_of_zone(person.zone) if person else "") or (programme.country if programme else "")


def country_name(country: str, language: str) -> str:
    """Return what a country is called in a language."""
    return str(_locale(language).territories.get(country, country))


def contacts_for(content: Content, voice: Voice, programme: Programme | None, country: str) -> tuple[Contact, ...]:
    """Return whom one can turn to, in the order in which they are shown; no number twice."""
    own, others = _own_and_others(content, voice, programme, country)
    return (*own, *others)


def contact_words(content: Content, voice: Voice, programme: Programme | None, country: str) -> Words:
    """Return the words for urgent moments and the contacts; where none are known, the general ones."""
    lines = contact_lines(content, voice, programme, country)
    urgent = programme.urgent if programme else voice.words("contacts-urgent")
    return join((urgent, lines)) if contacts_for(content, voice, programme, country) else lines


def contact_lines(content: Content, voice: Voice, programme: Programme | None, country: str) -> Words:
    """Return the contacts alone, one a line; those of another country than the programme's under its name."""
    own, others = _own_and_others(content, voice, programme, country)
    if not own and not others:
        return voice.words("contacts-general")
    abroad = own and country and programme and programme.country != country
    head = voice.words("contacts-in", country=country_name(country, voice.language)) if abroad else ()
    unknown = voice.words("contacts-unknown") if abroad and not emergency_numbers(country) else ()
    there = join((head, _lines(voice, others), unknown), "\n")
    return join((_lines(voice, own), there), "\n\n" if abroad else "\n")


def number_keys(content: Content, voice: Voice, programme: Programme | None, country: str) -> Keyboard:
    """Return buttons that copy the numbers which a tap on the text does not dial.

    Bots can neither mark a number as one nor link to `tel:`. Telegram's servers mark what they take for one by rules
    that are not told: numbers with a plus and the country's code they do, 988 or 112 they do not.
    """
    contacts = contacts_for(content, voice, programme, country)
    numbers = dict.fromkeys(number for one in contacts for number in (one.call, one.text) if number)
    copied = [number for number in numbers if not number.startswith("+")][:MOST_COPIED]
    keys = [Key(text=voice.label("button-copy", number=number), copy=number) for number in copied]
    return grid(keys, 3 if all(len(number) <= SHORT for number in copied) else 2)


def country_key(voice: Voice, country: str) -> Key:
    """Return the button that changes the country whose numbers are shown."""
    key = "button-not-country" if country else "button-choose-country"
    return voice.button(key, MenuTap(menu=COUNTRY), country=country_name(country, voice.language))


SHORT = 6
"""Characters of a number of which three fit side by side."""


def _own_and_others(
    content: Content, voice: Voice, programme: Programme | None, country: str
) -> tuple[list[Contact], list[Contact]]:
    """Return the programme's contacts, and what the country has besides: nothing that one of them reaches already."""
    emergency = [Contact(name=voice.label("contact-emergency"), call=call) for call in emergency_numbers(country)]
    numbers: set[str] = set()
    own = _new(programme.contacts if programme else (), numbers)
    return own, _new((*content.crisis_lines.get(country, ()), *emergency), numbers)


def _new(contacts: Sequence[Contact], numbers: set[str]) -> list[Contact]:
    """Return the contacts of which a number is not among `numbers` yet, and add theirs."""
    found = []
    for contact in contacts:
        called = {re.sub(r"\D", "", number) for number in (contact.call, contact.text) if number}
        if not called or called - numbers:
            found.append(contact)
            numbers |= called
    return found


def _lines(voice: Voice, contacts: Sequence[Contact]) -> Words:
    """Return one line for each name; numbers of one name stand side by side."""
    return join(
        tuple(_line(voice, name, tuple(of_it)) for name, of_it in groupby(contacts, lambda one: one.name)), "\n"
    )


def _line(voice: Voice, name: str, contacts: tuple[Contact, ...]) -> Words:
    ways = [
        voice.label(f"contact-{way}", number=number)
        for contact in contacts
        for way, number in (("call", contact.call), ("text", contact.text), ("open", contact.url))
        if number
    ]
    hint = contacts[0].hints.get(voice.language.partition("-")[0], "")
    about = ", ".join(part for part in (contacts[0].hours, _other_languages(voice, contacts[0]), hint) if part)
    key = "contact-line-about" if about else "contact-line"
    return voice.words(key, name=name, ways=" · ".join(ways), about=about)


def _other_languages(voice: Voice, contact: Contact) -> str:
    """Return in which languages they answer, where that of the person is not among them."""
    if voice.language.partition("-")[0] in contact.languages:
        return ""
    names = _locale(voice.language).languages
    return ", ".join(str(names.get(language, language)) for language in contact.languages)


def _locale(language: str) -> Locale:
    """Return what is called how in a language, or in English where nobody knows it: contacts never fail for a name."""
    try:
        return Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale("en")
