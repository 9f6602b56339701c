"""When work is stuck, staff are told in chat, the heartbeat stops, and /readyz fails, until it goes on."""

import asyncio
import socket
from collections.abc import AsyncIterator

import httpx
import pytest
from pydantic import SecretStr

from bot import headway, intake, scheduler, watchman
from bot.app import wired
from bot.services import menus
from bot.web import Counting, make_web


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(headway, "STALLED_AFTER", 3.0)
    monkeypatch.setattr(watchman, "LOOK_EVERY", 0.1)
    monkeypatch.setattr(intake, "LONG_POLL", 1)
    monkeypatch.setattr(scheduler, "EVERY_SECONDS", dict.fromkeys(scheduler.EVERY_SECONDS, 0.2))


@pytest.fixture
async def monitor(stage) -> AsyncIterator[httpx.AsyncClient]:
    store, headway, now = stage.app.store, stage.app.headway, stage.app.clock.now
    web = httpx.ASGITransport(make_web(store, headway, now, Counting(store, now)))
    async with httpx.AsyncClient(transport=web, base_url="http://interlude") as client:
        yield client


async def test_staff_are_told_of_a_stall_and_of_its_end(hasty: None, stage, monitor: httpx.AsyncClient) -> None:
    staff = await stage.colleague("Ellis Sample", "staff")
    outsider = await stage.participant()
    await stage.app.watchman._learn()
    assert (await monitor.get("/readyz")).status_code == 200
    async with stage.app.store.begin():
        told = await stage.telegram.wait_for(staff, "the timetable and alerts")
        assert "Interlude is stuck" in told["text"]
        answer = await monitor.get("/readyz")
        assert (answer.status_code, answer.json()["ready"]) == (503, False)
        assert "scheduler" in answer.json()["stalled"]
        assert (await monitor.get("/livez")).status_code == 200
    await stage.telegram.wait_for(staff, "Interlude works again")
    assert (await monitor.get("/readyz")).json() == {"ready": True, "database": True, "stalled": []}
    messages = await stage.telegram.chat(outsider)
    assert all("stuck" not in one.get("text", "") for one in messages)


async def test_a_message_that_cannot_be_sent_for_a_minute_stalls_the_sender(hasty: None, stage) -> None:
    user = await stage.participant()
    await stage.telegram.fault("502", "sendMessage", times=100)
    await stage.telegram.say(user, "/help")
    async with asyncio.timeout(10):
        while "sender" not in stage.app.headway.stalled():
            await asyncio.sleep(0.05)


async def test_handling_that_hangs_stalls_the_inbox_and_staff_are_told(hasty: None, stage, monkeypatch) -> None:
    async def hangs(*_given) -> None:
        await asyncio.Event().wait()

    staff, user = await stage.colleague("Ellis Sample", "staff"), await stage.participant()
    await stage.app.watchman._learn()
    monkeypatch.setattr(menus, "show_help", hangs)
    await stage.telegram.say(user, "/help")
    await stage.telegram.wait_for(staff, "handling what people write", seconds=15)
    assert "inbox" in stage.app.headway.stalled()


async def test_the_heartbeat_stops_while_work_is_stuck(hasty: None, stage, monkeypatch) -> None:
    beats = 0

    async def monitor(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal beats
        await reader.readline()
        beats += 1
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(monitor, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    async with server:
        stage.app.ticks._heartbeat_url = f"http://{host}:{port}/"
        await stage.app.ticks._beat()
        assert beats == 1
        stage.app.headway.watch("polling", ["a thing that never comes"])
        monkeypatch.setattr(headway, "STALLED_AFTER", 0.0)
        await stage.app.ticks._beat()
        assert beats == 1


async def test_the_server_answers_where_the_settings_say(stage) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = stage.settings.model_copy(update={"listen": f"127.0.0.1:{port}", "token": SecretStr("4242:test")})
    async with wired(settings, stage.app.library) as app, httpx.AsyncClient() as client:
        serving = asyncio.create_task(app._serve())
        async with asyncio.timeout(10):
            while True:
                try:
                    answer = await client.get(f"http://127.0.0.1:{port}/readyz")
                    break
                except httpx.ConnectError:
                    await asyncio.sleep(0.02)
        assert answer.json() == {"ready": True, "database": True, "stalled": []}
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
