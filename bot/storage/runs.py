"""Queries on practices under way: their state, their answers and scores, and the content they began with."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal

import structlog
from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bot.domain.flow import Answer, Phase, State
from bot.storage.store import Tx
from bot.storage.tables import Row, answers, contents, flags, new_id, runs, scores
from bot.storage.vault import Unreadable, readable

log = structlog.get_logger()

Kind = Literal["skill", "measure"]
DISTRESS = ("before", "after")
"""Steps whose numbers say whether a practice helped."""

_OPEN_RUN = (
    select(runs)
    .where(runs.c.member_id == bindparam("member_id"), runs.c.phase != "ended")
    .order_by(runs.c.updated_at.desc())
    .limit(1)
)
_ADD_ANSWER = insert(answers)
"""With the values beside it, so that the statement is the same for each answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One practice of one member. `card` names the message that shows it; `due_at` is when a pause is over."""

    id: int
    member_id: int
    kind: Kind
    activity: str
    language: str
    version: str
    card: str
    preview: bool
    state: State
    started_at: datetime
    updated_at: datetime
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Practised:
    """A finished practice: distress before and after, where it was asked."""

    activity: str
    before: float | None
    after: float | None
    outcome: str
    ended_at: datetime


async def add_run(tx: Tx, run: Run) -> None:
    """Add a practice."""
    await tx.run(
        insert(runs).values(
            id=run.id,
            member_id=run.member_id,
            kind=run.kind,
            activity=run.activity,
            language=run.language,
            version=run.version,
            card=run.card,
            preview=run.preview,
            started_at=run.started_at,
            **_changing(tx, run),
        )
    )


async def save_run(tx: Tx, run: Run, turn_before: int) -> bool:
    """Keep where a practice is now; False when somebody else moved it on meanwhile."""
    here = (runs.c.id == run.id) & (runs.c.turn == turn_before)
    return (await tx.run(update(runs).where(here).values(**_changing(tx, run)))).rowcount == 1


async def run(tx: Tx, run_id: int) -> Run | None:
    """Return the practice with this id. Raises Unreadable: a tap in it must not pass for one on nothing."""
    row = await tx.one(select(runs).where(runs.c.id == run_id))
    return _run(tx, row) if row else None


async def run_if_readable(tx: Tx, run_id: int) -> Run | None:
    """Return the practice with this id, None where it cannot be read."""
    row = await tx.one(select(runs).where(runs.c.id == run_id))
    return _run_if_readable(tx, row) if row else None


async def open_run(tx: Tx, member_id: int) -> Run | None:
    """Return the practice that the member was last busy with and did not end, None where it cannot be read.

    What they write is then examined as words of their own.
    """
    row = await tx.one(_OPEN_RUN, {"member_id": member_id})
    return _run_if_readable(tx, row) if row else None


async def elapsed_runs(tx: Tx, now: datetime, limit: int) -> tuple[Run, ...]:
    """Return practices whose pause is over, the longest first; one that cannot be read goes on no more."""
    query = select(runs).where(runs.c.due_at <= now).order_by(runs.c.due_at).limit(limit)
    found = []
    for row in await tx.all(query):
        if one := _run_if_readable(tx, row):
            found.append(one)
        else:
            await forget_pause(tx, row.id)
    return tuple(found)


async def put_off_pause(tx: Tx, run_id: int, due_at: datetime) -> None:
    """Let a practice go on later."""
    await tx.run(update(runs).where(runs.c.id == run_id, runs.c.due_at.is_not(None)).values(due_at=due_at))


async def forget_pause(tx: Tx, run_id: int) -> None:
    """Take away when a practice goes on: it never will."""
    await tx.run(update(runs).where(runs.c.id == run_id).values(due_at=None))


async def last_activity(tx: Tx, member_id: int, kind: Kind) -> str | None:
    """Return what the member practised last."""
    query = (
        select(runs.c.activity)
        .where(runs.c.member_id == member_id, runs.c.kind == kind, runs.c.preview.is_(False))
        .order_by(runs.c.started_at.desc())
        .limit(1)
    )
    found: str | None = await tx.value(query)
    return found


_PRACTISED = (
    select(runs.c.member_id, runs.c.activity, runs.c.before, runs.c.after, runs.c.outcome, runs.c.ended_at)
    .where(
        runs.c.member_id.in_(bindparam("ids", expanding=True)),
        runs.c.started_at >= bindparam("since"),
        runs.c.kind == "skill",
        runs.c.preview.is_(False),
        runs.c.ended_at.is_not(None),
    )
    .order_by(runs.c.ended_at)
)


async def practised(tx: Tx, member_ids: Sequence[int], since: datetime) -> Mapping[int, tuple[Practised, ...]]:
    """Return each member's finished practices of skills since then, the oldest first."""
    found: dict[int, list[Practised]] = {member_id: [] for member_id in member_ids}
    for row in await tx.all(_PRACTISED, {"ids": member_ids, "since": since}):
        found[row.member_id].append(
            Practised(
                activity=row.activity, before=row.before, after=row.after, outcome=row.outcome, ended_at=row.ended_at
            )
        )
    return {member_id: tuple(done) for member_id, done in found.items()}


