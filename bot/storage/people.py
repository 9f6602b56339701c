"""Queries on people, their memberships, consents and invitations."""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import bindparam, insert, select, update

from bot.domain.people import Role, Standing
from bot.storage.store import Tx
from bot.storage.tables import Row, consents, invitations, members, new_id, people
from bot.storage.vault import readable

CODE_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""No letters that are read as others."""

_BY_TELEGRAM = select(people).where(people.c.telegram_id == bindparam("telegram_id"))
_MEMBERSHIPS = (
    select(members)
    .where(members.c.person_id == bindparam("person_id"), members.c.standing.in_(("invited", "active")))
    .order_by(members.c.created_at)
)
"""Asked for each update, and built once: to build a statement takes longer than to run it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who wrote to the bot. `code` stands for them where a name must not; `zones` are [since, zone] pairs.

    A `name` that cannot be read is empty: whoever has it is alerted, answered and looked after all the same.

    `country` (ISO 3166, two letters) is the one they chose for emergency numbers; None: that of their zone.
    """

    id: int
    telegram_id: int | None
    code: str
    name: str
    language: str
    zones: list[list[str]]
    dialogue: dict[str, Any] | None
    country: str | None = None
    created_at: datetime
    blocked_at: datetime | None

    @property
    def zone(self) -> str:
        return self.zones[-1][1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A person's place in a programme. `preferences` and `pauses` are as `services.plans` writes them.

    `plan_at` is when the timetable must be looked at again; None when a prompt is ahead in every stream.
    """

    id: int
    person_id: int
    programme: str
    role: Role
    standing: Standing
    level: str
    began: date | None
    consent_version: int | None
    preferences: dict[str, Any]
    pauses: list[list[str | None]]
    primary_id: int | None
    plan_at: datetime | None
    created_at: datetime
    ended_at: datetime | None = None


async def add_person(tx: Tx, *, telegram_id: int, name: str, language: str, zone: str, now: datetime) -> Person:
    """Add somebody met for the first time."""
    person = {
        "id": new_id(),
        "telegram_id": telegram_id,
        "code": "".join(secrets.choice(CODE_LETTERS) for _ in range(6)),
        "language": language,
        "zones": [[now.isoformat(), zone]],
        "created_at": now,
    }
    sealed = tx.vault.seal("people.name", person["id"], name)
    await tx.run(insert(people).values(**person, name_sealed=sealed))
    return Person(**person, name=name, dialogue=None, blocked_at=None)  # type: ignore[arg-type]


async def person_by_telegram(tx: Tx, telegram_id: int) -> Person | None:
    """Return who uses this Telegram account."""
    return _person(tx, await tx.one(_BY_TELEGRAM, {"telegram_id": telegram_id}))


async def person_by_code(tx: Tx, code: str) -> Person | None:
    """Return who this code stands for."""
    return _person(tx, await tx.one(select(people).where(people.c.code == code)))


async def person(tx: Tx, person_id: int) -> Person:
    """Return the person with this id, who must exist."""
    found = _person(tx, await tx.one(select(people).where(people.c.id == person_id)))
    assert found, "a membership without its person"  # noqa: S101 - the foreign key holds this
    return found


async def change_person(tx: Tx, person_id: int, **changes: Any) -> None:  # noqa: ANN401 - columns by name
    """Set columns of a person."""
    await tx.run(update(people).where(people.c.id == person_id).values(**changes))


async def add_member(tx: Tx, member: Member) -> Member:
    """Add a membership."""
    values = {name: getattr(member, name) for name in Member.__slots__}
    await tx.run(insert(members).values(**values))
    return member


async def member(tx: Tx, member_id: int) -> Member | None:
    """Return the membership with this id."""
    return _member(await tx.one(select(members).where(members.c.id == member_id)))


async def memberships(tx: Tx, person_id: int) -> tuple[Member, ...]:
    """Return a person's memberships that were not ended, the oldest first."""
    found = await tx.all(_MEMBERSHIPS, {"person_id": person_id})
    return tuple(Member(**row._mapping) for row in found)  # noqa: SLF001 - SQLAlchemy's own name


async def last_discharged(tx: Tx, person_id: int) -> Member | None:
    """Return the place as a participant that this person left last."""
    left = (members.c.person_id == person_id) & (members.c.standing == "discharged")
    query = select(members).where(left, members.c.role == "participant").order_by(members.c.ended_at.desc()).limit(1)
    return _member(await tx.one(query))


async def members_in(tx: Tx, programme: str, roles: Sequence[Role]) -> tuple[Member, ...]:
    """Return who is active in a programme in one of the roles, the longest there first."""
    query = (
        select(members)
        .where(members.c.programme == programme, members.c.role.in_(roles), members.c.standing == "active")
        .order_by(members.c.created_at, members.c.id)
    )
    return tuple(Member(**row._mapping) for row in await tx.all(query))  # noqa: SLF001


async def change_member(tx: Tx, member_id: int, **changes: Any) -> None:  # noqa: ANN401 - columns by name
    """Set columns of a membership."""
    await tx.run(update(members).where(members.c.id == member_id).values(**changes))


