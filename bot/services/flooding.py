"""Somebody sends far more than anybody can: all is still kept and examined, only not all of it is answered.

What is a call for help, or might be one, is never held back.
"""

from bot.content.library import Content
from bot.services.conversation import outsider_cried, remark
from bot.services.safety import HELP_NOW
from bot.services.turn import Turn, reply
from bot.storage import audit
from bot.storage.store import Store, Tx
from bot.telegram.taps import CaseTap, MenuTap, RunTap, read_tap


def wrote_for_help_or_work(turn: Turn, text: str) -> bool:
    """Return whether a text is taken as ever: /help_now, and what a clinician was asked to write on a case."""
    command = text.partition(" ")[0].partition("@")[0]
    return command == "/help_now" or bool(turn.caring and turn.person and turn.person.dialogue)


def tapped_for_help_or_work(turn: Turn, data: str) -> bool:
    """Return whether a tap is taken as ever: asking for help, answering a practice, a clinician's work on a case."""
    match read_tap(data):
        case RunTap():
            return True
        case CaseTap():
            return bool(turn.caring)
        case MenuTap(menu=menu):
            return menu == HELP_NOW
    return False


async def wrote(store: Store, content: Content, turn: Turn, text: str) -> None:
    """Take words of somebody who floods: a participant's are kept, everybody's examined, and danger is answered."""
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        if turn.participant and text:
            worrying = await remark(tx, content, turn, turn.participant, text) is not None
        else:
            worrying = await outsider_cried(tx, content, turn, text)
        await _told(tx, content, turn, aloud=not worrying)


async def tapped(store: Store, content: Content, turn: Turn) -> None:
    """Take a tap of somebody who floods: nothing is done, and their screen stays as it is."""
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        await _told(tx, content, turn, aloud=True)


async def _told(tx: Tx, content: Content, turn: Turn, *, aloud: bool) -> None:
    """Keep once that a flood began, and say so, unless something graver was just said."""
    if turn.pace == "tell":
        await audit.note(tx, "slowed", turn.now, by=turn.members[0].id if turn.members else None)
        if aloud:
            await reply(tx, turn, turn.voice(content).message("slow-down"))
