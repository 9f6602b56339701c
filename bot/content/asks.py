"""What a step asks: the kind, the list that goes with it, options, ranges and limits."""

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from bot.content import ranges
from bot.content.document import Block, Item, Section
from bot.content.findings import Report, closest, did_you_mean
from bot.content.lengths import LONGEST_LABEL, MOST_BUTTONS
from bot.content.links import Scene, is_inner, lead
from bot.content.rendering import FIELD
from bot.domain.activity import (
    Ask,
    Choice,
    Finish,
    FreeText,
    Many,
    Number,
    Option,
    Route,
    Scale,
    Target,
    TimeOfDay,
)

ASKS: dict[str, frozenset[str]] = {
    "scale": frozenset({"min", "max", "low", "high"}),
    "number": frozenset({"min", "max", "unit"}),
    "text": frozenset(),
    "time": frozenset(),
    "choice": frozenset(),
    "many": frozenset(),
}
"""The kinds of asking, and the attributes that only they have."""
_SCORED = re.compile(r"(.*?)\s*=\s*(-?\d+)")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")


def read_ask(section: Section, scene: Scene) -> tuple[Ask | None, Block | None]:
    """Return what a step asks, and the list that asks it and so is no part of the step's text."""
    kind = kind_of(section)
    _check_kind(section, scene.report)
    asking = _asking_list(section, kind, scene)
    ask = _ask(section, kind, asking, scene)
    _check_buttons(section, ask, scene.report)
    return ask, asking


def split_score(label: str) -> tuple[str, int | None]:
    """Split "Several days = 1" into the label and its score (None: none is given)."""
    found = _SCORED.fullmatch(label.strip())
    return (found[1], int(found[2])) if found else (label.strip(), None)


def kind_of(section: Section) -> str:
    """Return the step's way of asking, or nothing. A near miss is read as what it seems to mean."""
    written = section.attributes.values.get("ask", "")
    return written if not written or written in ASKS else closest(written, ASKS)


def _check_kind(section: Section, report: Report) -> None:
    written = section.attributes.values.get("ask")
    if written is not None and written not in ASKS:
        hint = did_you_mean(written, ASKS) or f"one of {', '.join(ASKS)}"
        report.add("C012", section.attributes.place("ask"), f"unknown ask '{written}'", hint)


def _asking_list(section: Section, kind: str, scene: Scene) -> Block | None:
    """Return the list that is what the step asks rather than part of its text."""
    lists = [part for part in section.blocks if part.items]
    linked = [part for part in lists if any(is_inner(item.target) for item in part.items)]
    scored = [part for part in lists if scene.is_measure and _is_scored(part)]
    meant = lists[-1:] if kind in {"choice", "many"} else linked if kind else linked or scored
    asking = meant[0] if meant else None
    for part in linked:
        if part is not asking:
            scene.report.add("C013", part.place, "a step has one list of links, and it is what the step asks")
    if not kind and not asking:
        _check_tasks(lists, scene)
    return asking


def _check_tasks(lists: Sequence[Block], scene: Scene) -> None:
    for part in lists:
        if any(item.task for item in part.items):
            scene.report.add("C013", part.place, "a task list asks nothing by itself", "add ask=many to the heading")


def _is_scored(part: Block) -> bool:
    return all(split_score(item.label)[1] is not None for item in part.items)


def _ask(section: Section, kind: str, asking: Block | None, scene: Scene) -> Ask | None:
    match kind:
        case "scale":
            return _scale(section, asking, scene)
        case "number":
            return _number(section, asking, scene)
        case "text" | "time":
            if asking:
                scene.report.add("C013", asking.place, f"ask={kind} takes no links", "give them a step of their own")
            return FreeText() if kind == "text" else TimeOfDay()
        case "choice" | "many":
            return _listed(section, kind, asking, scene)
        case _:
            return _routing(asking, scene) if asking else None


def _listed(section: Section, kind: str, asking: Block | None, scene: Scene) -> Choice | Many | None:
    if asking is None:
        hint = "add a list of '- label'" if kind == "choice" else "add a task list of '- [ ] label'"
        scene.report.add("C013", section.place, f"ask={kind} needs a list", hint)
        return None
    for item in asking.items:
        if item.task != (kind == "many"):
            wanted = "- [ ] label" if kind == "many" else "- label"
            scene.report.add("C013", item.place, f"not an item for ask={kind}", f"write '{wanted}'")
    options = _options(asking, scene)
    return Choice(options=options) if kind == "choice" else Many(options=options)


