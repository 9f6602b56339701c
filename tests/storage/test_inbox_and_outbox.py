"""The inbox keeps each update once and in order; the outbox sends by lane, each chat in its order."""

import asyncio
from datetime import timedelta

import pytest
from conftest import NOW

from bot.clock import Clock
from bot.settling import Settling
from bot.storage import inbox, outbox
from bot.storage.inbox import Arrived
from bot.storage.outbox import Card, Lane, Outcome, Posting
from bot.storage.store import AlreadyDone, Store

NOBODY: frozenset[int] = frozenset()


async def keep(store: Store, *updates: tuple[int, int]) -> None:
    async with store.begin() as tx:
        await inbox.keep(tx, [Arrived(update_id=u, chat_id=c, payload=f"{{{u}}}") for u, c in updates], NOW)


async def waiting(store: Store, now=NOW, busy=NOBODY) -> list[int]:
    async with store.read() as tx:
        return [one.update_id for one in await inbox.waiting(tx, now, busy=busy, limit=10)]


async def test_an_update_delivered_twice_is_kept_once(store: Store) -> None:
    await keep(store, (1, 7), (2, 8))
    await keep(store, (2, 8), (3, 9))
    assert await waiting(store) == [1, 2, 3]


async def test_an_update_with_the_number_of_a_long_gone_one_is_kept_once_too(store: Store) -> None:
    await keep(store, (1, 7))
    async with store.begin() as tx:
        await inbox.done(tx, 1, NOW)
    again = [Arrived(update_id=1, chat_id=7, payload="{}")]
    for days, expected in ((1, 0), (8, 1), (8, 1)):
        async with store.begin() as tx:
            await inbox.keep(tx, again, NOW + timedelta(days=days))
        assert len(await waiting(store, NOW + timedelta(days=9))) == expected
    async with store.read() as tx:
        assert await inbox.last_update_id(tx) == 1


async def test_only_the_first_update_of_a_chat_waits_and_busy_chats_are_left_out(store: Store) -> None:
    await keep(store, (1, 7), (2, 7), (3, 8))
    assert await waiting(store) == [1, 3]
    assert await waiting(store, busy=frozenset({7})) == [3]


async def test_a_chat_whose_first_update_waits_for_another_try_waits_as_a_whole(store: Store) -> None:
    await keep(store, (1, 7), (2, 7))
    async with store.begin() as tx:
        await inbox.try_again(tx, 1, NOW + timedelta(seconds=5), "boom")
    assert await waiting(store) == []
    assert await waiting(store, NOW + timedelta(seconds=5)) == [1]


async def test_an_update_settled_in_a_transaction_that_fails_is_not_settled(store: Store) -> None:
    await keep(store, (1, 7))
    with pytest.raises(RuntimeError):
        async with store.begin(settles=1, now=NOW):
            raise RuntimeError
    assert await waiting(store) == [1]


async def test_an_update_is_settled_only_once(store: Store) -> None:
    await keep(store, (1, 7))
    async with store.begin(settles=1, now=NOW):
        pass
    with pytest.raises(AlreadyDone):
        async with store.begin(settles=1, now=NOW):
            pass
    assert await waiting(store) == []


async def test_set_aside_updates_are_out_of_the_way_and_counted(store: Store) -> None:
    await keep(store, (1, 7), (2, 7))
    async with store.begin() as tx:
        await inbox.set_aside(tx, 1, NOW, "boom")
    assert await waiting(store) == [2]
    async with store.read() as tx:
        assert await inbox.set_aside_count(tx) == 1


def posting(key: str, chat_id: int, lane: Lane, **known) -> Posting:
    return Posting(key=key, chat_id=chat_id, lane=lane, payload=f'{{"text": "{key}"}}', **known)


async def ready(store: Store, now=NOW) -> list[str]:
    async with store.read() as tx:
        return [one.payload[10:-2] for one in await outbox.ready(tx, now, busy=NOBODY, limit=10)]


async def test_safety_goes_before_everything_and_each_chat_keeps_its_order(store: Store) -> None:
    async with store.begin() as tx:
        await outbox.post(tx, [posting("prompt", 1, Lane.PROMPT), posting("reply", 1, Lane.REPLY)], NOW)
        await outbox.post(tx, [posting("bulk", 2, Lane.BULK), posting("other", 3, Lane.REPLY)], NOW)
        await outbox.post(tx, [posting("alert", 1, Lane.SAFETY)], NOW)
    assert await ready(store) == ["alert", "other", "prompt", "bulk"]


