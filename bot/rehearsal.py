"""A practice in the terminal: what participants see and may answer, for who writes content."""

from pathlib import Path

import typer

from bot.content.library import Content, load
from bot.domain import flow
from bot.domain.activity import Measure, Skill
from bot.domain.flow import Act, Begin, Elapsed, Screen, State, Tap, Wrote
from bot.domain.words import plain

_WORDS: dict[Act, str] = {"go": "continue", "skip": "skip", "done": "done", "back": "back", "stop": "stop"}


def rehearse(folder: Path, name: str, language: str) -> None:
    """Lead through a skill or measure. Raises UnknownContent."""
    activity = _find(load(folder).content, name, language)
    state, effects = flow.advance(activity, State(), Begin())
    typer.echo(f"{activity.title} ({activity.language}), version {activity.version}\n")
    while True:
        _tell(effects)
        shown = flow.screen(activity, state)
        if any(isinstance(effect, flow.Shown) for effect in effects):
            _show(shown)
        if state.phase == "ended":
            return
        state, effects = flow.advance(activity, state, _ask(state, shown))


def _find(content: Content, name: str, language: str) -> Skill | Measure:
    return content.activity("measure" if name in content.measures else "skill", name, language)


def _show(shown: Screen) -> None:
    typer.echo(f"{'─' * 40} {shown.progress:.0%}\n{plain(shown.words)}\n")
    for number, button in enumerate((button for row in shown.rows for button in row), start=1):
        tick = ("☑ " if button.ticked else "☐ ") if button.act in ("tick", "untick") else ""
        typer.echo(f"  [{number}] {tick}{button.label or _WORDS[button.act]}")


def _ask(state: State, shown: Screen) -> flow.Input:
    """Read an answer: the number of a button with a dot (`.3`), or words as they would be typed."""
    buttons = [button for row in shown.rows for button in row]
    said = str(typer.prompt("\n.NUMBER taps a button, anything else is typed", default=".1", show_default=False))
    if said.startswith(".") and said[1:].isdigit() and 1 <= int(said[1:]) <= len(buttons):
        button = buttons[int(said[1:]) - 1]
        return Tap(turn=state.turn, act=button.act, value=button.value)
    if state.phase == "waiting" and not said:
        return Elapsed(turn=state.turn)
    return Wrote(text=said)


def _tell(effects: tuple[flow.Effect, ...]) -> None:
    for effect in effects:
        match effect:
            case flow.Waits(pause=pause, pace=pace):
                typer.echo(f"(… {'breathing' if pace else 'waiting'} for {pause}; button 1 goes on at once)")
            case flow.AskedAgain(why=why):
                typer.echo(f"(not understood: {why})")
            case flow.Switched(skill=skill):
                typer.echo(f"(goes on with {skill})")
            case flow.Ended(outcome=outcome):
                typer.echo(f"(ended: {outcome or 'no outcome'})")
