"""Who of those that look after participants can be reached at all, and whom alerts of a case get to."""

from sqlalchemy import ColumnElement, Select, select

from bot.domain.people import CARING
from bot.storage.store import Tx
from bot.storage.tables import cases, channels, members, outbox, pages, people

FAILING = 5
"""Tries of a page after which it is not taken to reach anybody, and staff are told."""

HERE = ("invited", "active")


async def roles_alerted(tx: Tx, case_id: int) -> frozenset[str]:
    """Return the roles of who got alerts of a case by Telegram, or will: what failed or was dropped does not count."""
    on_its_way = (outbox.c.case_id == case_id) & outbox.c.state.in_(["ready", "sent"])
    alerts = select(outbox.c.member_id).where(on_its_way, outbox.c.key.startswith(f"a{case_id}:", autoescape=True))
    return frozenset(row.role for row in await tx.all(_present().where(members.c.id.in_(alerts))))


async def is_paged(tx: Tx, case_id: int) -> bool:
    """Return whether a page of a case at its present level went out by another channel, or is expected to."""
    hoped = (pages.c.state == "ready") & (pages.c.attempts < FAILING)
    on_its_way = (pages.c.case_id == case_id) & ((pages.c.state == "sent") | hoped)
    present = (
        select(pages.c.id).join(cases, cases.c.id == pages.c.case_id).where(pages.c.created_at >= cases.c.raised_at)
    )
    return await tx.one(present.where(on_its_way).limit(1)) is not None


async def case_of(tx: Tx, page_id: int) -> int:
    """Return the id of the case that a page is about."""
    found: int = await tx.value(select(pages.c.case_id).where(pages.c.id == page_id))
    return found


async def roles_reachable(tx: Tx, programme: str) -> frozenset[str]:
    """Return the roles of a programme in which somebody can be alerted now, by Telegram or another channel."""
    found = {row.role for row in await tx.all(_present().where(members.c.programme == programme))}
    paged = select(channels.c.id).where(_pageable(), channels.c.programme == programme).limit(1)
    return frozenset(found | ({"clinician"} if await tx.one(paged) else set()))


async def programmes_without_carers(tx: Tx) -> tuple[str, ...]:
    """Return the programmes with somebody in them of which no alert can reach anybody who looks after participants."""
    filled = select(members.c.programme).where(members.c.standing.in_(HERE)).distinct()
    reached = _present().with_only_columns(members.c.programme).where(members.c.role.in_(CARING))
    paged = select(channels.c.programme).where(_pageable())
    without = filled.where(members.c.programme.not_in(reached), members.c.programme.not_in(paged))
    return tuple(row.programme for row in await tx.all(without.order_by(members.c.programme)))


def _present() -> Select[tuple[str]]:
    """Select the roles of active members whom messages get to."""
    here = (members.c.standing == "active") & people.c.blocked_at.is_(None) & people.c.telegram_id.is_not(None)
    return select(members.c.role).join(people, people.c.id == members.c.person_id).where(here)


def _pageable() -> ColumnElement[bool]:
    """Hold for channels in use, of a programme or of somebody who looks after its participants."""
    carers = select(members.c.id).where(members.c.standing == "active", members.c.role.in_(CARING))
    whose = channels.c.member_id.is_(None) | channels.c.member_id.in_(carers)
    return channels.c.removed_at.is_(None) & whose