async def test_the_same_key_is_posted_once(store: Store) -> None:
    for _ in range(2):
        async with store.begin() as tx:
            await outbox.post(tx, [posting("once", 1, Lane.REPLY)], NOW)
    assert await ready(store) == ["once"]


async def test_a_commit_wakes_the_sender_only_when_something_was_posted(store: Store) -> None:
    async with store.begin():
        pass
    assert not store.posted.is_set()
    async with store.begin() as tx:
        await outbox.post(tx, [posting("a", 1, Lane.REPLY)], NOW)
        assert not store.posted.is_set()
    assert store.posted.is_set()


async def test_what_is_too_late_is_said_to_be(store: Store) -> None:
    async with store.begin() as tx:
        await outbox.post(tx, [posting("late", 1, Lane.PROMPT, expires_at=NOW)], NOW)
    async with store.read() as tx:
        (parcel,) = await outbox.ready(tx, NOW + timedelta(seconds=1), busy=NOBODY, limit=10)
    assert parcel.stale == "late"


async def test_a_message_is_settled_once(store: Store) -> None:
    async with store.begin() as tx:
        await outbox.post(tx, [posting("a", 1, Lane.REPLY)], NOW)
        (parcel,) = await outbox.ready(tx, NOW, busy=NOBODY, limit=10)
        assert await outbox.settle(tx, parcel.id, "sent", NOW, message_id=5)
        assert not await outbox.settle(tx, parcel.id, "sent", NOW, message_id=5)
    assert await ready(store) == []


async def test_a_message_that_failed_holds_up_its_own_chat_only(store: Store) -> None:
    async with store.begin() as tx:
        await outbox.post(tx, [posting("a", 1, Lane.REPLY), posting("b", 1, Lane.REPLY)], NOW)
        await outbox.post(tx, [posting("c", 2, Lane.REPLY)], NOW)
        first, _ = await outbox.ready(tx, NOW, busy=NOBODY, limit=10)
        await outbox.try_again(tx, first.id, NOW + timedelta(seconds=3), "429")
    assert await ready(store) == ["c"]
    assert await ready(store, NOW + timedelta(seconds=3)) == ["a", "c"]


async def test_a_card_is_found_where_it_was_placed_last(store: Store) -> None:
    async with store.begin() as tx:
        await outbox.place_card(tx, 1, "run:1", Card(message_id=5, photo=False))
        await outbox.place_card(tx, 1, "run:1", Card(message_id=9, photo=False))
        found = await outbox.standing(tx, [(1, "run:1"), (1, "run:2"), (2, "run:1")])
    assert found == {(1, "run:1"): Card(message_id=9, photo=False)}


async def test_many_messages_are_settled_at_once_each_only_once(store: Store) -> None:
    async with store.begin() as tx:
        await outbox.post(tx, [posting(key, chat, Lane.REPLY) for key, chat in (("a", 1), ("b", 2), ("c", 3))], NOW)
        a, b, c = await outbox.ready(tx, NOW, busy=NOBODY, limit=10)
        await outbox.settle(tx, c.id, "dropped", NOW)
        placed = Card(message_id=7, photo=False)
        outcomes = [
            Outcome(id=one.id, chat_id=one.chat_id, state="sent", message_id=7, card="run:1", placed=placed)
            for one in (a, b, c)
        ]
        assert await outbox.settle_all(tx, outcomes, NOW) == {a.id, b.id}
        assert await outbox.settle_all(tx, outcomes, NOW) == set()
        assert set(await outbox.standing(tx, [(chat, "run:1") for chat in (1, 2, 3)])) == {(1, "run:1"), (2, "run:1")}
    assert await ready(store) == []


async def test_one_that_cannot_be_settled_leaves_the_others_settled(store: Store, monkeypatch) -> None:
    async with store.begin() as tx:
        await outbox.post(tx, [posting(key, chat, Lane.REPLY) for key, chat in (("a", 1), ("b", 2), ("c", 3))], NOW)
        parcels = await outbox.ready(tx, NOW, busy=NOBODY, limit=10)
    settle_all = outbox.settle_all

    async def failing(tx, outcomes, now):
        if any(one.id == parcels[1].id for one in outcomes):
            raise OSError("no space left on device")
        return await settle_all(tx, outcomes, now)

    monkeypatch.setattr(outbox, "settle_all", failing)
    settling = Settling(store, Clock())
    outcomes = [Outcome(id=one.id, chat_id=one.chat_id, state="sent") for one in parcels]
    told = await asyncio.gather(*map(settling.settle, outcomes), return_exceptions=True)
    assert [type(one) for one in told] == [type(None), OSError, type(None)]
    assert await ready(store) == ["b"]
