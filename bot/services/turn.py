"""One update being handled: who wrote, where and when; and posting replies to it."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.content.library import Content
from bot.domain.people import CARING, MANAGING
from bot.services.voice import Voice
from bot.storage import people
from bot.storage.outbox import Lane, Posting, post, waits
from bot.storage.people import Member, Person
from bot.storage.store import Tx
from bot.telegram.message import Message, packed


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What every service needs to know of an update. `person` is None for somebody never met.

    `members` are the person's memberships that were not ended. `message_id` is the message whose button was tapped.
    `hurried`: the person sends far more than anybody can.
    """

    update_id: int
    chat_id: int
    private: bool
    telegram_id: int
    name: str
    language: str
    person: Person | None
    members: tuple[Member, ...]
    now: datetime
    message_id: int | None = None
    hurried: bool = False

    @property
    def participant(self) -> Member | None:
        """The person's active place as a participant."""
        return next((one for one in self.members if one.role == "participant" and one.standing == "active"), None)

    @property
    def joining(self) -> Member | None:
        """The place as a participant that waits for consent and settings."""
        return next((one for one in self.members if one.standing == "invited"), None)

    @property
    def caring(self) -> tuple[Member, ...]:
        """The places in which the person looks after cases."""
        return tuple(one for one in self.members if one.role in CARING and one.standing == "active")

    @property
    def managing(self) -> tuple[Member, ...]:
        """The places in which the person invites people and previews content."""
        return tuple(one for one in self.members if one.role in MANAGING and one.standing == "active")

    @property
    def zone(self) -> ZoneInfo:
        """The person's time zone; UTC for somebody never met."""
        return ZoneInfo(self.person.zone if self.person else "UTC")

    def voice(self, content: Content) -> Voice:
        """The words of the interface in the person's language."""
        return Voice(content, self.language)


async def no_longer_asked(tx: Tx, turn: Turn) -> None:
    """Forget what the person was asked to type: they turned to something else, and their next words are for that."""
    if turn.person and turn.person.dialogue:
        await people.change_person(tx, turn.person.id, dialogue=None)


async def programme_is_away(tx: Tx, content: Content, turn: Turn, member: Member) -> bool:
    """Return whether no file describes a member's programme any more; they are told what works all the same."""
    if member.programme in content.programmes:
        return False
    await reply(tx, turn, turn.voice(content).message("programme-away"))
    return True


async def reply(
    tx: Tx, turn: Turn, message: Message, lane: Lane = Lane.REPLY, *, case_id: int | None = None, part: str = ""
) -> None:
    """Post a message to the chat of the update, once however often the update is handled.

    To somebody in a hurry nothing is posted that waits to go to them already in the same words. `part` names one that
    is posted in a transaction of its own.
    """
    key = f"u{turn.update_id}:{part or tx.posts}"
    posting = Posting(key=key, chat_id=turn.chat_id, lane=lane, payload=packed(message), case_id=case_id)
    if not (turn.hurried and await waits(tx, posting)):
        await post(tx, [posting], turn.now)
