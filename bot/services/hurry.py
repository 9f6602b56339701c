"""What is done for somebody who sends far more than a person can: all of it counts as ever, little is answered."""

from datetime import timedelta

from bot.content.library import Content
from bot.domain.pace import Allowance
from bot.services.conversation import outsider_cried, remark
from bot.services.turn import Turn, reply
from bot.storage.store import Store

UPDATES = Allowance(burst=60, each=timedelta(seconds=1))
"""Messages, and taps. Nobody types or taps 60 times in a moment and goes on once a second."""

TOLD = Allowance(burst=1, each=timedelta(minutes=1))
"""How often somebody is told to go slower."""

INVITATIONS = Allowance(burst=10, each=timedelta(minutes=6))
"""Invitations that somebody may try: one of 10 links is enough for a slip, and guessing gets nowhere."""

START = "/start"
NEVER_PUT_OFF = ("/help_now", "/stop", "/forget_me")


def tries_invitation(said: str) -> bool:
    """Return whether this opens a link; more words after /start are somebody's own."""
    command, *more = said.split(maxsplit=2)[:3] or ("",)
    return command == START and len(more) == 1


def may_wait(turn: Turn, said: str) -> bool:
    """Return whether this is a command that can as well be sent again: not of the team, nor for help or an end."""
    command = said.split(maxsplit=1)[0].partition("@")[0].casefold() if said.startswith("/") else ""
    return bool(command) and command not in NEVER_PUT_OFF and not turn.caring and not turn.managing


async def put_off(store: Store, content: Content, turn: Turn, said: str) -> None:
    """Ask for a command once more later. What was written with it is kept and examined; danger is answered instead."""
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        if turn.participant:
            kept = START if tries_invitation(said) else said  # an invitation is a secret, not something told
            heard = await remark(tx, content, turn, turn.participant, kept) is not None
        else:
            heard = await outsider_cried(tx, content, turn, said)
        if not heard:
            await reply(tx, turn, turn.voice(content).message("command-too-fast"))


async def tell(store: Store, content: Content, turn: Turn) -> None:
    """Say that for a while less is answered."""
    async with store.begin(now=turn.now) as tx:
        await reply(tx, turn, turn.voice(content).message("too-fast"), part="told")
