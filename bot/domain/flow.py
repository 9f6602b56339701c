"""The practice engine: what a person does next in an activity, decided from where they are and what they answer.

`advance` decides and returns effects; it does nothing itself. For any valid activity and any inputs it ends or
asks, never raises, and every answer that was understood comes back in a `Recorded`.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from types import MappingProxyType
from typing import Literal

from bot.domain.activity import (
    Activity,
    Choice,
    Finish,
    FreeText,
    Goto,
    Level,
    Many,
    Number,
    Option,
    Pace,
    Route,
    Scale,
    Step,
    Switch,
    Target,
    TimeOfDay,
)
from bot.domain.understanding import folded, number_in, option_in, options_in, time_in
from bot.domain.words import Words, fill, join

Phase = Literal["asking", "waiting", "ended"]
Act = Literal["go", "number", "pick", "tick", "untick", "done", "skip", "back", "stop"]
Unclear = Literal["number", "range", "option", "options", "time", "button", "empty"]
SWITCHED, STOPPED = "switched", "stopped"
NUMBERS_IN_A_ROW = 6
LONGEST_QUOTED = 400
"""Characters of an answer that a later step shows again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was answered at a step. `number` is the scale's or number's value or the option's score.

    `options` are the indices chosen; a skipped step has `skipped` and nothing else.
    """

    step: str
    text: str = ""
    number: float | None = None
    options: tuple[int, ...] = ()
    skipped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Where a person is. `turn` grows with every change, so that a button of an older screen is known as such.

    `trail` are the steps passed that can be gone back to, `ticked` what is chosen so far where many may be.
    """

    step: str = ""
    turn: int = 0
    phase: Phase = "asking"
    answers: Mapping[str, Answer] = field(default_factory=lambda: MappingProxyType({}))
    trail: tuple[str, ...] = ()
    ticked: frozenset[int] = frozenset()
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class Begin:
    """The person starts."""


@dataclass(frozen=True, slots=True)
class Resume:
    """The person comes back and wants to see where they were."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tap:
    """A button of the screen of `turn`. `value` is the number or the option's index where the act has one."""

    turn: int
    act: Act
    value: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrote:
    """The person typed something."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Elapsed:
    """The pause that began in `turn` is over."""

    turn: int


Input = Begin | Resume | Tap | Wrote | Elapsed


@dataclass(frozen=True, slots=True)
class Shown:
    """The screen changed: show it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """An answer was given: keep it."""

    answer: Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """The person went back: the answer of that step no longer counts."""

    step: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedAgain:
    """What was typed is no answer to what was asked: ask again in other words. `text` is what was typed."""

    why: Unclear
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """Nothing to do until `pause` is over; then an `Elapsed` with this `turn` is due. `pace` leads the breath."""

    turn: int
    pause: timedelta
    pace: Pace | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """The person came to a step that raises a flag of this level."""

    step: str
    level: Level


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The practice is over; `shown` when its last step has a screen of its own."""

    outcome: str
    shown: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Switched:
    """The person goes on with another skill."""

    skill: str


@dataclass(frozen=True, slots=True)
class Stale:
    """The button belongs to an older screen: nothing changed."""


Effect = Shown | Reached | Recorded | Withdrawn | AskedAgain | Waits | Ended | Switched | Stale


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """A button of a screen. An empty `label` means the interface's own word for the act."""

    act: Act
    value: int = 0
    label: str = ""
    ticked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """What the person sees: the words filled in, the rows of buttons, and how far along they are (0 to 1)."""

    step: Step
    words: Words
    rows: tuple[tuple[Button, ...], ...]
    progress: float


def advance(activity: Activity, state: State, given: Input) -> tuple[State, tuple[Effect, ...]]:
    """Return the state after `given`, and what is to be done about it, in order."""
    match given:
        case Begin():
            return _enter(activity, State(), Goto(step=activity.first))
        case _ if state.phase == "ended":
            return state, (Stale(),)
        case Resume():
            again = replace(state, turn=state.turn + 1) if state.phase == "asking" else state
            return again, (Shown(),)
        case Elapsed(turn=turn):
            if state.phase != "waiting" or turn != state.turn:
                return state, (Stale(),)
            return _enter(activity, _passed(state), _target(activity, state))
        case Tap():
            return _tapped(activity, state, given)
        case Wrote(text=text):
            return _wrote(activity, state, text)


def screen(activity: Activity, state: State) -> Screen:
    """Return what the person sees in this state (in an ended one: the last screen, without buttons)."""
    step = activity.steps[state.step]
    opening = activity.intro if not state.trail else ()
    words = fill(join((opening, step.heading, step.body)), values(state))
    rows = () if state.phase == "ended" else tuple(_rows(state, step))
    return Screen(step=step, words=words, rows=rows, progress=progress(activity, state))


