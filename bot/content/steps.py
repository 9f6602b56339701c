"""Sections of a skill or measure, made into steps: what each asks, where it leads, how long it waits."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import pairwise

from bot.content import ranges, timing
from bot.content.attributes import FLAGS
from bot.content.document import Block, Document, Item, Section
from bot.content.findings import Place, Report, closest, did_you_mean
from bot.content.sources import Source, split_name
from bot.content.timing import Malformed
from bot.domain.activity import (
    END,
    Ask,
    Choice,
    Finish,
    FreeText,
    Goto,
    Many,
    Number,
    Option,
    Pace,
    Picture,
    Route,
    Scale,
    Step,
    Switch,
    Target,
    TimeOfDay,
)
from bot.domain.words import Words, join

ASKS: dict[str, frozenset[str]] = {
    "scale": frozenset({"min", "max", "low", "high"}),
    "number": frozenset({"min", "max", "unit"}),
    "text": frozenset(),
    "time": frozenset(),
    "choice": frozenset(),
    "many": frozenset(),
}
"""The kinds of asking, and the attributes that only they have."""
EVERYWHERE = frozenset({"ask", "next", "wait", "pace", "rounds", *FLAGS})
LONGEST_LABEL = 40
MOST_BUTTONS = 100
TEXT_LIMIT, CAPTION_LIMIT = 4096, 1024
"""UTF-16 units, as the messenger counts."""
FIELD_LENGTH = 12
"""What a field counts until it is filled."""
LARGEST_PICTURE = 5 * 2**20
"""Bytes."""
COMFORTABLE = 600
"""Characters of one step."""
_SCORED = re.compile(r"(.*?)\s*=\s*(-?\d+)")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What reading a step needs to know of its file. `options` are those of a measure's front matter."""

    source: Source
    report: Report
    ids: frozenset[str]
    is_measure: bool = False
    options: tuple[Option, ...] = ()


def read_steps(document: Document, scene: Scene) -> dict[str, Step]:
    """Read all steps of a file, in order."""
    steps: dict[str, Step] = {}
    sections = document.sections
    _check_opening(document.opening, scene)
    for section, following in zip(sections, (*sections[1:], None), strict=True):
        if section.id in steps:
            at = section.attributes.places.get("#", section.place)
            scene.report.add("C010", at, f"another step has the id '{section.id}' already")
            continue
        onward: Target = Goto(step=following.id) if following else Finish()
        steps[section.id] = _step(section, onward, scene)
    for number, (section, step) in enumerate(zip(sections, steps.values(), strict=False)):
        _check_length(section, step, document.opening.body if number == 0 else (), scene.report)
    return steps


def section_ids(document: Document) -> frozenset[str]:
    return frozenset(section.id for section in document.sections)


def split_score(label: str) -> tuple[str, int | None]:
    """Split "Several days = 1" into the label and its score (None: none is given)."""
    found = _SCORED.fullmatch(label.strip())
    return (found[1], int(found[2])) if found else (label.strip(), None)


def units(words: Words) -> int:
    """Return the length of words in UTF-16 units, with an allowance for each field."""
    bare = "".join(span.text for span in words if not span.field)
    return len(bare) + sum(ord(char) > 0xFFFF for char in bare) + FIELD_LENGTH * sum(bool(s.field) for s in words)


def _check_opening(opening: Section, scene: Scene) -> None:
    for image in opening.images:
        scene.report.add("C032", image.place, "a picture belongs into a step", "put it below a ## heading")
    _check_stray(opening, scene)


def _step(section: Section, onward: Target, scene: Scene) -> Step:
    kind = _kind(section, scene)
    _check_attributes(section, kind, scene)
    asking = _asking_list(section, kind, scene)
    ask = _ask(section, kind, asking, scene)
    _check_stray(section, scene)
    _check_buttons(section, ask, scene.report)
    pace, wait = _pace(section, scene.report), _wait(section, scene.report)
    if ask is None and scene.options and not pace and not wait and "end" not in section.attributes.values:
        ask = Choice(options=scene.options)
    return Step(
        id=section.id,
        heading=section.heading,
        body=join(tuple(part.words for part in section.blocks if part is not asking)),
        ask=ask,
        optional="optional" in section.attributes.values,
        target=_onward(section, onward, scene),
        wait=wait,
        pace=pace,
        picture=_picture(section, scene),
        loinc=section.attributes.values.get("loinc", "") if scene.is_measure else "",
    )


def _kind(section: Section, scene: Scene) -> str:
    """Return the step's way of asking, or nothing. A near miss is read as what it seems to mean."""
    written = section.attributes.values.get("ask")
    if written is None or written in ASKS:
        return written or ""
    hint = did_you_mean(written, ASKS) or f"one of {', '.join(ASKS)}"
    scene.report.add("C012", section.attributes.place("ask"), f"unknown ask '{written}'", hint)
    return closest(written, ASKS)


def _check_attributes(section: Section, kind: str, scene: Scene) -> None:
    attributes, report = section.attributes, scene.report
    belongs = {key: name for name, keys in ASKS.items() for key in keys}
    known = EVERYWHERE | ({"loinc"} if scene.is_measure else frozenset())
    attributes.only(known | belongs.keys(), report)
    for key in attributes.values.keys() & belongs.keys() - ASKS.get(kind, frozenset()):
        report.add("C011", attributes.place(key), f"'{key}' has no meaning here", f"it belongs to ask={belongs[key]}")
    if "rounds" in attributes.values and "pace" not in attributes.values:
        report.add("C011", attributes.place("rounds"), "'rounds' has no meaning here", "it belongs to pace")
    if "next" in attributes.values and "end" in attributes.values:
        report.add("C011", attributes.place("end"), "a step has either 'next' or 'end'")
    if attributes.values.get("optional"):
        report.add("C011", attributes.place("optional"), "'optional' takes no value")


