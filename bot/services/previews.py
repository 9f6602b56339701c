"""Staff see content as participants will: a skill led through without keeping anything, and what the linter says."""

from datetime import datetime

from bot.content.check import render
from bot.content.findings import Finding
from bot.content.library import Content
from bot.domain.words import join, say
from bot.services import menus, practice
from bot.services.access import managers
from bot.services.turn import Turn, reply
from bot.services.voice import Voice, column
from bot.storage import people
from bot.storage.outbox import Lane, Posting, post
from bot.storage.store import Store
from bot.telegram.message import packed, written
from bot.telegram.taps import MenuTap

FINDINGS_SHOWN = 10


async def preview(store: Store, content: Content, turn: Turn, name: str) -> None:
    """Lead staff through a skill by its id or a search; nothing of it is kept."""
    voice = turn.voice(content)
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        place = (await managers(tx, turn))[0]
        if name in content.skills:
            await practice.begin(tx, content, turn, place, kind="skill", activity_id=name, preview=True)
            return
        found = menus.search(content, voice, name) if name else menus.live_skills(content, turn.language)
        keys = [menus.skill_key(skill, MenuTap(menu="begin", value=skill.id)) for skill in found]
        await reply(tx, turn, voice.message("preview-choose" if keys else "preview-nothing", column(keys)))


async def tell_staff(store: Store, content: Content, findings: tuple[Finding, ...], now: datetime) -> None:
    """Tell all staff what the linter found when content was reloaded; without findings, that all is well again."""
    lines = tuple(say(render([finding])) for finding in findings[:FINDINGS_SHOWN])
    more = len(findings) - len(lines)
    async with store.begin() as tx:
        postings = []
        for member, person in await people.staff(tx):
            voice = Voice(content, person.language)
            head = voice.words("content-broken" if findings else "content-mended")
            tail = voice.words("content-more", count=str(more)) if more else ()
            key = f"l{int(now.timestamp() * 1000)}:{member.id}"
            message = written(join((head, *lines, tail)))
            chat_id = person.telegram_id or 0
            postings.append(Posting(key=key, chat_id=chat_id, lane=Lane.REPLY, payload=packed(message)))
        await post(tx, postings, now)
