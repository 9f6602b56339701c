"""Rotation of keys: afterwards the new key alone reads everything, whatever happened on the way."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import DateTime, Integer, LargeBinary, String, Table, insert, select, update

from bot.storage import tables
from bot.storage.rotation import SEALED, Rotation, rotate
from bot.storage.store import Store, Tx
from bot.storage.tables import FORGOTTEN, Utc, metadata
from bot.storage.vault import BadKey, Unreadable, Vault, new_key, read_keys

BOT = Path(tables.__file__).parent.parent
NOW = datetime(2026, 11, 2, 14, 0, tzinfo=UTC)
OLD, NEW = ("k1", b"0" * 32), ("k2", b"1" * 32)
ROWS = 5
S = TypeVar("S", bound=Store)


class Interrupted(Store):
    """A store whose process dies when a transaction more than `lives` is begun."""

    lives = 4

    @asynccontextmanager
    async def begin(self, **given: Any) -> AsyncIterator[Tx]:
        if self.lives == 0:
            raise KeyboardInterrupt
        self.lives -= 1
        async with super().begin(**given) as tx:
            yield tx


class Overtaken(Store):
    """A store on which another writes just before the first transaction."""

    rival: Callable[[Tx], Awaitable[object]] | None = None

    @asynccontextmanager
    async def begin(self, **given: Any) -> AsyncIterator[Tx]:
        if rival := self.rival:
            self.rival = None
            async with super().begin() as tx:
                await rival(tx)
        async with super().begin(**given) as tx:
            yield tx


@asynccontextmanager
async def opened(kind: type[S], url: str, *keys: tuple[str, bytes]) -> AsyncIterator[S]:
    store = kind(url, Vault(keys))
    try:
        yield store
    finally:
        await store.close()


def filled(table: Table, number: int) -> dict[str, Any]:
    """Values for the columns of a table that must have one; rows of the same number point to each other."""
    values: dict[str, Any] = {}
    for column in table.columns:
        if column.primary_key or (column.foreign_keys and not column.nullable):
            values[column.name] = number
        elif column.nullable or column.default is not None:
            continue
        elif isinstance(column.type, LargeBinary):
            values[column.name] = FORGOTTEN
        elif isinstance(column.type, String):
            values[column.name] = str(number)
        elif isinstance(column.type, Utc | DateTime):
            values[column.name] = NOW
        else:
            values[column.name] = number if isinstance(column.type, Integer) else {}
    for sealed in SEALED:
        if sealed.table is table and sealed.identity == "key":
            values["key"] = number * 10 if isinstance(table.c.key.type, Integer) else f"key-{number}"
    return values


async def fill(tx: Tx, rows: int = ROWS) -> None:
    for table in metadata.sorted_tables:
        wanted = {sealed.table for sealed in SEALED} | {tables.members, tables.cases}
        for number in range(1, rows + 1) if table in wanted else ():
            values = filled(table, number)
            for sealed in SEALED:
                if sealed.table is table:
                    identity = values[sealed.identity]
                    values[sealed.column] = tx.vault.seal(sealed.place, identity, f"{sealed.place} {number}")
            await tx.run(insert(table).values(values))


async def readable(store: Store) -> dict[str, list[str]]:
    found = {}
    async with store.read() as tx:
        for sealed in SEALED:
            chosen = select(sealed.table.c[sealed.identity], sealed.value).where(sealed.value != FORGOTTEN)
            rows = await tx.all(chosen.order_by(sealed.id))
            found[sealed.place] = [tx.vault.open(sealed.place, identity, value) for identity, value in rows]
    return found


EVERYTHING = {sealed.place: [f"{sealed.place} {number}" for number in range(1, ROWS + 1)] for sealed in SEALED}


@pytest.fixture
async def old_url(store: Store) -> str:
    """The address of a database on which the old key sealed everything."""
    async with store.begin() as tx:
        await fill(tx)
    return store.url


def test_every_sealed_column_is_rotated() -> None:
    there = {(table.name, each.name) for table in metadata.sorted_tables for each in table.c if "_sealed" in each.name}
    assert there == {(sealed.table.name, sealed.column) for sealed in SEALED}


def test_places_and_identities_are_those_the_readers_use() -> None:
    source = "\n".join(file.read_text(encoding="utf-8") for file in BOT.rglob("*.py"))
    read = set(re.findall(r'(?:vault\.open\(|readable\(\S*vault,)\s*"([a-z_.]+)",\s*row\.(\w+)', source))
    assert read == {(sealed.place, sealed.identity) for sealed in SEALED}
    assert set(re.findall(r'vault\.seal\(\s*"([a-z_.]+)"', source)) == {sealed.place for sealed in SEALED}


async def test_the_new_key_alone_reads_everything_afterwards(old_url: str) -> None:
    said: list[str] = []
    async with opened(Store, old_url, NEW, OLD) as both:
        async with both.begin() as tx:
            await tx.run(update(tables.outbox).where(tables.outbox.c.id == 2).values(payload_sealed=FORGOTTEN))
            await tx.run(update(tables.people).where(tables.people.c.id == 2).values(name_sealed=None))
        done = await rotate(both, said.append, batch=2)
        again = await rotate(both, said.append)
    values = ROWS * len(SEALED) - 2
    assert done == Rotation(renewed=values, unreadable=0, left=0, needless=("k1",))
    assert again.renewed == 0
    assert "answers.text: 5 sealed anew" in said
    async with opened(Store, old_url, NEW) as only_new:
        found = await readable(only_new)
    assert found["outbox.payload"] == [f"outbox.payload {number}" for number in (1, 3, 4, 5)]
    assert found["answers.text"] == EVERYTHING["answers.text"]
    assert sum(map(len, found.values())) == values


async def test_an_interrupted_rotation_is_finished_by_the_next(old_url: str) -> None:
    async with opened(Interrupted, old_url, NEW, OLD) as dying:
        with pytest.raises(KeyboardInterrupt):
            await rotate(dying, lambda _: None, batch=2)
    async with opened(Store, old_url, NEW, OLD) as both:
        assert await readable(both) == EVERYTHING
        done = await rotate(both, lambda _: None, batch=2)
    assert done.renewed == ROWS * len(SEALED) - 7, "batches of 2, 2, 1 and 2 were kept"
    async with opened(Store, old_url, NEW) as only_new:
        assert await readable(only_new) == EVERYTHING


async def test_what_is_written_meanwhile_is_not_undone(old_url: str) -> None:
    async def rival(tx: Tx) -> None:
        name = Vault([OLD]).seal("people.name", 1, "Robin Sample")
        await tx.run(update(tables.people).where(tables.people.c.id == 1).values(name_sealed=name))
        await tx.run(update(tables.people).where(tables.people.c.id == 2).values(name_sealed=None))

    async with opened(Overtaken, old_url, NEW, OLD) as both:
        both.rival = rival
        done = await rotate(both, lambda _: None)
        names = (await readable(both))["people.name"]
        assert names == ["Robin Sample", *EVERYTHING["people.name"][2:]]
        assert (done.left, done.needless) == (1, ()), "the old key sealed it again, and stays"
        assert (await rotate(both, lambda _: None)).needless == ("k1",)


@pytest.mark.postgres
async def test_a_row_in_anothers_hands_is_left_and_not_waited_for(postgres: Iterator[str]) -> None:
    url = next(postgres)
    async with opened(Store, url, OLD) as serving, opened(Store, url, NEW, OLD) as both:
        async with serving.begin() as tx:
            await fill(tx)
        async with serving.begin() as tx:
            await tx.run(update(tables.people).where(tables.people.c.id == 1).values(language="es"))
            done = await rotate(both, lambda _: None)
        assert done.left == 1
        assert (await rotate(both, lambda _: None)).left == 0


async def test_an_unreadable_value_is_named_by_its_row_and_stops_nothing(old_url: str) -> None:
    said: list[str] = []
    lost = Vault([("gone", b"2" * 32)]).seal("answers.text", 3, "lost")
    async with opened(Store, old_url, NEW, OLD) as both:
        async with both.begin() as tx:
            await tx.run(update(tables.answers).where(tables.answers.c.id == 3).values(text_sealed=lost))
            await tx.run(update(tables.answers).where(tables.answers.c.id == 4).values(text_sealed=b"k1\0\0cut"))
        done = await rotate(both, said.append, batch=1)
    assert done == Rotation(renewed=ROWS * len(SEALED) - 2, unreadable=2, left=2, needless=())
    assert [line for line in said if "cannot" in line] == [
        f"answers.text: the value of row {row} cannot be read" for row in (3, 4)
    ]


def test_a_cut_value_is_unreadable() -> None:
    with pytest.raises(Unreadable):
        Vault([OLD]).open("answers.text", 1, b"k1\0\0cut")


def test_two_keys_of_the_same_name_are_refused() -> None:
    with pytest.raises(BadKey, match="same name"):
        Vault(read_keys(f"{new_key('k1')},{new_key('k1')}"))