async def add_answer(tx: Tx, member_id: int, run_id: int | None, kind: str, answer: Answer, now: datetime) -> int:
    """Keep an answer ("answer"), or something written when nothing or something else was asked ("remark")."""
    answer_id = new_id()
    sealed = tx.vault.seal("answers.text", answer_id, answer.text) if answer.text else None
    row = {
        "id": answer_id,
        "member_id": member_id,
        "run_id": run_id,
        "kind": kind,
        "step": answer.step,
        "number": answer.number,
        "options": list(answer.options) or None,
        "text_sealed": sealed,
        "at": now,
    }
    await tx.run(_ADD_ANSWER, row)
    return answer_id


async def withdraw_answer(tx: Tx, run_id: int, step: str, now: datetime) -> None:
    """Mark the answers of a step that the person went back to: they are kept, and count no longer."""
    standing = (answers.c.run_id == run_id) & (answers.c.step == step) & answers.c.withdrawn_at.is_(None)
    await tx.run(update(answers).where(standing).values(withdrawn_at=now))


async def last_answers(tx: Tx, member_id: int, limit: int) -> tuple[Row, ...]:
    """Return the member's latest answers and remarks, the newest first; of those taken back only what was flagged."""
    flagged = select(flags.c.answer_id).where(flags.c.answer_id == answers.c.id).exists()
    query = (
        select(answers, runs.c.activity)
        .outerjoin(runs, runs.c.id == answers.c.run_id)
        .where(answers.c.member_id == member_id, answers.c.withdrawn_at.is_(None) | flagged)
        .order_by(answers.c.at.desc(), answers.c.id)
        .limit(limit)
    )
    return tuple(await tx.all(query))


def answer_text(tx: Tx, row: Row) -> str | None:
    """Return what was written in an answer's row; None where it cannot be read."""
    return readable(tx.vault, "answers.text", row.id, row.text_sealed) if row.text_sealed else ""


async def numbers_of(tx: Tx, member_id: int, step: str, since: datetime) -> tuple[tuple[datetime, float], ...]:
    """Return the numbers that the member answered at a step since then, the oldest first."""
    query = (
        select(answers.c.at, answers.c.number)
        .where(
            answers.c.member_id == member_id,
            answers.c.step == step,
            answers.c.at >= since,
            answers.c.number.is_not(None),
            answers.c.withdrawn_at.is_(None),
        )
        .order_by(answers.c.at)
    )
    return tuple((row.at, row.number) for row in await tx.all(query))


async def last_heard(tx: Tx, member_id: int, activity: str) -> datetime | None:
    """Return when the member last answered anything in this activity, asked for it or not."""
    theirs = (runs.c.member_id == member_id) & (runs.c.activity == activity) & (answers.c.kind == "answer")
    query = select(func.max(answers.c.at)).join(runs, runs.c.id == answers.c.run_id).where(theirs)
    found: datetime | None = await tx.value(query)
    return found


async def add_score(
    tx: Tx, member_id: int, run_id: int, measure: str, total: float | None, band: str, now: datetime
) -> None:
    """Keep what a finished measure came to."""
    row = {"member_id": member_id, "run_id": run_id, "measure": measure, "total": total, "band": band, "at": now}
    await tx.run(insert(scores).values(id=new_id(), **row))


