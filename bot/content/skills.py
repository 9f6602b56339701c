"""The file of a skill, made into a Skill."""

from types import MappingProxyType
from typing import Annotated

from pydantic import Field

from bot.content.activities import (
    Front,
    Minutes,
    Prompts,
    Several,
    check_translated,
    has_steps,
    inherited,
    versioned,
)
from bot.content.document import Document
from bot.content.findings import Report
from bot.content.front_matter import checked
from bot.content.graph import check_ways
from bot.content.links import Scene
from bot.content.sources import Source
from bot.content.steps import read_steps, section_ids
from bot.domain.activity import Approach, Skill, Status, When


class SkillFront(Front):
    """The front matter of a skill."""

    approach: Approach
    helps_with: Annotated[Several, Field(alias="for", min_length=1)]
    minutes: Minutes
    prompt: Annotated[Prompts, Field(min_length=1)]
    status: Status = "live"
    level: When = "first"
    avoid_if: Several = ()


def read_skill(source: Source, document: Document, original: Document | None, report: Report) -> Skill | None:
    """Read a skill; `original` is the document that this file translates. None when there is too little of it."""
    scene = Scene(source=source, report=report, ids=section_ids(document))
    steps = read_steps(document, scene)
    front = _front(document, original, report)
    check_ways(document, steps, report)
    if not has_steps(document, report) or front is None:
        return None
    skill = Skill(
        id=source.id,
        language=source.language,
        version="",
        title=front.title,
        summary=front.summary,
        intro=document.opening.body,
        steps=MappingProxyType(steps),
        source=front.source,
        reviewed=front.reviewed.day,
        reviewer=front.reviewed.by,
        prompts=front.prompt,
        approach=front.approach,
        helps_with=front.helps_with,
        minutes=front.minutes,
        status=front.status,
        level=front.level,
        avoid_if=front.avoid_if,
    )
    return versioned(skill)


def _front(document: Document, original: Document | None, report: Report) -> SkillFront | None:
    if document.front is None:
        return None
    if original and original.front:
        check_translated(document.front, original.front, report)
    return checked(SkillFront, inherited(document, original), document.front, report, inherits=bool(original))
