"""Killed at any moment under load and started again, Interlude loses nothing and doubles next to nothing.

`SEEDS` has more rounds played: `SEEDS=200 pytest tests/crash` (or `make soak`).
"""

import asyncio
import os
import random
import signal
import sys
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, update
from staging import process_environment

from bot.content.library import Content
from bot.sandbox import Sandbox, SandboxClient, serve
from bot.services.enrolment import invite
from bot.storage.store import Store
from bot.storage.tables import answers, cases, flags, inbox, members, new_id, outbox, people, prompts, runs
from bot.storage.vault import Vault, new_key, read_keys

ROOT = Path(__file__).parent.parent.parent
ROUNDS = int(os.environ.get("SEEDS", "1"))
KILLS = 2
PEOPLE = 5
RED = "I want to kill myself tonight, number {}"
PROMPTS, PROMPTS_WITHIN = 40, 8.0
"""Prompts that fall due while it is killed, spread over so many seconds."""
NOTHING = "I sat on the balcony with my tea, number {}"


@dataclass
class Scene:
    """An Interlude of its own process, which is killed and started again, and the people who write to it."""

    sandbox: Sandbox
    telegram: SandboxClient
    store: Store
    environment: dict[str, str]
    kills: int = 0
    process: asyncio.subprocess.Process | None = None
    said: dict[int, list[str]] = field(default_factory=dict)

    async def start(self) -> None:
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "run", cwd=ROOT, env=self.environment, stderr=asyncio.subprocess.DEVNULL
        )

    async def kill(self) -> None:
        assert self.process
        self.process.send_signal(signal.SIGKILL)
        await self.process.wait()
        self.kills += 1

    async def stopped(self) -> int:
        assert self.process
        self.process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self.process.wait(), 30)

    async def joined(self, content: Content, role: str, name: str) -> int:
        user = await self.telegram.add_user(name)
        token = await invite(self.store, content, programme="adult-evening", role=role, now=await self._now())
        await self.telegram.open(user, f"https://t.me/interlude_test_bot?start={token}")
        if role != "participant":
            await self.telegram.wait_for(user, "Welcome", seconds=120)
            return user
        for text, button in (("Do you agree?", "I agree"), ("Which language", "English"), ("Where do", "New York")):
            await self.telegram.tap(user, await self.telegram.wait_for(user, text, seconds=120), button)
        await self.telegram.wait_for(user, "You are all set", seconds=120)
        self.said[user] = []
        return user

    async def says(self, user: int, text: str) -> None:
        self.said[user].append(text)
        await self.telegram.say(user, text)

    async def settled(self) -> None:
        """Wait until everything that was written is handled and everything that was posted is sent."""
        planned_still = prompts.c.status == "planned"
        wanted = sum(not text.startswith("/") for own in self.said.values() for text in own)
        async with asyncio.timeout(60):
            while True:
                async with self.store.read() as tx:
                    kept = await tx.value(select(func.count()).select_from(answers).where(answers.c.kind == "remark"))
                    waits = await tx.value(select(func.count()).select_from(inbox).where(inbox.c.done_at.is_(None)))
                    ready = await tx.value(select(func.count()).select_from(outbox).where(outbox.c.state == "ready"))
                    due = await tx.value(select(func.count()).where(prompts.c.slot.like("crash/%"), planned_still))
                if kept >= wanted and not waits and not ready and not due:
                    return
                await asyncio.sleep(0.2)

    async def _now(self) -> datetime:
        return datetime.fromisoformat((await self.telegram.clock())["now"])


@pytest.fixture
async def scene(store: Store, light_content: Path) -> AsyncIterator[Scene]:
    key = new_key("t")
    store.vault = Vault(read_keys(key))
    async with serve() as sandbox, SandboxClient(sandbox.url) as telegram:
        await telegram.limits(per_second=0, per_chat=0, group_per_minute=0)
        await telegram.add_bot("4242:test", "interlude_test_bot", "Interlude")
        environment = process_environment(sandbox.url, store.url, key, light_content)
        scene = Scene(sandbox=sandbox, telegram=telegram, store=store, environment=environment)
        await scene.start()
        try:
            yield scene
        finally:
            assert scene.process
            if scene.process.returncode is None:
                await scene.kill()


@pytest.mark.parametrize("seed", range(ROUNDS))
async def test_killed_at_random_moments_nothing_is_lost(scene: Scene, content: Content, seed: int) -> None:
    chance = random.Random(seed)
    clinician = await scene.joined(content, "clinician", "Dr. Quill Example")
    crowd = [await scene.joined(content, "participant", f"Robin{number} Sample") for number in range(PEOPLE)]
    await begins_a_practice(scene, crowd[0])
    await plan_prompts(scene, crowd[1:])
    for kill in range(KILLS):
        writing = asyncio.create_task(write(scene, crowd[1:], chance, kill))
        await asyncio.sleep(chance.uniform(0.02, 0.6))
        await scene.kill()
        await scene.start()
        await writing
        await asyncio.sleep(chance.uniform(0.0, 4.0))
    await scene.settled()
    await check_the_promises(scene, clinician, crowd)
    assert await scene.stopped() == 0, "SIGTERM ends it in order"


