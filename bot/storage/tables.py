"""The tables. Enumerations are text, times are UTC, `*_sealed` columns are encrypted for their row."""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = MetaData(naming_convention=NAMING)


class Utc(TypeDecorator[datetime]):
    """A moment. Refuses naive datetimes; gives back aware ones in UTC, whatever the database keeps."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return value and _in_utc(value)

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        """Return how a moment is kept. SQLite's text is written here: SQLAlchemy's own way takes four times as long."""
        return _as_text if dialect.name == "sqlite" else super().bind_processor(dialect)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any] | None:
        """Return how a moment is read."""
        return _from_text if dialect.name == "sqlite" else super().result_processor(dialect, coltype)


def _in_utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    return moment.astimezone(UTC)


def _as_text(moment: datetime | None) -> str | None:
    return _in_utc(moment).replace(tzinfo=None).isoformat(" ", "microseconds") if moment else None


def _from_text(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None


BigId = BigInteger().with_variant(Integer, "sqlite")
"""SQLite numbers rows by itself only in a column declared INTEGER."""


def new_id() -> int:
    """Return an id nobody can guess and no two rows share."""
    return secrets.randbits(63)


def _only(condition: str) -> dict[str, Any]:
    """Arguments of an index that holds only the rows of `condition`, on both databases."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


def _own_id() -> Column[int]:
    return Column("id", BigId, primary_key=True, autoincrement=False, default=new_id)


def _moment(name: str, *, null: bool = True) -> Column[datetime]:
    return Column(name, Utc, nullable=null)


def _ref(name: str, target: str, *, null: bool = False) -> Column[int]:
    return Column(name, BigId, ForeignKey(target), nullable=null)


people = Table(
    "people",
    metadata,
    _own_id(),
    Column("telegram_id", BigInteger, unique=True),
    Column("code", String(12), unique=True, nullable=False),
    Column("name_sealed", LargeBinary),
    Column("language", String(8), nullable=False),
    Column("zones", JSON, nullable=False),
    Column("dialogue", JSON),
    Column("country", String(2)),
    _moment("created_at", null=False),
    _moment("blocked_at"),
)

members = Table(
    "members",
    metadata,
    _own_id(),
    _ref("person_id", "people.id"),
    Column("programme", String(64), nullable=False),
    Column("role", String(16), nullable=False),
    Column("standing", String(16), nullable=False),
    Column("level", String(32), nullable=False, default=""),
    Column("began", Date),
    Column("consent_version", Integer),
    Column("preferences", JSON, nullable=False, default=dict),
    Column("pauses", JSON, nullable=False, default=list),
    _ref("primary_id", "members.id", null=True),
    _moment("plan_at"),
    _moment("created_at", null=False),
    _moment("ended_at"),
    Index(None, "person_id"),
    Index("ix_members_plan", "plan_at", **_only("plan_at IS NOT NULL")),
    Index(None, "programme", "role", "standing"),
)

consents = Table(
    "consents",
    metadata,
    _own_id(),
    _ref("member_id", "members.id"),
    Column("version", Integer, nullable=False),
    Column("language", String(8), nullable=False),
    _moment("at", null=False),
    Index(None, "member_id"),
)

invitations = Table(
    "invitations",
    metadata,
    _own_id(),
    Column("token_hash", String(64), unique=True, nullable=False),
    Column("programme", String(64), nullable=False),
    Column("role", String(16), nullable=False),
    Column("level", String(32), nullable=False, default=""),
    _ref("primary_id", "members.id", null=True),
    _ref("created_by", "members.id", null=True),
    _moment("created_at", null=False),
    _moment("expires_at", null=False),
    _moment("used_at"),
    _ref("used_by", "people.id", null=True),
)

