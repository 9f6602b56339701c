"""Staff see skills as participants will: led through, and nothing of it kept."""

from bot.content.library import Content
from bot.services import menus, practice
from bot.services.access import managers
from bot.services.turn import Turn, reply
from bot.services.voice import column
from bot.storage.store import Store
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
