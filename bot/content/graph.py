"""The ways through the steps of an activity: what is never reached, what never ends, which answers are known where."""

from collections.abc import Iterable, Iterator, Mapping

from bot.content.attributes import FLAGS
from bot.content.document import Document, Section
from bot.content.findings import Report, did_you_mean
from bot.domain.activity import Choice, Goto, Number, Scale, Step, Target
from bot.domain.words import fields

Ways = Mapping[str, frozenset[str]]


def check_ways(document: Document, steps: Mapping[str, Step], report: Report) -> None:
    """Report steps that no path reaches, paths that never end, and names that no earlier step sets."""
    for name, place in document.opening.fields.items():
        report.add("C025", place, f"nothing is answered yet that could fill {{{name}}}")
    if not steps:
        return
    ways = {name: _led_to(step) & steps.keys() for name, step in steps.items()}
    sections = {section.id: section for section in reversed(document.sections)}
    reached = _closure(ways, [next(iter(steps))])
    for name in steps.keys() - reached:
        report.add("C022", sections[name].place, f"no path reaches the step '{name}'")
    back = _reversed(ways)
    _check_ends(steps, back, reached, sections, report)
    for name in reached:
        _check_fields(sections[name], steps, back, report)


def exits(step: Step) -> Iterator[Target]:
    """Yield every way out of a step."""
    match step.ask:
        case Choice(options=options):
            yield from (option.target for option in options if option.target)
        case Scale(routes=routes) | Number(routes=routes):
            yield from (route.target for route in routes)
    if goes_on(step):
        yield step.target


def goes_on(step: Step) -> bool:
    """Tell whether any answer leads to the step's own target."""
    match step.ask:
        case Choice(options=options):
            return step.optional or any(option.target is None for option in options)
        case Scale(routes=routes) | Number(routes=routes):
            return step.optional or not routes
        case _:
            return True


def _led_to(step: Step) -> frozenset[str]:
    return frozenset(target.step for target in exits(step) if isinstance(target, Goto))


def _check_ends(
    steps: Mapping[str, Step], back: Ways, reached: frozenset[str], sections: Mapping[str, Section], report: Report
) -> None:
    ends = [name for name, step in steps.items() if any(not isinstance(target, Goto) for target in exits(step))]
    endless = [name for name in steps if name in reached - _closure(back, ends)]
    if endless:
        others = f" (nor from {', '.join(endless[1:])})" if endless[1:] else ""
        hint = "let one of the steps end, or link to #end"
        report.add("C023", sections[endless[0]].place, f"no path leads from '{endless[0]}' to an end{others}", hint)


def _check_fields(section: Section, steps: Mapping[str, Step], back: Ways, report: Report) -> None:
    if not section.fields:
        return
    before = _closure(back, back[section.id])
    answered = {name for name in before if steps[name].ask}
    for name, place in section.fields.items():
        if name not in answered:
            hint = did_you_mean(name, answered | FLAGS)
            report.add("C025", place, f"no earlier step is answered that could fill {{{name}}}", hint)


def field_names(step: Step) -> frozenset[str]:
    """Return the names that a step's text fills in."""
    return frozenset(fields((*step.heading, *step.body)))


def _closure(ways: Ways, starts: Iterable[str]) -> frozenset[str]:
    """Return all that can be reached, the starts included."""
    reached: set[str] = set()
    waiting = list(starts)
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting.extend(ways[name])
    return frozenset(reached)


def _reversed(ways: Ways) -> Ways:
    back: dict[str, set[str]] = {name: set() for name in ways}
    for name, led in ways.items():
        for other in led:
            back[other].add(name)
    return {name: frozenset(others) for name, others in back.items()}
