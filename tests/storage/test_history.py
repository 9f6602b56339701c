"""What happened to a case is only ever added to: the database refuses all else, but for what has to be possible."""

import pytest
from alembic import command
from append_only import AUDIT, HISTORY, refused
from conftest import NOW
from sqlalchemy import delete, insert, select, text, update

from bot.domain.cases import Case
from bot.storage import audit, cases, migrate, people
from bot.storage.rotation import rotate
from bot.storage.store import Store
from bot.storage.tables import Row, case_events, flags, members, new_id
from bot.storage.tables import audit as lines
from bot.storage.tables import cases as case_rows
from bot.storage.vault import Vault

OLD, NEW = ("k1", b"0" * 32), ("k2", b"1" * 32)
NOTE = "Rang Sam Specimen, who is safe."


async def with_history(store: Store) -> int:
    """Make a case to which three things happened; return its id."""
    async with store.begin() as tx:
        person = await people.add_person(tx, telegram_id=5, name="Sam Specimen", language="en", zone="UTC", now=NOW)
        member = new_id()
        place = {"id": member, "person_id": person.id, "programme": "adult-evening", "role": "participant"}
        await tx.run(insert(members).values(**place, standing="active", created_at=NOW))
        case = Case(level="red", state="open", opened_at=NOW, raised_at=NOW, deadline=NOW)
        filed = await cases.add_case(tx, member, "adult-evening", case)
        await cases.add_event(tx, filed.id, "opened", NOW, level="red")
        await cases.add_event(tx, filed.id, "alerted", NOW, to=str(member))
        await cases.add_event(tx, filed.id, "noted", NOW, by=member, note=NOTE)
    return filed.id


async def history(store: Store) -> list[tuple]:
    async with store.read() as tx:
        return [tuple(row) for row in await tx.all(select(case_events).order_by(case_events.c.id))]


async def event(store: Store, kind: str) -> Row:
    async with store.read() as tx:
        row = await tx.one(select(case_events).where(case_events.c.kind == kind))
    assert row
    return row


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "resolved"},
        {"at": NOW.replace(year=2020)},
        {"key": 7},
        {"by": 7},
        {"detail": {}},
        {"detail": {"level": "yellow"}},
        {"detail": {"to": "7"}},
        {"detail": {"to": "0", "digest": "yes"}},
        {"note_sealed": None},
        {"note_sealed": b"k1\0\0another note"},
    ],
    ids=str,
)
async def test_the_database_refuses_to_change_what_happened(store: Store, change: dict) -> None:
    await with_history(store)
    before = await history(store)
    on = next(kind for kind, name in (("alerted", "detail"), ("noted", "")) if name in change or not name)
    await refused(store, update(case_events).where(case_events.c.kind == on).values(**change), HISTORY)
    assert await history(store) == before


async def test_the_database_refuses_a_note_where_there_was_none(store: Store) -> None:
    await with_history(store)
    await refused(
        store, update(case_events).where(case_events.c.kind == "opened").values(note_sealed=b"k2\0\0new"), HISTORY
    )


async def test_the_database_refuses_to_move_what_happened_to_another_case(store: Store) -> None:
    case = await with_history(store)
    async with store.begin() as tx:
        row = await tx.one(select(case_rows).where(case_rows.c.id == case))
        copied = dict(row._mapping) | {"id": 99, "number": 99, "state": "resolved"}
        await tx.run(insert(case_rows).values(**copied))
    await refused(store, update(case_events).values(case_id=99), HISTORY)


async def test_the_database_refuses_to_remove_what_happened_while_the_case_is_there(store: Store) -> None:
    await with_history(store)
    before = await history(store)
    await refused(store, delete(case_events), HISTORY)
    await refused(store, delete(case_events).where(case_events.c.kind == "noted"), HISTORY)
    if not store.sqlite:
        await refused(store, text("TRUNCATE case_events"), HISTORY)
    assert await history(store) == before


async def test_nothing_is_written_over_what_happened(store: Store) -> None:
    """SQLite's REPLACE removes a row without asking the triggers that watch over removing."""
    await with_history(store)
    async with store.begin() as tx:
        await audit.note(tx, "open case", NOW, subject="case 1")
    before = await history(store)
    if store.sqlite:
        row = await event(store, "noted")
        await refused(
            store, insert(case_events).prefix_with("OR REPLACE").values(dict(row._mapping) | {"by": None}), HISTORY
        )
        async with store.read() as tx:
            (line,) = await tx.all(select(lines))
        await refused(
            store, insert(lines).prefix_with("OR REPLACE").values(dict(line._mapping) | {"action": "lower"}), AUDIT
        )
    async with store.read() as tx:
        assert (await audit.verify(tx)).broken_id is None
    assert await history(store) == before


async def test_what_happened_goes_with_the_whole_case(store: Store) -> None:
    case = await with_history(store)
    async with store.begin() as tx:
        await tx.run(delete(flags))
        await tx.run(delete(case_rows).where(case_rows.c.id == case))
    assert await history(store) == []


@pytest.mark.parametrize(
    ("kind", "change"), [("alerted", {"detail": {"to": "0"}}), ("noted", {"by": None})], ids=["alerted", "did"]
)
async def test_who_was_erased_may_be_left_out(store: Store, kind: str, change: dict) -> None:
    await with_history(store)
    async with store.begin() as tx:
        await tx.run(update(case_events).where(case_events.c.kind == kind).values(**change))
    row = await event(store, kind)
    assert {name: row._mapping[name] for name in change} == change


async def test_a_new_key_seals_notes_anew_and_nothing_else_changes(store: Store) -> None:
    await with_history(store)
    before = await event(store, "noted")
    renewed = Store(store.url, Vault([NEW, OLD]))
    try:
        result = await rotate(renewed, lambda _: None)
        async with renewed.read() as tx:
            row = await tx.one(select(case_events).where(case_events.c.kind == "noted"))
            note = cases.event_note(tx, row)
    finally:
        await renewed.close()
    assert (note, result.left, row.note_sealed[:2]) == (NOTE, 0, b"k2")
    assert dict(row._mapping) | {"note_sealed": b""} == dict(before._mapping) | {"note_sealed": b""}


async def test_an_upgrade_keeps_what_happened_and_guards_it(store: Store) -> None:
    await with_history(store)
    before = await history(store)
    async with store.engine.begin() as connection:
        await connection.run_sync(lambda c: command.downgrade(migrate._config(c), "0006"))
    async with store.begin() as tx:
        await tx.run(update(case_events).where(case_events.c.kind == "opened").values(detail={"level": "red"}))
    await migrate.upgrade(store)
    assert (await history(store), await migrate.differences(store)) == (before, [])
    await refused(store, delete(case_events), HISTORY)


async def test_a_database_whose_history_is_unguarded_is_told_of(store: Store) -> None:
    async with store.engine.begin() as connection:
        on = "" if store.sqlite else " ON case_events"
        await connection.exec_driver_sql(f"DROP TRIGGER history_keeps_words{on}")
    assert await migrate.differences(store) == ["the trigger history_keeps_words on the table case_events is missing"]