async def begins_a_practice(scene: Scene, user: int) -> None:
    await scene.says(user, "/checkin")
    await scene.telegram.tap(user, await scene.telegram.wait_for(user, "mood", seconds=120), "6")
    await scene.telegram.wait_for(user, "How much distress", seconds=120)


async def plan_prompts(scene: Scene, crowd: list[int]) -> None:
    """Let a prompt be due for one or another all the time, at noon where they live."""
    now = await scene._now()
    noon = f"Etc/GMT{now.hour - 12:+d}"
    async with scene.store.begin() as tx:
        await tx.run(update(people).values(zones=[["2026-11-01T00:00:00+00:00", noon]]))
        mine = select(members.c.id).join(people, people.c.id == members.c.person_id)
        ids = [await tx.value(mine.where(people.c.telegram_id == user)) for user in crowd]
        await tx.run(insert(prompts), [planned(ids[n % len(ids)], n, now) for n in range(PROMPTS)])


def planned(member: int, number: int, now: datetime) -> dict:
    due = now + timedelta(seconds=number * PROMPTS_WITHIN / PROMPTS)
    return {
        "id": new_id(),
        "member_id": member,
        "stream": "check-in",
        "slot": f"crash/{number}",
        "status": "planned",
        "kind": "measure",
        "activity": "daily-check-in",
        "due_at": due,
        "latest_at": due + timedelta(hours=1),
        "answer_within": 3600,
        "snoozes": 0,
    }


async def write(scene: Scene, crowd: list[int], chance: random.Random, kill: int) -> None:
    for number in range(3):
        for user in crowd:
            text = RED if chance.random() < 0.3 else NOTHING
            await scene.says(user, text.format(f"{kill}{number}"))
            await asyncio.sleep(chance.uniform(0, 0.03))


async def check_the_promises(scene: Scene, clinician: int, crowd: list[int]) -> None:
    async with scene.store.read() as tx:
        kept = await tx.all(select(answers.c.id, answers.c.text_sealed).where(answers.c.kind == "remark"))
        texts = Counter(tx.vault.open("answers.text", row.id, row.text_sealed) for row in kept)
        flagged = await tx.value(select(func.count(func.distinct(flags.c.answer_id))))
        opened = await tx.value(select(func.count()).select_from(cases))
        places = [row.phase for row in await tx.all(select(runs.c.phase))]
        by_chat = select(outbox.c.chat_id, func.count().label("posted")).where(outbox.c.state == "sent")
        posted = {row.chat_id: row.posted for row in await tx.all(by_chat.group_by(outbox.c.chat_id))}
        ours = prompts.c.slot.like("crash/%")
        undecided = await tx.value(select(func.count()).where(ours, prompts.c.status == "planned"))
        per_prompt = select(func.count()).where(ours, outbox.c.prompt_id == prompts.c.id).group_by(prompts.c.id)
        prompted = [row[0] for row in await tx.all(per_prompt)]
        order = select(outbox.c.chat_id, outbox.c.lane, outbox.c.message_id).where(
            outbox.c.state == "sent", outbox.c.lane != 0, outbox.c.message_id.is_not(None)
        )
        went = defaultdict[tuple[int, int], list[int]](list)
        for row in await tx.all(order.order_by(outbox.c.id)):
            went[row.chat_id, row.lane].append(row.message_id)
    assert not undecided, "each prompt that was due was sent, or left out"
    assert set(prompted) == {1}, "no prompt was posted twice"
    for (
        messages
    ) in went.values():  # on PostgreSQL a prompt and a reply that are posted at the same moment have no order
        new = list(dict.fromkeys(messages))  # an edit changes an older message
        assert new == sorted(new), "messages of a chat keep their order"
    said = Counter(text for own in scene.said.values() for text in own if not text.startswith("/"))
    assert texts == said, "each answer is kept once"
    red = sum(count for text, count in said.items() if text.startswith("I want to kill"))
    in_danger = [user for user, own in scene.said.items() if any(text.startswith("I want to kill") for text in own)]
    assert flagged == red, "each red answer has its flag"
    assert opened == len(in_danger), "each of them has a case"
    assert places == ["asking"], "the practice is where it was"
    alerts = await texts_to(scene, clinician, "case")
    for number in range(1, opened + 1):
        assert any(f"case {number}" in text for text in alerts), "each case was alerted"
    for user in in_danger:
        assert await texts_to(scene, user, "988"), "who is in danger got the contacts"
    for user in (clinician, *crowd):
        doubled = len(await taken_for(scene, user, "sendMessage", "editMessageText")) - posted[user]
        assert 0 <= doubled <= scene.kills, "nothing is lost, and at most one message of a chat is doubled a kill"
    await scene.telegram.tap(crowd[0], await scene.telegram.wait_for(crowd[0], "How much distress"), "4")
    await scene.telegram.wait_for(crowd[0], "hurt yourself", seconds=120)


async def texts_to(scene: Scene, user: int, word: str) -> list[str]:
    return [text for text in await taken_for(scene, user, "sendMessage") if word in text]


async def taken_for(scene: Scene, user: int, *methods: str) -> list[str]:
    """All messages for somebody that Telegram took by these methods."""
    log = [one for one in await scene.telegram.log() if one["method"] in methods and one["status"] == 200]
    return [str(one["params"]["text"]) for one in log if int(one["params"]["chat_id"]) == user]
