"""Runs the risk rules as they are now over what was written before: which cases would differ, and how many alerts."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import chain

from bot.content.library import Content
from bot.domain.activity import Level
from bot.domain.cases import graver, highest
from bot.domain.risk import CATEGORIES, COULD_NOT_BE_EXAMINED
from bot.services.safety import examine
from bot.storage import audit, looking_back
from bot.storage.cases import Flag
from bot.storage.store import Store
from bot.storage.tables import Row

FROM_TEXT = {*CATEGORIES, COULD_NOT_BE_EXAMINED}
"""The categories of flags that rest on a text; all other flags stay as they are."""
ONE_CASE = timedelta(days=1)
"""How long a case that would be new is taken to stay open."""
SHOWN: tuple[Level, ...] = ("red", "orange", "yellow")
Moment = tuple[datetime, Level]


@dataclass(slots=True, kw_only=True)
class Course:
    """What was and what would be flagged in one case, by time."""

    opened_at: datetime
    closes_at: datetime | None
    before: list[Moment] = field(default_factory=list)
    after: list[Moment] = field(default_factory=list)

    def open_at(self, moment: datetime) -> bool:
        return self.opened_at <= moment and (self.closes_at is None or moment < self.closes_at)


class _Courses:
    """The courses of all cases, those included that would be new."""

    def __init__(self, stored: Sequence[Row]) -> None:
        self.by_case: dict[int, Course] = {}
        self._of_member: dict[int, list[Course]] = {}
        for flag in stored:
            if flag.case_id not in self.by_case:
                self.by_case[flag.case_id] = self._add(flag.member_id, flag.opened_at, flag.resolved_at)
            self.by_case[flag.case_id].before.append((flag.at, flag.level))

    def all(self) -> Iterator[Course]:
        return chain.from_iterable(self._of_member.values())

    def of(self, answer: Row, flags: Sequence[Row]) -> Course:
        """Return where a finding in an answer belongs: the case it is in, the one open then, or a new one."""
        if flags:
            return self.by_case[flags[0].case_id]
        for course in self._of_member.get(answer.member_id, ()):
            if course.open_at(answer.at):
                return course
        return self._add(answer.member_id, answer.at, answer.at + ONE_CASE)

    def _add(self, member_id: int, opened_at: datetime, closes_at: datetime | None) -> Course:
        course = Course(opened_at=opened_at, closes_at=closes_at)
        self._of_member.setdefault(member_id, []).append(course)
        return course


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A text that would be flagged otherwise than it was."""

    at: datetime
    before: Level | None
    after: tuple[Flag, ...]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What came of it: all courses, and the texts that would be flagged otherwise, where they were asked for."""

    since: datetime
    texts: int
    courses: tuple[Course, ...]
    changes: tuple[Change, ...]


async def replay(
    store: Store,
    content: Content,
    since: datetime,
    ids: Sequence[int],
    *,
    keep_texts: bool,
    progress: Callable[[int], None],
) -> Replayed:
    """Examine the answers of these ids again, all since then. Writes nothing. `progress` is told how many were done."""
    stored = await looking_back.flags_since(store, since)
    courses, flagged = _Courses(stored), _by_answer(stored)
    examined, changes = set(), []
    async for batch in looking_back.texts(store, ids):
        for row, text in batch:
            found = await examine(content, text, row.id)
            was = highest(flag.level for flag in flagged.get(row.id, ()))
            level = highest(flag.level for flag in found)
            examined.add(row.id)
            if level:
                courses.of(row, flagged.get(row.id, ())).after.append((row.at, level))
            if keep_texts and was != level:
                changes.append(Change(at=row.at, before=was, after=found, text=text))
        progress(len(batch))
    for flag in stored:
        if flag.answer_id not in examined or flag.category not in FROM_TEXT:
            courses.by_case[flag.case_id].after.append((flag.at, flag.level))
    return Replayed(since=since, texts=len(examined), courses=tuple(courses.all()), changes=tuple(changes))


async def note_shown(store: Store, since: datetime, now: datetime) -> None:
    """Keep in the audit trail that participants' words are about to be shown."""
    async with store.begin() as tx:
        await audit.note(tx, "replay-shown", now, since=since.date().isoformat())


def table(replayed: Replayed) -> Iterator[str]:
    """Yield the outcome as lines with counts only: cases, then alerts by day (UTC)."""
    yield f"{replayed.texts} texts since {replayed.since.date()} were examined again"
    yield ""
    yield f"{'cases':<14}{'number':>8}{'red':>8}{'orange':>8}{'yellow':>8}"
    kinds = [_kind(course) for course in replayed.courses]
    for name in ("as before", "new", "gone", "raised", "lowered"):
        levels = Counter(level for kind, level in kinds if kind == name)
        yield f"{name:<14}{levels.total():>8}" + "".join(f"{levels[level]:>8}" for level in SHOWN)
    yield ""
    yield f"{'alerts':<14}{'before: red':>12}{'orange':>8}{'yellow':>8}{'after: red':>14}{'orange':>8}{'yellow':>8}"
    before = _alerts((course.before for course in replayed.courses), replayed.since)
    after = _alerts((course.after for course in replayed.courses), replayed.since)
    for day in sorted({day for day, _ in (*before, *after)}):
        yield f"{day!s:<14}" + _load(before, day, 12) + _load(after, day, 14)
    yield f"{'in all':<14}" + _load(before, None, 12) + _load(after, None, 14)


def told(change: Change) -> str:
    """Return a text that would be flagged otherwise, as one line."""
    rules = ", ".join(flag.rule for flag in change.after) or "no rule"
    after = highest(flag.level for flag in change.after)
    text = " ".join(change.text.split())
    return f"{change.at:%Y-%m-%d %H:%M}  {change.before or 'none'} -> {after or 'none'}  ({rules})  {text}"


def _by_answer(stored: Sequence[Row]) -> Mapping[int, Sequence[Row]]:
    flagged: dict[int, list[Row]] = {}
    for flag in stored:
        if flag.answer_id is not None and flag.category in FROM_TEXT:
            flagged.setdefault(flag.answer_id, []).append(flag)
    return flagged


def _kind(course: Course) -> tuple[str, Level]:
    before = highest(level for _, level in course.before)
    after = highest(level for _, level in course.after)
    if before is None or after is None:
        return ("new", after or "yellow") if before is None else ("gone", before)
    if before == after:
        return "as before", after
    return ("raised" if graver(after, before) else "lowered"), after


def _alerts(courses: Iterable[Iterable[Moment]], since: datetime) -> Counter[tuple[date, Level]]:
    """Count by day what opens a case or raises it: that alerts."""
    count: Counter[tuple[date, Level]] = Counter()
    for course in courses:
        present: Level | None = None
        for moment, level in sorted(course, key=lambda one: one[0]):
            if present is None or graver(level, present):
                present = level
                count[moment.date(), level] += moment >= since
    return +count


def _load(alerts: Counter[tuple[date, Level]], day: date | None, first: int) -> str:
    by_level = Counter[Level]()
    for (own, level), number in alerts.items():
        by_level[level] += number if day in (None, own) else 0
    red, *others = (by_level[level] for level in SHOWN)
    return f"{red:>{first}}" + "".join(f"{number:>8}" for number in others)