def values(state: State) -> dict[str, str]:
    """Return what `{name}` stands for: each answer in words, cut short where it would fill the screen."""
    return {step: _cut(answer.text) or "…" for step, answer in state.answers.items()}


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_QUOTED else text[: LONGEST_QUOTED - 1] + "…"


def progress(activity: Activity, state: State) -> float:
    """Return how far along the person is, from 0 to 1, by the shortest way to an end."""
    if state.phase == "ended":
        return 1.0
    left = _steps_left(activity, state.step)
    return len(state.trail) / (len(state.trail) + left)


def targets(step: Step) -> Iterator[Target]:
    """Yield every way out of a step."""
    options = step.ask.options if isinstance(step.ask, Choice) else ()
    routes = step.ask.routes if isinstance(step.ask, Scale | Number) else ()
    led = [*(option.target for option in options), *(route.target for route in routes)]
    yield from (target for target in led if target)
    if step.optional or (not routes and not options) or any(option.target is None for option in options):
        yield step.target


def _steps_left(activity: Activity, start: str) -> int:
    """Return the number of screens from `start` to the nearest end, itself included."""
    reached, queue = {start}, deque([(start, 1)])
    while queue:
        name, far = queue.popleft()
        for target in targets(activity.steps[name]):
            if not isinstance(target, Goto):
                return far
            if target.step not in reached:
                reached.add(target.step)
                queue.append((target.step, far + 1))
    return 1


def _tapped(activity: Activity, state: State, tap: Tap) -> tuple[State, tuple[Effect, ...]]:
    offered = {(button.act, button.value) for row in screen(activity, state).rows for button in row}
    if tap.turn != state.turn or (tap.act, tap.value) not in offered | _opposites(offered):
        return state, (Stale(),)
    step = activity.steps[state.step]
    match tap.act:
        case "stop":
            return _end(state, STOPPED, shown=False)
        case "back":
            return _back(state)
        case "tick" | "untick":
            changed = state.ticked | {tap.value} if tap.act == "tick" else state.ticked - {tap.value}
            return replace(state, ticked=changed), (Shown(),)
        case "skip":
            return _answered(activity, state, Answer(step=step.id, skipped=True))
        case "done":
            return _answered(activity, state, _chosen(step, tuple(sorted(state.ticked))))
        case "pick":
            return _answered(activity, state, _chosen(step, (tap.value,)))
        case "number":
            return _answered(activity, state, Answer(step=step.id, text=str(tap.value), number=float(tap.value)))
        case "go":
            return _enter(activity, _passed(state), _target(activity, state))


def _opposites(offered: set[tuple[Act, int]]) -> set[tuple[Act, int]]:
    """A second tap on a box before the screen is redrawn asks for what it already is; it is no old button."""
    other: dict[Act, Act] = {"tick": "untick", "untick": "tick"}
    return {(other[act], value) for act, value in offered if act in other}


def _wrote(activity: Activity, state: State, text: str) -> tuple[State, tuple[Effect, ...]]:
    step = activity.steps[state.step]
    if state.phase == "waiting" or step.ask is None:
        return state, (AskedAgain(why="button", text=text),)
    understood = _understood(step, text)
    if isinstance(understood, Answer):
        return _answered(activity, state, understood)
    return replace(state, turn=state.turn + 1), (AskedAgain(why=understood, text=text), Shown())


def _understood(step: Step, text: str) -> Answer | Unclear:
    match step.ask:
        case FreeText():
            return Answer(step=step.id, text=text.strip()) if text.strip() else "empty"
        case Scale(low=low, high=high):
            number = number_in(text)
            if number is None or number != int(number):
                return "number"
            return _number(step, number) if low <= number <= high else "range"
        case Number(low=least, high=most):
            number = number_in(text)
            if number is None:
                return "number"
            fits = (least is None or number >= least) and (most is None or number <= most)
            return _number(step, number) if fits else "range"
        case TimeOfDay():
            moment = time_in(text)
            return Answer(step=step.id, text=f"{moment:%H:%M}") if moment else "time"
        case Many(options=options):
            several = options_in(text, [option.label for option in options])
            return "options" if several is None else _chosen(step, several)
        case Choice(options=options):
            one = _option_in(text, options)
            return "option" if one is None else _chosen(step, (one,))
        case None:
            return "button"


def _option_in(text: str, options: tuple[Option, ...]) -> int | None:
    """Return the option meant; where options have scores, a bare figure may mean a score or a place and is unclear."""
    index, said = option_in(text, [option.label for option in options]), folded(text)
    if index is None or not said.isdecimal() or folded(options[index].label).startswith(said):
        return index
    return None if any(option.score is not None for option in options) else index


def _number(step: Step, number: float) -> Answer:
    return Answer(step=step.id, text=f"{number:g}", number=number)


def _chosen(step: Step, indices: tuple[int, ...]) -> Answer:
    options = _options(step)
    picked = [options[index] for index in indices]
    scores = [option.score for option in picked if option.score is not None]
    return Answer(
        step=step.id,
        text=", ".join(option.label for option in picked),
        number=float(sum(scores)) if scores else None,
        options=indices,
    )


