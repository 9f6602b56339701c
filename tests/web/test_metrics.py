"""What `/metrics` says of what is stored, and that it says nothing of anybody."""

import asyncio
import contextlib
import json
import re
import sqlite3
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cast import Cast
from sqlalchemy import delete, event, func, select, update

from bot.addresses import read
from bot.content.library import Content
from bot.headway import Headway
from bot.services import cases as queue
from bot.services import channels
from bot.storage import cases as records
from bot.storage import channels as records_of_pages
from bot.storage import inbox, outbox, prompts
from bot.storage.figures import OverDays
from bot.storage.outbox import Lane, Posting
from bot.storage.prompts import Prompt
from bot.storage.store import Store
from bot.storage.tables import cases, pages
from bot.storage.tables import inbox as updates
from bot.storage.tables import outbox as messages
from bot.storage.tables import prompts as planned
from bot.web import Counting, counting, health, make_web

ROOT = Path(__file__).parent.parent.parent
NAME = re.compile(r"\binterlude_[a-z_]+\b")
EVENING = 'programme="adult-evening"'
OF_WHAT_WAITS = (
    "ix_inbox_waiting",
    "ix_inbox_chat",
    "ix_inbox_set_aside",
    "ix_outbox_ready",
    "ix_outbox_chat",
    "ix_pages_ready",
)
"""Indexes that hold only what is not done yet: they may be walked through."""

RED = f'{EVENING},level="red"'


@pytest.fixture
async def cast(store: Store, content: Content) -> Cast:
    """Robin takes part, Quill is a clinician; nothing waits."""
    cast = Cast(store=store, content=content)
    await cast.invited("Quill", "clinician")
    await cast.joined("Robin")
    async with store.begin() as tx:
        await tx.run(update(updates).values(done_at=cast.now))
        await tx.run(delete(messages))
        await tx.run(delete(planned))
    return cast


@pytest.fixture
def headway() -> Headway:
    return Headway(lambda: 7.5)


@pytest.fixture
async def prometheus(cast: Cast, headway: Headway) -> AsyncIterator[httpx.AsyncClient]:
    async with contextlib.aclosing(Counting(cast.store, lambda: cast.now)) as counting:
        web = httpx.ASGITransport(make_web(cast.store, headway, lambda: cast.now, counting))
        async with httpx.AsyncClient(transport=web, base_url="http://interlude") as client:
            yield client


async def scraped(prometheus: httpx.AsyncClient) -> dict[str, float]:
    answer = await prometheus.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = (line.rpartition(" ") for line in answer.text.splitlines() if not line.startswith("#"))
    return {series: float(value) for series, _, value in lines}


async def test_updates_that_wait_and_those_set_aside_are_counted(cast: Cast, prometheus: httpx.AsyncClient) -> None:
    assert (await scraped(prometheus))["interlude_updates_oldest_seconds"] == 0
    first = await cast.turn("Robin")
    cast.later(seconds=40)
    await cast.turn("Quill")
    cast.later(seconds=2)
    figures = await scraped(prometheus)
    assert (figures["interlude_updates_waiting"], figures["interlude_updates_oldest_seconds"]) == (2, 42)
    async with cast.store.begin() as tx:
        await inbox.set_aside(tx, first.update_id, cast.now, "broken")
    figures = await scraped(prometheus)
    assert (figures["interlude_updates_waiting"], figures["interlude_updates_oldest_seconds"]) == (1, 2)
    assert figures["interlude_updates_set_aside"] == 1


async def test_messages_are_counted_by_lane_and_by_how_they_ended(cast: Cast, prometheus: httpx.AsyncClient) -> None:
    lanes = {"a": Lane.SAFETY, "b": Lane.SAFETY, "c": Lane.BULK, "d": Lane.REPLY, "e": Lane.PROMPT}
    posted = [Posting(key=key, chat_id=100, lane=lane, payload="{}") for key, lane in lanes.items()]
    async with cast.store.begin() as tx:
        await outbox.post(tx, posted, cast.now)
        found = {row.key: row.id for row in await tx.all(select(messages.c.key, messages.c.id))}
        await outbox.settle(tx, found["d"], "sent", cast.now)
        await outbox.settle(tx, found["e"], "failed", cast.now)
    cast.later(seconds=9)
    figures = await scraped(prometheus)
    waiting = {lane: figures[f'interlude_messages_waiting{{lane="{lane}"}}'] for lane in ("safety", "reply", "bulk")}
    oldest = {lane: figures[f'interlude_messages_oldest_seconds{{lane="{lane}"}}'] for lane in ("safety", "reply")}
    assert waiting == {"safety": 2, "reply": 0, "bulk": 1}
    assert oldest == {"safety": 9, "reply": 0}
    settled = {
        state: figures[f'interlude_messages_settled{{state="{state}"}}'] for state in ("sent", "failed", "dropped")
    }
    assert settled == {"sent": 1, "failed": 1, "dropped": 0}
    cast.later(hours=1)
    assert (await scraped(prometheus))['interlude_messages_settled{state="sent"}'] == 0, "an hour ago"


