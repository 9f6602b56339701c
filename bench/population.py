"""A made-up population: who answers, ignores, snoozes or blocks, the same each time for the same seed."""

import random
import tomllib
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import ColumnElement, String, cast, insert, literal

from bench.crowd import Number, insert_many
from bot.storage.store import Store
from bot.storage.tables import members, people, prompts

HABITS = Path(__file__).parent / "habits.toml"
FIRST = 10_000_001
"""The Telegram id of the first participant; the clinician's comes before it, and the one in danger before that."""

CLINICIAN, IN_DANGER = FIRST - 1, FIRST - 2
PROGRAMME = "adult-evening"


@dataclass(frozen=True, kw_only=True)
class Habits:
    """The share of each reaction to a prompt, the delays in seconds, and what is typed by who answers."""

    share: dict[str, float]
    mean: float
    most: float
    typed: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Act:
    """What somebody does with a prompt (answers, ignores, snoozes, blocks), and the seconds before each thing done."""

    reaction: str
    delays: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Population:
    """So many made-up participants."""

    people: int
    seed: int
    habits: Habits

    def act(self, chat_id: int) -> Act:
        """Return what this participant does; it depends on the seed and the id only."""
        chance = random.Random(f"{self.seed}:{chat_id}")
        reaction = chance.choices(list(self.habits.share), weights=list(self.habits.share.values()))[0]
        steps = 1 + len(self.habits.typed)
        delays = (min(self.habits.most, chance.expovariate(1 / self.habits.mean)) for _ in range(steps))
        return Act(reaction=reaction, delays=tuple(delays))


def read_habits(file: Path = HABITS) -> Habits:
    """Read habits. Raises ValueError that says what is wrong with them."""
    told = tomllib.loads(file.read_text(encoding="utf-8"))
    share = {name: float(value) for name, value in told["share"].items()}
    if set(share) != {"answers", "ignores", "snoozes", "blocks"} or abs(sum(share.values()) - 1) > 1e-6:
        raise ValueError(f"{file}: [share] needs answers, ignores, snoozes and blocks, which add up to 1")
    typed = tuple(str(one) for one in told["answers"]["typed"])
    return Habits(share=share, mean=float(told["delay"]["mean"]), most=float(told["delay"]["most"]), typed=typed)


async def enrol(store: Store, count: int, now: datetime, *, due: datetime | None = None) -> None:
    """Enrol so many participants straight into the database, each with a prompt at `due`; and a clinician.

    One more participant, who gets no prompt, is the one in danger.
    """
    async with store.begin() as tx:
        await tx.run(insert(people), [_person(CLINICIAN, now), _person(IN_DANGER, now)])
        await tx.run(insert(members), [_member(CLINICIAN, now, role="clinician"), _member(IN_DANGER, now)])
    async with store.begin() as tx:
        await insert_many(tx, people, [_person(FIRST, now)], count, _own_person)
        await insert_many(
            tx, members, [_member(FIRST, now)], count, lambda n: {"id": FIRST + n, "person_id": FIRST + n}
        )
        if due:
            row = prompt_row(FIRST, "bench", due)
            await insert_many(tx, prompts, [row], count, lambda n: {"id": FIRST + n, "member_id": FIRST + n})


def _own_person(n: Number) -> dict[str, ColumnElement]:
    return {"id": FIRST + n, "telegram_id": FIRST + n, "code": literal("B").concat(cast(FIRST + n, String))}


def _person(telegram_id: int, now: datetime) -> dict:
    return {
        "id": telegram_id,
        "telegram_id": telegram_id,
        "code": f"B{telegram_id}",
        "language": "en",
        "zones": [["2026-01-01T00:00:00+00:00", "America/New_York"]],
        "country": "US",
        "created_at": now,
    }


def _member(telegram_id: int, now: datetime, *, role: str = "participant") -> dict:
    return {
        "id": telegram_id,
        "person_id": telegram_id,
        "programme": PROGRAMME,
        "role": role,
        "standing": "active",
        "level": "iop" if role == "participant" else "",
        "began": (now - timedelta(days=1)).date() if role == "participant" else None,
        "preferences": {},
        "pauses": [],
        "created_at": now,
    }


def prompt_row(member: int, slot: str, due: datetime, *, prompt_id: int | None = None, hours: int = 6) -> dict:
    """Return a planned daily check-in, to be sent and answered within so many hours; nobody has two of one slot."""
    return {
        "id": prompt_id or member,
        "member_id": member,
        "stream": "check-in",
        "slot": slot,
        "status": "planned",
        "kind": "measure",
        "activity": "daily-check-in",
        "due_at": due,
        "latest_at": due + timedelta(hours=hours),
        "answer_within": hours * 3600,
        "snoozes": 0,
    }
