"""Reliable change, response and remission: for clinicians with the answers, for the person in plain words."""

from datetime import timedelta

import pytest
from cast import Cast

from bot.domain.flow import Answer, State
from bot.services import cases, reports
from bot.storage import runs
from bot.storage.runs import Run
from bot.storage.tables import new_id

RED = "I want to kill myself tonight"


async def scored(cast: Cast, measure: str, *totals: float | None) -> None:
    """Have Robin's answers to a measure come to these totals, one a week, the first three weeks ago."""
    member = await cast.member("Robin")
    for week, total in enumerate(totals):
        at = cast.now - timedelta(weeks=3 - week)
        run = Run(
            id=new_id(),
            member_id=member.id,
            kind="measure",
            activity=measure,
            language="en",
            version="v1",
            card="",
            preview=False,
            state=State(phase="ended"),
            started_at=at,
            updated_at=at,
        )
        async with cast.store.begin() as tx:
            await runs.add_run(tx, run)
            await runs.add_score(tx, member.id, run.id, measure, total, "", at)


async def seen_by_quill(cast: Cast) -> str:
    await cast.writes("Robin", RED)
    (case,) = await cast.cases()
    await cases.show_answers(cast.store, cast.content, await cast.turn("Quill"), case.id)
    return (await cast.got("Quill"))[-1].text


@pytest.mark.parametrize(
    ("totals", "told"),
    [
        ((17, 12, 8), "17 → 8 since Oct 12: reliable improvement, response, not yet remission"),
        ((17, 12), "17 → 12 since Oct 12: no reliable change, no response, not yet remission"),
        ((17, 4), "17 → 4 since Oct 12: reliable improvement, response, remission"),
        ((9, 15), "9 → 15 since Oct 12: reliable worsening, no response, not yet remission"),
        ((17, None, 9), "17 → 9 since Oct 12: reliable improvement, no response, not yet remission"),
    ],
)
async def test_a_clinician_sees_the_change_with_the_answers(clinic: Cast, totals: tuple, told: str) -> None:
    await scored(clinic, "phq-9", *totals)
    assert told in await seen_by_quill(clinic)


async def test_response_and_remission_are_said_of_the_phq_9_alone(clinic: Cast) -> None:
    await scored(clinic, "gad-7", 14, 6)
    shown = await seen_by_quill(clinic)
    assert "14 → 6 since Oct 12: reliable improvement\n" in shown


@pytest.mark.parametrize("totals", [(), (17,), (17, None)])
async def test_one_score_is_no_change(clinic: Cast, totals: tuple) -> None:
    await scored(clinic, "phq-9", *totals)
    assert "→" not in await seen_by_quill(clinic)


async def test_no_alert_holds_a_score(clinic: Cast) -> None:
    await scored(clinic, "phq-9", 17, 9)
    await clinic.writes("Robin", RED)
    alert = next(message for message in await clinic.got("Quill") if message.card.startswith("case:"))
    assert "17" not in alert.text.replace("Nov", "")
    assert "reliable" not in alert.text


@pytest.mark.parametrize(
    ("totals", "told"),
    [
        ((17, 8), "things weigh clearly less on you"),
        ((9, 15), "Please talk about it with your team"),
        ((9, 10), "your answers are much as on Oct 12"),
    ],
)
async def test_a_participant_reads_it_without_numbers_or_diagnosis(clinic: Cast, totals: tuple, told: str) -> None:
    await scored(clinic, "phq-9", *totals)
    await clinic.begins("Robin", "box-breathing")
    member = await clinic.member("Robin")
    async with clinic.store.begin() as tx:
        await runs.add_answer(tx, member.id, None, "answer", Answer(step="mood", number=5), clinic.now)
    await reports.show_progress(clinic.store, clinic.content, await clinic.turn("Robin"))
    text = (await clinic.got("Robin"))[-1].text
    assert told in text
    line = next(line for line in text.splitlines() if told in line)
    assert not any(word in line for word in ("→", "17", "remission", "reliable", "depress"))
