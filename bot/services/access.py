"""The one gate: may this person see or do that? Asked anew in each transaction on what is others'."""

from collections.abc import Sequence

from bot.content.library import Content
from bot.domain.people import CARING, MANAGING, Role
from bot.services.turn import Turn, reply
from bot.storage import audit, people
from bot.storage.cases import Filed, filed
from bot.storage.people import Member
from bot.storage.store import Store, Tx

GUESSED = "invitation"
"""What is refused to somebody who tries one invitation after another."""


class Refused(Exception):
    """The person may not see or do that. Told in the same words as if it did not exist."""


async def carer_of(tx: Tx, turn: Turn, case_id: int) -> tuple[Filed, Member]:
    """Return the case and the membership that lets this person act on it. Raises Refused."""
    found = await filed(tx, case_id)
    member = await _place(tx, turn, found.programme, CARING) if found else None
    if found is None or member is None:
        raise Refused("case")
    return found, member


async def carers(tx: Tx, turn: Turn) -> tuple[Member, ...]:
    """Return the memberships in which this person looks after cases now. Raises Refused when there are none."""
    return await _places(tx, turn, CARING)


async def managers(tx: Tx, turn: Turn) -> tuple[Member, ...]:
    """Return the memberships in which this person invites people now. Raises Refused when there are none."""
    return await _places(tx, turn, MANAGING)


async def colleagues(tx: Tx, turn: Turn) -> tuple[Member, ...]:
    """Return the memberships in which this person works for a programme now. Raises Refused when there are none."""
    return await _places(tx, turn, CARING | MANAGING)


async def own_run_member(tx: Tx, turn: Turn, member_id: int) -> Member:
    """Return the membership that a practice belongs to, if it is this person's own. Raises Refused."""
    member = await people.member(tx, member_id)
    if member is None or turn.person is None or member.person_id != turn.person.id or member.standing != "active":
        raise Refused("run")
    return member


async def not_anothers(tx: Tx, turn: Turn, member_id: int, what: str) -> None:
    """Raise Refused when what was asked for belongs to a membership of somebody else's."""
    member = await people.member(tx, member_id)
    if member is None or turn.person is None or member.person_id != turn.person.id:
        raise Refused(what)


async def refuse(store: Store, content: Content, turn: Turn, what: str) -> None:
    """Tell somebody that this is not theirs, and keep that they tried."""
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        await refused(tx, content, turn, what)


async def refused(tx: Tx, content: Content, turn: Turn, what: str) -> None:
    """The same, in a transaction in which nothing else was done."""
    await kept_refusal(tx, turn, what)
    await reply(tx, turn, turn.voice(content).message("invitation-too-often" if what == GUESSED else "not-allowed"))


async def kept_refusal(tx: Tx, turn: Turn, what: str) -> None:
    """Keep that somebody tried what is refused; they are told in other words."""
    await audit.note(tx, "refused", turn.now, by=_who(turn), subject=what)


async def stale(tx: Tx, turn: Turn, what: str) -> None:
    """Keep that a button was tapped whose time was over, and that it did nothing."""
    await audit.note(tx, "stale", turn.now, by=_who(turn), subject=what)


def _who(turn: Turn) -> int | None:
    return turn.members[0].id if turn.members else None


async def _place(tx: Tx, turn: Turn, programme: str, roles: frozenset[Role]) -> Member | None:
    if turn.person is None:
        return None
    current = await people.memberships(tx, turn.person.id)
    return next((one for one in _active(current, roles) if one.programme == programme), None)


async def _places(tx: Tx, turn: Turn, roles: frozenset[Role]) -> tuple[Member, ...]:
    current = await people.memberships(tx, turn.person.id) if turn.person else ()
    places = tuple(_active(current, roles))
    if not places:
        raise Refused("role")
    return places


def _active(members: Sequence[Member], roles: frozenset[Role]) -> list[Member]:
    return [one for one in members if one.role in roles and one.standing == "active"]
