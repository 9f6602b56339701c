"""Queries on the outbox: what is to be sent, in four lanes, each chat in its order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any

from sqlalchemy import BindParameter, Integer, Select, and_, bindparam, case, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bot.storage.store import Tx
from bot.storage.tables import FORGOTTEN, cards, outbox, people, prompts
from bot.storage.vault import readable


class Lane(IntEnum):
    """Which goes first."""

    SAFETY = 0
    REPLY = 1
    PROMPT = 2
    BULK = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """A message to post. The same `key` is never posted twice."""

    key: str
    chat_id: int
    lane: Lane
    payload: str
    expires_at: datetime | None = None
    prompt_id: int | None = None
    case_id: int | None = None
    member_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A message ready to go. `stale` says why it must not go any more (empty: it may).

    One that cannot be read has an empty `payload`.
    """

    id: int
    chat_id: int
    lane: Lane
    payload: str
    attempts: int
    created_at: datetime
    expires_at: datetime | None
    prompt_id: int | None
    case_id: int | None
    member_id: int | None
    stale: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """The message that shows a card now."""

    message_id: int
    photo: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a message: sent, failed or dropped; where it was `placed`, and as which card, if as one."""

    id: int
    chat_id: int
    state: str
    error: str = ""
    card: str = ""
    placed: Card | None = None

    @property
    def message_id(self) -> int | None:
        return self.placed.message_id if self.placed else None


_ADD = {
    "sqlite": sqlite.insert(outbox).on_conflict_do_nothing(index_elements=["key"]),
    "postgresql": postgresql.insert(outbox).on_conflict_do_nothing(index_elements=["key"]),
}


async def post(tx: Tx, postings: Sequence[Posting], now: datetime) -> None:
    """Add messages, and have the sender woken once they are committed."""
    if not postings:
        return
    rows = [
        {
            "key": one.key,
            "chat_id": one.chat_id,
            "lane": int(one.lane),
            "payload_sealed": tx.vault.seal("outbox.payload", one.key, one.payload),
            "created_at": now,
            "not_before": now,
            "expires_at": one.expires_at,
            "prompt_id": one.prompt_id,
            "case_id": one.case_id,
            "member_id": one.member_id,
        }
        for one in postings
    ]
    await tx.run(_ADD[tx.dialect.name], rows)
    tx.posts += len(postings)


async def waits(tx: Tx, posting: Posting) -> bool:
    """Return whether a message that says the same waits to go to the chat, no later by its lane."""
    query = select(outbox.c.key, outbox.c.payload_sealed).where(
        outbox.c.chat_id == posting.chat_id, outbox.c.state == "ready", outbox.c.lane <= int(posting.lane)
    )
    rows = await tx.all(query)
    return any(readable(tx.vault, "outbox.payload", row.key, row.payload_sealed) == posting.payload for row in rows)


def _ready_query() -> Select[Any]:
    earlier = outbox.alias()
    held_up = (
        select(earlier.c.id)
        .where(
            earlier.c.state == "ready",
            earlier.c.chat_id == outbox.c.chat_id,
            earlier.c.id < outbox.c.id,
            or_(outbox.c.lane != int(Lane.SAFETY), earlier.c.lane == int(Lane.SAFETY)),
        )
        .exists()
    )
    now: BindParameter[datetime] = bindparam("now", type_=outbox.c.not_before.type)
    blocked = and_(people.c.blocked_at.is_not(None), outbox.c.lane != int(Lane.SAFETY))
    answered = and_(outbox.c.lane == int(Lane.PROMPT), prompts.c.status.is_not(None), prompts.c.status != "sent")
    late = and_(outbox.c.expires_at.is_not(None), outbox.c.expires_at < now)
    stale = case((blocked, "blocked"), (late, "late"), (answered, "overtaken"), else_="").label("stale")
    return (
        select(outbox, stale)
        .outerjoin(people, people.c.telegram_id == outbox.c.chat_id)
        .outerjoin(prompts, prompts.c.id == outbox.c.prompt_id)
        .where(outbox.c.state == "ready", outbox.c.not_before <= now, ~held_up)
        .where(outbox.c.chat_id.not_in(bindparam("busy", expanding=True)))
        .order_by(outbox.c.lane, outbox.c.id)
        .limit(bindparam("most", type_=Integer))
    )


_READY = _ready_query()
_READY_URGENT = _READY.where(outbox.c.lane == int(Lane.SAFETY))


async def ready(
    tx: Tx, now: datetime, *, busy: frozenset[int], limit: int, urgent_only: bool = False
) -> tuple[Parcel, ...]:
    """Return what may go now: by lane, then by age, of each chat the first only, safety before all else.

    Leaves out the chats that are `busy`. A chat whose first message waits for another try waits as a whole.
    """
    query = _READY_URGENT if urgent_only else _READY
    found = await tx.run(query, {"now": now, "busy": tuple(busy), "most": limit})
    return tuple(
        Parcel(
            id=row.id,
            chat_id=row.chat_id,
            lane=Lane(row.lane),
            payload=readable(tx.vault, "outbox.payload", row.key, row.payload_sealed) or "",
            attempts=row.attempts,
            created_at=row.created_at,
            expires_at=row.expires_at,
            prompt_id=row.prompt_id,
            case_id=row.case_id,
            member_id=row.member_id,
            stale=row.stale,
        )
        for row in found
    )


_UNSETTLED = (
    select(outbox.c.id)
    .where(outbox.c.state == "ready", outbox.c.id.in_(bindparam("ids", expanding=True)))
    .with_for_update()
)
_SETTLE = (
    update(outbox)
    .where(outbox.c.id == bindparam("settled"), outbox.c.state == "ready")
    .values(
        state=bindparam("became"),
        settled_at=bindparam("at", type_=outbox.c.settled_at.type),
        payload_sealed=FORGOTTEN,
        error=bindparam("why"),
        message_id=bindparam("shown_by"),
    )
)


async def settle_all(tx: Tx, outcomes: Sequence[Outcome], now: datetime) -> frozenset[int]:
    """Mark messages sent or dropped, and place their cards; what they said is not kept.

    Returns the ids of those that had not been settled, or erased, before.
    """
    found = frozenset(row.id for row in await tx.all(_UNSETTLED, {"ids": [one.id for one in outcomes]}))
    fresh = [one for one in outcomes if one.id in found]
    if not fresh:
        return found
    await tx.run(
        _SETTLE,
        [
            {"settled": one.id, "became": one.state, "at": now, "why": one.error, "shown_by": one.message_id}
            for one in fresh
        ],
    )
    await _place_cards(tx, [(one.chat_id, one.card, one.placed) for one in fresh if one.card and one.placed])
    return found


async def settle(tx: Tx, parcel_id: int, state: str, now: datetime, **known: Any) -> bool:  # noqa: ANN401
    """Mark a message sent, failed or dropped; False when it was settled, or erased, before.

    What it said is not kept.
    """
    unsettled = (outbox.c.id == parcel_id) & (outbox.c.state == "ready")
    changed = {"state": state, "settled_at": now, "payload_sealed": FORGOTTEN, **known}
    settled = await tx.run(update(outbox).where(unsettled).values(changed))
    return settled.rowcount == 1


async def drop_alerts(tx: Tx, member_id: int, now: datetime) -> None:
    """Let no alert that waits go out to a member."""
    waiting = (outbox.c.member_id == member_id) & outbox.c.case_id.is_not(None) & (outbox.c.state == "ready")
    dropped = {"state": "dropped", "settled_at": now, "error": "removed", "payload_sealed": FORGOTTEN}
    await tx.run(update(outbox).where(waiting).values(dropped))


async def try_again(tx: Tx, parcel_id: int, not_before: datetime, error: str) -> None:
    """Let a message wait for another try."""
    await tx.run(
        update(outbox)
        .where(outbox.c.id == parcel_id, outbox.c.state == "ready")
        .values(attempts=outbox.c.attempts + 1, not_before=not_before, error=error[:200])
    )


async def next_try(tx: Tx) -> datetime | None:
    """Return when the next waiting message may be tried."""
    found: datetime | None = await tx.value(
        select(outbox.c.not_before).where(outbox.c.state == "ready").order_by(outbox.c.not_before).limit(1)
    )
    return found


async def wait_for_sending(tx: Tx, *, more_than: int) -> bool:
    """Return whether more prompts than so many wait to be sent."""
    waiting = select(outbox.c.id).where(outbox.c.state == "ready", outbox.c.lane == int(Lane.PROMPT))
    return await tx.value(waiting.offset(more_than).limit(1)) is not None


async def depth(tx: Tx) -> Mapping[Lane, int]:
    """Return how many messages wait in each lane."""
    query = select(outbox.c.lane, func.count()).where(outbox.c.state == "ready").group_by(outbox.c.lane)
    waiting = {row[0]: row[1] for row in await tx.all(query)}
    return {lane: waiting.get(int(lane), 0) for lane in Lane}


_STANDING = select(cards).where(
    cards.c.chat_id.in_(bindparam("chats", expanding=True)), cards.c.card.in_(bindparam("names", expanding=True))
)


async def standing(tx: Tx, wanted: Sequence[tuple[int, str]]) -> Mapping[tuple[int, str], Card]:
    """Return which messages show these cards, each named by its chat and its name."""
    if not wanted:
        return {}
    chats, names = zip(*wanted, strict=True)  # pairs would have SQLite go through the whole table
    rows = await tx.all(_STANDING, {"chats": chats, "names": names})
    found = {(row.chat_id, row.card): Card(message_id=row.message_id, photo=row.photo) for row in rows}
    return {pair: found[pair] for pair in wanted if pair in found}


async def card_holders(tx: Tx, name: str, chats: Sequence[int]) -> frozenset[int]:
    """Return which of the chats show this card."""
    query = select(cards.c.chat_id).where(cards.c.card == name, cards.c.chat_id.in_(chats))
    return frozenset(row[0] for row in await tx.all(query))


async def place_card(tx: Tx, chat_id: int, name: str, card: Card) -> None:
    """Keep which message shows this card from now on."""
    await _place_cards(tx, [(chat_id, name, card)])


def _placing(add: sqlite.Insert | postgresql.Insert) -> sqlite.Insert | postgresql.Insert:
    shown = {"message_id": add.excluded.message_id, "photo": add.excluded.photo}
    return add.on_conflict_do_update(index_elements=["chat_id", "card"], set_=shown)


_PLACE = {"sqlite": _placing(sqlite.insert(cards)), "postgresql": _placing(postgresql.insert(cards))}


async def _place_cards(tx: Tx, placed: Sequence[tuple[int, str, Card]]) -> None:
    rows = [
        {"chat_id": chat_id, "card": name, "message_id": card.message_id, "photo": card.photo}
        for chat_id, name, card in placed
    ]
    if rows:
        await tx.run(_PLACE[tx.dialect.name], rows)


async def card_at(tx: Tx, chat_id: int, message_id: int) -> str | None:
    """Return the card that this message shows."""
    query = select(cards.c.card).where(cards.c.chat_id == chat_id, cards.c.message_id == message_id)
    found: str | None = await tx.value(query)
    return found
