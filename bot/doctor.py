"""Finds what is wrong with an installation, and says how to mend it."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import aiohttp
from pydantic import ValidationError

from bot.config import Settings, wrong_settings
from bot.content.check import check, render
from bot.storage import migrate, reach
from bot.storage.store import Store, Unavailable
from bot.storage.vault import BadKey, Vault, new_key, read_keys

CLOCK_MAY_DIFFER = 5.0
"""Seconds between this machine's clock and Telegram's before prompts and alerts come at the wrong time."""

SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What was looked at, whether it is well, and what to do when it is not."""

    part: str
    well: bool
    said: str


async def examine(say: Callable[[str], None]) -> bool:
    """Look at everything, telling what is found; return whether all is well."""
    try:
        settings = Settings()
    except ValidationError as error:
        for wrong in wrong_settings(error):
            say(f"✗ settings: {wrong}. Mend it in .env")
        return False
    checks: list[Callable[[Settings], Awaitable[Diagnosis]]] = [_keys, _database, _alerts, _content, _token, _clock]
    found = [await one(settings) for one in checks]
    for diagnosis in found:
        say(f"{'✓' if diagnosis.well else '✗'} {diagnosis.part}: {diagnosis.said}")
    return all(diagnosis.well for diagnosis in found)


async def _keys(settings: Settings) -> Diagnosis:
    try:
        keys = read_keys(settings.keys.get_secret_value())
    except BadKey as error:
        return Diagnosis(part="keys", well=False, said=str(error))
    if not keys:
        said = f"there is none. Put this line into .env and keep a copy in a safe place: INTERLUDE_KEYS={new_key('k1')}"
        return Diagnosis(part="keys", well=False, said=said)
    return Diagnosis(part="keys", well=True, said=f"{len(keys)}, sealing with '{keys[0][0]}'")


async def _database(settings: Settings) -> Diagnosis:
    file = settings.database_file
    if file and not file.exists():
        return Diagnosis(part="database", well=False, said=f"there is none at {file}: run `interlude db upgrade`")
    if file and not os.access(file, os.W_OK):
        return Diagnosis(part="database", well=False, said=f"{file} may not be written: mend its owner or mode")
    store = Store(settings.database_url, Vault([("k1", bytes(32))]))
    try:
        await migrate.demand_current(store)
    except (migrate.WrongVersion, Unavailable) as error:
        return Diagnosis(part="database", well=False, said=str(error))
    finally:
        await store.close()
    return Diagnosis(part="database", well=True, said=f"version {migrate.wanted()}")


async def _alerts(settings: Settings) -> Diagnosis:
    """Look for programmes with somebody in them of which no alert can reach anybody who looks after participants."""
    if not (await _database(settings)).well:
        return Diagnosis(part="alerts", well=False, said="not looked at: mend the database first")
    store = Store(settings.database_url, Vault([("k1", bytes(32))]))
    try:
        async with store.read() as tx:
            without = await reach.programmes_without_carers(tx)
    finally:
        await store.close()
    if without:
        mend = f"`interlude invite --programme {without[0]} --role clinician`"
        said = f"nobody can be alerted in {', '.join(without)}: {mend}"
        return Diagnosis(part="alerts", well=False, said=said)
    return Diagnosis(part="alerts", well=True, said="in each programme with people in it somebody can be alerted")


async def _content(settings: Settings) -> Diagnosis:
    if not settings.content_dir.is_dir():
        said = f"{settings.content_dir} is no folder: set INTERLUDE_CONTENT_DIR"
        return Diagnosis(part="content", well=False, said=said)
    errors = [finding for finding in await asyncio.to_thread(check, settings.content_dir) if finding.is_error]
    if errors:
        said = f"{len(errors)} errors, run `interlude content check`:\n{render(errors[:SHOWN])}"
        return Diagnosis(part="content", well=False, said=said)
    return Diagnosis(part="content", well=True, said="no errors")


async def _token(settings: Settings) -> Diagnosis:
    token = settings.token.get_secret_value()
    if not token:
        said = "there is none: put INTERLUDE_TOKEN=... from @BotFather into .env, or try `interlude demo`"
        return Diagnosis(part="token", well=False, said=said)
    answer = await _ask(f"{settings.telegram_url}/bot{token}/getMe")
    if answer is None:
        said = f"{settings.telegram_url} cannot be reached: check the network, a proxy or firewall"
        return Diagnosis(part="token", well=False, said=said)
    status, _, known = answer
    if status != 200:
        return Diagnosis(part="token", well=False, said="Telegram does not know it: check it with @BotFather")
    return Diagnosis(part="token", well=True, said=f"@{known}")


async def _clock(settings: Settings) -> Diagnosis:
    answer = await _ask(settings.telegram_url)
    if answer is None or answer[1] is None:
        return Diagnosis(part="clock", well=True, said="not compared, Telegram cannot be reached")
    ahead = time.time() - answer[1]
    if abs(ahead) > CLOCK_MAY_DIFFER:
        said = f"{abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} Telegram's: let it be set by NTP"
        return Diagnosis(part="clock", well=False, said=said)
    return Diagnosis(part="clock", well=True, said="as Telegram's")


async def _ask(url: str) -> tuple[int, float | None, str] | None:
    """Return the status, the server's time (Unix seconds), and the bot's name where there is one; None: unreachable."""
    try:
        timeout = aiohttp.ClientTimeout(total=10)
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as answer:
            date = answer.headers.get("Date")
            known = await answer.json(content_type=None) if url.endswith("getMe") else {}
            moment = parsedate_to_datetime(date).timestamp() if date else None
            return answer.status, moment, (known.get("result") or {}).get("username", "")
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return None
