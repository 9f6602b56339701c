"""Tasks that are ended have put back what they held before anything else is closed."""

import asyncio

import pytest

from bot import clock


async def test_what_is_ended_has_put_things_back() -> None:
    put_back = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            put_back.append("connection")

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    await clock.ended([task])
    assert put_back == ["connection"]


async def test_what_does_not_end_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "ENDS_WITHIN", 0.01)
    let_go = asyncio.Event()

    async def work() -> None:
        while not let_go.is_set():
            try:
                await let_go.wait()
            except asyncio.CancelledError:
                continue

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    await clock.ended([task])
    assert not task.done()
    let_go.set()
    await task
