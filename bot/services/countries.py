"""The country whose crisis lines and emergency number somebody sees: chosen or typed, changed at any time."""

from difflib import get_close_matches
from functools import lru_cache

from babel import Locale

from bot.content.library import Content
from bot.domain.understanding import folded
from bot.services.contacts import COUNTRY, country_name
from bot.services.safety import show_help_now
from bot.services.turn import Turn, no_longer_asked, reply
from bot.services.voice import Voice, button, grid
from bot.storage import people
from bot.storage.store import Store, Tx
from bot.telegram.message import Keyboard
from bot.telegram.taps import MenuTap

MOST = 6
TYPED = "other"
CODE = 2
"""Letters of a country's code (ISO 3166)."""


async def choose(store: Store, content: Content, turn: Turn, value: str) -> None:
    """Show the countries to choose from, ask for a name, or keep the one that was chosen."""
    voice = turn.voice(content)
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        if turn.person is None:
            await reply(tx, turn, voice.message("welcome-stranger"))
        elif value == TYPED:
            await people.change_person(tx, turn.person.id, dialogue={"kind": COUNTRY})
            await reply(tx, turn, voice.message("country-type"))
        elif value in _names(voice.language):
            await _keep(tx, content, turn, value)
        else:
            await no_longer_asked(tx, turn)
            await reply(tx, turn, voice.message("country-ask", _keyboard(voice, sorted(content.crisis_lines))))


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
    said = folded(text)
    names = {folded(name): code for tongue in ("en", language) for code, name in _names(tongue).items()}
    if said.upper() in names.values():
        return (said.upper(),)
    if said in names:
        return (names[said],)
    similar = [names[name] for name in get_close_matches(said, names, n=MOST, cutoff=0.75)]
    return tuple(dict.fromkeys(similar))


async def _keep(tx: Tx, content: Content, turn: Turn, country: str) -> None:
    """Keep the country and show its numbers at once."""
    assert turn.person  # noqa: S101 - only people who were met choose
    await people.change_person(tx, turn.person.id, country=country, dialogue=None)
    await show_help_now(tx, content, turn.moved_to(country))


def _keyboard(voice: Voice, countries: list[str] | tuple[str, ...]) -> Keyboard:
    keys = [button(country_name(one, voice.language), MenuTap(menu=COUNTRY, value=one)) for one in countries]
    return (*grid(keys, 2), (voice.button("country-other", MenuTap(menu=COUNTRY, value=TYPED)),))


@lru_cache(maxsize=8)
def _names(language: str) -> dict[str, str]:
    named = ((str(code), str(name)) for code, name in Locale.parse(language, sep="-").territories.items())
    return {code: name for code, name in named if len(code) == CODE and code.isalpha()}
