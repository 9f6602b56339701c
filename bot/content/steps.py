"""Sections of a skill or measure, made into steps: what each says and asks, where it leads, how long it waits."""

from collections.abc import Sequence
from datetime import timedelta

from bot.content import timing
from bot.content.asks import ASKS, kind_of, read_ask
from bot.content.attributes import FLAGS
from bot.content.document import Document, Section
from bot.content.findings import Report
from bot.content.lengths import CAPTION_LIMIT, COMFORTABLE, TEXT_LIMIT, units
from bot.content.links import Scene, check_stray, lead
from bot.content.timing import Malformed
from bot.domain.activity import LEVELS, Choice, Finish, Goto, Level, Pace, Picture, Step, Target
from bot.domain.words import Words, join

EVERYWHERE = frozenset({"ask", "flag", "next", "wait", "pace", "rounds", *FLAGS})
LARGEST_PICTURE = 5 * 2**20
"""Bytes."""


def read_steps(document: Document, scene: Scene) -> dict[str, Step]:
    """Read all steps of a file, in order."""
    _check_opening(document.opening, scene)
    steps: dict[str, Step] = {}
    sections = _distinct(document.sections, scene.report)
    intro = document.opening.body
    for section, following in zip(sections, (*sections[1:], None), strict=False):
        onward: Target = Goto(step=following.id) if following else Finish()
        steps[section.id] = _step(section, onward, scene)
        _check_length(section, steps[section.id], intro, scene.report)
        intro = ()
    return steps


def _distinct(sections: Sequence[Section], report: Report) -> list[Section]:
    distinct: dict[str, Section] = {}
    for section in sections:
        if section.id in distinct:
            at = section.attributes.places.get("#", section.place)
            report.add("C010", at, f"another step has the id '{section.id}' already")
        distinct.setdefault(section.id, section)
    return list(distinct.values())


def section_ids(document: Document) -> frozenset[str]:
    return frozenset(section.id for section in document.sections)


def _check_opening(opening: Section, scene: Scene) -> None:
    for image in opening.images:
        scene.report.add("C032", image.place, "a picture belongs into a step", "put it below a ## heading")
    check_stray(opening, scene)


def _step(section: Section, onward: Target, scene: Scene) -> Step:
    ask, asking = read_ask(section, scene)
    _check_attributes(section, kind_of(section), scene)
    check_stray(section, scene)
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
        flag=_flag(section, scene.report),
    )


def _flag(section: Section, report: Report) -> Level | None:
    written = section.attributes.values.get("flag")
    level = next((level for level in LEVELS if level == written), None)
    if written is not None and level is None:
        hint = f"choose from {', '.join(LEVELS)}"
        report.add("C005", section.attributes.place("flag"), f"'{written}' is no level of a flag", hint)
    return level


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


def _onward(section: Section, onward: Target, scene: Scene) -> Target:
    values = section.attributes.values
    if "end" in values:
        return Finish(outcome=values["end"])
    if "next" in values:
        at = section.attributes.place("next")
        return lead(values["next"], at._replace(column=at.column + len("next=")), scene) or onward
    return onward


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
    root, path = scene.source.root, scene.source.beside(image.src)
    if not (path.is_relative_to(root) and path.is_file()):
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
