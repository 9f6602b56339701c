"""Three processes on one PostgreSQL, updates by webhook: one is killed, another sends at once, nothing is lost."""

import asyncio
import itertools
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import ClientSession, web
from smtp_server import free_port
from sqlalchemy import func, select, text
from staging import process_environment

from bench.stage import until_ready
from bot.content.library import Content
from bot.sandbox import SandboxClient, serve
from bot.services.enrolment import invite
from bot.storage.replicas import LEADS
from bot.storage.store import Store
from bot.storage.tables import answers, cases, inbox
from bot.storage.vault import Vault, new_key, read_keys

ROOT = Path(__file__).parent.parent.parent
SECRET = "only-telegram-knows-this"
REPLICAS = 3
FAILOVER = 5.0
"""Seconds within which another process sends when the one that did is killed."""

pytestmark = pytest.mark.postgres


@dataclass
class Cluster:
    """The processes, by their ports, and the proxy that gives each update to the next of them that is alive."""

    store: Store
    telegram: SandboxClient
    environment: dict[str, str]
    processes: dict[int, asyncio.subprocess.Process] = field(default_factory=dict)
    turns: Iterator[int] = field(default_factory=lambda: iter(()))
    taken_by: list[int] = field(default_factory=list)

    async def start(self) -> None:
        port = free_port()
        self.processes[port] = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot",
            "run",
            cwd=ROOT,
            env=self.environment | {"INTERLUDE_LISTEN": f"127.0.0.1:{port}"},
        )

    async def ready(self) -> None:
        """Wait until all processes answer that they do their work."""
        async with asyncio.timeout(180):
            await until_ready([f"http://127.0.0.1:{port}" for port in self.processes])

    async def leader(self) -> int:
        """Return the database's process number of the connection that leads."""
        query = text("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid::bigint = :kind")
        async with asyncio.timeout(180):
            while True:
                async with self.store.read() as tx:
                    if found := await tx.value(query.bindparams(kind=LEADS)):
                        return int(found)
                await asyncio.sleep(0.02)

    async def kill_the_leader(self) -> None:
        query = text("SELECT application_name FROM pg_stat_activity WHERE pid = :pid")
        async with self.store.read() as tx:
            name = await tx.value(query.bindparams(pid=await self.leader()))
        port, process = next(one for one in self.processes.items() if name.endswith(f" {one[1].pid}"))
        process.kill()
        await process.wait()
        del self.processes[port]

    async def stopped(self) -> list[int]:
        for process in self.processes.values():
            process.terminate()
        async with asyncio.timeout(30):
            return await asyncio.gather(*(process.wait() for process in self.processes.values()))

    async def forward(self, request: web.Request) -> web.Response:
        """Give an update to the next process, as a proxy does; to another one when that is gone."""
        body = await request.read()
        for _ in range(REPLICAS):
            port = next(self.turns)
            if port not in self.processes:
                continue
            with suppress(OSError):
                async with (
                    ClientSession() as session,
                    session.post(f"http://127.0.0.1:{port}/telegram", data=body, headers=request.headers) as answer,
                ):
                    self.taken_by.append(port)
                    return web.Response(status=answer.status, body=await answer.read())
        return web.Response(status=502)


@pytest.fixture
async def cluster(postgres, light_content: Path) -> AsyncIterator[Cluster]:
    key = new_key("t")
    store = Store(next(postgres), Vault(read_keys(key)))
    async with serve() as sandbox, SandboxClient(sandbox.url) as telegram:
        await telegram.limits(per_second=0, per_chat=0, group_per_minute=0)
        await telegram.add_bot("4242:test", "interlude_test_bot", "Interlude")
        environment = process_environment(sandbox.url, store.url, key, light_content) | {
            "INTERLUDE_WEBHOOK_SECRET": SECRET,
            "INTERLUDE_LOG_LEVEL": "error",
        }
        cluster = Cluster(store, telegram, environment)
        proxy = web.Application()
        proxy.router.add_post("/telegram", cluster.forward)
        runner = web.AppRunner(proxy)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        environment["INTERLUDE_WEBHOOK_URL"] = f"http://127.0.0.1:{runner.addresses[0][1]}/telegram"
        try:
            for _ in range(REPLICAS):
                await cluster.start()
            cluster.turns = itertools.cycle(tuple(cluster.processes))
            await cluster.ready()
            yield cluster
        finally:
            for process in cluster.processes.values():
                if process.returncode is None:
                    process.kill()
                    await process.wait()
            await runner.cleanup()
            await store.close()


async def test_one_of_three_is_killed_and_the_others_go_on(cluster: Cluster, content: Content) -> None:
    telegram, store = cluster.telegram, cluster.store
    clinician = await joined(cluster, content, "clinician", "Dr. Quill Example")
    crowd = [await joined(cluster, content, "participant", f"Robin{number} Sample") for number in range(4)]
    words = {user: [f"walked {number} of {user}" for number in range(6)] for user in crowd}
    writing = asyncio.create_task(write(telegram, words))
    await asyncio.sleep(0.1)
    await cluster.kill_the_leader()
    began = time.monotonic()
    await cluster.leader()
    assert time.monotonic() - began < FAILOVER
    await writing
    await telegram.say(crowd[0], "I want to kill myself tonight")
    await telegram.wait_for(clinician, "case 1", seconds=20)
    await settled(cluster)
    async with store.read() as tx:
        rows = await tx.all(select(answers.c.id, answers.c.text_sealed, answers.c.at).where(answers.c.kind == "remark"))
        kept = sorted(tx.vault.open("answers.text", row.id, row.text_sealed) for row in rows)
        assert await tx.value(select(func.count()).select_from(cases)) == 1
    assert kept == sorted([*itertools.chain(*words.values()), "I want to kill myself tonight"])
    assert len(set(cluster.taken_by)) == REPLICAS
    assert await cluster.stopped() == [0] * (REPLICAS - 1), "SIGTERM ends them in order"


async def write(telegram: SandboxClient, words: dict[int, list[str]]) -> None:
    for number in range(6):
        for user, said in words.items():
            await telegram.say(user, said[number])


async def joined(cluster: Cluster, content: Content, role: str, name: str) -> int:
    telegram = cluster.telegram
    user = await telegram.add_user(name)
    token = await invite(cluster.store, content, programme="adult-evening", role=role, now=datetime.now(UTC))
    await telegram.open(user, f"https://t.me/interlude_test_bot?start={token}")
    if role != "participant":
        await telegram.wait_for(user, "Welcome", seconds=30)
        return user
    for said, button in (("Do you agree?", "I agree"), ("Which language", "English"), ("Where do", "New York")):
        await telegram.tap(user, await telegram.wait_for(user, said, seconds=30), button)
    await telegram.wait_for(user, "You are all set", seconds=30)
    return user


async def settled(cluster: Cluster) -> None:
    waits = select(func.count()).select_from(inbox).where(inbox.c.done_at.is_(None))
    async with asyncio.timeout(30):
        while True:
            async with cluster.store.read() as tx:
                if not await tx.value(waits):
                    return
            await asyncio.sleep(0.1)
