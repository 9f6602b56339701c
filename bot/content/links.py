"""Where links lead: to a step, to the end, or to another skill's file."""

from dataclasses import dataclass

from bot.content.document import Section
from bot.content.findings import Place, Report, closest, did_you_mean
from bot.content.sources import Source, split_name
from bot.domain.activity import END, Finish, Goto, Option, Switch, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What reading a step needs to know of its file. `options` are those of a measure's front matter."""

    source: Source
    report: Report
    ids: frozenset[str]
    is_measure: bool = False
    options: tuple[Option, ...] = ()


def is_inner(target: str) -> bool:
    """Tell a link to a step or a file from none and from one to a page."""
    return bool(target) and ":" not in target


def lead(href: str, place: Place, scene: Scene) -> Target | None:
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
    path = scene.source.beside(name)
    skills = scene.source.root / "skills"
    if not (path.is_relative_to(skills) and path.is_file()):
        hint = did_you_mean(path.name, [other.name for other in skills.rglob("*.md")])
        scene.report.add("C021", place, f"there is no skill's file '{name}'", hint)
    return Switch(skill=split_name(path.name)[0])


def check_stray(section: Section, scene: Scene) -> None:
    for href, place in section.stray:
        hint = "give it a line of its own: - [words](link)"
        scene.report.add("C013", place, f"a link to '{href}' inside of a text is no button", hint)
