"""The whole under load: a made-up population gets its prompts and answers, ignores, snoozes or blocks.

Interlude, the local Telegram and this are processes of their own, and talk over HTTP.
"""

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path

from bench.chart import load_svg, percentile
from bench.population import FIRST, Act, Population, enrol, read_habits
from bench.stage import Stage, a_morning, stage
from bench.watching import Shown, watch

MOST_PEOPLE = 100_000
BAR = 30
QUIET_FOR = 15.0
"""Seconds without anything shown or done after which it is over, whatever did not come."""


@dataclass(kw_only=True)
class Outcome:
    """What was seen: seconds since the start of each prompt, and of each answer with how long the bot took for it."""

    delivered: list[float] = field(default_factory=list)
    answers: list[tuple[float, float]] = field(default_factory=list)
    refused: Counter[int] = field(default_factory=Counter)
    reactions: Counter[str] = field(default_factory=Counter)

    def told(self) -> dict:
        """Return the figures by name."""
        took = [latency for _, latency in self.answers]
        spread = max(self.delivered, default=0) - min(self.delivered, default=0)
        return {
            "prompts": len(self.delivered),
            "prompts_per_second": round((len(self.delivered) - 1) / spread, 2) if spread else 0.0,
            "answers": len(self.answers),
            "answer_p50_seconds": round(percentile(took, 50), 3),
            "answer_p99_seconds": round(percentile(took, 99), 3),
            "refused": dict(self.refused),
            "reactions": dict(sorted(self.reactions.items())),
        }


@dataclass(kw_only=True)
class Crowd:
    """The population at its phones."""

    staged: Stage
    population: Population
    began: float
    outcome: Outcome = field(default_factory=Outcome)
    waiting: dict[int, tuple[float, Callable[[], None]]] = field(default_factory=dict)
    acting: set[asyncio.Task[None]] = field(default_factory=set)
    busy_at: float = 0.0

    def sees(self, shown: Shown) -> None:
        """Take in what the bot showed: a prompt is reacted to, anything else is the reply to what was done."""
        self.busy_at = time.monotonic()
        if shown.status != 200:
            self.outcome.refused[shown.status] += 1
        elif shown.prompt:
            self.outcome.delivered.append(shown.at - self.began)
            self._react(shown)
        elif (waits := self.waiting.get(shown.chat_id)) and shown.at >= waits[0]:
            del self.waiting[shown.chat_id]
            self.outcome.answers.append((shown.at - self.began, shown.at - waits[0]))
            waits[1]()

    @property
    def idle(self) -> bool:
        """Whether nobody does anything any more, and all prompts are there."""
        return len(self.outcome.delivered) >= self.population.people and not self.acting and not self.waiting

    def _react(self, shown: Shown) -> None:
        act = self.population.act(shown.chat_id)
        self.outcome.reactions[act.reaction] += 1
        if act.reaction != "ignores":
            self._soon(self._does(shown, act))

    def _soon(self, work) -> None:
        task = asyncio.create_task(work)
        self.acting.add(task)
        task.add_done_callback(self.acting.discard)

    async def _does(self, shown: Shown, act: Act) -> None:
        await asyncio.sleep(act.delays[0])
        telegram, user = self.staged.telegram, shown.chat_id
        if act.reaction == "blocks":
            await telegram.block(user)
        elif act.reaction == "snoozes":
            self.waiting[user] = (time.time(), lambda: None)
            await telegram.tap(user, shown.message, data=shown.prompt.removesuffix("start") + "2h", wait=0)
        else:
            self.waiting[user] = (time.time(), lambda: self._soon(self._types(user, act, 0)))
            await telegram.tap(user, shown.message, data=shown.prompt, wait=0)

    async def _types(self, user: int, act: Act, step: int) -> None:
        typed = self.population.habits.typed
        if step < len(typed):
            await asyncio.sleep(act.delays[step + 1])
            self.waiting[user] = (time.time(), lambda: self._soon(self._types(user, act, step + 1)))
            await self.staged.telegram.say(user, typed[step])