def _routing(asking: Block, scene: Scene) -> Choice:
    """Read a list of links, or in a measure of scores, that is a choice by itself."""
    by_links = any(item.target for item in asking.items)
    for item in asking.items:
        if by_links and not is_inner(item.target):
            hint = "link every item to a step or a file, or add ask=choice"
            scene.report.add("C013", item.place, "not a link, as the other items are", hint)
    options = _options(asking, scene)
    return Choice(options=options, routing=by_links and all(option.score is None for option in options))


def _options(asking: Block, scene: Scene) -> tuple[Option, ...]:
    return tuple(_option(item, scene) for item in asking.items)


def _option(item: Item, scene: Scene) -> Option:
    label, score = split_score(item.label) if scene.is_measure else (item.label, None)
    if not label:
        scene.report.add("C013", item.place, "an item without words")
    if len(label) > LONGEST_LABEL:
        scene.report.add("C031", item.place, f"a button of {len(label)} characters, {LONGEST_LABEL} at most")
    if FIELD.search(label):
        scene.report.add("C025", item.place, f"the button '{label}' cannot be filled in", "say it in the step's text")
    target = _led(item, scene) if is_inner(item.target) else None
    return Option(label=label, score=score, target=target)


def _scale(section: Section, asking: Block | None, scene: Scene) -> Scale:
    values = section.attributes.values
    low, high = _whole(section, "min", 0, scene.report), _whole(section, "max", 10, scene.report)
    if low >= high:
        scene.report.add("C005", section.attributes.place("max"), f"a scale from {low} to {high} has no room")
    return Scale(
        low=low,
        high=high,
        low_label=values.get("low", ""),
        high_label=values.get("high", ""),
        routes=_routes(asking, low, high, scene),
    )


def _number(section: Section, asking: Block | None, scene: Scene) -> Number:
    low, high = _decimal(section, "min", scene.report), _decimal(section, "max", scene.report)
    if low is not None and high is not None and low >= high:
        scene.report.add("C005", section.attributes.place("max"), f"a number from {low:g} to {high:g} has no room")
    if asking and low is None:
        scene.report.add("C024", section.place, "ranges need to know the least number", "add min=0 to the heading")
    whole_low = None if low is None else math.ceil(low)
    whole_high = None if high is None else math.floor(high)
    routes = _routes(asking, whole_low, whole_high, scene)
    unit = section.attributes.values.get("unit", "")
    return Number(low=low, high=high, unit=unit, routes=_without_gaps(routes))


def _without_gaps(routes: tuple[Route, ...]) -> tuple[Route, ...]:
    """Let each range reach up to the next, so that a 3.5 between 0–3 and 4–6 is led somewhere too."""
    ordered = sorted(routes, key=lambda route: route.low)
    reaching = [replace(one, high=math.nextafter(other.low, -math.inf)) for one, other in pairwise(ordered)]
    return (*reaching, *ordered[-1:])


def _whole(section: Section, key: str, default: int, report: Report) -> int:
    number = _decimal(section, key, report)
    if number is not None and number != int(number):
        report.add("C005", section.attributes.place(key), f"'{key}' must be a whole number")
    return default if number is None else int(number)


def _decimal(section: Section, key: str, report: Report) -> float | None:
    text = section.attributes.values.get(key)
    if text is None:
        return None
    if not _NUMBER.fullmatch(text):
        report.add("C005", section.attributes.place(key), f"'{key}' must be a number, not '{text}'")
        return None
    return float(text)


def _routes(asking: Block | None, low: int | None, high: int | None, scene: Scene) -> tuple[Route, ...]:
    if asking is None:
        return ()
    found = [(item, ranges.read_range(item.label)) for item in asking.items]
    for item, one in found:
        if one is None or not item.target:
            scene.report.add("C013", item.place, f"'{item.label}' is not a linked range", "write such as [0–3](#step)")
    spans = [one for _, one in found if one]
    wrong = spans and (ranges.misfit(spans, low, high) or ranges.beyond(spans, low, high))
    if wrong and len(spans) == len(found):
        scene.report.add("C024", asking.place, wrong)
    return tuple(
        Route(low=one.low, high=one.high, target=_led(item, scene) or Finish())
        for item, one in found
        if one and item.target
    )


def _led(item: Item, scene: Scene) -> Target | None:
    return lead(item.target, item.target_place, scene)


def _check_buttons(section: Section, ask: Ask | None, report: Report) -> None:
    match ask:
        case Scale(low=low, high=high):
            count = high - low + 1
        case Choice(options=options) | Many(options=options):
            count = len(options)
        case _:
            return
    if count > MOST_BUTTONS:
        report.add("C031", section.place, f"{count} buttons in one step, {MOST_BUTTONS} at most")