prompts = Table(
    "prompts",
    metadata,
    _own_id(),
    _ref("member_id", "members.id"),
    Column("stream", String(64), nullable=False),
    Column("slot", String(32), nullable=False),
    Column("status", String(16), nullable=False),
    Column("kind", String(8), nullable=False),
    Column("activity", String(64), nullable=False, default=""),
    Column("probability", Float),
    _moment("due_at", null=False),
    _moment("latest_at", null=False),
    Column("answer_within", Integer, nullable=False),
    Column("remind_after", Integer),
    _moment("sent_at"),
    _moment("remind_at"),
    _moment("expires_at"),
    Column("snoozes", SmallInteger, nullable=False, default=0),
    _ref("run_id", "runs.id", null=True),
    UniqueConstraint("member_id", "stream", "slot"),
    Index("ix_prompts_due", "due_at", **_only("status = 'planned'")),
    Index("ix_prompts_figures", "due_at", "status", "member_id"),
    Index("ix_prompts_remind", "remind_at", **_only("remind_at IS NOT NULL")),
    Index("ix_prompts_expire", "expires_at", **_only("expires_at IS NOT NULL")),
    Index("ix_prompts_run_id", "run_id", **_only("run_id IS NOT NULL")),
)

runs = Table(
    "runs",
    metadata,
    _own_id(),
    _ref("member_id", "members.id"),
    Column("kind", String(8), nullable=False),
    Column("activity", String(64), nullable=False),
    Column("language", String(8), nullable=False),
    Column("version", String(16), nullable=False),
    Column("card", String(64), nullable=False),
    Column("phase", String(16), nullable=False),
    Column("turn", Integer, nullable=False),
    Column("state_sealed", LargeBinary, nullable=False),
    Column("preview", Boolean, nullable=False, default=False),
    Column("before", Float),
    Column("after", Float),
    Column("outcome", String(32), nullable=False, default=""),
    _moment("started_at", null=False),
    _moment("updated_at", null=False),
    _moment("due_at"),
    _moment("ended_at"),
    Index(None, "member_id", "started_at"),
    Index("ix_runs_due", "due_at", **_only("due_at IS NOT NULL")),
)

answers = Table(
    "answers",
    metadata,
    _own_id(),
    _ref("member_id", "members.id"),
    _ref("run_id", "runs.id", null=True),
    Column("kind", String(8), nullable=False),
    Column("step", String(64), nullable=False, default=""),
    Column("number", Float),
    Column("options", JSON),
    Column("text_sealed", LargeBinary),
    _moment("at", null=False),
    _moment("withdrawn_at"),
    Index(None, "member_id", "at"),
    Index(None, "run_id"),
)

scores = Table(
    "scores",
    metadata,
    _own_id(),
    _ref("member_id", "members.id"),
    _ref("run_id", "runs.id"),
    Column("measure", String(64), nullable=False),
    Column("total", Float),
    Column("band", String(64), nullable=False, default=""),
    _moment("at", null=False),
    UniqueConstraint("run_id"),
    Index(None, "member_id", "measure", "at"),
)

cases = Table(
    "cases",
    metadata,
    _own_id(),
    Column("number", Integer, nullable=False),
    _ref("member_id", "members.id"),
    Column("programme", String(64), nullable=False),
    Column("level", String(8), nullable=False),
    Column("state", String(16), nullable=False),
    _moment("opened_at", null=False),
    _moment("raised_at", null=False),
    _moment("deadline", null=False),
    Column("alerts", Integer, nullable=False, default=0),
    _moment("next_alert"),
    _ref("acknowledged_by", "members.id", null=True),
    _ref("assigned_to", "members.id", null=True),
    Column("disposition", String(32)),
    _moment("resolved_at"),
    UniqueConstraint("programme", "number"),
    Index("ix_cases_one_open", "member_id", unique=True, **_only("state <> 'resolved'")),
    Index("ix_cases_next_alert", "next_alert", **_only("next_alert IS NOT NULL")),
    Index(None, "member_id"),
    Index(None, "programme", "state"),
)

flags = Table(
    "flags",
    metadata,
    _own_id(),
    _ref("case_id", "cases.id"),
    _ref("answer_id", "answers.id", null=True),
    Column("level", String(8), nullable=False),
    Column("category", String(32), nullable=False),
    Column("rule", String(64), nullable=False),
    Column("version", String(16), nullable=False),
    Column("lowered_by", String(64), nullable=False, default=""),
    Column("similar_to", String(64), nullable=False, default=""),
    _moment("at", null=False),
    Index(None, "case_id"),
    Index("ix_flags_answer_id", "answer_id", **_only("answer_id IS NOT NULL")),
)

