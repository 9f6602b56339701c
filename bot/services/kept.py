"""What is kept about a person, as sections of records: what they are, agreed to, answered, and who looked at it."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from bot.content.frozen import thaw
from bot.content.library import Content
from bot.domain.activity import Choice, Many, Measure, Skill
from bot.domain.words import plain
from bot.services.voice import Voice
from bot.storage import export, runs
from bot.storage.erasure import Traces
from bot.storage.store import Tx
from bot.storage.tables import Row
from bot.storage.vault import readable

Value = str | float | datetime | date | None
Record = Mapping[str, Value]
Sections = Mapping[str, Sequence[Record]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """The rows of somebody, and the activities that they met, by run."""

    tx: Tx
    content: Content
    language: str
    rows: Mapping[str, Sequence[Row]]
    met: Mapping[int, Skill | Measure]

    def opened(self, place: str, row: Row, sealed: bytes | None) -> str:
        if not sealed:
            return ""
        text = readable(self.tx.vault, place, row.id, sealed)
        return Voice(self.content, self.language).label("cannot-be-read") if text is None else text

    def programme(self, name: str) -> str:
        return self.content.programme(name, self.language).title if name in self.content.programmes else name

    def case_number(self, case_id: int) -> float | None:
        return next((row.number for row in self.rows["cases"] if row.id == case_id), None)

    def place(self, member_id: int) -> str:
        return next((self.programme(row.programme) for row in self.rows["members"] if row.id == member_id), "")


async def sections(tx: Tx, content: Content, known: Traces, language: str) -> Sections:
    """Return what is kept about a person, in sections by name; those without a record are left out."""
    rows = await export.rows_of(tx, known.person_id)
    read = _Read(tx=tx, content=content, language=language, rows=rows, met=await _met(tx, rows["runs"]))
    found: dict[str, Sequence[Record]] = {name: list(records(read)) for name, records in _SECTIONS.items()}
    found["looks"] = [{"when": row.at, "role": row.role, "action": row.action} for row in await export.looks(tx, known)]
    found["acts"] = [{"when": row.at, "action": row.action} for row in await export.acts(tx, known)]
    return {name: records for name, records in found.items() if records}


async def _met(tx: Tx, practices: Sequence[Row]) -> dict[int, Skill | Measure]:
    """Return the very versions of the activities that each practice was led by, as far as they are kept."""
    versions: dict[tuple[str, str, str, str], Skill | Measure] = {}
    met = {}
    for row in practices:
        version = (row.kind, row.activity, row.language, row.version)
        if version not in versions and (text := await runs.kept_content(tx, *version)):
            versions[version] = thaw(text)
        if version in versions:
            met[row.id] = versions[version]
    return met


def _profile(read: _Read) -> Iterable[Record]:
    for row in read.rows["people"]:
        yield {
            "name": read.opened("people.name", row, row.name_sealed),
            "code": row.code,
            "account": str(row.telegram_id or ""),
            "language": row.language,
            "zones": "; ".join(f"{zone} ({since[:10]})" for since, zone in row.zones),
            "country": row.country,
            "when": row.created_at,
        }


def _places(read: _Read) -> Iterable[Record]:
    for row in read.rows["members"]:
        own = {**({"preferences": row.preferences} if row.preferences else {}), **_pauses(row)}
        yield {
            "programme": read.programme(row.programme),
            "role": row.role,
            "standing": row.standing,
            "care": row.level,
            "began": row.began,
            "ended": row.ended_at,
            "settings": json.dumps(own, ensure_ascii=False) if own else "",
        }


def _pauses(row: Row) -> dict[str, object]:
    return {"pauses": row.pauses} if row.pauses else {}


def _consents(read: _Read) -> Iterable[Record]:
    for row in read.rows["consents"]:
        programme = read.place(row.member_id)
        yield {"when": row.at, "programme": programme, "version": row.version, "language": row.language}


def _answers(read: _Read) -> Iterable[Record]:
    for row in read.rows["answers"]:
        activity = read.met.get(row.run_id)
        yield {
            "when": row.at,
            "activity": activity.title if activity else "",
            "question": _question(activity, row.step),
            "answer": read.opened("answers.text", row, row.text_sealed) or _chosen(activity, row),
            "number": row.number,
            "withdrawn": row.withdrawn_at,
        }


def _question(activity: Skill | Measure | None, step: str) -> str:
    return plain(activity.steps[step].heading) if activity and step in activity.steps else step


def _chosen(activity: Skill | Measure | None, row: Row) -> str:
    ask = activity.steps[row.step].ask if activity and row.step in activity.steps else None
    labels = [option.label for option in ask.options] if isinstance(ask, Choice | Many) else []
    return ", ".join(labels[index] if index < len(labels) else str(index) for index in row.options or ())


def _scores(read: _Read) -> Iterable[Record]:
    for row in read.rows["scores"]:
        activity = read.met.get(row.run_id)
        measure = activity.title if activity else row.measure
        yield {"when": row.at, "measure": measure, "score": row.total, "band": row.band}


def _practices(read: _Read) -> Iterable[Record]:
    for row in read.rows["runs"]:
        activity = read.met.get(row.id)
        yield {
            "when": row.started_at,
            "activity": activity.title if activity else row.activity,
            "ended": row.ended_at,
            "outcome": row.outcome,
            "before": row.before,
            "after": row.after,
        }


def _prompts(read: _Read) -> Iterable[Record]:
    for row in read.rows["prompts"]:
        yield {"when": row.due_at, "activity": row.activity or row.stream, "sent": row.sent_at, "status": row.status}


def _plans(read: _Read) -> Iterable[Record]:
    for row in read.rows["safety_plans"]:
        steps: dict[str, str] = json.loads(read.opened("safety_plans.steps", row, row.steps_sealed))
        text = "\n\n".join(f"{_step_title(read, step)}\n{said}" for step, said in steps.items())
        yield {"when": row.at, "version": row.version, "text": text}


def _proposals(read: _Read) -> Iterable[Record]:
    for row in read.rows["plan_proposals"]:
        text = read.opened("plan_proposals.text", row, row.text_sealed)
        yield {"when": row.at, "question": _step_title(read, row.step), "text": text, "outcome": row.state}


def _step_title(read: _Read, step: str) -> str:
    return Voice(read.content, read.language).label(f"plan-step-{step}")


def _cases(read: _Read) -> Iterable[Record]:
    for row in read.rows["cases"]:
        yield {
            "case": row.number,
            "level": row.level,
            "state": row.state,
            "when": row.opened_at,
            "raised": row.raised_at,
            "resolved": row.resolved_at,
            "disposition": row.disposition,
        }


def _flags(read: _Read) -> Iterable[Record]:
    for row in read.rows["flags"]:
        yield {"when": row.at, "case": read.case_number(row.case_id), "level": row.level, "category": row.category}


def _steps(read: _Read) -> Iterable[Record]:
    """Yield what happened to the person's cases and when: what a clinician noted is theirs, and not in it."""
    for row in read.rows["case_events"]:
        yield {"when": row.at, "case": read.case_number(row.case_id), "step": row.kind}


