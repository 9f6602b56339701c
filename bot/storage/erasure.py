"""Erasing a person: what is theirs goes, and what others did stays without saying for whom, or by whom.

Which rows are theirs is read from the foreign keys, so that a new table is not forgotten.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    Column,
    ColumnElement,
    Select,
    String,
    Table,
    bindparam,
    cast,
    delete,
    func,
    literal,
    or_,
    select,
    update,
)

from bot.domain.people import CARING
from bot.storage import marks
from bot.storage.store import Tx
from bot.storage.tables import (
    FORGOTTEN,
    audit,
    cards,
    case_events,
    cases,
    inbox,
    members,
    metadata,
    new_id,
    outbox,
    people,
)

OWNERS = frozenset(
    {"person_id", "member_id", "case_id", "run_id", "prompt_id", "answer_id", "channel_id", "instead_of"}
)
"""Foreign keys by which a row belongs to what it points to, and goes with it; through any other it only names it."""

LAST_WORDS = "gone:"
"""What the keys of messages begin with that tell of an erasure: until they are sent, something still names who."""

SCRUB = "scrub"
"""The mark of an erasure whose bytes may still be readable in the database's files."""

Doomed = Mapping[Table, Select[tuple[int]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Traces:
    """By what a person is known outside of the rows that are theirs."""

    person_id: int
    telegram_id: int | None
    code: str
    member_ids: tuple[int, ...]
    case_ids: tuple[int, ...]


async def traces(tx: Tx, person_id: int, *, hold: bool = False) -> Traces | None:
    """Return by what a person is known, None when they are gone; `hold` keeps others from erasing them meanwhile."""
    query = select(people.c.telegram_id, people.c.code).where(people.c.id == person_id)
    found = await tx.one(query.with_for_update() if hold else query)
    if found is None:
        return None
    member_rows = await tx.all(select(members.c.id).where(members.c.person_id == person_id))
    member_ids = tuple(row.id for row in member_rows)
    case_rows = await tx.all(select(cases.c.id).where(cases.c.member_id.in_(member_ids)))
    return Traces(
        person_id=person_id,
        telegram_id=found.telegram_id,
        code=found.code,
        member_ids=member_ids,
        case_ids=tuple(row.id for row in case_rows),
    )


async def erase(tx: Tx, known: Traces, now: datetime) -> dict[str, int]:
    """Erase a person; return how many rows of each table went."""
    await hold_case_numbers(tx, known.case_ids, now)
    await _unname_in_events(tx, known)
    await _unname_in_audit(tx, known, now)
    await _forget_dialogues(tx, known)
    doomed = owned_rows(known.person_id)
    await _clear_chat(tx, known, doomed, now)
    gone = {}
    for table in reversed(tuple(doomed)):
        for column in _names(table):
            await tx.run(update(column.table).where(column.in_(doomed[table])).values({column: None}))
        gone[table.name] = await _remove(tx, table, doomed[table])
    await marks.set_mark(tx, SCRUB, str(new_id()), now)
    return {name: count for name, count in gone.items() if count}


def owned_rows(person_id: int) -> Doomed:
    """Return for each table that holds rows of a person which ones they are; owners before what they own."""
    doomed = {people: select(people.c.id).where(people.c.id == person_id)}
    for table in metadata.sorted_tables:
        owners = [key for key in table.foreign_keys if key.parent.name in OWNERS and key.column.table in doomed]
        if theirs := [key.parent.in_(doomed[key.column.table]) for key in owners]:
            doomed[table] = select(key_of(table)).where(or_(*theirs))
    return doomed


def key_of(table: Table) -> Column[int]:
    """Return the column by which a table's rows are known."""
    key: Column[int] = next(iter(table.primary_key))
    return key


async def name_waits(tx: Tx) -> bool:
    """Return whether a message that tells of an erasure is still to be sent."""
    waiting = (outbox.c.state == "ready") & outbox.c.key.startswith(LAST_WORDS, autoescape=True)
    return bool(await tx.value(select(func.count()).select_from(outbox).where(waiting)))


async def forget_nobodys_chats(tx: Tx) -> None:
    """Keep of no message to somebody who is not known (any more) that it went to them."""
    nobodys = outbox.c.chat_id.not_in(select(people.c.telegram_id).where(people.c.telegram_id.is_not(None)))
    sent = (outbox.c.state != "ready") & (outbox.c.chat_id != 0)
    await tx.run(update(outbox).where(nobodys, sent).values(_EMPTIED))


async def hold_case_numbers(tx: Tx, case_ids: Sequence[int], now: datetime) -> None:
    """Keep the highest case number of each programme, so that no other case gets the number of one that is gone."""
    programmes = select(cases.c.programme).where(cases.c.id.in_(case_ids))
    highest = select(cases.c.programme, func.max(cases.c.number).label("number"))
    for row in await tx.all(highest.where(cases.c.programme.in_(programmes)).group_by(cases.c.programme)):
        name = f"case-number:{row.programme}"
        before = int(await marks.mark(tx, name) or 0)
        await marks.set_mark(tx, name, str(max(before, row.number)), now)


async def _remove(tx: Tx, table: Table, doomed: Select[tuple[int]]) -> int:
    """Remove rows; what happened to a case only goes with the case itself, a moment later, and is counted here."""
    if table is case_events:
        return int(await tx.value(select(func.count()).select_from(table).where(key_of(table).in_(doomed))))
    return (await tx.run(delete(table).where(key_of(table).in_(doomed)))).rowcount


def _names(table: Table) -> Iterator[Column[int]]:
    """Yield the columns of any table that name a row of this one without belonging to it."""
    keys = (key for other in metadata.sorted_tables for key in other.foreign_keys)
    return (key.parent for key in keys if key.column.table is table and key.parent.name not in OWNERS)


async def _unname_in_events(tx: Tx, known: Traces) -> None:
    """Let the history of others' cases tell that somebody was alerted, and not who."""
    alerted = case_events.c.detail["to"].as_string().in_([str(one) for one in known.member_ids])
    rows = await tx.all(select(case_events.c.id, case_events.c.detail).where(alerted))
    await _set_details(tx, case_events, [{"row": row.id, "detail": {**row.detail, "to": "0"}} for row in rows])


async def _unname_in_audit(tx: Tx, known: Traces, now: datetime) -> None:
    """Let the audit trail tell what others did, not to whom; what the person did goes, unless it was their duty.

    Lines stay in their places, without their salt, so that the chain holds and nobody can guess what they said.
    """
    await tx.finish()
    ids = (known.code, known.person_id, *known.member_ids, *known.case_ids)
    about = or_(*(audit.c.subject.endswith(f" {one}", autoescape=True) for one in ids))
    await tx.run(update(audit).where(about).values(subject="erased", salt=None))
    roles = await tx.all(select(members.c.id, members.c.role).where(members.c.id.in_(known.member_ids)))
    for member_id, role in roles:
        if role == "participant":
            await tx.run(update(audit).where(audit.c.by == member_id).values(_BLANK | {"at": now}))
            continue
        await tx.run(update(audit).where(audit.c.by == member_id).values(salt=None))
        rows = await tx.all(select(audit.c.id, audit.c.detail).where(audit.c.by == member_id))
        await _set_details(tx, audit, [{"row": row.id, "detail": {**row.detail, "erased": role}} for row in rows])


async def _set_details(tx: Tx, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
    if rows:
        statement = update(table).where(table.c.id == bindparam("row")).values(detail=bindparam("detail"))
        await tx.run(statement, rows)


async def _forget_dialogues(tx: Tx, known: Traces) -> None:
    """Ask no clinician any more for a note on a case that is gone."""
    caring = select(members.c.person_id).where(members.c.role.in_(CARING))
    query = select(people.c.id, people.c.dialogue).where(people.c.id.in_(caring))
    asked = [row.id for row in await tx.all(query) if row.dialogue and row.dialogue.get("case") in known.case_ids]
    await tx.run(update(people).where(people.c.id.in_(asked)).values(dialogue=None))


async def _clear_chat(tx: Tx, known: Traces, doomed: Doomed, now: datetime) -> None:
    """Drop what waits to be sent to or about the person; forget their messages, and the cards of their cases anywhere.

    Rows of the outbox are emptied and not deleted, so that none gets the number of one that is being sent just now.
    """
    theirs = (outbox.c.chat_id == known.telegram_id) | outbox.c.id.in_(doomed[outbox])
    waiting = theirs & (outbox.c.state == "ready")
    await tx.run(update(outbox).where(waiting).values(state="dropped", settled_at=now, error="erased"))
    await tx.run(update(outbox).where(theirs).values(_EMPTIED))
    done: ColumnElement[bool] = (inbox.c.chat_id == known.telegram_id) & inbox.c.done_at.is_not(None)
    await tx.run(update(inbox).where(done).values(payload_sealed=FORGOTTEN, chat_id=0))
    shown = cards.c.card.in_([f"case:{one}" for one in known.case_ids])
    await tx.run(delete(cards).where((cards.c.chat_id == known.telegram_id) | shown))


_BLANK: dict[str, object] = {"by": None, "action": "erased", "subject": "", "detail": {}, "salt": None}
"""What stays of a line of the audit trail that says what the person did."""

_EMPTIED = {
    "key": literal("erased:") + cast(outbox.c.id, String),
    "chat_id": 0,
    "payload_sealed": FORGOTTEN,
    "prompt_id": None,
    "case_id": None,
    "member_id": None,
    "message_id": None,
}
