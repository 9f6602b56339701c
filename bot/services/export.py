"""Sending a person what is kept about them: one file for machines, and one page to read."""

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from babel.dates import format_date, format_datetime

from bot.content.library import Content
from bot.services import kept
from bot.services.access import Refused
from bot.services.kept import Record, Sections, Value
from bot.services.turn import Turn, reply
from bot.services.voice import Voice
from bot.storage import audit, erasure, export
from bot.storage.outbox import Lane, Posting, post
from bot.storage.store import Store, Tx
from bot.telegram.message import packed

if TYPE_CHECKING:
    from jinja2 import Template

MENU = "export"
MOST_BYTES = 50 * 1000 * 1000
"""What Telegram takes from a bot as one file."""

KEYS = "export:"
"""What the keys of the files begin with: while one waits to be sent, no other is made."""

TEMPLATE = Path(__file__).parent / "templates" / "export.html"

NAMED: Mapping[str, str] = MappingProxyType(
    {
        "role": "role-",
        "standing": "standing-",
        "level": "level-",
        "state": "state-",
        "category": "category-",
        "disposition": "disposition-",
        "step": "case-step-",
        "status": "prompt-status-",
        "action": "action-",
    }
)
"""Fields whose values have words of their own, and what the keys of those begin with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file to be sent, and the key of the words that go with it."""

    name: str
    words: str
    held: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A section of the page, in words."""

    title: str
    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


async def export_me(store: Store, content: Content, turn: Turn, _: str = "") -> None:
    """Send the person what is kept about them, in private; one at a time."""
    if not turn.private:
        raise Refused("private")
    voice = turn.voice(content)
    files, member_id = await _files(store, content, turn)
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        if not files:
            await reply(tx, turn, voice.message("export-nothing"))
        elif await export.on_its_way(tx, turn.chat_id, KEYS):
            await reply(tx, turn, voice.message("export-waits"))
        elif any(len(file.held) > MOST_BYTES for file in files):
            await reply(tx, turn, voice.message("export-too-large"))
        else:
            await audit.note(tx, "export", turn.now, by=member_id)
            await _post(tx, voice, turn, files, member_id)


async def _post(tx: Tx, voice: Voice, turn: Turn, files: Iterable[File], member_id: int | None) -> None:
    postings = []
    for file in files:
        document = base64.b64encode(file.held).decode()
        message = replace(voice.message(file.words), document=document, file_name=file.name)
        key = f"{KEYS}{turn.update_id}:{file.name}"
        lane, payload = Lane.BULK, packed(message)
        postings.append(Posting(key=key, chat_id=turn.chat_id, lane=lane, payload=payload, member_id=member_id))
    await post(tx, postings, turn.now)


async def _files(store: Store, content: Content, turn: Turn) -> tuple[tuple[File, ...], int | None]:
    """Return the two files and the person's first membership; no files for somebody of whom nothing is kept."""
    if turn.person is None:
        return (), None
    async with store.read() as tx:
        known = await erasure.traces(tx, turn.person.id)
        if known is None:
            return (), None
        found = await kept.sections(tx, content, known, turn.language)
    files = (
        File(name="interlude.json", words="export-json", held=as_json(found, turn.now)),
        File(name="interlude.html", words="export-page", held=as_page(found, turn.voice(content), turn)),
    )
    return files, next(iter(known.member_ids), None)


def as_json(found: Sections, now: datetime) -> bytes:
    """Return the records as JSON: moments in UTC, words as they are kept."""
    whole = {"made_at": now, **found}
    return json.dumps(whole, ensure_ascii=False, indent=1, default=lambda moment: moment.isoformat()).encode()


def as_page(found: Sections, voice: Voice, turn: Turn) -> bytes:
    """Return the records as a page in the person's language and time zone, which loads nothing from elsewhere."""
    page = _template().render(
        language=voice.language,
        title=voice.label("export-title"),
        about=voice.label("export-about", when=voice.moment(turn.now, turn.zone), zone=turn.zone.key),
        sections=[_section(name, records, voice, turn) for name, records in found.items()],
    )
    return page.encode()


def _section(name: str, records: Iterable[Record], voice: Voice, turn: Turn) -> Shown:
    rows = list(records)
    names = tuple(rows[0])
    return Shown(
        title=voice.label(f"export-section-{name}"),
        names=tuple(voice.label(f"export-{field}") for field in names),
        rows=tuple(tuple(_shown(field, row[field], voice, turn) for field in names) for row in rows),
    )


def _shown(field: str, value: Value, voice: Voice, turn: Turn) -> str:
    match value:
        case None | "":
            return "–"
        case datetime():
            return format_datetime(value.astimezone(turn.zone), "medium", locale=voice.language)
        case date():
            return format_date(value, "medium", locale=voice.language)
        case str() if field in NAMED:
            return _word(voice, NAMED[field], value)
        case str():
            return value
        case _:
            return f"{value:g}"


def _word(voice: Voice, beginning: str, value: str) -> str:
    """Return the word for a value; one without a word is shown as it is kept."""
    try:
        return voice.label(f"{beginning}{value.replace(' ', '-')}")
    except LookupError:
        return value


@cache
def _template() -> "Template":
    from jinja2 import Environment, StrictUndefined  # noqa: PLC0415 - only needed here

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
