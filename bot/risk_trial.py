"""Tries the risk rules and the second opinion on labelled sentences, and writes down how they did."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from bot.content.library import Content
from bot.semantic.opinion import RULE
from bot.semantic.sentences import LEVELS, Labelled, Sentence, graver, gravest
from bot.services.safety import examine

Z = 1.959964
"""Of the normal distribution, for an interval that holds the true share 95 times in 100."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A sentence and what was found in it: the gravest level, and the rules; `by_rules` is the level without the second
    opinion.
    """

    sentence: Sentence
    found: Labelled
    by_rules: Labelled
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """How many of how many."""

    part: int
    whole: int

    def __str__(self) -> str:
        low, high = wilson(self.part, self.whole)
        value = self.part / self.whole if self.whole else 0.0
        return f"{self.part:>4} {100 * value:5.1f} % ({100 * low:.1f}–{100 * high:.1f})"


def wilson(part: int, whole: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval for a share (Wilson 1927), from 0 to 1; all of it when nothing was counted."""
    if whole == 0:
        return 0.0, 1.0
    share, spread = part / whole, Z * Z / whole
    middle = (share + spread / 2) / (1 + spread)
    reach = Z / (1 + spread) * ((share * (1 - share) + spread / 4) / whole) ** 0.5
    return max(middle - reach, 0.0), min(middle + reach, 1.0)


async def try_out(content: Content, sentences: Iterable[Sentence]) -> tuple[Tried, ...]:
    """Examine each sentence as if a participant had written it."""
    return tuple([await _tried(content, sentence) for sentence in sentences])


async def _tried(content: Content, sentence: Sentence) -> Tried:
    flags = await examine(content, sentence.text, None)
    return Tried(
        sentence=sentence,
        found=gravest([flag.level for flag in flags]),
        by_rules=gravest([flag.level for flag in flags if flag.rule != RULE]),
        rules=tuple(flag.rule for flag in flags),
    )


def as_csv(tried: Sequence[Tried]) -> str:
    """Return a line for each sentence: text,level,found,rules."""
    written = io.StringIO()
    rows = csv.writer(written, lineterminator="\n")
    rows.writerow(("text", "level", "found", "rules"))
    rows.writerows((one.sentence.text, one.sentence.level, one.found, " ".join(one.rules)) for one in tried)
    return written.getvalue()


def as_text(tried: Sequence[Tried]) -> str:
    """Return the figures, then the lines that were missed and those that were flagged for nothing."""
    return "\n".join((*figures(tried), "", *_missed(tried), "", *_false(tried), ""))


def figures(tried: Sequence[Tried]) -> Iterator[str]:
    """Yield the tables: found of what is grave, flagged of what is harmless, each with its 95 % interval."""
    grave = [one for one in tried if one.sentence.level != "none"]
    harmless = [one for one in tried if one.sentence.level == "none"]
    yield _row("found, of sentences at risk", "number", "rules alone", "with second opinion", "at their level or above")
    for name, group in _groups(grave, ("level", "category", "kind", "language")):
        yield _row(name, str(len(group)), *(_found(group, which) for which in (_by_rules, _flagged, _at_level)))
    yield ""
    yield _row("false alarms, of harmless ones", "number", "rules alone", "with second opinion", "orange or red")
    for name, group in _groups(harmless, ("kind", "language")):
        yield _row(name, str(len(group)), *(_found(group, which) for which in (_by_rules, _flagged, _paging)))


def _row(*cells: str) -> str:
    name, number, *shares = cells
    return f"{name:<36}{number:>6}" + "".join(f"  {share:>26}" for share in shares)


def _groups(tried: Sequence[Tried], parts: Sequence[str]) -> Iterator[tuple[str, Sequence[Tried]]]:
    yield "all", tried
    for part in parts:
        names = sorted({getattr(one.sentence, part) for one in tried} - {""}, key=_order)
        for name in names:
            yield f"{part} {name}", [one for one in tried if getattr(one.sentence, part) == name]


def _order(name: str) -> tuple[int, str]:
    return (list(LEVELS).index(name) if name in LEVELS else 0, name)


def _found(tried: Sequence[Tried], which: Callable[[Tried], bool]) -> str:
    return str(Share(part=sum(which(one) for one in tried), whole=len(tried)))


def _by_rules(one: Tried) -> bool:
    return one.by_rules != "none"


def _flagged(one: Tried) -> bool:
    return one.found != "none"


def _at_level(one: Tried) -> bool:
    return not graver(one.sentence.level, one.found)


def _paging(one: Tried) -> bool:
    return graver(one.found, "yellow")


def _missed(tried: Sequence[Tried]) -> Iterator[str]:
    missed = [one for one in tried if one.sentence.level != "none" and one.found == "none"]
    yield f"missed: {len(missed)}"
    for one in missed:
        yield f"  {one.sentence.id}  {one.sentence.level}  {_line(one.sentence.text)}"


def _false(tried: Sequence[Tried]) -> Iterator[str]:
    false = [one for one in tried if one.sentence.level == "none" and one.found != "none"]
    yield f"false alarms: {len(false)}"
    for one in false:
        yield f"  {one.sentence.id}  {one.found}  {', '.join(one.rules)}  {_line(one.sentence.text)}"


def _line(text: str) -> str:
    return " ".join(text.split())
