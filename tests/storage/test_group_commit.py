"""On SQLite, transactions that wait for their turn share a commit, and each is still done or undone alone."""

import asyncio
from pathlib import Path
from shutil import copy

import pytest
from conftest import NOW, VAULT
from sqlalchemy import event, func, insert, select

from bot.storage.group_commit import GroupLost
from bot.storage.one_trip import Connection
from bot.storage.store import Store
from bot.storage.tables import marks


class Mishap(Exception):
    """Something went wrong inside of a transaction."""


@pytest.fixture
async def store(tmp_path: Path, sqlite_template: Path):
    copy(sqlite_template, tmp_path / "test.db")
    store = Store(f"sqlite+aiosqlite:///{tmp_path / 'test.db'}", VAULT)
    yield store
    await store.close()


@pytest.fixture
def commits(store: Store) -> list[int]:
    found: list[int] = []
    event.listen(store.engine.sync_engine, "commit", lambda _: found.append(1))
    return found


async def mark(store: Store, name: str, *, fails: bool = False, brief: bool = False) -> None:
    async with store.begin(brief=brief) as tx:
        await tx.run(insert(marks).values(name=name, value="1", at=NOW))
        if fails:
            raise Mishap


async def kept(store: Store) -> int:
    async with store.read() as tx:
        return await tx.value(select(func.count()).select_from(marks))


async def test_those_who_wait_share_a_commit_and_nobody_waits_for_a_lone_one(store: Store, commits: list[int]) -> None:
    await mark(store, "lone")
    assert len(commits) == 1
    await asyncio.gather(*(mark(store, str(number)) for number in range(40)))
    assert await kept(store) == 41
    assert len(commits) < 20


async def test_whoever_goes_on_is_committed(store: Store) -> None:
    async def marked_and_seen(name: str) -> bool:
        await mark(store, name)
        async with store.read() as tx:
            return await tx.value(select(marks.c.value).where(marks.c.name == name)) == "1"

    assert all(await asyncio.gather(*(marked_and_seen(str(number)) for number in range(20))))


@pytest.mark.parametrize("bad", [frozenset({0}), frozenset({7}), frozenset({19}), frozenset(range(0, 20, 2))])
async def test_one_that_fails_is_undone_alone(store: Store, bad: frozenset[int]) -> None:
    outcomes = await asyncio.gather(
        *(mark(store, str(number), fails=number in bad) for number in range(20)), return_exceptions=True
    )
    assert {number for number, outcome in enumerate(outcomes) if isinstance(outcome, Mishap)} == bad
    assert await kept(store) == 20 - len(bad)
    await mark(store, "after")


async def test_one_that_is_cancelled_leaves_the_others_whole_or_told(store: Store) -> None:
    tasks = [asyncio.create_task(mark(store, str(number))) for number in range(20)]
    await asyncio.sleep(0.002)
    tasks[5].cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    good = sum(outcome is None for outcome in outcomes)
    assert all(outcome is None or isinstance(outcome, (GroupLost, asyncio.CancelledError)) for outcome in outcomes)
    assert await kept(store) in (good, good + 1)  # who was cancelled may have been committed
    await mark(store, "after")


async def test_when_the_commit_fails_all_who_shared_it_are_told_and_the_next_goes_well(store: Store) -> None:
    def broken(_connection) -> None:
        raise OSError("no space left")

    event.listen(store.engine.sync_engine, "commit", broken)
    outcomes = await asyncio.gather(*(mark(store, str(number)) for number in range(10)), return_exceptions=True)
    assert all(isinstance(outcome, (GroupLost, OSError)) for outcome in outcomes)
    event.remove(store.engine.sync_engine, "commit", broken)
    assert await kept(store) == 0
    await mark(store, "after")
    assert await kept(store) == 1


async def test_who_leaves_the_line_leaves_nobody_waiting_for_their_commit(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = asyncio.create_task(mark(store, "first"))
    await asyncio.sleep(0)
    second = asyncio.create_task(mark(store, "second"))
    turn = store._group._turn
    release = turn.release

    def released_and_the_next_leaves() -> None:
        release()
        second.cancel()

    monkeypatch.setattr(turn, "release", released_and_the_next_leaves)
    await asyncio.wait_for(first, 5)
    assert second.cancelled()
    assert await kept(store) == 1


async def test_who_is_cancelled_while_they_commit_loses_nobody_elses_work(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    committing, commit = asyncio.Event(), Connection.commit

    async def slowly(self: Connection) -> None:
        committing.set()
        await asyncio.sleep(0.05)
        await commit(self)

    monkeypatch.setattr(Connection, "commit", slowly)
    first = asyncio.create_task(mark(store, "first"))
    await asyncio.sleep(0)
    second = asyncio.create_task(mark(store, "second"))
    await committing.wait()
    second.cancel()
    await asyncio.wait_for(first, 5)
    assert await kept(store) == 2


async def test_the_file_is_scrubbed_between_two_groups(store: Store) -> None:
    *_, scrubbed = await asyncio.gather(*(mark(store, str(number)) for number in range(30)), store.scrub())
    assert await kept(store) == 30
    assert scrubbed in (True, False)


async def test_brief_ones_share_a_commit_with_others_and_one_that_fails_is_undone_alone(
    store: Store, commits: list[int]
) -> None:
    told = await asyncio.gather(
        *(mark(store, str(number), fails=number % 5 == 0, brief=number % 2 == 0) for number in range(40)),
        return_exceptions=True,
    )
    assert [isinstance(one, Mishap) for one in told] == [number % 5 == 0 for number in range(40)]
    assert await kept(store) == 32
    assert len(commits) < 20


async def test_what_is_brief_runs_in_the_event_loop_but_its_begin_and_commit_never_do(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    went: list[str] = []
    execute = Connection._execute

    async def watched(self: Connection, function, *given):
        went.append(given[1].split()[0] if len(given) > 1 else function.__name__)
        return await execute(self, function, *given)

    await mark(store, "connected before")
    monkeypatch.setattr(Connection, "_execute", watched)
    await mark(store, "one", brief=True)
    assert [one for one in went if one != "rollback"] == ["BEGIN", "commit"]
    went.clear()
    await mark(store, "another")
    assert "INSERT" in went


async def test_what_is_read_briefly_leaves_its_connection_as_it_was(store: Store) -> None:
    await mark(store, "one")
    for _ in range(6):  # more than there are connections
        async with store.read(brief=True) as tx:
            seen = await tx.value(select(func.count()).select_from(marks))
        with pytest.raises(Mishap):
            async with store.read(brief=True) as tx:
                raise Mishap
    await mark(store, "two")
    assert (seen, await kept(store)) == (1, 2)
    async with store.read(brief=True) as tx:
        assert await tx.value(select(func.count()).select_from(marks)) == 2
