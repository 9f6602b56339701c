"""The file of a measure or check-in, made into a Measure: its score, bands and flags."""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from bot.content import ranges
from bot.content.activities import (
    Front,
    Minutes,
    Prompts,
    Text,
    check_translated,
    has_steps,
    inherited,
    versioned,
)
from bot.content.asks import split_score
from bot.content.document import Document
from bot.content.findings import Place, Report, did_you_mean
from bot.content.front_matter import FrontMatter, checked
from bot.content.graph import check_ways
from bot.content.lengths import LONGEST_LABEL
from bot.content.links import Scene
from bot.content.sources import Source
from bot.content.steps import read_steps, section_ids
from bot.content.timing import Malformed
from bot.domain.activity import Band, Choice, FlagRule, Level, Many, Measure, Number, Option, Scale, Step
from bot.domain.scoring import TRIAGE_ITEMS


class Flag(BaseModel):
    """One flag as it is written: what is looked at, from which number on, and how grave it is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    item: str | None = None
    score: float | None = None
    rise: float | None = None
    fall: float | None = None
    at_least: float | None = None
    at_most: float | None = None
    equals: Annotated[float | None, Field(alias="is")] = None
    level: Level
    offer: str | None = None

    @model_validator(mode="after")
    def _looks_at_one_thing(self) -> "Flag":
        if sum(part is not None for part in (self.item, self.score, self.rise, self.fall)) != 1:
            raise Malformed("a flag has one of item, score, rise and fall", code="C005")
        bounds = [part for part in (self.at_least, self.at_most, self.equals) if part is not None]
        if bool(bounds) != (self.item is not None):
            raise Malformed("at_least, at_most or is go with an item, and an item needs one of them", code="C005")
        if self.offer and self.item is None:
            raise Malformed("an offer goes with an item: it is made as soon as that is answered", code="C005")
        return self

    def rule(self) -> FlagRule:
        if self.item is not None:
            return FlagRule(
                level=self.level,
                on="item",
                item=self.item,
                at_least=self.at_least,
                at_most=self.at_most,
                equals=self.equals,
                offer=self.offer or "",
            )
        if self.score is not None:
            return FlagRule(level=self.level, on="score", at_least=self.score)
        if self.rise is not None:
            return FlagRule(level=self.level, on="rise", at_least=self.rise)
        return FlagRule(level=self.level, on="fall", at_least=self.fall)


def _option(value: object) -> Option:
    label, score = split_score(str(value))
    if not label or len(label) > LONGEST_LABEL:
        raise Malformed(f"a button has 1 to {LONGEST_LABEL} characters", f"'{label}' has {len(label)}", code="C031")
    return Option(label=label, score=score)


def _bands(value: object) -> tuple[Band, ...]:
    if not isinstance(value, dict) or not value:
        raise Malformed("bands are ranges with names", "write such as {0-4: minimal, 5-9: mild}", code="C005")
    return tuple(_band(str(text), name) for text, name in value.items())


def _band(text: str, name: object) -> Band:
    span = ranges.read_range(text)
    if span is None or span.high is None:
        raise Malformed(f"'{text}' is not a range of scores", "write such as 0-4", code="C005")
    if not isinstance(name, str) or not name:
        raise Malformed(f"the band {text} has no name", code="C005")
    return Band(low=span.low, high=span.high, name=name)


class MeasureFront(Front):
    """The front matter of a measure."""

    prompt: Prompts = ()
    minutes: Minutes = 3
    score: Literal["sum", "c-ssrs", "none"] = "none"
    options: tuple[Annotated[Option, BeforeValidator(_option)], ...] = ()
    bands: Annotated[tuple[Band, ...], BeforeValidator(_bands)] = ()
    flags: tuple[Flag, ...] = ()
    reliable_change: Annotated[int, Field(ge=1)] | None = None
    loinc: Text | None = None
    score_loinc: Text | None = None


def read_measure(source: Source, document: Document, original: Document | None, report: Report) -> Measure | None:
    """Read a measure; `original` is the document that this file translates. None when there is too little of it."""
    front = _front(document, original, report)
    options = front.options if front else ()
    scene = Scene(source=source, report=report, ids=section_ids(document), is_measure=True, options=options)
    steps = read_steps(document, scene)
    check_ways(document, steps, report)
    if not has_steps(document, report) or front is None or document.front is None:
        return None
    _check_scores(front, steps, document, report)
    measure = Measure(
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
        scoring=front.score,
        bands=front.bands,
        flags=tuple(flag.rule() for flag in front.flags),
        reliable_change=front.reliable_change,
        loinc=front.loinc or "",
        score_loinc=front.score_loinc or "",
        minutes=front.minutes,
    )
    return versioned(measure)


def _front(document: Document, original: Document | None, report: Report) -> MeasureFront | None:
    if document.front is None:
        return None
    if original and original.front:
        check_translated(document.front, original.front, report)
    return checked(MeasureFront, inherited(document, original), document.front, report, inherits=bool(original))


def _check_scores(front: MeasureFront, steps: Mapping[str, Step], document: Document, report: Report) -> None:
    matter = document.front or FrontMatter()
    if front.options and (_half_scored(front.options) or (front.score == "sum" and front.options[0].score is None)):
        report.add("C050", matter.place(("options",)), "an option without a score", "write such as 'Several days = 1'")
    for section in document.sections:
        ask = steps[section.id].ask
        if isinstance(ask, Choice | Many) and ask.options != front.options and _half_scored(ask.options):
            report.add("C050", section.place, "an option without a score, and others with one")
    _check_bands(front, steps, matter, report)
    if front.score == "c-ssrs" and (absent := [item for item in TRIAGE_ITEMS if not _is_scored(steps.get(item))]):
        items = ", ".join(absent)
        report.add("C050", matter.key(("score",)), f"'score: c-ssrs' without the scored items {items}")
    for number, flag in enumerate(front.flags):
        _check_flag(flag, front, steps, matter.place(("flags", number)), report)


def _half_scored(options: tuple[Option, ...]) -> bool:
    return len({option.score is None for option in options}) > 1


def _check_bands(front: MeasureFront, steps: Mapping[str, Step], matter: FrontMatter, report: Report) -> None:
    if not front.bands:
        return
    if front.score != "sum":
        report.add("C050", matter.key(("bands",)), "bands without a score", "add 'score: sum'")
        return
    spans = [ranges.Range(band.low, band.high) for band in front.bands]
    scored = [_scores(step) for step in steps.values()]
    lowest, highest = sum(low for low, _ in scored), sum(high for _, high in scored)
    if wrong := ranges.misfit(spans, lowest, highest):
        report.add("C050", matter.place(("bands",)), f"bands: {wrong}")


def _scores(step: Step) -> tuple[int, int]:
    """Return the least and the most that a step adds to the score."""
    match step.ask:
        case Choice(options=options):
            scores = [option.score for option in options if option.score is not None]
            return (min(scores), max(scores)) if scores else (0, 0)
        case Many(options=options):
            return 0, sum(option.score or 0 for option in options)
        case Scale(low=low, high=high):
            return low, high
        case _:
            return (0, 0)


def _check_flag(flag: Flag, front: MeasureFront, steps: Mapping[str, Step], place: Place, report: Report) -> None:
    if flag.item is None:
        if front.score != "sum":
            report.add("C050", place, "a flag on the score of a measure that has none", "add 'score: sum'")
    elif flag.item not in steps:
        report.add("C050", place, f"a flag on the unknown item '{flag.item}'", did_you_mean(flag.item, steps))
    elif not _has_number(steps[flag.item]):
        report.add("C050", place, f"a flag on '{flag.item}', whose answers are no numbers")


def check_offers(document: Document, measure: Measure, measures: Collection[str], report: Report) -> None:
    """Report flags that offer a measure which does not exist."""
    matter = document.front or FrontMatter()
    for number, rule in enumerate(measure.flags):
        if rule.offer and rule.offer not in measures:
            place = matter.place(("flags", number))
            report.add(
                "C050", place, f"an offer of the unknown measure '{rule.offer}'", did_you_mean(rule.offer, measures)
            )


def _is_scored(step: Step | None) -> bool:
    return step is not None and _has_number(step)


def _has_number(step: Step) -> bool:
    match step.ask:
        case Scale() | Number():
            return True
        case Choice(options=options) | Many(options=options):
            return any(option.score is not None for option in options)
        case _:
            return False