async def last_score(tx: Tx, member_id: int, measure: str) -> float | None:
    """Return the member's last total in a measure."""
    query = (
        select(scores.c.total)
        .where(scores.c.member_id == member_id, scores.c.measure == measure, scores.c.total.is_not(None))
        .order_by(scores.c.at.desc())
        .limit(1)
    )
    found: float | None = await tx.value(query)
    return found


async def first_and_last(tx: Tx, member_id: int, measure: str) -> tuple[Row, Row] | None:
    """Return the first and the last total of a member in a measure (`total`, `at`); None when there are not two."""
    own = (scores.c.member_id == member_id) & (scores.c.measure == measure) & scores.c.total.is_not(None)
    query = select(scores.c.id, scores.c.total, scores.c.at).where(own)
    first = await tx.one(query.order_by(scores.c.at, scores.c.id).limit(1))
    last = await tx.one(query.order_by(scores.c.at.desc(), scores.c.id.desc()).limit(1))
    return (first, last) if first and last and first.id != last.id else None


async def keep_content(tx: Tx, kind: Kind, name: str, language: str, version: str, text: str, now: datetime) -> None:
    """Keep the exact text of a version that somebody met."""
    add = sqlite.insert if tx.dialect.name == "sqlite" else postgresql.insert
    row = {"kind": kind, "id": name, "language": language, "version": version, "text": text, "first_met_at": now}
    await tx.run(add(contents).values(**row).on_conflict_do_nothing())


async def kept_content(tx: Tx, kind: Kind, name: str, language: str, version: str) -> str | None:
    """Return the text of a version."""
    found: str | None = await tx.value(
        select(contents.c.text).where(
            contents.c.kind == kind,
            contents.c.id == name,
            contents.c.language == language,
            contents.c.version == version,
        )
    )
    return found


def _changing(tx: Tx, run: Run) -> dict[str, Any]:
    state = run.state
    numbers = {step: answer.number for step in DISTRESS if (answer := state.answers.get(step))}
    return {
        "phase": state.phase,
        "turn": state.turn,
        "state_sealed": tx.vault.seal("runs.state", run.id, _packed(state)),
        "before": numbers.get("before"),
        "after": numbers.get("after"),
        "outcome": state.outcome[:32],
        "updated_at": run.updated_at,
        "due_at": run.due_at if state.phase == "waiting" else None,
        "ended_at": run.updated_at if state.phase == "ended" else None,
    }


def _run_if_readable(tx: Tx, row: Row) -> Run | None:
    try:
        return _run(tx, row)
    except (Unreadable, ValueError, LookupError, TypeError):
        log.exception("a practice cannot be read")
        return None


def _run(tx: Tx, row: Row) -> Run:
    return Run(
        id=row.id,
        member_id=row.member_id,
        kind=row.kind,
        activity=row.activity,
        language=row.language,
        version=row.version,
        card=row.card,
        preview=row.preview,
        state=_unpacked(tx.vault.open("runs.state", row.id, row.state_sealed), row.phase, row.turn, row.outcome),
        started_at=row.started_at,
        updated_at=row.updated_at,
        due_at=row.due_at,
    )


def _packed(state: State) -> str:
    return json.dumps(
        {
            "step": state.step,
            "answers": [asdict(answer) for answer in state.answers.values()],
            "trail": state.trail,
            "ticked": sorted(state.ticked),
        },
        ensure_ascii=False,
    )


def _unpacked(text: str, phase: Phase, turn: int, outcome: str) -> State:
    known = json.loads(text)
    given = [Answer(**{**answer, "options": tuple(answer["options"])}) for answer in known["answers"]]
    return State(
        step=known["step"],
        turn=turn,
        phase=phase,
        answers=MappingProxyType({answer.step: answer for answer in given}),
        trail=tuple(known["trail"]),
        ticked=frozenset(known["ticked"]),
        outcome=outcome,
    )


async def next_elapse(tx: Tx) -> datetime | None:
    """Return when the next pause of anybody's practice is over."""
    found: datetime | None = await tx.value(select(func.min(runs.c.due_at)))
    return found