def _asking_list(section: Section, kind: str, scene: Scene) -> Block | None:
    """Return the list that is what the step asks rather than part of its text."""
    lists = [part for part in section.blocks if part.items]
    linked = [part for part in lists if any(_is_inner(item.target) for item in part.items)]
    if len(linked) > 1:
        scene.report.add("C013", linked[1].place, "a step has one list of links")
    if kind in {"choice", "many"}:
        return lists[-1] if lists else None
    if kind or linked:
        return linked[0] if linked else None
    _check_tasks(lists, scene)
    return next((part for part in lists if _is_scored(part) and scene.is_measure), None)


def _check_tasks(lists: Sequence[Block], scene: Scene) -> None:
    for part in lists:
        if any(item.task for item in part.items):
            scene.report.add("C013", part.place, "a task list asks nothing by itself", "add ask=many to the heading")


def _is_inner(target: str) -> bool:
    """Tell a link to a step or a file from none and from one to a page."""
    return bool(target) and ":" not in target


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
        if by_links and not _is_inner(item.target):
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
    target = _led(item, scene) if _is_inner(item.target) else None
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
    return _target(item.target, item.target_place, scene)


def _onward(section: Section, onward: Target, scene: Scene) -> Target:
    values = section.attributes.values
    if "end" in values:
        return Finish(outcome=values["end"])
    if "next" in values:
        at = section.attributes.place("next")
        return _target(values["next"], at._replace(column=at.column + len("next=")), scene) or onward
    return onward


def _target(href: str, place: Place, scene: Scene) -> Target | None:
    """Return where a link leads. A near miss is read as what it seems to mean, so that one slip is one finding."""
    name = href.removeprefix("#")
    if not href.startswith("#"):
        return _switch(href, place, scene)
    if name in scene.ids:
        return Goto(step=name)
    if name == END:
        return Finish()
    scene.report.add("C020", place, f"no step has the id '{name}'", did_you_mean(name, scene.ids | {END}))
    meant = closest(name, scene.ids)
    return Goto(step=meant) if meant else None


def _switch(href: str, place: Place, scene: Scene) -> Target | None:
    name = href.partition("#")[0]
    if not name.endswith(".md"):
        hint = f"write #{href} for a step" if href in scene.ids else "link to a step (#id) or a skill's file (name.md)"
        scene.report.add("C021", place, f"'{href}' is neither a step nor a skill's file", hint)
        return Goto(step=href) if href in scene.ids else None
    path = (scene.source.path.parent / name).resolve()
    skills = scene.source.root.resolve() / "skills"
    if not (path.is_file() and path.is_relative_to(skills)):
        hint = did_you_mean(path.name, [other.name for other in skills.rglob("*.md")])
        scene.report.add("C021", place, f"there is no skill's file '{name}'", hint)
    return Switch(skill=split_name(path.name)[0])


def _check_stray(section: Section, scene: Scene) -> None:
    for href, place in section.stray:
        hint = "give it a line of its own: - [words](link)"
        scene.report.add("C013", place, f"a link to '{href}' inside of a text is no button", hint)


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


def _pace(section: Section, report: Report) -> Pace | None:
    values = section.attributes.values
    if "pace" not in values:
        return None
    try:
        return timing.pace(values["pace"], values.get("rounds"))
    except Malformed as wrong:
        report.add("C014", section.attributes.place("pace"), str(wrong), wrong.hint)
        return None


def _wait(section: Section, report: Report) -> timedelta | None:
    if "wait" not in section.attributes.values:
        return None
    try:
        return timing.duration(section.attributes.values["wait"])
    except Malformed as wrong:
        report.add("C014", section.attributes.place("wait"), str(wrong), wrong.hint)
        return None


def _picture(section: Section, scene: Scene) -> Picture | None:
    for image in section.images[1:]:
        scene.report.add("C032", image.place, "a step has one picture", "make a step of its own for the other")
    if not section.images:
        return None
    image = section.images[0]
    if not image.alt:
        hint = "write ![what it shows](…)"
        scene.report.add("C032", image.place, "a picture without words for who cannot see it", hint)
    root, path = scene.source.root.resolve(), (scene.source.path.parent / image.src).resolve()
    if not (path.is_file() and path.is_relative_to(root)):
        scene.report.add("C032", image.place, f"there is no picture '{image.src}' in the content folder")
        return None
    if path.stat().st_size > LARGEST_PICTURE:
        scene.report.add("C032", image.place, f"'{image.src}' is over {LARGEST_PICTURE // 2**20} MB")
    return Picture(path=path.relative_to(root).as_posix(), alt=image.alt)


def _check_length(section: Section, step: Step, intro: Words, report: Report) -> None:
    limit, what = (CAPTION_LIMIT, "with a picture") if step.picture else (TEXT_LIMIT, "in one message")
    shown = units(join((intro, step.heading, step.body)))
    if shown > limit:
        report.add("C030", section.place, f"{shown} characters are too many {what}: {limit} at most")
    own = units(join((step.heading, step.body)))
    if own > COMFORTABLE:
        report.add("W105", section.place, f"{own} characters are much for one step", f"{COMFORTABLE} read easily")
