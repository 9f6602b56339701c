"""Queries on who is in a programme, and on what ends when somebody leaves it."""

from collections.abc import Sequence

from sqlalchemy import func, select, update

from bot.domain.people import Role
from bot.storage import people as records
from bot.storage.people import Member, Person
from bot.storage.store import Tx
from bot.storage.tables import members

STANDING = ("invited", "active")
"""Who is in a programme; whoever was discharged or removed is not."""


async def in_programme(
    tx: Tx, programme: str, roles: Sequence[Role], *, limit: int = -1, offset: int = 0
) -> tuple[tuple[Member, Person], ...]:
    """Return who is in a programme in one of these roles, the longest there first; all of them without a limit."""
    query = (
        select(members.c.id)
        .where(members.c.programme == programme, members.c.role.in_(roles), members.c.standing.in_(STANDING))
        .order_by(members.c.created_at, members.c.id)
        .offset(offset)
        .limit(limit if limit >= 0 else None)
    )
    ids = [row.id for row in await tx.all(query)]
    found = {member.id: (member, person) for member, person in await records.members_with_people(tx, ids)}
    return tuple(found[one] for one in ids)


async def counts(tx: Tx, programme: str) -> dict[Role, int]:
    """Return how many are in a programme in each role."""
    here = (members.c.programme == programme) & members.c.standing.in_(STANDING)
    rows = await tx.all(select(members.c.role, func.count()).where(here).group_by(members.c.role))
    return {row[0]: row[1] for row in rows}


async def all_memberships(tx: Tx, person_id: int) -> tuple[Member, ...]:
    """Return a person's memberships, those that were ended as well, the oldest first."""
    query = select(members.c.id).where(members.c.person_id == person_id).order_by(members.c.created_at)
    ids = [row.id for row in await tx.all(query)]
    return tuple(member for member, _ in await records.members_with_people(tx, ids))


async def no_longer_primary(tx: Tx, member_id: int) -> int:
    """Let a clinician be nobody's primary one; return of how many they were."""
    theirs = (members.c.primary_id == member_id) & members.c.standing.in_(STANDING)
    return (await tx.run(update(members).where(theirs).values(primary_id=None))).rowcount
