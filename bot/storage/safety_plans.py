"""Queries on safety plans: every version, which is only ever added to, and what clinicians suggest for them."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import insert, select, update

from bot.domain.safety_plan import SafetyPlan, Step, plan_of
from bot.storage.store import Tx
from bot.storage.tables import Row, new_id, plan_proposals, safety_plans

State = Literal["open", "accepted", "declined", "withdrawn"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A plan as it was from `at` on, after `by` changed one step (a membership; None: erased). They count from 1."""

    number: int
    plan: SafetyPlan
    step: Step
    by: int | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """What a list of versions says of one: no text."""

    number: int
    step: Step
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What a clinician suggests for one step of the version `base`; 0 is the plan before its first version.

    `by` is their membership, None when they were erased since.
    """

    id: int
    member_id: int
    by: int | None
    step: Step
    base: int
    text: str
    state: State


async def newest(tx: Tx, member_id: int) -> Version | None:
    """Return the version that counts. Raises Unreadable."""
    query = select(safety_plans).where(safety_plans.c.member_id == member_id)
    return _version(tx, await tx.one(query.order_by(safety_plans.c.version.desc()).limit(1)))


async def version(tx: Tx, member_id: int, number: int) -> Version | None:
    """Return one version of the member's plan. Raises Unreadable."""
    own = (safety_plans.c.member_id == member_id) & (safety_plans.c.version == number)
    return _version(tx, await tx.one(select(safety_plans).where(own)))


async def editions(tx: Tx, member_id: int, *, before: int | None = None, limit: int) -> tuple[Edition, ...]:
    """Return the versions, with `before` those with a number below it, the newest first."""
    columns = (safety_plans.c.version, safety_plans.c.step, safety_plans.c.at)
    own = safety_plans.c.member_id == member_id
    own = own if before is None else own & (safety_plans.c.version < before)
    query = select(*columns).where(own).order_by(safety_plans.c.version.desc()).limit(limit)
    return tuple(Edition(number=row.version, step=row.step, at=row.at) for row in await tx.all(query))


async def add(tx: Tx, member_id: int, version: Version) -> None:
    """Add a version. One that has its number already makes the transaction fail, and the update is tried again."""
    row_id = new_id()
    steps = json.dumps(dict(version.plan.texts), ensure_ascii=False)
    await tx.run(
        insert(safety_plans).values(
            id=row_id,
            member_id=member_id,
            version=version.number,
            step=version.step,
            steps_sealed=tx.vault.seal("safety_plans.steps", row_id, steps),
            by=version.by,
            at=version.at,
        )
    )


async def propose(tx: Tx, member_id: int, *, by: int, step: Step, base: int, text: str, now: datetime) -> Proposal:
    """Add a suggestion that waits for the participant."""
    made = Proposal(id=new_id(), member_id=member_id, by=by, step=step, base=base, text=text, state="open")
    row = {"id": made.id, "member_id": member_id, "by": by, "step": step, "base": base, "at": now}
    sealed = tx.vault.seal("plan_proposals.text", made.id, text)
    await tx.run(insert(plan_proposals).values(**row, text_sealed=sealed, state="open"))
    return made


async def proposal(tx: Tx, proposal_id: int) -> Proposal | None:
    """Return the suggestion with this id."""
    row = await tx.one(select(plan_proposals).where(plan_proposals.c.id == proposal_id))
    return _proposal(tx, row) if row else None


async def open_proposals(tx: Tx, member_id: int) -> tuple[Proposal, ...]:
    """Return the suggestions that wait for the participant, the oldest first."""
    waiting = (plan_proposals.c.member_id == member_id) & (plan_proposals.c.state == "open")
    query = select(plan_proposals).where(waiting).order_by(plan_proposals.c.at, plan_proposals.c.id)
    return tuple(_proposal(tx, row) for row in await tx.all(query))


async def decide(tx: Tx, proposal_id: int, state: State, now: datetime) -> bool:
    """Close a suggestion; False when it was closed before."""
    waiting = (plan_proposals.c.id == proposal_id) & (plan_proposals.c.state == "open")
    decided = await tx.run(update(plan_proposals).where(waiting).values(state=state, decided_at=now))
    return decided.rowcount == 1


async def rebase(tx: Tx, proposal_id: int, base: int) -> None:
    """Let a suggestion stand beside another version: the one that the participant was shown it with."""
    await tx.run(update(plan_proposals).where(plan_proposals.c.id == proposal_id).values(base=base))


def _version(tx: Tx, row: Row | None) -> Version | None:
    if row is None:
        return None
    texts = json.loads(tx.vault.open("safety_plans.steps", row.id, row.steps_sealed))
    return Version(number=row.version, plan=plan_of(texts), step=row.step, by=row.by, at=row.at)


def _proposal(tx: Tx, row: Row) -> Proposal:
    return Proposal(
        id=row.id,
        member_id=row.member_id,
        by=row.by,
        step=row.step,
        base=row.base,
        text=tx.vault.open("plan_proposals.text", row.id, row.text_sealed),
        state=row.state,
    )
