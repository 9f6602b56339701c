"""Windows and times of a programme at which nothing could ever be sent."""

from collections.abc import Mapping

from bot.content.findings import Report
from bot.content.front_matter import FrontMatter
from bot.content.programme_front import ProgrammeFront
from bot.domain.programme import EVERY_DAY, Hours, Stream

DAY = 24 * 60
"""Minutes."""


def check_windows(
    front: ProgrammeFront, levels: Mapping[str, Mapping[str, Stream]], matter: FrontMatter, report: Report
) -> None:
    """Report windows and times that lie wholly in quiet or session hours on all of their days."""
    silent = _silent(front)
    for level, streams in levels.items():
        for name, stream in streams.items():
            places = matter.below(("streams", name)).under(matter.below(("levels", level, "streams", name)))
            if stream.between and _minutes(stream.days, stream.between) <= silent:
                what = f"the window of '{name}' lies wholly in quiet or session hours"
                report.add("C060", places.place(("between",)), what)
            for index, at in enumerate(stream.at):
                if {day * DAY + at.hour * 60 + at.minute for day in stream.days} <= silent:
                    what = f"{at:%H:%M} of '{name}' lies in quiet or session hours"
                    report.add("C060", places.place(("at", index)), what)


def _silent(front: ProgrammeFront) -> frozenset[int]:
    quiet = _minutes(EVERY_DAY, front.quiet.hours) if front.quiet else frozenset()
    return quiet.union(*(_minutes(session.days, session.hours) for session in front.sessions))


def _minutes(days: frozenset[int], hours: Hours) -> frozenset[int]:
    """Return the minutes of the week that the hours cover, from Monday's first on."""
    start, end = (part.hour * 60 + part.minute for part in (hours.start, hours.end))
    length = (end - start) % DAY or DAY
    return frozenset((day * DAY + start + minute) % (7 * DAY) for day in days for minute in range(length))
