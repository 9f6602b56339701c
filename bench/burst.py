"""Many prompts due at one minute, with Telegram's limits enforced, and a red alert raised in the middle."""

import time
from contextlib import aclosing
from dataclasses import dataclass, field

from bench.population import CLINICIAN, IN_DANGER, enrol
from bench.stage import Stage, a_morning, stage
from bench.table import Figure, Size
from bench.watching import watch

RED = "I want to kill myself tonight"
WAITED_FOR = 20.0
"""Seconds without a prompt after which no more is waited for."""


@dataclass(kw_only=True)
class Burst:
    """What was seen: real times of prompts, of the red message and of its alert; how often Telegram said 429."""

    prompts: list[float] = field(default_factory=list)
    refused: int = 0
    raised: float = 0.0
    alerted: float = 0.0

    @property
    def rate(self) -> float:
        """Prompts a second from the first to the last."""
        return (len(self.prompts) - 1) / (max(self.prompts) - min(self.prompts))


async def measure(size: Size) -> list[Figure]:
    figures = []
    for ceiling, count, share in (
        (30, size.pick(150, 1500, 10_000), 98),
        (1000, size.pick(300, 1500, 10_000), 90),
    ):
        burst = await _burst(count, ceiling)
        name = f"{count:,} prompts at one minute, {ceiling} a second allowed"
        against = f"the ceiling; {burst.rate:.1f} a second"
        reached = burst.rate / ceiling * 100
        figures += [
            Figure(what=name, measured=reached, unit="%", at_least=share, against=against),
            Figure(what="   refused with 429", measured=burst.refused, unit="times", at_most=0),
            Figure(what="   red alert at Telegram", measured=burst.alerted - burst.raised, unit="s", at_most=1),
            Figure(what="   prompts that arrived", measured=len(burst.prompts) / count * 100, unit="%", at_least=100),
        ]
    return figures


async def _burst(count: int, ceiling: int) -> Burst:
    async with stage(per_second=ceiling, limited=True) as staged:
        await staged.telegram.add_crowd(IN_DANGER, count + 2)
        await enrol(staged.store, count, a_morning(), due=a_morning())
        await staged.start()
        return await _seen(staged, count)


async def _seen(staged: Stage, count: int) -> Burst:
    burst, last = Burst(), time.monotonic()
    async with aclosing(watch(staged.telegram)) as looks:
        async for news in looks:
            for shown in news:
                last = time.monotonic()
                if shown.status != 200:
                    burst.refused += shown.status == 429
                elif shown.prompt:
                    burst.prompts.append(shown.at)
                elif shown.chat_id == CLINICIAN and burst.raised:
                    burst.alerted = burst.alerted or shown.at
            if not burst.raised and len(burst.prompts) > count / 2:
                burst.raised = time.time()
                await staged.telegram.say(IN_DANGER, RED)
            if (len(burst.prompts) >= count and burst.alerted) or time.monotonic() - last > WAITED_FOR:
                return burst
    raise AssertionError("a watch never ends")
