from datetime import date, time
from types import MappingProxyType

from bot.domain.plan import Plan, Preferences, plan_for
from bot.domain.programme import EVERY_DAY, Hours, Programme, Stream, WorkingHours

MORNING = Hours(start=time(9), end=time(10, 30))
EVENING = Hours(start=time(18), end=time(19))
NIGHT = Hours(start=time(21, 30), end=time(8))
STREAMS = {
    "check-in": Stream(id="check-in", measure="daily-check-in", between=MORNING),
    "skill": Stream(id="skill", adaptive=True, between=Hours(start=time(11), end=time(20)), times=2),
    "phq-9": Stream(id="phq-9", measure="phq-9", at=(time(16),)),
}
PROGRAMME = Programme(
    id="invented",
    language="en",
    title="Invented",
    timezone="America/New_York",
    languages=("en",),
    quiet=NIGHT,
    most_per_day=4,
    sessions=(),
    levels=MappingProxyType({"iop": STREAMS, "step-down": {"skill": STREAMS["skill"]}}),
    curriculum=(),
    missed=None,
    alerts={},
    working_hours=WorkingHours(days=EVERY_DAY, hours=MORNING),
    contacts=(),
    consent_version=1,
    welcome=(),
    consent=(),
    not_monitored=(),
    urgent=(),
)


def plan(level: str = "iop", **wanted: object) -> Plan:
    preferences = Preferences(**wanted)  # type: ignore[arg-type]
    return plan_for(PROGRAMME, level, preferences, seed="1", began=date(2026, 11, 2), zone="America/Chicago")


def stream(told: Plan, name: str) -> Stream:
    return next(one for one in told.streams if one.id == name)


def test_without_wishes_it_is_the_levels_own() -> None:
    told = plan()
    assert told.streams == tuple(STREAMS.values())
    assert (told.quiet, told.zone, told.session_zone) == ((NIGHT,), "America/Chicago", "America/New_York")


def test_a_level_has_its_own_streams() -> None:
    assert [one.id for one in plan("step-down").streams] == ["skill"]


def test_a_level_the_programme_no_longer_has_counts_as_the_first() -> None:
    assert plan("gone").streams == plan("iop").streams


def test_own_hours_replace_a_window() -> None:
    assert stream(plan(windows={"check-in": EVENING}), "check-in").between == EVENING


def test_own_hours_replace_exact_times() -> None:
    phq = stream(plan(windows={"phq-9": EVENING}), "phq-9")
    assert (phq.between, phq.at, phq.times) == (EVENING, (), 1)


def test_own_exact_times_replace_a_window_and_no_more_of_them_than_the_programme_has() -> None:
    skill = stream(plan(windows={"skill": (time(12), time(15), time(19))}), "skill")
    assert (skill.between, skill.at) == (None, (time(12), time(15)))


def test_own_quiet_hours_come_on_top() -> None:
    assert plan(quiet=EVENING).quiet == (NIGHT, EVENING)


def test_days_off_are_for_all_or_for_one_stream() -> None:
    told = plan(days_off=frozenset({6}), stream_days_off={"skill": frozenset({0, 1})})
    assert stream(told, "check-in").days == EVERY_DAY - {6}
    assert stream(told, "skill").days == EVERY_DAY - {0, 1, 6}


def test_a_stream_switched_off_is_not_there() -> None:
    assert [one.id for one in plan(switched_off=frozenset({"skill"})).streams] == ["check-in", "phq-9"]


def test_wishes_for_streams_of_another_level_do_no_harm() -> None:
    assert plan("step-down", windows={"check-in": EVENING}, switched_off=frozenset({"phq-9"})).streams
