"""Translations beside their originals: the same steps, asks, ways, links and names, in other words."""

from dataclasses import replace

from bot.content.document import Document
from bot.content.findings import START, Place, Report, did_you_mean
from bot.content.graph import field_names, goes_on
from bot.domain.activity import Ask, Choice, Many, Measure, Number, Option, Scale, Skill, Step


def compare_activities(own: Skill | Measure, original: Skill | Measure, document: Document, report: Report) -> None:
    """Report where a translation differs in more than its words."""
    missing, unknown = original.steps.keys() - own.steps.keys(), own.steps.keys() - original.steps.keys()
    for name in missing:
        report.add("C040", START, f"the step '{name}' of the original is missing")
    for name in unknown:
        hint = did_you_mean(name, missing)
        report.add("C040", _place(name, document), f"the original has no step '{name}'", hint)
    if not (missing or unknown) and list(own.steps) != list(original.steps):
        report.add("C040", START, "the steps stand in another order than in the original")
    for name, step in own.steps.items():
        if name in original.steps:
            for difference in _differences(step, original.steps[name], same_steps=not (missing or unknown)):
                report.add("C040", _place(name, document), f"'{name}' differs from the original: {difference}")
    if isinstance(own, Measure) and isinstance(original, Measure):
        _compare_measures(own, original, document, report)


def _compare_measures(own: Measure, original: Measure, document: Document, report: Report) -> None:
    if [(band.low, band.high) for band in own.bands] != [(band.low, band.high) for band in original.bands]:
        report.add("C040", _key("bands", document), "the bands are other ranges than the original's")


def _differences(own: Step, original: Step, *, same_steps: bool) -> list[str]:
    """Return how two steps differ. Where steps are missing, it is clear that the ones before lead elsewhere."""
    names, wanted = field_names(own), field_names(original)
    unknown, lacking = sorted(names - wanted), sorted(wanted - names)
    facts = {
        "what it asks": _facts(own.ask) == _facts(original.ask),
        "where it leads": not same_steps or not goes_on(original) or own.target == original.target,
        "whether it is optional": own.optional == original.optional,
        "how long it waits": own.wait == original.wait,
        "its pace": _rhythm(own) == _rhythm(original),
        "its picture": bool(own.picture) == bool(original.picture),
        "its code": own.loinc == original.loinc,
        "its flag": own.flag == original.flag,
    }
    return [
        *(what for what, same in facts.items() if not same),
        *(f"it uses {{{name}}}" for name in unknown),
        *(f"it lacks {{{name}}}" for name in lacking),
    ]


def _facts(ask: Ask | None) -> Ask | None:
    """Return what is asked without the words of a language."""
    match ask:
        case Choice(options=options) | Many(options=options):
            return replace(ask, options=tuple(_wordless(option) for option in options))
        case Scale():
            return replace(ask, low_label="", high_label="")
        case Number():
            return replace(ask, unit="")
        case _:
            return ask


def _wordless(option: Option) -> Option:
    return replace(option, label="")


def _rhythm(step: Step) -> tuple[tuple[int, ...], int] | None:
    return (tuple(phase.seconds for phase in step.pace.phases), step.pace.rounds) if step.pace else None


def _place(step: str, document: Document) -> Place:
    section = document.section(step)
    return section.place if section else START


def _key(name: str, document: Document) -> Place:
    return document.front.key((name,)) if document.front else START