case_events = Table(
    "case_events",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("case_id", BigId, ForeignKey("cases.id", ondelete="CASCADE"), nullable=False),
    _ref("by", "members.id", null=True),
    Column("kind", String(16), nullable=False),
    Column("detail", JSON, nullable=False, default=dict),
    Column("key", BigId, nullable=False, default=new_id),
    Column("note_sealed", LargeBinary),
    _moment("at", null=False),
    Index(None, "case_id"),
    Index("ix_case_events_at", "at"),
)
"""What happened to a case, only ever added to: the database lets an event go with its whole case, never by itself."""

shifts = Table(
    "shifts",
    metadata,
    _own_id(),
    Column("programme", String(64), nullable=False),
    Column("duty", String(16), nullable=False),
    _ref("member_id", "members.id"),
    Column("weekday", SmallInteger, nullable=False),
    Column("starts", String(5), nullable=False),
    Column("minutes", Integer, nullable=False),
    Column("every_weeks", SmallInteger, nullable=False, default=1),
    Column("since", Date, nullable=False),
    Column("until", Date),
    _moment("created_at", null=False),
    Index(None, "programme"),
)
"""Who is on call each week: `starts` is the programme's local time on `weekday` (Monday is 0)."""

covers = Table(
    "covers",
    metadata,
    _own_id(),
    Column("programme", String(64), nullable=False),
    Column("duty", String(16), nullable=False),
    _ref("member_id", "members.id"),
    _ref("instead_of", "members.id", null=True),
    _moment("starts_at", null=False),
    _moment("ends_at", null=False),
    _ref("made_by", "members.id", null=True),
    _moment("created_at", null=False),
    _moment("accepted_at"),
    _moment("withdrawn_at"),
    Index(None, "programme", "ends_at"),
)
"""Somebody stands in for `instead_of`, or for whoever would be on duty; only an offer until it is accepted."""

absences = Table(
    "absences",
    metadata,
    _own_id(),
    _ref("member_id", "members.id"),
    Column("first", Date, nullable=False),
    Column("last", Date, nullable=False),
    _moment("created_at", null=False),
    Index(None, "member_id"),
)

on_call = Table(
    "on_call",
    metadata,
    Column("member_id", BigId, ForeignKey("members.id"), primary_key=True, autoincrement=False),
    Column("programme", String(64), nullable=False),
    _moment("since", null=False),
    Index(None, "programme"),
)
"""Who was told that they are on call and not yet that it is over."""

channels = Table(
    "channels",
    metadata,
    _own_id(),
    Column("programme", String(64), nullable=False),
    _ref("member_id", "members.id", null=True),
    Column("kind", String(32), nullable=False),
    Column("address_sealed", LargeBinary, nullable=False),
    _moment("created_at", null=False),
    _moment("removed_at"),
    Index(None, "programme"),
    Index(None, "member_id"),
)
"""Another way to reach a clinician (`member_id`), or a whole programme: an address that Apprise knows."""

pages = Table(
    "pages",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("key", String(80), unique=True, nullable=False),
    _ref("channel_id", "channels.id"),
    _ref("case_id", "cases.id"),
    Column("unless_sent", String(80)),
    Column("payload_sealed", LargeBinary, nullable=False),
    Column("state", String(8), nullable=False, default="ready"),
    _moment("created_at", null=False),
    _moment("not_before", null=False),
    Column("attempts", Integer, nullable=False, default=0),
    _moment("settled_at"),
    Column("error", String(200), nullable=False, default=""),
    Index("ix_pages_ready", "not_before", **_only("state = 'ready'")),
    Index("ix_pages_settled", "settled_at", "state", **_only("settled_at IS NOT NULL")),
    sqlite_autoincrement=True,
)
"""Alerts that go out by a channel; one with `unless_sent`, the key of an alert in the outbox, only when that fails."""

safety_plans = Table(
    "safety_plans",
    metadata,
    _own_id(),
    _ref("member_id", "members.id"),
    Column("version", Integer, nullable=False),
    Column("step", String(16), nullable=False),
    Column("steps_sealed", LargeBinary, nullable=False),
    _ref("by", "members.id", null=True),
    _moment("at", null=False),
    UniqueConstraint("member_id", "version"),
)
"""Each version of a safety plan: `step` is the one that was changed, `by` who wrote it. The highest counts."""

