"""What staff are told in chat: what the linter finds when content is reloaded, and what could not be handled."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

from bot.content.check import render
from bot.content.findings import Finding
from bot.content.library import Content
from bot.domain.words import Words, join, say
from bot.services.voice import Voice
from bot.storage import inbox, people
from bot.storage.outbox import Lane, Posting, post
from bot.storage.store import Store, Tx
from bot.telegram.message import packed, written

FINDINGS_SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffChat:
    """Where a member of staff is reached, and in which language."""

    chat_id: int
    language: str


async def staff_chats(store: Store) -> tuple[StaffChat, ...]:
    """Return where staff are reached."""
    async with store.read() as tx:
        known = [person for _, person in await people.staff(tx) if person.telegram_id and not person.blocked_at]
    return tuple(
        dict.fromkeys(StaffChat(chat_id=person.telegram_id or 0, language=person.language) for person in known)
    )


async def tell_findings(store: Store, content: Content, findings: tuple[Finding, ...], now: datetime) -> None:
    """Tell what the linter found when content was reloaded; without findings, that all is well again."""
    more = len(findings) - FINDINGS_SHOWN

    def words(voice: Voice) -> Words:
        lines = tuple(say(render([finding])) for finding in findings[:FINDINGS_SHOWN])
        tail = voice.words("content-more", count=str(more)) if more > 0 else ()
        return join((voice.words("content-broken" if findings else "content-mended"), *lines, tail))

    async with store.begin() as tx:
        await _tell(tx, content, words, now)


async def tell_set_aside(store: Store, content: Content, now: datetime) -> None:
    """Tell that something a person sent could not be handled, and how many such there are."""
    async with store.begin() as tx:
        count = await inbox.set_aside_count(tx)
        await _tell(tx, content, lambda voice: voice.words("set-aside", count=str(count)), now)


async def tell_unshown(store: Store, content: Content, picture: str, now: datetime) -> None:
    """Tell which picture is missing or can't be shown: once each, however many messages went out without it."""
    name = blake2b(picture.encode(), digest_size=12).hexdigest()
    async with store.begin() as tx:
        await _tell_once(tx, content, "picture-unshown", f"picture:{name}", now, picture=picture)


async def tell_unreadable(tx: Tx, content: Content, now: datetime) -> None:
    """Tell, once a day, that messages wait which cannot be read, and that they are left out."""
    await _tell_once(tx, content, "message-unreadable", f"unreadable:{now:%y%m%d}", now)


async def tell_left_out(tx: Tx, content: Content, activity: str, now: datetime) -> None:
    """Tell which skill or measure prompts are left out of, since its file is gone or broken; once a day each."""
    name = blake2b(activity.encode(), digest_size=12).hexdigest()
    await _tell_once(tx, content, "activity-gone", f"activity:{name}:{now:%y%m%d}", now, activity=activity)


async def _tell_once(tx: Tx, content: Content, key: str, cause: str, now: datetime, **values: str) -> None:
    told = {person.id: person for _, person in await people.staff(tx)}
    postings = [
        Posting(
            key=f"{cause}:{person.id}",
            chat_id=person.telegram_id or 0,
            lane=Lane.REPLY,
            payload=packed(Voice(content, person.language).message(key, (), **values)),
        )
        for person in told.values()
    ]
    await post(tx, postings, now)


async def _tell(tx: Tx, content: Content, words: Callable[[Voice], Words], now: datetime) -> None:
    postings = [
        Posting(
            key=f"l{int(now.timestamp() * 1000)}:{member.id}",
            chat_id=person.telegram_id or 0,
            lane=Lane.REPLY,
            payload=packed(written(words(Voice(content, person.language)))),
        )
        for member, person in await people.staff(tx)
    ]
    await post(tx, postings, now)
