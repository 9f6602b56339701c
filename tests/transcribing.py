"""Conversations as data: every way through an activity, played by the engine and written down to be read.

A conversation covers ways that no earlier one took, by the shortest way there and on to an end.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.content.library import Content
from bot.domain import flow
from bot.domain.activity import Choice, FreeText, Many, Measure, Number, Scale, Skill, Step, TimeOfDay
from bot.domain.flow import Begin, Elapsed, State, Tap, Wrote
from bot.domain.words import plain

FOLDER = Path(__file__).parent / "transcripts"
WORDS = {"en": "what I would say", "es": "lo que yo diría"}
BUTTONS = {"go": "(continue)", "skip": "(leave out)", "done": "(done)", "back": "(back)", "stop": "(stop)"}


@dataclass(frozen=True)
class Move:
    """What a person does at a step: taps (act, value), typed words, or nothing while a pause goes by."""

    act: str
    value: int = 0
    text: str = ""


Edge = tuple[str, Move]


def moves(step: Step, language: str) -> list[tuple[Move, ...]]:
    """Return one way to answer for each way out of a step."""
    found: list[tuple[Move, ...]]
    match step.ask:
        case Scale(low=low, high=high, routes=routes):
            numbers = [int(route.low) for route in routes] or [(low + high) // 2]
            found = [(Move("number", number),) for number in numbers]
        case Number(low=low, routes=routes):
            numbers = [route.low for route in routes] or [(low or 0) + 7]
            found = [(Move("write", text=f"{number:g}"),) for number in numbers]
        case FreeText():
            found = [(Move("write", text=WORDS.get(language, WORDS["en"])),)]
        case TimeOfDay():
            found = [(Move("write", text="7:30"),)]
        case Choice(options=options):
            found = [(Move("pick", index),) for index in range(len(options))]
        case Many():
            found = [(Move("tick", 0), Move("done"))]
        case None:
            found = [(Move("wait"),)] if step.wait or step.pace else [(Move("go"),)]
    return [*found, (Move("skip"),)] if step.optional else found


def conversations(activity: Skill | Measure) -> Iterator[str]:
    """Yield conversations until every way out of every step was taken."""
    left = dict.fromkeys(edge for edge, _ in _edges(activity))
    while left:
        text, taken = _told(activity, _path_to(activity, next(iter(left)), left))
        assert taken & left.keys(), (activity.id, next(iter(left)))
        for edge in taken & left.keys():
            del left[edge]
        yield text


def file_of(activity: Skill | Measure) -> Path:
    """Return where an activity's conversations are kept."""
    kind = "skills" if isinstance(activity, Skill) else "measures"
    return FOLDER / kind / f"{activity.id}.{activity.language}.txt"


def written(activity: Skill | Measure) -> str:
    """Return all conversations of an activity, as they are kept."""
    told = [f"===== {number}\n\n{text}" for number, text in enumerate(conversations(activity), start=1)]
    return f"{activity.title}\n\n" + "\n".join(told)


def shipped(content: Content) -> list[Skill | Measure]:
    """Return everything that people are led through, in each language."""
    libraries = (content.skills, content.measures)
    return [one for library in libraries for versions in library.values() for one in versions.values()]


def _edges(activity: Skill | Measure) -> list[tuple[Edge, str]]:
    """Return every way out of every step that asks or waits, and the step it leads to (empty: an end)."""
    found = []
    for step in activity.steps.values():
        state, _ = flow.advance(activity, State(step="", trail=()), Begin())
        here = State(step=step.id, turn=state.turn, phase="waiting" if _waits(step) else "asking")
        if step.ask is None and not _waits(step) and flow.screen(activity, here).step.id in _last(activity):
            continue
        for way in moves(step, activity.language):
            after = _played(activity, here, way)[0]
            found.append(((step.id, way[0]), "" if after.phase == "ended" else after.step))
    return found


def _waits(step: Step) -> bool:
    return step.ask is None and bool(step.wait or step.pace)


