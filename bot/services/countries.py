"""The country whose crisis lines and emergency number somebody sees: chosen or typed, changed at any time."""

from collections.abc import Mapping
from difflib import get_close_matches
from functools import lru_cache

from babel import Locale

from bot.content.crisis_lines import is_country
from bot.content.library import Content
from bot.domain.understanding import folded
from bot.services.contacts import COUNTRY, country_name
from bot.services.geography import near
from bot.services.safety import show_help_now
from bot.services.turn import Turn, no_longer_asked, reply
from bot.services.voice import Voice, button, grid
from bot.storage import people
from bot.storage.store import Store, Tx
from bot.telegram.message import Keyboard
from bot.telegram.taps import MenuTap

MOST, NEAREST = 12, 4
"""Countries to choose from, and how many of them because they are near."""

TYPED = "other"
ALSO_CALLED = {
    "uk": "GB",
    "england": "GB",
    "scotland": "GB",
    "wales": "GB",
    "northern ireland": "GB",
    "inglaterra": "GB",
    "escocia": "GB",
    "gales": "GB",
    "america": "US",
    "usa": "US",
    "the us": "US",
    "eeuu": "US",
    "ee. uu": "US",
    "u.k": "GB",
    "u.s": "US",
    "holland": "NL",
    "holanda": "NL",
}
"""What people call countries besides their name; as `folded` writes it."""


async def choose(store: Store, content: Content, turn: Turn, value: str) -> None:
    """Show the countries to choose from, ask for a name, or keep the one that was chosen."""
    voice = turn.voice(content)
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        if value == TYPED:
            if turn.person:
                await people.change_person(tx, turn.person.id, dialogue={"kind": COUNTRY})
            await reply(tx, turn, voice.message("country-type"))
        elif is_country(value):
            await _keep(tx, content, turn, value)
        else:
            await no_longer_asked(tx, turn)
            await reply(tx, turn, voice.message("country-ask", _keyboard(voice, _offered(content, turn))))


async def typed(tx: Tx, content: Content, turn: Turn, text: str) -> bool:
    """Keep the country that the text names, or offer those that are like it: False, and another may be typed."""
    voice = turn.voice(content)
    found = named(text, voice.language)
    if len(found) == 1:
        await _keep(tx, content, turn, found[0])
        return True
    key = "country-which" if found else "country-unknown"
    await reply(tx, turn, voice.message(key, _keyboard(voice, found)))
    return False


def named(text: str, language: str) -> tuple[str, ...]:
    """Return the countries whose name or code the text is or nearly is, in the language or in English; at most MOST."""
    if code := exactly(text, language) or _code(text):
        return (code,)
    names = _by_name(language)
    similar = [names[name] for name in get_close_matches(folded(text), names, n=MOST, cutoff=0.75)]
    return tuple(dict.fromkeys(similar))


def exactly(text: str, language: str) -> str:
    """Return the country whose name the text is, in the language or in English; empty for anything else."""
    return _by_name(language).get(folded(text), "")


def _code(text: str) -> str:
    code = text.strip().upper()
    return code if is_country(code) else ""


def _offered(content: Content, turn: Turn) -> tuple[str, ...]:
    """Return the countries near the person's zone, and those whose crisis lines are known, in that order."""
    nearest = near(turn.person.zone)[:NEAREST] if turn.person else ()
    return tuple(dict.fromkeys((*nearest, *sorted(content.crisis_lines))))[:MOST]


async def _keep(tx: Tx, content: Content, turn: Turn, country: str) -> None:
    """Show the country's numbers at once, and keep it for who is known."""
    if turn.person:
        await people.change_person(tx, turn.person.id, country=country, dialogue=None)
    await show_help_now(tx, content, turn, country)


def _keyboard(voice: Voice, countries: tuple[str, ...]) -> Keyboard:
    keys = [button(country_name(one, voice.language), MenuTap(menu=COUNTRY, value=one)) for one in countries]
    return (*grid(keys, 2), (voice.button("country-other", MenuTap(menu=COUNTRY, value=TYPED)),))


@lru_cache(maxsize=8)
def _by_name(language: str) -> Mapping[str, str]:
    """Return the countries' codes by what each is called, in English and in the language."""
    codes = [str(code) for code in Locale("en").territories if is_country(str(code))]
    return {
        **{folded(country_name(code, tongue)): code for tongue in ("en", language) for code in codes},
        **ALSO_CALLED,
    }