plan_proposals = Table(
    "plan_proposals",
    metadata,
    _own_id(),
    _ref("member_id", "members.id"),
    _ref("by", "members.id", null=True),
    Column("step", String(16), nullable=False),
    Column("base", Integer, nullable=False),
    Column("text_sealed", LargeBinary, nullable=False),
    Column("state", String(16), nullable=False, default="open"),
    _moment("at", null=False),
    _moment("decided_at"),
    Index("ix_plan_proposals_open", "member_id", **_only("state = 'open'")),
)
"""What a clinician suggests for one step of a version (`base`, 0: of none); only the participant decides."""

follow_ups = Table(
    "follow_ups",
    metadata,
    _own_id(),
    Column("key", String(80), unique=True, nullable=False),
    _ref("member_id", "members.id"),
    _ref("case_id", "cases.id", null=True),
    Column("kind", String(16), nullable=False),
    _moment("due_at", null=False),
    _moment("sent_at"),
    Column("outcome", String(16), nullable=False, default=""),
    Index("ix_follow_ups_due", "due_at", **_only("sent_at IS NULL")),
    Index(None, "member_id"),
)
"""A word to somebody some time after a case, or after they left."""

contents = Table(
    "contents",
    metadata,
    Column("kind", String(8), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("language", String(8), primary_key=True),
    Column("version", String(16), primary_key=True),
    Column("text", Text, nullable=False),
    _moment("first_met_at", null=False),
)

inbox = Table(
    "inbox",
    metadata,
    Column("update_id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("chat_id", BigInteger, nullable=False),
    Column("payload_sealed", LargeBinary, nullable=False),
    _moment("received_at", null=False),
    Column("attempts", SmallInteger, nullable=False, default=0),
    _moment("not_before", null=False),
    _moment("done_at"),
    _moment("set_aside_at"),
    Column("claimed_by", Integer),
    Column("error", String(200), nullable=False, default=""),
    Index("ix_inbox_chat", "chat_id", "update_id", **_only("done_at IS NULL")),
    Index("ix_inbox_waiting", "update_id", **_only("done_at IS NULL")),
    Index("ix_inbox_set_aside", "set_aside_at", **_only("set_aside_at IS NOT NULL")),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("key", String(80), unique=True, nullable=False),
    Column("chat_id", BigInteger, nullable=False),
    Column("lane", SmallInteger, nullable=False),
    Column("payload_sealed", LargeBinary, nullable=False),
    Column("state", String(8), nullable=False, default="ready"),
    _moment("created_at", null=False),
    _moment("not_before", null=False),
    _moment("expires_at"),
    Column("attempts", SmallInteger, nullable=False, default=0),
    _ref("prompt_id", "prompts.id", null=True),
    _ref("case_id", "cases.id", null=True),
    _ref("member_id", "members.id", null=True),
    _moment("settled_at"),
    Column("message_id", BigInteger),
    Column("error", String(200), nullable=False, default=""),
    Index("ix_outbox_ready", "lane", "id", **_only("state = 'ready'")),
    Index("ix_outbox_settled", "settled_at", "state", **_only("settled_at IS NOT NULL")),
    Index("ix_outbox_chat", "chat_id", "id", **_only("state = 'ready'")),
    Index("ix_outbox_prompt_id", "prompt_id", **_only("prompt_id IS NOT NULL")),
    Index("ix_outbox_case_id", "case_id", **_only("case_id IS NOT NULL")),
    Index("ix_outbox_member_id", "member_id", **_only("member_id IS NOT NULL")),
)

FORGOTTEN = b""
"""What stays of the words of an update that is done, and of a message that is settled."""

cards = Table(
    "cards",
    metadata,
    Column("chat_id", BigInteger, primary_key=True),
    Column("card", String(64), primary_key=True),
    Column("message_id", BigInteger, nullable=False),
    Column("photo", Boolean, nullable=False, default=False),
)

audit = Table(
    "audit",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    _moment("at", null=False),
    _ref("by", "members.id", null=True),
    Column("action", String(32), nullable=False),
    Column("subject", String(64), nullable=False, default=""),
    Column("detail", JSON, nullable=False, default=dict),
    Column("salt", String(32)),
    Column("digest", String(64), nullable=False, server_default=""),
    Column("chain", String(64), nullable=False, server_default=""),
)
"""`salt` is gone from a line that an erasure changed; see storage/audit."""

marks = Table(
    "marks",
    metadata,
    Column("name", String(80), primary_key=True),
    Column("value", String(80), nullable=False),
    _moment("at", null=False),
)

Row = Any
"""A row of a result, whose columns are attributes."""