async def run(population: Population, *, per_second: float, seconds: float, limited: bool = True) -> Outcome:
    """Let the population live through one prompt each, `seconds` long at most."""
    async with stage(per_second=per_second, limited=limited) as staged:
        await staged.telegram.add_crowd(FIRST - 2, population.people + 2)
        await enrol(staged.store, population.people, a_morning(), due=a_morning())
        began = time.time()
        crowd = Crowd(staged=staged, population=population, began=began, busy_at=time.monotonic())
        bar = Bar(population.people)
        await staged.start()
        async with aclosing(watch(staged.telegram)) as looks:
            async for news in looks:
                for shown in news:
                    crowd.sees(shown)
                bar.show(crowd)
                quiet = time.monotonic() - crowd.busy_at > QUIET_FOR and not crowd.acting
                if crowd.idle or quiet or time.time() - began > seconds:
                    break
        bar.end()
        for task in crowd.acting:
            task.cancel()
        return crowd.outcome


class Bar:
    """A progress bar of plain text: one line that changes on a terminal, a line every ten seconds elsewhere."""

    def __init__(self, people: int) -> None:
        self._people = people
        self._terminal = sys.stderr.isatty()
        self._shown_at = 0.0

    def show(self, crowd: Crowd) -> None:
        """Show how far it is, not more often than can be read."""
        now = time.monotonic()
        if now - self._shown_at < (0.2 if self._terminal else 10):
            return
        self._shown_at = now
        end = "" if self._terminal else "\n"
        print(("\r" if self._terminal else "") + self.line(crowd), end=end, file=sys.stderr, flush=True)

    def line(self, crowd: Crowd) -> str:
        """Return the bar and the figures so far."""
        got = len(crowd.outcome.delivered)
        full = BAR * got // max(1, self._people)
        recent = crowd.outcome.answers[-200:]
        wait = percentile([latency for _, latency in recent], 50)
        return (
            f"[{'#' * full}{'.' * (BAR - full)}] {got:,} of {self._people:,} prompts,"
            f" {len(crowd.outcome.answers):,} answers, lately {wait:.2f} s each"
        )

    def end(self) -> None:
        """Leave the line."""
        if self._terminal:
            print(file=sys.stderr)


def main(arguments: list[str]) -> None:
    """Read the command line, run, and write the chart and the figures."""
    parser = argparse.ArgumentParser(
        prog="python -m bench load",
        description=__doc__,
        epilog="Example: python -m bench load --people 1000 --seed 1 --out load",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--people", type=int, default=1000, help=f"participants, 1 to {MOST_PEOPLE}")
    parser.add_argument("--seed", type=int, default=1, help="the same seed has the same people do the same")
    parser.add_argument("--out", type=Path, required=True, help="the folder for load.svg and load.json")
    parser.add_argument("--per-second", type=float, default=30, help="Telegram's limit on messages, enforced: 30")
    parser.add_argument("--seconds", type=float, default=3600, help="to end after so long at most")
    parser.add_argument("--habits", type=Path, default=None, help="a file like bench/habits.toml")
    given = parser.parse_args(arguments)
    if not 1 <= given.people <= MOST_PEOPLE:
        parser.error(f"--people must be from 1 to {MOST_PEOPLE}")
    if not 0 < given.per_second <= 1000:
        parser.error("--per-second must be above 0, and 1000 at most")
    try:
        habits = read_habits(given.habits) if given.habits else read_habits()
    except (OSError, ValueError, KeyError) as error:
        parser.error(f"the habits cannot be read: {error}")
    population = Population(people=given.people, seed=given.seed, habits=habits)
    outcome = asyncio.run(run(population, per_second=given.per_second, seconds=given.seconds))
    _write(outcome, population, given.out)


def _write(outcome: Outcome, population: Population, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    title = f"{population.people:,} made-up participants, seed {population.seed}"
    (folder / "load.svg").write_text(load_svg(title, outcome.delivered, outcome.answers), encoding="utf-8")
    told = json.dumps(outcome.told(), indent=2)
    (folder / "load.json").write_text(told + "\n", encoding="utf-8")
    print(told)