def _options(step: Step) -> tuple[Option, ...]:
    return step.ask.options if isinstance(step.ask, Choice | Many) else ()


def _answered(activity: Activity, state: State, answer: Answer) -> tuple[State, tuple[Effect, ...]]:
    step = activity.steps[state.step]
    kept = replace(state, answers=MappingProxyType({**state.answers, step.id: answer}), ticked=frozenset())
    recorded = Recorded(answer=answer)
    if step.wait:
        waiting, effects = _wait(replace(kept, turn=kept.turn + 1), step.wait, None)
    else:
        waiting, effects = _enter(activity, _passed(kept), _target(activity, kept))
    return waiting, (recorded, *effects)


def _passed(state: State) -> State:
    return replace(state, trail=(*state.trail, state.step))


def _target(activity: Activity, state: State) -> Target:
    """Return where the present step leads, by its answer if it has one."""
    step = activity.steps[state.step]
    answer = state.answers.get(step.id)
    if answer is None or answer.skipped:
        return step.target
    if isinstance(step.ask, Choice) and answer.options:
        return step.ask.options[answer.options[0]].target or step.target
    if isinstance(step.ask, Scale | Number) and answer.number is not None:
        return _routed(step.ask.routes, answer.number) or step.target
    return step.target


def _routed(routes: tuple[Route, ...], number: float) -> Target | None:
    return next((route.target for route in routes if route.covers(number)), None)


def _enter(activity: Activity, state: State, target: Target) -> tuple[State, tuple[Effect, ...]]:
    match target:
        case Finish(outcome=outcome):
            return _end(state, outcome, shown=False)
        case Switch(skill=skill):
            ended, effects = _end(state, SWITCHED, shown=False)
            return ended, (*effects, Switched(skill=skill))
        case Goto(step=name):
            return _show(state, activity.steps[name])


def _show(state: State, step: Step) -> tuple[State, tuple[Effect, ...]]:
    there, effects = _shown(state, step)
    return there, (*((Reached(step=step.id, level=step.flag),) if step.flag else ()), *effects)


def _shown(state: State, step: Step) -> tuple[State, tuple[Effect, ...]]:
    there = replace(state, step=step.id, turn=state.turn + 1, phase="asking", ticked=frozenset())
    if step.ask is None and step.pace:
        return _wait(there, timedelta(seconds=step.pace.seconds) + (step.wait or timedelta(0)), step.pace)
    if step.ask is None and step.wait:
        return _wait(there, step.wait, None)
    if step.ask is None and isinstance(step.target, Finish):
        return _end(there, step.target.outcome, shown=True)
    return there, (Shown(),)


def _wait(state: State, pause: timedelta, pace: Pace | None) -> tuple[State, tuple[Effect, ...]]:
    return replace(state, phase="waiting"), (Shown(), Waits(turn=state.turn, pause=pause, pace=pace))


def _end(state: State, outcome: str, *, shown: bool) -> tuple[State, tuple[Effect, ...]]:
    ended = replace(state, turn=state.turn + (0 if shown else 1), phase="ended", outcome=outcome)
    return ended, (*((Shown(),) if shown else ()), Ended(outcome=outcome, shown=shown))


def _back(state: State) -> tuple[State, tuple[Effect, ...]]:
    """Go to the last step passed that asked for something or can be read again; its answer no longer counts."""
    *before, last = state.trail
    answers = {name: answer for name, answer in state.answers.items() if name != last}
    there = replace(
        state,
        step=last,
        turn=state.turn + 1,
        phase="asking",
        trail=tuple(before),
        answers=MappingProxyType(answers),
        ticked=frozenset(),
    )
    withdrawn = (Withdrawn(step=last),) if last in state.answers else ()
    return there, (*withdrawn, Shown())


def _rows(state: State, step: Step) -> Iterator[tuple[Button, ...]]:
    if state.phase == "waiting":
        yield (Button(act="go"),)
    else:
        yield from _answer_rows(step, state)
        if step.optional:
            yield (Button(act="skip"),)
    back = (Button(act="back"),) if state.trail else ()
    yield (*back, Button(act="stop"))


def _answer_rows(step: Step, state: State) -> Iterator[tuple[Button, ...]]:
    match step.ask:
        case Scale(low=low, high=high):
            numbers = [Button(act="number", value=n, label=str(n)) for n in range(low, high + 1)]
            for start in range(0, len(numbers), NUMBERS_IN_A_ROW):
                yield tuple(numbers[start : start + NUMBERS_IN_A_ROW])
        case Choice(options=options):
            for index, option in enumerate(options):
                yield (Button(act="pick", value=index, label=option.label),)
        case Many(options=options):
            for index, option in enumerate(options):
                on = index in state.ticked
                yield (Button(act="untick" if on else "tick", value=index, label=option.label, ticked=on),)
            yield (Button(act="done"),)
        case None:
            yield (Button(act="go"),)
