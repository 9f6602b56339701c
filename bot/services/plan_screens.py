"""How a safety plan looks in chat: whole, or the part of it that helps somebody for whom it is hard now."""

from collections.abc import Sequence
from dataclasses import replace

from bot.domain.safety_plan import STEPS, SafetyPlan, Step, at_high_distress, cut_to
from bot.domain.words import Span, Words, join, plain, say, units
from bot.services.voice import Voice
from bot.telegram.message import TEXT_LIMIT, Key, Keyboard, Message, written
from bot.telegram.taps import MenuTap

MENU = "plan"
BETWEEN = "\n\n"


def step_title(voice: Voice, step: Step) -> str:
    """Return what a step is called."""
    return voice.label(f"plan-step-{step}")


def plan_key(voice: Voice) -> Key:
    """Return the button that shows the whole plan."""
    return voice.button("button-my-plan", MenuTap(menu=MENU))


def own_words_first(voice: Voice, plan: SafetyPlan, rest: Words) -> Words:
    """Return a message for somebody for whom it is hard now: their own words, then the rest, which is never cut."""
    room = TEXT_LIMIT - units(plain(rest)) - len(BETWEEN)
    return join((_words_for_now(voice, plan, room), rest), BETWEEN)


def whole_plan(voice: Voice, head: Words, plan: SafetyPlan, keyboard: Keyboard = ()) -> tuple[Message, ...]:
    """Return the messages that show all steps in order, the keyboard under the last."""
    empty = voice.label("plan-nothing-yet")
    return paged([head, *(_step_words(voice, step, plan.text(step) or empty) for step in STEPS)], keyboard)


def paged(parts: Sequence[Words], keyboard: Keyboard = ()) -> tuple[Message, ...]:
    """Return as few messages as the parts fit into, none of them divided; the keyboard is under the last."""
    pages: list[Words] = []
    for part in parts:
        longer = join((pages[-1], part), BETWEEN) if pages else part
        if pages and units(plain(longer)) <= TEXT_LIMIT:
            pages[-1] = longer
        else:
            pages.append(part)
    messages = [written(page) for page in pages]
    return (*messages[:-1], replace(messages[-1], keyboard=keyboard))


def to_copy(text: str) -> Words:
    """Return a text that a tap copies."""
    return (Span(text=text, styles=frozenset({"pre"})),)


def _step_words(voice: Voice, step: Step, text: str) -> Words:
    return (Span(text=step_title(voice, step), styles=frozenset({"bold"})), *say(f"\n{text}"))


def _words_for_now(voice: Voice, plan: SafetyPlan, room: int) -> Words:
    """Return what fits. Only the first step is ever cut: half a telephone number helps nobody."""
    shown = at_high_distress(plan)
    parts, more = [voice.words("plan-now")], voice.words("plan-now-more")
    left = room - units(plain(parts[0])) - units(plain(more)) - len(BETWEEN)
    for step, text in shown:
        left -= units(plain(_step_words(voice, step, ""))) + len(BETWEEN)
        kept = cut_to(text, left) if len(parts) == 1 or units(text) <= left else ""
        if kept:
            parts.append(_step_words(voice, step, kept))
        if kept != text:
            return join((*parts, more), BETWEEN) if len(parts) > 1 else ()
        left -= units(text)
    return join(tuple(parts), BETWEEN) if shown else ()
