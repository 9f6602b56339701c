"""Delivering 1,000 due prompts, with nobody else and with a million more people enrolled, each with a prompt later."""

import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import TypeVar

from sqlalchemy import ColumnElement, String, cast, delete, insert, literal, select, text, update

from bench.crowd import Number, insert_many
from bench.population import prompt_row
from bench.table import Figure, Size
from bot.content.library import Content, load
from bot.services.prompts import deliver_due
from bot.storage.migrate import upgrade
from bot.storage.store import Store
from bot.storage.tables import members, new_id, outbox, people, prompts
from bot.storage.vault import Vault

N = TypeVar("N", int, Number)
NOW = datetime(2026, 11, 3, 14, 30, tzinfo=UTC)
DUE = 1000
DAYS = 300
APART = 9_000_000_000_000
"""Between two ids of those enrolled besides: those of a million reach over all that there may be."""


async def measure(size: Size) -> list[Figure]:
    few, many = 0, size.pick(20_000, 100_000, 1_000_000)
    rounds = size.pick(3, 7, 7)
    content = load(Path("content")).content
    with tempfile.TemporaryDirectory() as folder:
        small, large = await _filled(folder, "small", few), await _filled(folder, "large", many)
        pairs = []
        for number in range(rounds + 1):
            pairs.append((await _round(large, content, number), await _round(small, content, number)))
        plan = await _query_plan(large)
        await small.close()
        await large.close()
    ratio = median(one / other for one, other in pairs[1:])
    against = f"the same with nobody else enrolled ({plan})"
    return [
        Figure(
            what=f"a tick with 1,000 due, {many:,} more enrolled",
            measured=ratio,
            unit="times",
            at_most=1.2,
            against=against,
        )
    ]


async def _filled(folder: str, name: str, more: int) -> Store:
    """Return a store with the people whose prompts are due, and so many more who have one planned for later."""
    store = Store(f"sqlite+aiosqlite:///{folder}/{name}.db", Vault([("b", bytes(32))]))
    await upgrade(store)
    ids = [new_id() for _ in range(DUE)]
    async with store.begin() as tx:
        await tx.run(insert(people), [_person(one, number) for number, one in enumerate(ids)])
        await tx.run(insert(members), [_member(one) for one in ids])
    if more:
        await _enrol_more(store, more)
    async with store.engine.connect() as connection:
        await connection.execute(text("ANALYZE"))
    return store


async def _enrol_more(store: Store, more: int) -> None:
    """Enrol so many who have a prompt later, on one of 300 days; ids between theirs are free."""
    days = [_prompt(_strewn(n), "later", NOW + timedelta(days=2 + n), _strewn(n)) for n in range(DAYS)]
    async with store.begin() as tx:
        await insert_many(tx, people, [_person(_strewn(0), DUE)], more, _own_person)
        await insert_many(
            tx, members, [_member(_strewn(0))], more, lambda n: {"id": _strewn(n), "person_id": _strewn(n)}
        )
        await insert_many(tx, prompts, days, more, lambda n: {"id": _strewn(n), "member_id": _strewn(n)})


def _own_person(n: Number) -> dict[str, ColumnElement]:
    return {"id": _strewn(n), "telegram_id": DUE + 1 + n, "code": literal("B").concat(cast(DUE + n, String))}


def _strewn(n: N) -> N:
    """Return an id for a number, no two the same; in their order, in which tables are filled the quickest."""
    return (n + 1) * APART


async def _round(store: Store, content: Content, number: int) -> float:
    """Let 1,000 prompts be due, and return how long it takes to send them."""
    async with store.begin() as tx:
        await tx.run(delete(outbox))
        await tx.run(update(prompts).where(prompts.c.slot.like("20%")).values(status="late"))
        due = select(members.c.id).join(people, people.c.id == members.c.person_id).where(people.c.telegram_id <= DUE)
        ids = [row.id for row in await tx.all(due)]
        await tx.run(insert(prompts), [_prompt(one, f"due/{number}", NOW) for one in ids])
    began = time.perf_counter()
    while await deliver_due(store, content, NOW):
        pass
    return time.perf_counter() - began


async def _query_plan(store: Store) -> str:
    query = (
        "EXPLAIN QUERY PLAN SELECT * FROM prompts WHERE status = 'planned' AND due_at <= :now ORDER BY due_at LIMIT 500"
    )
    async with store.read() as tx:
        found = await tx.all(text(query).bindparams(now=str(NOW)))
    return str(found[0][3])


def _person(one: int, number: int) -> dict:
    zones = [["2026-11-01T00:00:00+00:00", "America/New_York"]]
    code = f"B{number}"
    return {"id": one, "telegram_id": number + 1, "code": code, "language": "en", "zones": zones, "created_at": NOW}


def _prompt(member: int, slot: str, due: datetime, prompt_id: int | None = None) -> dict:
    return prompt_row(member, slot, due, prompt_id=prompt_id or new_id(), hours=1)


def _member(one: int) -> dict:
    return {
        "id": one,
        "person_id": one,
        "programme": "adult-evening",
        "role": "participant",
        "standing": "active",
        "level": "iop",
        "began": (NOW - timedelta(days=1)).date(),
        "preferences": {},
        "pauses": [],
        "created_at": NOW,
    }