async def test_pages_that_should_have_gone_out_are_counted(cast: Cast, prometheus: httpx.AsyncClient) -> None:
    code = (await cast.person("Quill")).code
    address = "mailto://quill:secret@127.0.0.1:9?from=interlude@clinic.example&to=quill@clinic.example"
    await channels.add_for_clinician(
        cast.store, code=code, programme="", address=address, known=read(address), now=cast.now
    )
    await cast.writes("Robin", "I want to kill myself tonight")
    cast.later(seconds=50)
    figures = await scraped(prometheus)
    assert (figures["interlude_pages_waiting"], figures["interlude_pages_oldest_seconds"]) == (1, 50)
    [page] = await cast.kept(pages)
    async with cast.store.begin() as tx:
        await records_of_pages.try_again(tx, page.id, cast.now + timedelta(seconds=30), "not-reached")
    assert (await scraped(prometheus))["interlude_pages_waiting"] == 1, "one that is tried again still waits"
    async with cast.store.begin() as tx:
        await records_of_pages.settle(tx, page.id, "sent", cast.now)
    figures = await scraped(prometheus)
    assert (figures["interlude_pages_waiting"], figures['interlude_pages_settled{state="sent"}']) == (0, 1)


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
async def test_no_figure_walks_through_what_grows_without_end(cast: Cast, prometheus: httpx.AsyncClient) -> None:
    asked: list[tuple[str, tuple]] = []
    engine = cast.store._reader.sync_engine

    def note(_connection, _cursor, statement: str, parameters: tuple, *_rest) -> None:
        asked.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    await scraped(prometheus)
    event.remove(engine, "before_cursor_execute", note)
    with contextlib.closing(sqlite3.connect(cast.store.engine.url.database)) as file:
        plans = [
            step[3]
            for statement, given in asked
            if statement.startswith("SELECT")
            for step in file.execute(f"EXPLAIN QUERY PLAN {statement}", given)
        ]
    assert len(plans) > 8
    walked = [step for step in plans if re.match(r"SCAN (inbox|outbox|prompts|pages|case_events)\b", step)]
    assert not [step for step in walked if step.rpartition(" ")[2] not in OF_WHAT_WAITS], walked


def prompt(member_id: int, number: int, status: str, due: datetime) -> Prompt:
    return Prompt(
        id=number,
        member_id=member_id,
        stream="skills",
        slot=str(number),
        status=status,
        kind="skill",
        activity="",
        probability=None,
        due_at=due,
        latest_at=due,
        answer_within=3600,
        remind_after=None,
    )


async def test_prompts_count_for_a_day_and_compliance_for_a_week(cast: Cast, prometheus: httpx.AsyncClient) -> None:
    robin = (await cast.member("Robin")).id
    assert f"interlude_compliance_ratio{{{EVENING}}}" not in await scraped(prometheus)
    hours = {"answered": (1, 30, 40), "missed": (2, 8 * 24), "skipped": (3,), "planned": (-1,)}
    due = [(status, cast.now - timedelta(hours=ago)) for status, all_ago in hours.items() for ago in all_ago]
    async with cast.store.begin() as tx:
        await prompts.plan(tx, [prompt(robin, number, *one) for number, one in enumerate(due, 1)])
    cast.later(minutes=5)
    figures = await scraped(prometheus)
    counted = {status: figures[f'interlude_prompts{{{EVENING},status="{status}"}}'] for status in hours}
    assert counted == {"answered": 1, "missed": 1, "skipped": 1, "planned": 0}
    assert figures[f"interlude_compliance_ratio{{{EVENING}}}"] == 0.75


