"""What a progress picture shows, the words it is shown in, and the same told in plain text."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

MOST_SKILLS = 8
"""Skills shown one by one; Telegram shrinks a taller picture until nobody can read it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SkillProgress:
    """A skill that was practised `times` times, with the mean distress, 0 to 10, before and after (None: not rated)."""

    title: str
    times: int
    before: float | None = None
    after: float | None = None

    @property
    def eased(self) -> float | None:
        """By how much distress fell, as the rounded means show it; negative when it rose, None when not rated."""
        if self.before is None or self.after is None:
            return None
        return round(round(self.before, 1) - round(self.after, 1), 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The days from `since` to `until`, both included: the mood, 0 to 10, of each day that has one, and the skills."""

    days: tuple[tuple[date, float], ...]
    skills: tuple[SkillProgress, ...]
    since: date
    until: date

    @property
    def ranked(self) -> tuple[SkillProgress, ...]:
        """The skills, what eased most first, what was not rated last."""
        return tuple(sorted(self.skills, key=_rank))


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressWords:
    """All that the picture says, in the person's language.

    `mood_scale` and `distress_scale` say what 0 and 10 mean. `no_mood` and `no_skills` stand where there is nothing to
    show yet. Templates: `period` {since} {until}; `times` and `more` {n}; `alt_mood` {days} {lowest} {highest} {last};
    `alt_skill` {skill} {times} {before} {after}; `alt_unrated` {skill} {times}. `day` and `number` write a date and a
    number as the language does.
    """

    title: str
    period: str
    mood: str
    mood_scale: str
    no_mood: str
    helped_most: str
    distress: str
    distress_scale: str
    before: str
    after: str
    times: str
    not_rated: str
    more: str
    no_skills: str
    alt_mood: str
    alt_skill: str
    alt_unrated: str
    day: Callable[[date], str]
    number: Callable[[float], str]


def said(template: str, **values: str) -> str:
    """Return the template with each {name} that has a value filled in."""
    return re.sub(r"\{(\w+)\}", lambda field: values.get(field[1], field[0]), template)


def skills_heading(progress: Progress, words: ProgressWords) -> str:
    """Return what stands over the skills: what helped most comes first, unless nothing has yet."""
    return words.helped_most if any((skill.eased or 0) > 0 for skill in progress.skills) else words.distress


def place_of(row: int, skill: SkillProgress) -> str:
    """Return the number of a skill among those that helped, a dash for one that did not (rows count from 0)."""
    return f"{row + 1}." if (skill.eased or 0) > 0 else "–"


def alt_text(progress: Progress, words: ProgressWords) -> str:
    """Return what the picture shows as lines of plain text, for who cannot see it."""
    lines = [
        words.title,
        said(words.period, since=words.day(progress.since), until=words.day(progress.until)),
        _mood_line(progress, words),
    ]
    if not progress.skills:
        return "\n".join([*lines, words.no_skills])
    lines.append(f"{skills_heading(progress, words)}:")
    ranked = progress.ranked
    lines += [f"{place_of(row, one)} {_skill_line(one, words)}" for row, one in enumerate(ranked[:MOST_SKILLS])]
    if len(ranked) > MOST_SKILLS:
        lines.append(said(words.more, n=str(len(ranked) - MOST_SKILLS)))
    return "\n".join(lines)


def _mood_line(progress: Progress, words: ProgressWords) -> str:
    if not progress.days:
        return words.no_mood
    moods = [mood for _, mood in sorted(progress.days)]
    return said(
        words.alt_mood,
        days=str(len(moods)),
        lowest=words.number(min(moods)),
        highest=words.number(max(moods)),
        last=words.number(moods[-1]),
    )


def _skill_line(skill: SkillProgress, words: ProgressWords) -> str:
    times = said(words.times, n=str(skill.times))
    if skill.before is None or skill.after is None:
        return said(words.alt_unrated, skill=skill.title, times=times)
    before, after = words.number(skill.before), words.number(skill.after)
    return said(words.alt_skill, skill=skill.title, times=times, before=before, after=after)


def _rank(skill: SkillProgress) -> tuple[bool, float, int, str]:
    eased = skill.eased
    return eased is None, -(eased or 0), -skill.times, skill.title
