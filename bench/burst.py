"""Many prompts due at one minute, with Telegram's limits enforced, and a red alert raised in the middle."""

import time
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import timedelta

from bench.population import CLINICIAN, FIRST, IN_DANGER, enrol
from bench.stage import Stage, a_morning, processor_time, stage
from bench.table import Figure, Size
from bench.watching import Shown, watch
from bot.telegram.taps import PromptTap, read_tap

RED = "I want to kill myself tonight"
AHEAD = 3
"""Seconds before the minute at which the prompts are due; Interlude serves already."""

WAITED_FOR = 20.0
"""Seconds without a prompt after which no more is waited for."""


@dataclass(kw_only=True)
class Burst:
    """What was seen: real times at which prompts were due and taken, of the red message and of its alert.

    `refused` counts the 429s, `doubled` the prompts taken more than once; `each` is the processor time of a prompt.
    """

    due: float
    taken: dict[int, float] = field(default_factory=dict)
    refused: int = 0
    doubled: int = 0
    raised: float = 0.0
    alerted: float = 0.0
    each: float = 0.0

    @property
    def rate(self) -> float:
        """Prompts a second from when they were due until the last was taken."""
        return len(self.taken) / (max(self.taken.values()) - self.due)

    @property
    def under_way(self) -> float:
        """Prompts a second from the first to the last: without the wait for the tick that finds them."""
        return (len(self.taken) - 1) / (max(self.taken.values()) - min(self.taken.values()))


async def measure(size: Size) -> list[Figure]:
    figures = []
    for ceiling, count, share in (
        (30, size.pick(150, 1500, 10_000), 98),
        (1000, size.pick(1000, 5000, 10_000), 90),
    ):
        burst = await _burst(count, ceiling)
        name = f"{count:,} prompts due at one minute, {ceiling} a second allowed"
        against = f"the ceiling; {burst.rate:.1f} a second, {burst.under_way:.1f} from the first to the last"
        reached = burst.rate / ceiling * 100
        figures += [
            Figure(what=name, measured=reached, unit="%", at_least=share, against=against),
            Figure(what="   refused with 429", measured=burst.refused, unit="times", at_most=0),
            Figure(what="   red alert at Telegram", measured=burst.alerted - burst.raised, unit="s", at_most=1),
            Figure(what="   prompts that arrived", measured=len(burst.taken) / count * 100, unit="%", at_least=100),
            Figure(what="   prompts that came twice", measured=burst.doubled, unit="times", at_most=0),
            Figure(what="   processor time of Interlude a prompt", measured=burst.each, unit="ms"),
        ]
    return figures


async def _burst(count: int, ceiling: int) -> Burst:
    due = a_morning() + timedelta(minutes=10)
    async with stage(per_second=ceiling, limited=True) as staged:
        await staged.telegram.add_crowd(IN_DANGER, count + 2)
        await enrol(staged.store, count, a_morning(), due=due)
        await staged.start()
        clock = await staged.telegram.move_clock(to=(due - timedelta(seconds=AHEAD)).isoformat())
        before = processor_time(staged.pid)
        burst = await _seen(staged, count, due.timestamp() - clock["offset"])
        burst.each = (processor_time(staged.pid) - before) / count * 1000
        return burst


async def _seen(staged: Stage, count: int, due: float) -> Burst:
    burst, last = Burst(due=due), time.monotonic()
    async with aclosing(watch(staged.telegram)) as looks:
        async for news in looks:
            for shown in news:
                last = time.monotonic()
                if shown.status != 200:
                    burst.refused += shown.status == 429
                elif FIRST <= (prompt := _number(shown)) < FIRST + count:
                    burst.doubled += prompt in burst.taken
                    burst.taken.setdefault(prompt, shown.at)
                elif shown.chat_id == CLINICIAN and burst.raised:
                    burst.alerted = burst.alerted or shown.at
            if not burst.raised and len(burst.taken) > count / 2:
                burst.raised = time.time()
                await staged.telegram.say(IN_DANGER, RED)
            if (len(burst.taken) >= count and burst.alerted) or time.monotonic() - last > WAITED_FOR:
                return burst
    raise AssertionError("a watch never ends")


def _number(shown: Shown) -> int:
    """Return the number of the prompt that is shown; 0 when it is none."""
    tap = read_tap(shown.prompt)
    return tap.prompt if isinstance(tap, PromptTap) else 0