def _last(activity: Skill | Measure) -> set[str]:
    """Return the steps that end when they are shown."""
    from bot.domain.activity import Finish

    return {
        step.id
        for step in activity.steps.values()
        if step.ask is None and not _waits(step) and isinstance(step.target, Finish)
    }


def _path_to(activity: Skill | Measure, wanted: Edge, left: dict[Edge, None]) -> list[Edge]:
    """Return the edges from the first step through the wanted one to an end, taking new ones where it may."""
    edges = _edges(activity)
    ways = dict(edges)
    before = _shortest(activity, ways, activity.first, lambda step: step == wanted[0])
    path = [*before, wanted]
    at = ways[wanted]
    while at and at not in _last(activity):
        fresh = [edge for edge in ways if edge[0] == at and edge in left and edge not in path]
        if fresh:
            path.append(fresh[0])
            at = ways[fresh[0]]
            continue
        path += _shortest(activity, ways, at, lambda step: not step or step in _last(activity))
        break
    return path


def _shortest(activity: Skill | Measure, ways: dict[Edge, str], start: str, there) -> list[Edge]:
    reached: dict[str, list[Edge]] = {start: []}
    queue = deque([start])
    while queue:
        at = queue.popleft()
        if there(at):
            return reached[at]
        for edge, leads in ways.items():
            if edge[0] == at and leads not in reached:
                reached[leads] = [*reached[at], edge]
                queue.append(leads)
    raise AssertionError(f"{activity.id}: no way from {start}")


def _told(activity: Skill | Measure, path: list[Edge]) -> tuple[str, set[Edge]]:
    """Play a path and write it down."""
    state, effects = flow.advance(activity, State(), Begin())
    lines = _screen(activity, state, effects)
    taken = set()
    for edge in path:
        step = activity.steps[state.step]
        way = next(way for way in moves(step, activity.language) if way[0] == edge[1])
        taken.add(edge)
        for move in way:
            lines.append(f"    > {_said(step, move)}")
            state, effects = _played(activity, state, (move,))
            lines += _screen(activity, state, effects)
    return "\n".join(lines) + "\n", taken


def _played(activity: Skill | Measure, state: State, way: tuple[Move, ...]) -> tuple[State, tuple[flow.Effect, ...]]:
    effects: tuple[flow.Effect, ...] = ()
    for move in way:
        match move.act:
            case "write":
                given: flow.Input = Wrote(text=move.text)
            case "wait":
                given = Elapsed(turn=state.turn)
            case _:
                given = Tap(turn=state.turn, act=move.act, value=move.value)
        state, effects = flow.advance(activity, state, given)
    return state, effects


def _said(step: Step, move: Move) -> str:
    match move.act:
        case "write":
            return move.text
        case "wait":
            return f"(… {step.wait or ''}{f'{step.pace.rounds} rounds' if step.pace else ''})"
        case "number":
            return str(move.value)
        case "pick" | "tick":
            assert isinstance(step.ask, Choice | Many)
            return f"[{step.ask.options[move.value].label}]"
        case _:
            return BUTTONS[move.act]


def _screen(activity: Skill | Measure, state: State, effects: tuple[flow.Effect, ...]) -> list[str]:
    lines = []
    for effect in effects:
        match effect:
            case flow.Recorded(answer=answer):
                number = "" if answer.number is None else f" ({answer.number:g})"
                lines.append(f"    = {answer.step}: {answer.text or 'left out'}{number}")
            case flow.Reached(step=step, level=level):
                lines.append(f"    ! {level}: {step}")
            case flow.Shown():
                shown = flow.screen(activity, state)
                labels = [_label(button) for row in shown.rows for button in row if button.act not in ("back", "stop")]
                lines += ["", plain(shown.words), *([" ".join(labels)] if labels else []), ""]
            case flow.Switched(skill=skill):
                lines.append(f"    → {skill}")
            case flow.Ended(outcome=outcome):
                lines.append(f"    ■ {outcome or 'ended'}")
    return lines


def _label(button: flow.Button) -> str:
    tick = ("☑ " if button.ticked else "☐ ") if button.act in ("tick", "untick") else ""
    return f"[{tick}{button.label}]" if button.label else BUTTONS[button.act]
