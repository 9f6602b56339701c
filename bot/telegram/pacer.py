"""The frames of a breathing pacer: one message that says what to do and for how long, beside a bar that breathes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from bot.domain.activity import Breath, Pace

Motion = Literal["grow", "stay", "shrink"]

CELLS = 12
"""Cells of the bar: they fit one line of a narrow phone."""

LONG = 4
"""Seconds from which on a phase shows a frame every two seconds: Telegram allows about one edit a second in a chat."""

_MOTIONS: dict[int, tuple[Motion, ...]] = {
    1: ("grow",),
    2: ("grow", "shrink"),
    3: ("grow", "stay", "shrink"),
}
_BOX: tuple[Motion, ...] = ("grow", "stay", "shrink", "stay")


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What the message shows from `at_seconds` after the start on."""

    at_seconds: float
    text: str


def frames(pace: Pace, words: str) -> tuple[Frame, ...]:
    """Return the frames of a whole practice, at least a second apart; `words` is the line "Round {n} of {of}"."""
    shown: list[Frame] = []
    began = 0
    for number in range(1, pace.rounds + 1):
        line = words.replace("{n}", str(number)).replace("{of}", str(pace.rounds))
        for breath, motion, at_end in _phases(pace):
            shown.extend(_phase_frames(began, breath, motion, line, at_end=at_end))
            began += breath.seconds
    return tuple(shown)


def _phases(pace: Pace) -> Iterator[tuple[Breath, Motion, float]]:
    """Yield each phase with its motion and how full the bar is at its end, from 0 to 1."""
    motions = _MOTIONS.get(len(pace.phases), _BOX)
    full = 0.0
    for index, breath in enumerate(pace.phases):
        motion = motions[index % len(motions)]
        full = {"grow": 1.0, "stay": full, "shrink": 0.0}[motion]
        yield breath, motion, full


def _phase_frames(began: int, breath: Breath, motion: Motion, line: str, *, at_end: float) -> Iterator[Frame]:
    every = 2 if breath.seconds >= LONG else 1
    for second in range(0, breath.seconds, every):
        done = min(1.0, (second + every) / breath.seconds)
        full = {"grow": done, "stay": at_end, "shrink": 1 - done}[motion]
        word = breath.word[:1].upper() + breath.word[1:]
        yield Frame(at_seconds=began + second, text=f"{word} · {breath.seconds - second}\n{_bar(full)}\n{line}")


def _bar(full: float) -> str:
    """Draw the bar as it will be when the frame's time is over, so that it moves as soon as the phase begins."""
    filled = round(full * CELLS)
    return "●" * filled + "○" * (CELLS - filled)
