import csv
import io
import json
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType

import pytest

from bot.content.library import Content
from bot.domain.activity import Skill, Step
from bot.domain.programme import EVERY_DAY, Hours, Phase, Programme, Session, Stream, WorkingHours
from bot.domain.risk.detector import compile_rules
from bot.forecast import BadForecast, Row, forecast, render

NIGHT = Hours(start=time(21, 30), end=time(8))
PROGRAMME = Programme(
    id="invented",
    language="en",
    title="Invented",
    timezone="America/New_York",
    languages=("en",),
    quiet=NIGHT,
    most_per_day=4,
    sessions=(Session(days=frozenset({0}), hours=Hours(start=time(18), end=time(21)), kind="group"),),
    levels=MappingProxyType(
        {
            "iop": {
                "check-in": Stream(id="check-in", measure="daily", between=Hours(start=time(9), end=time(10, 30))),
                "skill": Stream(id="skill", adaptive=True, between=Hours(start=time(18), end=time(20))),
                "fixed": Stream(id="fixed", skill="stop", at=(time(12),), days=frozenset({1})),
            }
        }
    ),
    curriculum=(Phase(first=1, last=None, skills=("box-breathing", "five-senses")),),
    missed=None,
    alerts={},
    working_hours=WorkingHours(days=EVERY_DAY, hours=NIGHT),
    contacts=(),
    consent_version=1,
    welcome=(),
    consent=(),
    not_monitored=(),
    urgent=(),
)
SKILL = Skill(
    id="box-breathing",
    language="en",
    version="1",
    title="Box breathing",
    summary="",
    intro=(),
    steps={"one": Step(id="one", heading=())},
    source="invented",
    reviewed=date(2026, 11, 2),
    reviewer="nobody",
    approach="DBT",
    helps_with=(),
    minutes=3,
)
SKILLS = {name: {"en": replace(SKILL, id=name)} for name in ("box-breathing", "five-senses", "stop")}
CONTENT = Content(
    root=Path(),
    skills=SKILLS,
    measures={},
    programmes={"invented": {"en": PROGRAMME}},
    messages={},
    detector=compile_rules((), {}),
)
MONDAY = date(2026, 11, 2)


def rows(zone: str = "America/New_York", first: date = MONDAY, days: int = 2, seed: int = 0) -> tuple[Row, ...]:
    return forecast(CONTENT, "invented", zone, first, days, seed)


def test_it_says_what_comes_and_why_something_does_not() -> None:
    assert [(row.local[:10], row.stream, row.activity in SKILLS or row.activity, row.reason) for row in rows()] == [
        ("2026-11-02", "check-in", "daily", ""),
        ("2026-11-02", "skill", True, "session"),
        ("2026-11-03", "check-in", "daily", ""),
        ("2026-11-03", "fixed", True, ""),
        ("2026-11-03", "skill", True, ""),
    ]


def test_local_and_utc_are_the_same_moment() -> None:
    for row in rows("Australia/Lord_Howe", days=5):
        assert datetime.fromisoformat(row.local) == datetime.fromisoformat(row.utc)
        assert row.utc.endswith("+00:00")
        assert row.local.endswith("+11:00")


def test_only_the_days_asked_for_are_there() -> None:
    found = {datetime.fromisoformat(row.local).date() for row in rows("Pacific/Kiritimati", days=4)}
    assert found == {MONDAY + timedelta(days=ahead) for ahead in range(4)}


def test_the_curriculum_alternates_what_was_practised_last() -> None:
    chosen = [row.activity for row in rows(days=9) if row.stream == "skill" and not row.reason]
    assert set(chosen) == {"box-breathing", "five-senses"}
    assert all(one != other for one, other in pairwise(chosen))


def test_the_seed_decides() -> None:
    assert rows(seed=1) == rows(seed=1) != rows(seed=2)


def test_a_longer_forecast_begins_like_a_shorter_one() -> None:
    assert rows(days=9)[: len(rows(days=3))] == rows(days=3)


def test_csv_has_exactly_these_columns() -> None:
    lines = list(csv.reader(io.StringIO(render(rows(), "csv"))))
    assert lines[0] == ["local", "utc", "stream", "activity", "reason"]
    assert len(lines) == 6
    assert lines[2][4] == "session"


def test_csv_without_rows_still_has_its_head() -> None:
    assert render((), "csv") == "local,utc,stream,activity,reason\n"


def test_json_says_the_same_as_csv() -> None:
    read = json.loads(render(rows(), "json"))
    assert [list(row.values()) for row in read] == list(csv.reader(io.StringIO(render(rows(), "csv"))))[1:]


def test_a_table_is_for_reading() -> None:
    text = render(rows(), "table")
    assert text.splitlines()[0].split() == ["day", "time", "zone", "stream", "activity", "left", "out", "for"]
    assert "Mon 2026-11-02" in text
    assert "session" in text
    assert render((), "table") == "Nothing is sent on these days.\n"


@pytest.mark.parametrize("name", ["america/new_york", " America/New York "])
def test_zones_are_known_however_they_are_written(name: str) -> None:
    assert rows(name) == rows()


@pytest.mark.parametrize(
    ("name", "meant"), [("America/NewYork", "America/New_York"), ("madrid", "Europe/Madrid"), ("Lord Hwe", "Lord_Howe")]
)
def test_an_unknown_zone_is_refused_with_what_was_meant(name: str, meant: str) -> None:
    with pytest.raises(BadForecast, match=f"did you mean '.*{meant}'"):
        rows(name)


def test_a_zone_that_resembles_none_is_refused() -> None:
    with pytest.raises(BadForecast, match="give an IANA name"):
        rows("../../etc/passwd")


def test_an_unknown_programme_is_refused_with_those_there_are() -> None:
    with pytest.raises(BadForecast, match=r"did you mean 'invented'\?\); there are: invented"):
        forecast(CONTENT, "invneted", "UTC", MONDAY, 1)


@pytest.mark.parametrize(("first", "days"), [(MONDAY, 0), (MONDAY, 4000), (date(9999, 12, 31), 1), (date(1, 1, 1), 1)])
def test_days_out_of_range_are_refused(first: date, days: int) -> None:
    with pytest.raises(BadForecast, match="choose"):
        rows(first=first, days=days)