def _follow_ups(read: _Read) -> Iterable[Record]:
    for row in read.rows["follow_ups"]:
        yield {"when": row.due_at, "kind": row.kind, "sent": row.sent_at, "outcome": row.outcome}


def _duties(read: _Read) -> Iterable[Record]:
    for row in read.rows["shifts"]:
        text = f"{row.duty}: {row.weekday + 1}/7 {row.starts}, {row.minutes} min, 1/{row.every_weeks}"
        yield {"when": row.created_at, "text": text, "began": row.since, "ended": row.until}
    for row in read.rows["covers"]:
        yield {"when": row.created_at, "text": row.duty, "began": row.starts_at, "ended": row.ends_at}
    for row in read.rows["absences"]:
        yield {"when": row.created_at, "text": "–", "began": row.first, "ended": row.last}
    for row in read.rows["on_call"]:
        yield {"when": row.since, "text": "on-call", "began": row.since, "ended": None}


def _channels(read: _Read) -> Iterable[Record]:
    for row in read.rows["channels"]:
        yield {"when": row.created_at, "kind": row.kind, "ended": row.removed_at}


_SECTIONS: Mapping[str, Callable[[_Read], Iterable[Record]]] = {
    "profile": _profile,
    "places": _places,
    "consents": _consents,
    "answers": _answers,
    "scores": _scores,
    "practices": _practices,
    "prompts": _prompts,
    "plans": _plans,
    "proposals": _proposals,
    "cases": _cases,
    "flags": _flags,
    "steps": _steps,
    "follow-ups": _follow_ups,
    "duties": _duties,
    "channels": _channels,
}
