"""How long somebody waits for the reply to an answer, while 100 answers arrive each second."""

import asyncio
import time
from collections import defaultdict, deque
from contextlib import aclosing

from bench.answer import SAID
from bench.chart import percentile
from bench.population import FIRST, enrol
from bench.stage import Stage, a_morning, stage
from bench.table import Figure, Size
from bench.watching import watch

A_SECOND = 100
CHATS = 400
"""So many that nobody writes again before the reply is there."""


async def measure(size: Size) -> list[Figure]:
    seconds = size.pick(8, 25, 60)
    async with stage(per_second=1000, limited=False) as staged:
        await staged.telegram.add_crowd(FIRST - 2, CHATS + 2)
        await enrol(staged.store, CHATS, a_morning())
        await staged.start()
        took, unanswered = await _answered(staged, seconds)
    answered = len(took) / (len(took) + len(unanswered)) * 100
    against = f"{len(took) + len(unanswered):,} answers over HTTP, {answered:.1f} % replied to by 5 s after the last"
    waits, what = took + unanswered, f"an answer at {A_SECOND} a second"
    return [
        Figure(what=f"{what}, p50", measured=percentile(waits, 50), unit="s"),
        Figure(what=f"{what}, p99", measured=percentile(waits, 99), unit="s", against=against),
    ]


async def _answered(staged: Stage, seconds: int) -> tuple[list[float], list[float]]:
    """Have answers written, so many a second whatever the bot does.

    Return what each reply took, and how long those without one have waited by the end: they count as that, at least.
    """
    waiting: dict[int, deque[float]] = defaultdict(deque)
    took: list[float] = []
    writing = asyncio.create_task(_write(staged, seconds, waiting))
    until = time.monotonic() + seconds + 5
    async with aclosing(watch(staged.telegram)) as looks:
        async for news in looks:
            for shown in news:
                times = waiting[shown.chat_id]
                if times and times[0] <= shown.at:
                    took.append(shown.at - times.popleft())
            if time.monotonic() > until:
                await writing
                return took, [time.time() - at for times in waiting.values() for at in times]
    raise AssertionError("a watch never ends")


async def _write(staged: Stage, seconds: int, waiting: dict[int, deque[float]]) -> int:
    began, said = time.monotonic(), set()
    for number in range(seconds * A_SECOND):
        chat, text = FIRST + number % CHATS, SAID[number // CHATS % len(SAID)]
        await asyncio.sleep(max(0.0, began + number / A_SECOND - time.monotonic()))
        waiting[chat].append(time.time())
        said.add(asyncio.create_task(staged.telegram.say(chat, text)))
    await asyncio.gather(*said)
    return len(said)
