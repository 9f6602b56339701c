"""What is done for somebody who sends far more than a person can: nothing they wrote is lost, little is answered."""

from datetime import timedelta

from bot.content.library import Content
from bot.domain.pace import Allowance
from bot.services.conversation import remark
from bot.services.turn import Turn, reply
from bot.storage.store import Store

UPDATES = Allowance(burst=60, each=timedelta(seconds=1))
"""Messages and taps. Nobody types or taps 60 times in a moment and goes on once a second."""

TOLD = Allowance(burst=1, each=timedelta(minutes=1))
"""How often somebody is told to go slower."""

INVITATIONS = Allowance(burst=10, each=timedelta(minutes=6))
"""Invitations that somebody may try: one of 10 links is enough for a slip, and guessing gets nowhere."""


async def wrote(store: Store, content: Content, turn: Turn, text: str, *, told: bool) -> None:
    """Keep and examine a participant's text as always, and answer only what was found in it; `told`: to go slower."""
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        found = None
        if turn.participant and text and not text.startswith("/"):
            found = await remark(tx, content, turn, turn.participant, text)
        if told and found is None:
            await reply(tx, turn, turn.voice(content).message("too-fast"))


async def passed_over(store: Store, turn: Turn) -> None:
    """Do nothing for a tap: the button is still there."""
    async with store.begin(settles=turn.update_id, now=turn.now):
        return