async def add_consent(tx: Tx, member_id: int, version: int, language: str, now: datetime) -> None:
    """Keep that a consent of this version was accepted."""
    await tx.run(insert(consents).values(id=new_id(), member_id=member_id, version=version, language=language, at=now))


async def add_invitation(
    tx: Tx,
    *,
    programme: str,
    role: Role,
    level: str,
    created_by: int | None,
    primary_id: int | None,
    now: datetime,
    expires_at: datetime,
) -> str:
    """Add an invitation and return its token, which is kept nowhere."""
    token = secrets.token_urlsafe(24)
    await tx.run(
        insert(invitations).values(
            id=new_id(),
            token_hash=_hash(token),
            programme=programme,
            role=role,
            level=level,
            created_by=created_by,
            primary_id=primary_id,
            created_at=now,
            expires_at=expires_at,
        )
    )
    return token


async def invitation(tx: Tx, token: str) -> Row | None:
    """Return the invitation that this token opens."""
    return await tx.one(select(invitations).where(invitations.c.token_hash == _hash(token)))


async def use_invitation(tx: Tx, invitation_id: int, person_id: int, now: datetime) -> bool:
    """Mark an invitation used; False when somebody was quicker."""
    unused = (invitations.c.id == invitation_id) & invitations.c.used_at.is_(None)
    used = await tx.run(update(invitations).where(unused).values(used_at=now, used_by=person_id))
    return used.rowcount == 1


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _person(tx: Tx, row: Row | None) -> Person | None:
    if row is None:
        return None
    known = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's own name
    sealed = known.pop("name_sealed")
    name = readable(tx.vault, "people.name", row.id, sealed) if sealed else ""
    return Person(**known, name=name or "")


def _member(row: Row | None) -> Member | None:
    return Member(**row._mapping) if row is not None else None  # noqa: SLF001


_MEMBERS = select(members).where(members.c.id.in_(bindparam("ids", expanding=True)))
_PEOPLE = select(people).where(people.c.id.in_(bindparam("ids", expanding=True)))


async def members_with_people(tx: Tx, member_ids: Sequence[int]) -> tuple[tuple[Member, Person], ...]:
    """Return these memberships with their people."""
    found = [Member(**row._mapping) for row in await tx.all(_MEMBERS, {"ids": member_ids})]  # noqa: SLF001
    theirs = {"ids": tuple({one.person_id for one in found})}
    by_id = {row.id: _person(tx, row) for row in await tx.all(_PEOPLE, theirs)}
    return tuple((one, known) for one in found if (known := by_id[one.person_id]))


async def staff(tx: Tx) -> tuple[tuple[Member, Person], ...]:
    """Return all who are staff somewhere."""
    query = select(members.c.id).where(members.c.role == "staff", members.c.standing == "active")
    return await members_with_people(tx, [row.id for row in await tx.all(query)])


async def to_plan(tx: Tx, now: datetime, limit: int) -> tuple[int, ...]:
    """Return the active participants whose timetable must be looked at, the longest due first."""
    query = select(members.c.id).where(members.c.plan_at <= now).order_by(members.c.plan_at).limit(limit)
    return tuple(row.id for row in await tx.all(query))


async def still_to_plan(tx: Tx, now: datetime, member_ids: Sequence[int]) -> tuple[int, ...]:
    """Return those of these whose timetable must still be looked at."""
    query = select(members.c.id).where(members.c.plan_at <= now, members.c.id.in_(member_ids))
    return tuple(row.id for row in await tx.all(query))


_LOOK_AGAIN = (
    update(members)
    .where(members.c.id.in_(bindparam("ids", expanding=True)))
    .where(members.c.plan_at.is_(None) | (members.c.plan_at > bindparam("at")))
    .values(plan_at=bindparam("at"))
)


async def look_again(tx: Tx, member_ids: Sequence[int], at: datetime) -> None:
    """Have these timetables looked at by then at the latest."""
    await tx.run(_LOOK_AGAIN, {"ids": member_ids, "at": at})


async def to_look_again(tx: Tx, member_ids: Sequence[int], at: datetime) -> frozenset[int]:
    """Return whose timetables, of these, are still to be looked at just then."""
    query = select(members.c.id).where(members.c.id.in_(member_ids), members.c.plan_at == at).with_for_update()
    return frozenset(row.id for row in await tx.all(query))


async def looked(tx: Tx, again: Mapping[int, datetime | None]) -> None:
    """Keep that timetables were looked at, and when to look again; None: when something changes."""
    changed = update(members).where(members.c.id == bindparam("member")).values(plan_at=bindparam("again"))
    if again:
        await tx.run(changed, [{"member": member_id, "again": at} for member_id, at in again.items()])


async def programmes_taken_part_in(tx: Tx) -> frozenset[str]:
    """Return the programmes that somebody takes part in."""
    theirs = (members.c.role == "participant") & (members.c.standing == "active")
    return frozenset(row[0] for row in await tx.all(select(members.c.programme).where(theirs).distinct()))


async def plan_again(tx: Tx, programme: str, now: datetime) -> None:
    """Have the timetables of a programme's participants looked at again."""
    theirs = (members.c.programme == programme) & (members.c.role == "participant") & (members.c.standing == "active")
    await tx.run(update(members).where(theirs).values(plan_at=now))