async def test_a_case_is_counted_until_it_is_resolved_and_its_acknowledgement_timed(
    cast: Cast, prometheus: httpx.AsyncClient
) -> None:
    await cast.writes("Robin", "I want to kill myself tonight")
    [case] = await cast.cases()
    state = f'interlude_cases{{{EVENING},level="red",state="%s"}}'
    figures = await scraped(prometheus)
    assert (figures[state % "open"], figures[state % "acknowledged"]) == (1, 0)
    assert f"interlude_acknowledge_max_seconds{{{RED}}}" not in figures
    cast.later(seconds=90)
    await queue.acknowledge(cast.store, cast.content, await cast.turn("Quill"), case.id)
    cast.later(minutes=5)
    figures = await scraped(prometheus)
    assert (figures[state % "open"], figures[state % "acknowledged"]) == (0, 1)
    assert figures[f"interlude_acknowledged{{{RED}}}"] == 1
    assert figures[f"interlude_acknowledge_max_seconds{{{RED}}}"] == 90
    cast.later(days=8)
    assert f"interlude_acknowledged{{{RED}}}" not in await scraped(prometheus)
    async with cast.store.begin() as tx:
        await records.add_event(tx, case.id, "raised", cast.now - timedelta(seconds=5))
        await records.add_event(tx, case.id, "resolved", cast.now)
        await tx.run(update(cases).values(state="resolved"))
    cast.later(minutes=5)
    figures = await scraped(prometheus)
    assert figures[f"interlude_acknowledge_max_seconds{{{RED}}}"] == 5
    assert sum(value for series, value in figures.items() if series.startswith("interlude_cases{")) == 0


async def test_each_wait_counts_from_the_last_raising_and_ends_once(cast: Cast, prometheus: httpx.AsyncClient) -> None:
    await cast.writes("Robin", "I want to kill myself tonight")
    [case] = await cast.cases()
    taken = {10: "left", 30: "acknowledged"}
    again = {40: "raised", 50: "raised", 70: "lowered", 80: "acknowledged"}
    steps = {**taken, **again, 100: "left", 400: "resolved"}
    async with cast.store.begin() as tx:
        for second, kind in steps.items():
            await records.add_event(tx, case.id, kind, cast.now + timedelta(seconds=second))
    cast.later(seconds=500)
    figures = await scraped(prometheus)
    assert figures[f"interlude_acknowledged{{{RED}}}"] == 3
    assert figures[f"interlude_acknowledge_median_seconds{{{RED}}}"] == 30
    assert figures[f"interlude_acknowledge_max_seconds{{{RED}}}"] == 300


async def test_nothing_of_a_person_is_exported(cast: Cast, prometheus: httpx.AsyncClient) -> None:
    await cast.joined("CANARY-XYZZY")
    await cast.writes("CANARY-XYZZY", "CANARY-XYZZY I want to kill myself tonight")
    person = await cast.person("CANARY-XYZZY")
    async with cast.store.begin() as tx:
        last = await tx.value(select(func.max(updates.c.update_id)))
        await inbox.set_aside(tx, last, cast.now, "CANARY-XYZZY")
    assert "CANARY-XYZZY" in person.name
    text = (await prometheus.get("/metrics")).text
    assert "interlude_cases" in text
    assert "XYZZY" not in text.upper()
    assert person.code not in text
    allowed = {"programme", "lane", "state", "status", "level", "part"}
    assert set(re.findall(r'(\w+)="', text)) <= allowed
    values = set(re.findall(r'="([^"]*)"', text))
    assert not {value for value in values if not re.fullmatch(r"[a-z][a-z-]*", value)}


async def test_headway_is_told_by_part(headway: Headway, prometheus: httpx.AsyncClient) -> None:
    headway.watch("sender")
    headway._seconds = lambda: 20.0
    headway.watch("scheduler", ["due"])
    figures = await scraped(prometheus)
    assert figures['interlude_headway_seconds{part="sender"}'] == 12.5
    assert figures['interlude_headway_seconds{part="scheduler"}'] == 0


async def test_a_database_that_does_not_answer_in_time_gives_503(
    prometheus: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_) -> None:
        await asyncio.Event().wait()

    assert health.ASK_FOR <= 5
    monkeypatch.setattr(health, "ASK_FOR", 0.05)
    monkeypatch.setattr(health, "gathered", never)
    assert (await prometheus.get("/metrics")).status_code == 503


COMPLIANCE = f"interlude_compliance_ratio{{{EVENING}}}"
FAILED, AGE = "interlude_day_figures_failed", "interlude_day_figures_age_seconds"


async def answered(cast: Cast, number: int, status: str = "answered") -> None:
    robin = (await cast.member("Robin")).id
    async with cast.store.begin() as tx:
        await prompts.plan(tx, [prompt(robin, number, status, cast.now - timedelta(hours=1))])


