"""Sealing anew, with the current key, what an older key sealed; safe to stop anywhere and to begin again."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, LargeBinary, Select, Table, and_, func, inspect, select, update
from sqlalchemy.sql.elements import KeyedColumnElement

from bot.storage import tables
from bot.storage.store import Store, Tx
from bot.storage.tables import FORGOTTEN, Row
from bot.storage.vault import ID_BYTES, Unreadable, Vault

BATCH = 500


@dataclass(frozen=True, kw_only=True)
class SealedColumn:
    """A sealed column: the place its values are bound to, and the column whose value is their row's identity."""

    table: Table
    column: str
    place: str
    identity: str

    @property
    def value(self) -> KeyedColumnElement[Any]:
        return self.table.c[self.column]

    @property
    def id(self) -> KeyedColumnElement[Any]:
        (key,) = self.table.primary_key.columns
        return key


def _sealed(table: Table, name: str, *, identity: str = "id") -> SealedColumn:
    return SealedColumn(table=table, column=f"{name}_sealed", place=f"{table.name}.{name}", identity=identity)


SEALED = (
    _sealed(tables.people, "name"),
    _sealed(tables.runs, "state"),
    _sealed(tables.answers, "text"),
    _sealed(tables.case_events, "note", identity="key"),
    _sealed(tables.channels, "address"),
    _sealed(tables.pages, "payload", identity="key"),
    _sealed(tables.safety_plans, "steps"),
    _sealed(tables.plan_proposals, "text"),
    _sealed(tables.inbox, "payload", identity="update_id"),
    _sealed(tables.outbox, "payload", identity="key"),
)
"""Every sealed column of the database, as the modules that write them seal it."""


@dataclass(frozen=True, kw_only=True)
class Rotation:
    """What was done: values sealed anew, values nobody could read, values the current key still does not open.

    `needless` names the older keys with which nothing in the database is sealed any more.
    """

    renewed: int
    unreadable: int
    left: int
    needless: tuple[str, ...]


async def rotate(store: Store, say: Callable[[str], None], *, batch: int = BATCH) -> Rotation:
    """Seal anew what older keys sealed, `batch` values in a transaction; `say` gets a line for each column."""
    renewed = unreadable = 0
    for sealed in SEALED:
        done, bad = await _rotate_column(store, sealed, say, batch)
        say(f"{sealed.place}: {done} sealed anew" + (f", {bad} unreadable" if bad else ""))
        renewed, unreadable = renewed + done, unreadable + bad
    left = await _keys_in_use(store)
    del left[store.vault.current]
    return Rotation(
        renewed=renewed, unreadable=unreadable, left=left.total(), needless=store.vault.older_keys_not_in(left)
    )


async def _rotate_column(store: Store, sealed: SealedColumn, say: Callable[[str], None], batch: int) -> tuple[int, int]:
    renewed = unreadable = 0
    after: int | None = None
    while rows := await _overdue(store, sealed, after, batch):
        fresh: list[tuple[Row, bytes]] = []
        for row in rows:
            try:
                fresh.append((row, _anew(store.vault, sealed, row)))
            except Unreadable:
                unreadable += 1
                say(f"{sealed.place}: the value of row {row.id} cannot be read")
        if fresh:
            async with store.begin() as tx:
                renewed += await _replace(tx, sealed, fresh)
        after = rows[-1].id
    return renewed, unreadable


async def _overdue(store: Store, sealed: SealedColumn, after: int | None, limit: int) -> Sequence[Row]:
    """Return the next rows, by primary key, whose value the current key did not seal."""
    waiting = and_(sealed.value != FORGOTTEN, _key_of(sealed) != store.vault.current)
    if after is not None:
        waiting = and_(waiting, sealed.id > after)
    shown = (sealed.id.label("id"), sealed.table.c[sealed.identity].label("identity"), sealed.value.label("value"))
    async with store.read() as tx:
        return await tx.all(select(*shown).where(waiting).order_by(sealed.id).limit(limit))


async def _replace(tx: Tx, sealed: SealedColumn, fresh: Sequence[tuple[Row, bytes]]) -> int:
    """Write the values sealed anew where the old one still stands; return how many that were.

    A row in another's hands is left for the next time: who serves a participant never waits in a circle with this.
    """
    wanted = select(sealed.id).where(sealed.id.in_([row.id for row, _ in fresh])).order_by(sealed.id)
    free = {row[0] for row in await tx.all(wanted.with_for_update(skip_locked=True, key_share=True))}
    renewed = 0
    for row, value in fresh:
        if row.id in free:
            same = and_(sealed.id == row.id, sealed.value == row.value)
            changed = await tx.run(update(sealed.table).where(same).values({sealed.column: value}))
            renewed += changed.rowcount
    return renewed


async def demand_readable(store: Store) -> None:
    """Raise Unreadable unless the keys open one value of each column and each key; of an older version's columns."""
    async with store.read() as tx:
        there = await tx.connection.run_sync(_columns)
        for sealed in SEALED:
            if (sealed.table.name, sealed.column) in there:
                for row in await tx.all(_one_of_each_key(sealed)):
                    store.vault.open(sealed.place, row.identity, row.value)


def _columns(connection: Connection) -> set[tuple[str, str]]:
    found = inspect(connection)
    return {(table, column["name"]) for table in found.get_table_names() for column in found.get_columns(table)}


def _one_of_each_key(sealed: SealedColumn) -> Select[Any]:
    newest = select(func.max(sealed.id)).where(sealed.value != FORGOTTEN).group_by(_key_of(sealed))
    shown = (sealed.table.c[sealed.identity].label("identity"), sealed.value.label("value"))
    return select(*shown).where(sealed.id.in_(newest))


async def _keys_in_use(store: Store) -> Counter[bytes]:
    """Return how many values each key sealed, by the key's id."""
    found: Counter[bytes] = Counter()
    async with store.read() as tx:
        for sealed in SEALED:
            key = _key_of(sealed).label("key")
            counted = select(key, func.count().label("values")).where(sealed.value != FORGOTTEN).group_by(key)
            for each, number in await tx.all(counted):
                found[bytes(each)] += number
    return found


def _anew(vault: Vault, sealed: SealedColumn, row: Row) -> bytes:
    return vault.seal(sealed.place, row.identity, vault.open(sealed.place, row.identity, row.value))


def _key_of(sealed: SealedColumn) -> ColumnElement[bytes]:
    return func.substr(sealed.value, 1, ID_BYTES, type_=LargeBinary)
