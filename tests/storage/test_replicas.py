"""Replicas on one PostgreSQL share the inbox without handling anything twice, and one of them leads."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from conftest import NOW, VAULT
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, InterfaceError

from bot.storage import inbox
from bot.storage.inbox import Arrived
from bot.storage.replicas import Seat, seated
from bot.storage.store import AlreadyDone, Store

pytestmark = pytest.mark.postgres
BOT = 4242


@pytest.fixture
async def store(postgres) -> AsyncIterator[Store]:
    store = Store(next(postgres), VAULT)
    yield store
    await store.close()


def nothing() -> None:
    """What is told is of no matter."""


async def arrived(store: Store, *updates: tuple[int, int]) -> None:
    async with store.begin() as tx:
        await inbox.keep(tx, [Arrived(update_id=one, chat_id=chat, payload="{}") for one, chat in updates], NOW)


async def taken(store: Store, seat: Seat, *busy: int, limit: int = 10) -> list[int]:
    async with store.begin() as tx:
        found = await inbox.take(tx, NOW, seat.number, busy=frozenset(busy), limit=limit)
    return [one.update_id for one in found]


async def test_what_one_replica_took_no_other_takes_and_each_chat_keeps_its_order(store: Store) -> None:
    await arrived(store, (1, 7), (2, 7), (3, 8), (4, 9))
    async with seated(store, nothing) as one, seated(store, nothing) as other:
        assert await taken(store, one, limit=2) == [1, 3]
        assert await taken(store, other) == [4]
        async with store.begin(settles=1, now=NOW):
            pass
        assert await taken(store, other, 9) == [2]
        assert await taken(store, one, 8) == []


async def test_a_chat_that_another_works_on_waits_even_when_an_older_update_comes_late(store: Store) -> None:
    await arrived(store, (2, 7))
    async with seated(store, nothing) as one, seated(store, nothing) as other:
        assert await taken(store, one) == [2]
        await arrived(store, (1, 7))
        assert await taken(store, other) == []


async def test_what_a_replica_took_and_did_not_do_it_gets_again_also_after_a_failure(store: Store) -> None:
    await arrived(store, (1, 7))
    async with seated(store, nothing) as one, seated(store, nothing) as other:
        assert await taken(store, one) == [1]
        assert await taken(store, one, 7) == []
        assert await taken(store, one) == [1]
        async with store.begin() as tx:
            await inbox.try_again(tx, 1, NOW - timedelta(seconds=1), "a mishap")
        assert await taken(store, other) == [1]


async def test_rows_that_another_takes_just_now_are_passed_over(store: Store) -> None:
    await arrived(store, (1, 7), (2, 8))
    async with seated(store, nothing) as one, seated(store, nothing) as other, store.begin() as tx:
        await inbox.take(tx, NOW, one.number, busy=frozenset(), limit=1)
        assert await taken(store, other) == [2]


async def test_what_a_dead_replica_took_is_given_back_and_what_a_living_one_took_is_not(store: Store) -> None:
    await arrived(store, (1, 7), (2, 8))
    async with seated(store, nothing) as one:
        async with seated(store, nothing) as dead:
            assert await taken(store, dead, limit=1) == [1]
            assert await taken(store, one) == [2]
        await one.look_after()
        async with seated(store, nothing) as new:
            await new.look_after()
            assert await taken(store, new) == [1]


async def test_one_leads_and_another_does_when_it_is_gone(store: Store) -> None:
    async with seated(store, nothing) as other:
        async with seated(store, nothing) as one:
            assert await one.lead(BOT)
            assert not await other.lead(BOT)
            assert await other.lead(BOT + 1)
        assert await other.lead(BOT)


async def test_a_seat_whose_connection_the_database_ended_is_lost(store: Store) -> None:
    async with seated(store, nothing) as one:
        async with store.begin() as tx:
            await tx.run(
                text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'interlude %'")
            )
        with pytest.raises((DBAPIError, InterfaceError, OSError)):
            await one.look_after()


async def test_two_updates_of_one_chat_are_answered_one_after_the_other(store: Store) -> None:
    """Whoever comes second sees what the first did, although both were brought at once."""
    await arrived(store, (1, 7), (2, 7))
    async with store.begin(settles=1, now=NOW), store.read() as other:
        assert not await other.value(text("SELECT pg_try_advisory_xact_lock(5310003, hashint8(7))"))
        assert await other.value(text("SELECT pg_try_advisory_xact_lock(5310003, hashint8(8))"))
    with pytest.raises(AlreadyDone):
        async with store.begin(settles=1, now=NOW):
            pass


async def test_who_leads_is_told_of_what_another_posted(store: Store) -> None:
    import asyncio

    told = asyncio.Event()
    async with seated(store, told.set), seated(store, nothing) as other:
        await other.tell_leader()
        async with asyncio.timeout(5):
            await told.wait()
