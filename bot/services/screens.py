"""How a practice looks in chat: the screen of a step with its progress bar and buttons, and the end."""

from dataclasses import replace

from bot.domain import flow
from bot.domain.activity import Measure, Scale, Skill
from bot.domain.flow import Act, Button
from bot.domain.words import Words, join
from bot.services.voice import Voice
from bot.storage.runs import Run
from bot.telegram.message import CAPTION_LIMIT, TEXT_LIMIT, Key, Keyboard, Message, Pacer, written
from bot.telegram.taps import RunTap, tap_data

BAR = 10
"""Cells of the progress bar."""

_LABELS: dict[Act, str] = {
    "go": "button-continue",
    "skip": "button-skip",
    "done": "button-done",
    "back": "button-back",
    "stop": "button-stop",
}


def screen_message(voice: Voice, activity: Skill | Measure, run: Run) -> Message:
    """Return the message that shows a practice where it is."""
    shown = flow.screen(activity, run.state)
    step = shown.step
    filled = round(shown.progress * BAR)
    head = voice.words("practice-head", title=activity.title, bar="▰" * filled + "▱" * (BAR - filled))
    ends = _ends(voice, step.ask) if run.state.phase == "asking" else ()
    limit = CAPTION_LIMIT if step.picture else TEXT_LIMIT
    message = written(join((head, shown.words, ends)), _keyboard(voice, run, shown.rows), limit=limit)
    paced = step.pace if run.state.phase == "waiting" else None
    return replace(
        message,
        card=run.card,
        picture=step.picture.path if step.picture else "",
        alt=step.picture.alt if step.picture else "",
        pacer=Pacer(pace=paced, words=voice.label("pacer-round")) if paced else None,
    )


def ended_message(voice: Voice, run: Run) -> Message:
    """Return the message that ends a practice which has no last words of its own."""
    key = "practice-stopped" if run.state.outcome == flow.STOPPED else f"{run.kind}-ended"
    return replace(voice.message(key), card=run.card)


def _ends(voice: Voice, ask: object) -> Words:
    if not isinstance(ask, Scale) or not (ask.low_label or ask.high_label):
        return ()
    return voice.words(
        "scale-ends", low=str(ask.low), high=str(ask.high), low_label=ask.low_label, high_label=ask.high_label
    )


def _keyboard(voice: Voice, run: Run, rows: tuple[tuple[Button, ...], ...]) -> Keyboard:
    return tuple(tuple(_key(voice, run, button) for button in row) for row in rows)


def _key(voice: Voice, run: Run, button: Button) -> Key:
    tap = RunTap(run=run.id, turn=run.state.turn, act=button.act, value=button.value)
    return Key(text=_label(voice, run, button), data=tap_data(tap))


def _label(voice: Voice, run: Run, button: Button) -> str:
    if button.act == "go" and run.state.phase == "waiting":
        return voice.label("button-go-on-now")
    if button.act in ("tick", "untick"):
        return f"{'☑' if button.ticked else '☐'} {button.label}"
    return button.label or voice.label(_LABELS[button.act])
