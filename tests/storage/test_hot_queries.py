"""What the scheduler asks each second is found by an index: a tick costs what is due, not how many are enrolled."""

import contextlib
import re
import sqlite3
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from conftest import NOW
from sqlalchemy import event

from bot.content.library import Content
from bot.scheduler import EVERY_SECONDS
from bot.storage import inbox, outbox
from bot.storage.store import Store

GROWS = "inbox|outbox|prompts|runs|answers|members|people|cases|case_events|flags|pages|follow_ups|audit|scores"
WALKED = re.compile(rf"SCAN ({GROWS})( USING (COVERING )?INDEX (\w+))?$")
ONLY_WHAT_WAITS = re.compile(r"CREATE (UNIQUE )?INDEX .* WHERE ", re.DOTALL)
"""An index that leaves out all that is done may be walked through."""


async def plans(store: Store, work: Callable[[], Awaitable[object]]) -> list[tuple[str, str]]:
    """Return each step of how SQLite finds what this work asks for, with the statement."""
    asked: list[tuple[str, object]] = []
    engines = (store._reader.sync_engine, store.engine.sync_engine, store._writer.sync_engine)

    def note(_connection, _cursor, statement: str, parameters: object, *_rest) -> None:
        asked.append((statement, parameters))

    for engine in set(engines):
        event.listen(engine, "before_cursor_execute", note)
    await work()
    for engine in set(engines):
        event.remove(engine, "before_cursor_execute", note)
    with contextlib.closing(sqlite3.connect(store.engine.url.database)) as file:
        partial = {
            name
            for name, sql in file.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index'")
            if ONLY_WHAT_WAITS.match(sql or "")
        }
        steps = [
            (step[3], statement)
            for statement, given in asked
            if statement.startswith(("SELECT", "UPDATE", "DELETE"))
            for step in file.execute(f"EXPLAIN QUERY PLAN {statement}", given[0] if isinstance(given, list) else given)
        ]
    assert steps, "nothing was asked"
    return [(step, statement) for step, statement in steps if (found := WALKED.match(step)) and found[4] not in partial]


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("service", EVERY_SECONDS, ids=lambda service: f"{service.__module__}.{service.__name__}")
async def test_no_tick_walks_through_a_table(store: Store, content: Content, service) -> None:
    walked = await plans(store, lambda: service(store, content, NOW + timedelta(days=1)))
    assert not walked


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
async def test_neither_do_the_pumps(store: Store) -> None:
    async def pumped() -> None:
        async with store.read() as tx:
            await inbox.waiting(tx, NOW, busy=frozenset(), limit=64)
            await outbox.ready(tx, NOW, busy=frozenset(), limit=64)
            await outbox.ready(tx, NOW, busy=frozenset(), limit=64, urgent_only=True)

    assert not await plans(store, pumped)
