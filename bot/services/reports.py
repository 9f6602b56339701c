"""A participant's progress as a picture: mood, distress before and after, what helped."""

from datetime import timedelta

from bot.content.library import Content
from bot.services.turn import Turn, reply
from bot.storage.store import Store

SHOWN = timedelta(days=28)
MOOD = "mood"
"""The step of the check-in that asks for the mood, 0 to 10."""


async def show_progress(store: Store, content: Content, turn: Turn) -> None:
    """Show how it went over the last weeks."""
    voice = turn.voice(content)
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        await reply(tx, turn, voice.message("not-a-participant"))