async def test_figures_over_days_are_remembered_for_five_minutes_and_all_others_fresh(
    cast: Cast, prometheus: httpx.AsyncClient
) -> None:
    await answered(cast, 1)
    first = await scraped(prometheus)
    assert (first[COMPLIANCE], first[AGE], first[FAILED]) == (1, 0, 0)
    await answered(cast, 2, "missed")
    await cast.writes("Robin", "I want to kill myself tonight")
    cast.later(seconds=299)
    figures = await scraped(prometheus)
    assert (figures[COMPLIANCE], figures[AGE]) == (1, 299)
    assert figures[f'interlude_cases{{{RED},state="open"}}'] == 1
    assert figures["interlude_updates_oldest_seconds"] == 299
    assert figures['interlude_messages_oldest_seconds{lane="safety"}'] == 299
    cast.later(seconds=1)
    figures = await scraped(prometheus)
    assert (figures[COMPLIANCE], figures[AGE]) == (0.5, 0)


async def test_a_slow_count_of_days_is_not_waited_for_and_is_told_when_it_is_done(
    cast: Cast, prometheus: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on, count = [], asyncio.Event(), counting.gathered_over_days

    async def slow(*given) -> OverDays:
        begun.append(given)
        await go_on.wait()
        return await count(*given)

    monkeypatch.setattr(counting, "gathered_over_days", slow)
    monkeypatch.setattr(counting, "WAIT_FOR", 0.01)
    await answered(cast, 1)
    for _ in range(2):
        figures = await scraped(prometheus)
        assert figures["interlude_updates_waiting"] == 1
        assert not {COMPLIANCE, AGE} & figures.keys()
    go_on.set()
    monkeypatch.setattr(counting, "WAIT_FOR", 60)
    assert (await scraped(prometheus))[COMPLIANCE] == 1
    assert len(begun) == 1, "one count served all three"
    go_on.clear()
    monkeypatch.setattr(counting, "WAIT_FOR", 0.01)
    cast.later(minutes=6)
    figures = await scraped(prometheus)
    assert (figures[COMPLIANCE], figures[AGE]) == (1, 360), "the last ones, and how old they are"


async def test_a_count_of_days_that_fails_is_told_and_tried_again(
    cast: Cast, prometheus: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = counting.gathered_over_days

    async def broken(*_) -> None:
        raise OSError("CANARY-XYZZY")

    await answered(cast, 1)
    assert (await scraped(prometheus))[FAILED] == 0
    monkeypatch.setattr(counting, "gathered_over_days", broken)
    cast.later(minutes=6)
    figures = await scraped(prometheus)
    assert (figures[FAILED], figures[AGE], figures[COMPLIANCE]) == (1, 360, 1)
    assert figures["interlude_updates_oldest_seconds"] == 360, "what tells of stuck work is told all the same"
    cast.later(hours=1)
    figures = await scraped(prometheus)
    assert figures[FAILED] == 1
    assert not {COMPLIANCE, AGE} & figures.keys(), "too old to be taken for today's"
    monkeypatch.setattr(counting, "gathered_over_days", count)
    figures = await scraped(prometheus)
    assert (figures[FAILED], figures[AGE], figures[COMPLIANCE]) == (0, 0, 1)


async def test_a_count_of_days_that_never_ends_is_given_up(
    prometheus: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(counting, "gathered_over_days", never)
    monkeypatch.setattr(counting, "COUNT_WITHIN", 0.01)
    assert (await scraped(prometheus))[FAILED] == 1


async def test_a_count_under_way_ends_with_whoever_serves(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = asyncio.Event()

    async def never(*_) -> None:
        begun.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(counting, "gathered_over_days", never)
    monkeypatch.setattr(counting, "WAIT_FOR", 0.01)
    async with contextlib.aclosing(Counting(cast.store, lambda: cast.now)) as counted:
        await counted.given()
        await begun.wait()
    assert len(asyncio.all_tasks()) == 1


async def test_a_database_that_fails_gives_503(prometheus: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_) -> None:
        raise OSError("CANARY-XYZZY")

    monkeypatch.setattr(health, "gathered", broken)
    answer = await prometheus.get("/metrics")
    assert (answer.status_code, "XYZZY" in answer.text) == (503, False)


async def test_dashboard_and_table_name_what_is_exported_and_nothing_else(prometheus: httpx.AsyncClient) -> None:
    text = (await prometheus.get("/metrics")).text
    exported = set(re.findall(r"^# TYPE (\w+) gauge$", text, re.MULTILINE))
    assert exported == set(re.findall(r"^# HELP (\w+) \S", text, re.MULTILINE))
    dashboard = json.loads((ROOT / "deploy" / "grafana" / "interlude.json").read_text(encoding="utf-8"))
    asked = {name for panel in dashboard["panels"] for one in panel["targets"] for name in NAME.findall(one["expr"])}
    assert asked == exported
    assert set(NAME.findall(json.dumps(dashboard))) <= exported
    written = set(NAME.findall((ROOT / "docs" / "OPERATIONS.md").read_text(encoding="utf-8")))
    assert written == exported
