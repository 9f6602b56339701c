"""Everything that is kept about a person, read by the same ownership by which it would be erased."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from sqlalchemy import Table, or_, select

from bot.storage.erasure import Traces, key_of, owned_rows
from bot.storage.store import Tx
from bot.storage.tables import (
    Row,
    absences,
    answers,
    audit,
    case_events,
    cases,
    channels,
    consents,
    covers,
    flags,
    follow_ups,
    members,
    on_call,
    outbox,
    people,
    plan_proposals,
    prompts,
    runs,
    safety_plans,
    scores,
    shifts,
)

TOLD: Mapping[Table, str] = MappingProxyType(
    {
        people: "created_at",
        members: "created_at",
        consents: "at",
        prompts: "due_at",
        runs: "started_at",
        answers: "at",
        scores: "at",
        cases: "opened_at",
        flags: "at",
        case_events: "at",
        safety_plans: "at",
        plan_proposals: "at",
        follow_ups: "due_at",
        shifts: "created_at",
        covers: "starts_at",
        absences: "first",
        on_call: "since",
        channels: "created_at",
    }
)
"""The tables that a person is told of, each with the column by which its rows are ordered."""

NOT_TOLD = frozenset({"outbox", "pages"})
"""What is on its way to be sent, and gone a moment later."""


async def rows_of(tx: Tx, person_id: int) -> Mapping[str, Sequence[Row]]:
    """Return a person's rows by the name of the table, in the order in which they came."""
    owned = owned_rows(person_id)
    found = {}
    for table, order in TOLD.items():
        query = select(table).where(key_of(table).in_(owned[table])).order_by(table.c[order], key_of(table))
        found[table.name] = await tx.all(query)
    return found


async def looks(tx: Tx, known: Traces) -> Sequence[Row]:
    """Return when others did something with a person's record: `at`, `action` and their `role`."""
    ids = (known.code, known.person_id, *known.member_ids, *known.case_ids)
    about = or_(*(audit.c.subject.endswith(f" {one}", autoescape=True) for one in ids))
    by_other = audit.c.by.is_(None) | audit.c.by.not_in(known.member_ids)
    query = select(audit.c.at, audit.c.action, members.c.role).outerjoin(members, members.c.id == audit.c.by)
    return await tx.all(query.where(about, by_other).order_by(audit.c.id))


async def acts(tx: Tx, known: Traces) -> Sequence[Row]:
    """Return what a person did that the audit trail keeps: `at` and `action`."""
    own = audit.c.by.in_(known.member_ids)
    return await tx.all(select(audit.c.at, audit.c.action).where(own).order_by(audit.c.id))


async def on_its_way(tx: Tx, chat_id: int, beginning: str) -> bool:
    """Return whether a message with a key that begins like this waits to be sent to a chat."""
    waiting = (outbox.c.chat_id == chat_id) & (outbox.c.state == "ready")
    query = select(outbox.c.id).where(waiting, outbox.c.key.startswith(beginning, autoescape=True)).limit(1)
    return await tx.value(query) is not None
